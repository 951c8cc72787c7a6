"""How the table looks and is looked at; nothing here is touched, blocks slide over all of it.

`Setting()` is the robot's own world, as every demonstration shows it. Other settings are for
asking how much of it a policy needs (docs/world.md), and for the pictures of the embedded web.
Board frame: origin at the robot's base, x away from it (down in the picture), y to the right.
"""

from dataclasses import dataclass, field

import numpy as np

from sayact.envs.language_table.camera import OFFICIAL, View
from sayact.schema.errors import SayactError, ShapeError, UnknownNameError

RGBColor = tuple[float, float, float]  # each in 0…1

# --- the robot's own world, as measured in the original (docs/world.md) ---
BOARD_RGB = (0.199, 0.199, 0.199)
FLOOR_LEFT_RGB, FLOOR_RIGHT_RGB = (0.68, 0.7805, 0.94), (1.0, 1.0, 1.0)
EFFECTOR_RGB, ARM_RGB = (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)
# A face shows its colour x (AMBIENT + DIFFUSE x cosine to the light); tops come out at 0.937.
AMBIENT, DIFFUSE = 0.6, 0.3484
LIGHT_FROM = (-0.22, 0.15, 0.963)
BOARD_CENTRE, BOARD_SIZE = (0.35, 0.0), (0.4572, 0.6096)  # metres, 18 x 24 inches

TEXTURES = ("checker", "stripes", "wood", "speckle", "cloth")
EFFECTORS = ("cylinder", "square", "ball", "plunger")

TILE_PIXELS = 64
TILE_SIDE = 0.08  # metres: 34 pixels of the official picture, 16 once it is shrunk to 152 x 84
MOST_TILES = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """A flat square picture that lies on the board: seen, never touched. Equal only to itself.

    xy: its centre, metres.
    picture: uint8 [64, 64, 3], upright for the viewer at yaw 0: its top edge is the one nearest the
        robot.
    side: metres.
    yaw: radians, counterclockwise in the picture.
    """

    name: str
    xy: tuple[float, float]
    picture: np.ndarray = field(repr=False)
    side: float = TILE_SIDE
    yaw: float = 0.0

    def __post_init__(self) -> None:
        shape, kind = np.shape(self.picture), np.asarray(self.picture).dtype
        if shape != (TILE_PIXELS, TILE_PIXELS, 3) or kind != np.uint8:
            raise ShapeError(
                f"the picture of a tile is uint8 [{TILE_PIXELS}, {TILE_PIXELS}, 3]; that of "
                f"{self.name!r} is {kind} {list(shape)}"
            )


@dataclass(frozen=True, kw_only=True)
class Look:
    """Colours, textures and light; the defaults are those of the robot's world.

    board_texture, floor_texture: None for a plain colour, or one of TEXTURES, which runs from the
        plain colour to `board_ink` or `floor_ink`.
    seed: what a texture and the jitter of colours are drawn from.
    color_jitter: widest shift of a thing's red, green and blue.
    light_from: the direction in which the light stands; of any length.
    """

    board: RGBColor = BOARD_RGB
    floor_left: RGBColor = FLOOR_LEFT_RGB
    floor_right: RGBColor = FLOOR_RIGHT_RGB
    ambient: float = AMBIENT
    diffuse: float = DIFFUSE
    color_jitter: float = 0.0
    board_texture: str | None = None
    board_ink: RGBColor = (0.1, 0.1, 0.1)
    floor_texture: str | None = None
    floor_ink: RGBColor = (0.5, 0.5, 0.5)
    seed: int = 0
    light_from: tuple[float, float, float] = LIGHT_FROM
    shadows: bool = False
    effector: RGBColor = EFFECTOR_RGB
    arm: RGBColor = ARM_RGB

    def __post_init__(self) -> None:
        for texture in (self.board_texture, self.floor_texture):
            if texture is not None and texture not in TEXTURES:
                raise UnknownNameError("texture", texture, TEXTURES)
        if self.light_from[2] <= 0:
            raise SayactError(
                f"the light must stand above the board; light_from={self.light_from} does not"
            )


@dataclass(frozen=True, kw_only=True)
class Table:
    """The painted board, metres. Beside it blocks slide on, on the floor, at the same height."""

    centre: tuple[float, float] = BOARD_CENTRE
    size: tuple[float, float] = BOARD_SIZE  # along x, along y
    yaw: float = 0.0  # radians, counterclockwise in the picture


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Everything about the table but blocks, effector and task.

    effector: one of EFFECTORS: what is seen of it; what touches blocks is the same cylinder.
    """

    look: Look = Look()
    view: View = OFFICIAL
    tiles: tuple[Tile, ...] = ()
    table: Table = Table()
    effector: str = EFFECTORS[0]

    def __post_init__(self) -> None:
        if len(self.tiles) > MOST_TILES:
            raise SayactError(f"at most {MOST_TILES} tiles lie on a board; got {len(self.tiles)}")
        if self.effector not in EFFECTORS:
            raise UnknownNameError("effector", self.effector, EFFECTORS)


PLAIN = Setting()  # the robot's own world
