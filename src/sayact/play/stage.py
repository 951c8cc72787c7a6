"""How the page is dressed, and from where its visitors look at the tables."""

from collections.abc import Callable, Sequence

import numpy as np
import viser

from sayact.envs.language_table.setting import BOARD_CENTRE, BOARD_SIZE, LIGHT_FROM
from sayact.play.scene import SPACING, grid

TITLE = "Sayact: say it, and the robot acts"
PANEL_WIDTH, CARD_WIDTH = 305, 300  # pixels; they leave a scene to windows of 1024
AMBIENT_LIGHT, DIRECTED_LIGHT = 1.6, 2.0  # of the page's renderer, by eye
BRAND = (28, 126, 214)
BACKGROUND = (40, 44, 51)  # behind the tables: between the panels' paper and the boards
# The first view. The policy's camera looks down by 54 degrees; from higher up tables are larger.
LOOKING_DOWN = np.radians(60)
MARGIN = 0.95  # upright, of a depth that is looked down upon; leaves room for the titles
SIDES = 1.04  # of the tables' width; leaves a gap to the panels


def dress(server: viser.ViserServer) -> None:
    """Colours, title, and the panel at the left."""
    server.gui.configure_theme(
        dark_mode=True, show_logo=False, show_share_button=False, brand_color=BRAND
    )
    server.gui.set_panel_label(TITLE)
    server.gui.main_panel.dock_left()
    server.gui.main_panel.set_width(PANEL_WIDTH)
    server.scene.set_up_direction("+z")
    server.scene.set_background_image(np.full((1, 1, 3), BACKGROUND, np.uint8), format="png")
    # The simulator's light, from its direction. Without shadows and a sky to mirror, a computer
    # that has no graphics card draws the page twenty times faster.
    server.scene.configure_default_lights(enabled=False)
    server.scene.configure_environment_map(None)
    server.scene.add_light_ambient("/ambient", intensity=AMBIENT_LIGHT)
    server.scene.add_light_directional(
        "/light", intensity=DIRECTED_LIGHT, position=LIGHT_FROM, cast_shadow=False
    )


def dock(panels: Sequence[viser.PanelHandle]) -> None:
    """One below the other at the right, in order.

    Each is given half of the room of the one above it: who comes later is told the places in the
    order in which panels were made, so that they cannot be halved more evenly.
    """
    for index, panel in enumerate(panels):
        if index == 0:
            panel.dock_right()
        else:
            panel.dock_below(panels[index - 1])
        panel.set_width(CARD_WIDTH)


def welcome(client: viser.ClientHandle, count: Callable[[], int]) -> None:
    """A visitor's first look, and another one whenever the window changes.

    Only then is it known how much room the panels leave. `count` tells how many tables there are.
    """
    size = (0, 0)

    def fit(camera: viser.CameraHandle) -> None:
        nonlocal size
        now = (camera.image_width, camera.image_height)
        if now != size:
            size = now
            aim(client, count())

    client.camera.on_update(fit)
    fit(client.camera)


def aim(client: viser.ClientHandle, tables: int) -> None:
    """Looks from the camera's side, far enough away to see all tables."""
    camera = client.camera
    camera.position, camera.look_at = viewpoint(max(tables, 1), camera.aspect, camera.fov)


def viewpoint(
    count: int, aspect: float, fov: float
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """From where, and whereto, a camera looks to see so many tables, metres.

    aspect: width by height of its picture. fov: its upright angle, radians.
    """
    rows, columns = grid(count)
    middle = (BOARD_CENTRE[0] + 0.01, 0.0, 0.0)
    half_width = SIDES * ((columns - 1) * SPACING[1] + BOARD_SIZE[1]) / 2
    half_depth = ((rows - 1) * SPACING[0] + BOARD_SIZE[0]) / 2
    tangent = np.tan(fov / 2)
    # The nearest board looks the widest: by how much it is nearer than the middle.
    nearer = half_depth * np.cos(LOOKING_DOWN)
    away = nearer + max(half_width / (tangent * aspect), MARGIN * half_depth / tangent)
    up, back = np.sin(LOOKING_DOWN), np.cos(LOOKING_DOWN)
    return (middle[0] + float(away * back), 0.0, float(away * up)), middle
