"""A pen for the drawings on tiles: it knows a square from -1 to 1, y downwards."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from sayact.web.faces import Color

Point = tuple[float, float]
DARK, WHITE = (30, 26, 26), (250, 250, 250)
YELLOW = (250, 205, 40)
LEAF, WOOD = (45, 140, 50), (95, 60, 30)


class Pen:
    """Draws in units of the square's half side around the canvas's middle."""

    def __init__(self, canvas: Image.Image, ink: Color, ground: Color, reach: float) -> None:
        """`reach`: pixels of one unit."""
        self._draw = ImageDraw.Draw(canvas)
        self._middle = canvas.size[0] / 2
        self.reach = reach
        self.ink = ink
        self.ground = ground

    def polygon(self, points: Sequence[Point], fill: Color | None = None) -> None:
        self._draw.polygon([self._at(*one) for one in points], fill=fill or self.ink)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Color | None = None) -> None:
        self._draw.ellipse([*self._at(x - rx, y - ry), *self._at(x + rx, y + ry)], fill or self.ink)

    def disc(self, x: float, y: float, radius: float, fill: Color | None = None) -> None:
        self.ellipse(x, y, radius, radius, fill)

    def line(self, points: Sequence[Point], width: float, fill: Color | None = None) -> None:
        self._draw.line(
            [self._at(*one) for one in points],
            fill=fill or self.ink,
            width=max(1, round(width * self.reach)),
            joint="curve",
        )

    def pie(
        self, x: float, y: float, radius: float, begin: float, end: float, fill: Color | None = None
    ) -> None:
        """Degrees, clockwise from the right."""
        box = [*self._at(x - radius, y - radius), *self._at(x + radius, y + radius)]
        self._draw.pieslice(box, begin, end, fill=fill or self.ink)

    def arc(
        self,
        x: float,
        y: float,
        radius: float,
        begin: float,
        end: float,
        width: float,
        fill: Color | None = None,
    ) -> None:
        box = [*self._at(x - radius, y - radius), *self._at(x + radius, y + radius)]
        thick = max(1, round(width * self.reach))
        self._draw.arc(box, begin, end, fill=fill or self.ink, width=thick)

    def _at(self, x: float, y: float) -> Point:
        return self._middle + x * self.reach, self._middle + y * self.reach


def around(count: int, radius: float, first: float = -90.0) -> list[Point]:
    """Points on a circle, the first at the top."""
    angles = np.radians(first + np.arange(count) * 360 / count)
    return [(float(radius * np.cos(a)), float(radius * np.sin(a))) for a in angles]
