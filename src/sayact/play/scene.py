"""The tables in three dimensions: blocks to grab, the effector, its path, where it is told to go.

World frame of the page: every table's board frame, shifted along x and y. Tables are looked at as
their cameras do, from the side away from the robot.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import viser
from jaxtyping import Float64

from sayact.envs.language_table.blocks import (
    BLOCK_BEVEL,
    BLOCK_HEIGHT,
    POLE,
    RGB,
    color_of,
    outline,
    shape_of,
)
from sayact.envs.language_table.meshes import bevelled_prism
from sayact.envs.language_table.scene import EFFECTOR_BOTTOM, EFFECTOR_RADIUS, POLE_HEIGHT
from sayact.envs.language_table.setting import BOARD_CENTRE, BOARD_SIZE
from sayact.envs.language_table.web_blocks import WEB_SHAPES
from sayact.envs.language_table.workspace import HIGH, LOW
from sayact.play.view import View

SPACING = (0.62, 0.67)  # metres from table to table along x and y; a board is 0.46 by 0.61
COLUMNS = 2  # of tables
BOARD_THICKNESS = 0.012
STICK = 0.11  # metres that the effector's stick rises above the board
LINES = 0.0012  # metres above the board, so that lines do not flicker into it
TRACE_EVERY = 3  # views between two drawings of the path, which is sent whole

BOARD_RGB, BORDER_RGB = (66, 71, 80), (120, 126, 134)
STICK_RGB, GHOST_RGB, TRACE_RGB, GOAL_RGB = (
    (235, 235, 238),
    (255, 150, 60),
    (255, 190, 120),
    (90, 220, 140),
)
# The page's light is paler than the simulator's: colours are deepened by these to look like its.
BRIGHTNESS, DEPTH = 1.0, 1.3

Grabbed = Callable[[str, tuple[float, float]], None]  # block, where to in the board's frame


@dataclass
class _Grip:
    """What a hand holds: from there to the block's middle, and at which height; metres."""

    offset: Float64[np.ndarray, "2"]
    height: float


class TableScene:
    """One table. Draws a view; tells of every block that somebody drags."""

    def __init__(self, server: viser.ViserServer, name: str, title: str, grabbed: Grabbed) -> None:
        """`name` is unique among tables, made of letters and digits; `title` stands above it."""
        self._scene = server.scene
        self._root = f"/{name}"
        self._grabbed = grabbed
        self._frame = self._scene.add_frame(self._root, show_axes=False)
        self._blocks: dict[str, viser.MeshHandle] = {}
        self._shown: dict[str, tuple[float, float, float]] = {}
        self._grips: dict[tuple[int, str], _Grip] = {}
        self._drawn = 0
        self._title = title
        self._label = self._add_board()
        self._stick, self._ghost, self._goal = self._add_effector()
        self._trace = self._scene.add_line_segments(
            f"{self._root}/trace",
            np.zeros((1, 2, 3), np.float32),
            TRACE_RGB,
            thickness=2.5,
            thickness_units="screen",
        )

    def place(self, index: int, count: int) -> None:
        """This is the so-manieth table of so many, row by row, the first one furthest away."""
        self._frame.position = (*offset(index, count), 0.0)

    def draw(self, view: View) -> None:
        """Brings the scene to this moment; what has not moved is not sent."""
        if set(self._blocks) != set(view.state.blocks):
            self._lay(view)
        for block, pose in view.state.blocks.items():
            if self._shown.get(block) != pose:
                self._shown[block] = pose
                x, y, yaw = pose
                handle = self._blocks[block]
                handle.position = (x, y, 0.0)
                handle.wxyz = (np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2))
        self._put(self._stick, view.state.effector_xy, EFFECTOR_BOTTOM + STICK / 2)
        self._put(self._ghost, view.state.effector_target_xy, EFFECTOR_BOTTOM + 0.02)
        self._goal.visible = view.goal is not None and view.status == "playing"
        if view.goal is not None:
            self._put(self._goal, view.goal, LINES)
        done = f"{self._title}: done in {view.steps} steps"
        self._label.text = done if view.status == "done" else self._title
        self._drawn += 1
        if self._drawn % TRACE_EVERY == 0 or len(view.trace) < TRACE_EVERY:
            self._trace.points = segments(view.trace)

    def remove(self) -> None:
        """Takes the table away."""
        self._frame.remove()

    # --- what stands there ---

    def _add_board(self) -> viser.LabelHandle:
        x, y = BOARD_CENTRE
        self._scene.add_box(
            f"{self._root}/board",
            color=BOARD_RGB,
            dimensions=(*BOARD_SIZE, BOARD_THICKNESS),
            position=(x, y, -BOARD_THICKNESS / 2),
            cast_shadow=False,
        )
        corners = np.array([LOW, (LOW[0], HIGH[1]), HIGH, (HIGH[0], LOW[1]), LOW])
        self._scene.add_line_segments(
            f"{self._root}/border",
            segments(corners),
            BORDER_RGB,
            thickness=1.5,
            thickness_units="screen",
        )
        return self._scene.add_label(
            f"{self._root}/title",
            self._title,
            position=(x - BOARD_SIZE[0] / 2 - 0.03, y, 0.05),
            anchor="bottom-center",
            font_screen_scale=1.1,
        )

    def _add_effector(self) -> tuple[viser.CylinderHandle, ...]:
        stick = self._scene.add_cylinder(
            f"{self._root}/stick",
            radius=EFFECTOR_RADIUS,
            height=STICK,
            color=STICK_RGB,
            radial_segments=20,
        )
        ghost = self._scene.add_cylinder(
            f"{self._root}/ghost",
            radius=EFFECTOR_RADIUS * 1.15,
            height=0.04,
            color=GHOST_RGB,
            opacity=0.45,
            radial_segments=20,
            cast_shadow=False,
        )
        goal = self._scene.add_cylinder(
            f"{self._root}/goal",
            radius=0.03,
            height=0.001,
            color=GOAL_RGB,
            opacity=0.45,
            radial_segments=28,
            cast_shadow=False,
            visible=False,
        )
        return stick, ghost, goal

    def _lay(self, view: View) -> None:
        """Other blocks than before."""
        for handle in self._blocks.values():
            handle.remove()
        self._shown.clear()
        self._blocks = {block: self._add_block(block) for block in view.state.blocks}

    def _add_block(self, block: str) -> viser.MeshHandle:
        shape = shape_of(block)
        vertices, _normals, faces = bevelled_prism(
            outline(shape),
            height=POLE_HEIGHT if block == POLE else BLOCK_HEIGHT,
            bevel=BLOCK_BEVEL,
            about_origin=shape in WEB_SHAPES,
        )
        handle = self._scene.add_mesh_simple(
            f"{self._root}/blocks/{block}",
            vertices.astype(np.float32),
            faces.astype(np.uint32),
            color=page_colour(RGB[color_of(block)]),
            flat_shading=True,
        )

        # Coroutines are run in order; plain functions might overtake each other.
        @handle.on_drag
        async def dragged(event: viser.SceneNodeDragEvent[viser.MeshHandle]) -> None:
            self._drag(block, event)

        return handle

    # --- the mouse ---

    def _drag(self, block: str, event: viser.SceneNodeDragEvent[viser.MeshHandle]) -> None:
        """A block follows the mouse in the plane in which it was taken hold of."""
        key, away = (event.client_id, block), self._frame.position[:2]
        if event.phase == "start":
            *taken, height = event.start_position
            here = self._shown[block][:2] if block in self._shown else taken - away
            self._grips[key] = _Grip(offset=here + away - taken, height=height)
        grip = self._grips.get(key)
        if grip is None:
            return
        spot = on_plane(event.client.camera.position, np.array(event.end_position), grip.height)
        if spot is not None:
            x, y = spot + grip.offset - away
            self._grabbed(block, (float(x), float(y)))
        if event.phase == "end":
            del self._grips[key]

    @staticmethod
    def _put(handle: viser.CylinderHandle, xy: Float64[np.ndarray, "2"], z: float) -> None:
        handle.position = (float(xy[0]), float(xy[1]), z)


def page_colour(rgb: tuple[float, float, float]) -> tuple[int, int, int]:
    """A colour of the simulator, 0…1, as the page must paint it to look alike, 0…255."""
    red, green, blue = (round(255 * BRIGHTNESS * part**DEPTH) for part in rgb)
    return red, green, blue


def grid(count: int) -> tuple[int, int]:
    """Rows and columns of so many tables."""
    columns = min(count, COLUMNS)
    return -(-count // max(columns, 1)), columns


def offset(index: int, count: int) -> tuple[float, float]:
    """How far along x and y a table stands from where it would stand alone, metres."""
    rows, columns = grid(count)
    row, column = divmod(index, columns)
    return (row - (rows - 1) / 2) * SPACING[0], (column - (columns - 1) / 2) * SPACING[1]


def segments(points: Float64[np.ndarray, "N 2"]) -> np.ndarray:
    """A line through points of the board, float32 (N-1, 2, 3); a line of no length for one."""
    flat = np.column_stack([points, np.full(len(points), LINES)]).astype(np.float32)
    if len(flat) < 2:
        return np.repeat(flat[:1], 2, axis=0)[None]
    return np.stack([flat[:-1], flat[1:]], axis=1)


def on_plane(
    eye: Float64[np.ndarray, "3"], through: Float64[np.ndarray, "3"], height: float
) -> tuple[float, float] | None:
    """Where the line of sight through a point meets a height; None where it never does."""
    way = through - eye
    if abs(way[2]) < 1e-6:
        return None
    reach = (height - eye[2]) / way[2]
    if reach <= 0:  # the mouse is above the horizon
        return None
    x, y, _ = eye + reach * way
    return float(x), float(y)
