"""Simple drawn people, told apart by what they wear and how they look."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from sayact.envs.language_table.task import pick
from sayact.web.concepts import WORN

SKINS = ((255, 219, 172), (241, 194, 125), (224, 172, 105), (198, 134, 66), (141, 85, 36))
HAIRS = {
    "black": (30, 25, 25),
    "brown": (105, 65, 35),
    "red": (190, 70, 30),
    "grey": (165, 165, 165),
}
HATS = ((200, 40, 40), (40, 70, 190), (40, 140, 60), (60, 60, 60))
SHARE = 0.35  # how often a person has an attribute
INK = (35, 30, 30)

Color = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Face:
    """Attributes that are asked for, and looks that are not."""

    glasses: bool
    hat: bool
    beard: bool
    smile: bool
    hair: str
    skin: Color
    hat_color: Color

    @property
    def worn(self) -> list[str]:
        """In the order of WORN."""
        return [name for name in WORN if getattr(self, name)]


def draw_face(rng: np.random.Generator, worn: Sequence[str] | None = None) -> Face:
    """A person with what is named, or with what chance gives."""
    glasses, hat, beard = (bool(one) for one in rng.random(3) < SHARE)
    if worn is not None:
        glasses, hat, beard = (name in worn for name in WORN)
    return Face(
        glasses=glasses,
        hat=hat,
        beard=beard,
        smile=bool(rng.random() < 0.5),
        hair=pick(tuple(HAIRS), rng),
        skin=pick(SKINS, rng),
        hat_color=pick(HATS, rng),
    )


def paint_face(
    canvas: Image.Image,
    face: Face,
    middle: tuple[float, float],
    radius: float,
    *,
    bold: bool = False,
) -> None:
    """The head fills the circle; sizes below are shares of its radius.

    Bold: glasses are dark and strokes are broad, to be seen from afar.
    """
    pen = ImageDraw.Draw(canvas)
    x, y = middle

    def box(left: float, top: float, right: float, bottom: float) -> list[float]:
        return [x + left * radius, y + top * radius, x + right * radius, y + bottom * radius]

    line = max(2, int(radius / (6 if bold else 14)))
    pen.ellipse(box(-0.78, -0.9, 0.78, 0.55), fill=HAIRS[face.hair])
    pen.ellipse(box(-0.68, -0.72, 0.68, 0.95), fill=face.skin)
    if face.beard:
        pen.chord(box(-0.68, -0.72, 0.68, 0.95), 20, 160, fill=HAIRS[face.hair])
    for side in (-1, 1):
        pen.ellipse(box(side * 0.28 - 0.08, -0.13, side * 0.28 + 0.08, 0.05), fill=INK)
    if face.glasses:
        for side in (-1, 1):
            pen.ellipse(
                box(side * 0.3 - 0.24, -0.28, side * 0.3 + 0.24, 0.2),
                fill=INK if bold else None,
                outline=INK,
                width=line,
            )
        reach = 0.68 if bold else 0.08
        pen.line(box(-reach, -0.06, reach, -0.06), fill=INK, width=line)
    mouth = (200, 70, 70) if face.beard else (150, 40, 40)
    if face.smile:
        pen.arc(box(-0.3, 0.12, 0.3, 0.62), 20, 160, fill=mouth, width=line + 1)
    else:
        pen.arc(box(-0.3, 0.5, 0.3, 0.95), 200, 340, fill=mouth, width=line + 1)
    if face.hat:
        pen.rectangle(box(-0.5, -1.0, 0.5, -0.5), fill=face.hat_color)
        pen.rectangle(box(-0.9, -0.56, 0.9, -0.42), fill=face.hat_color)
