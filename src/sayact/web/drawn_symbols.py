"""Symbols for tiles: bold, in one ink, with no more strokes than tell them from each other."""

from collections.abc import Callable, Mapping

from sayact.web.pen import DARK, LEAF, WOOD, YELLOW, Pen, around


def heart(pen: Pen) -> None:
    pen.disc(-0.45, -0.35, 0.5)
    pen.disc(0.45, -0.35, 0.5)
    pen.polygon([(-0.88, -0.12), (0.88, -0.12), (0.0, 0.95)])


def star(pen: Pen) -> None:
    outer, inner = around(5, 1.05), around(5, 0.45, -54.0)
    pen.polygon([point for pair in zip(outer, inner, strict=True) for point in pair])


def moon(pen: Pen) -> None:
    """A crescent."""
    pen.disc(-0.05, 0.0, 0.95)
    pen.disc(0.4, -0.15, 0.78, pen.ground)


def sun(pen: Pen) -> None:
    for x, y in around(8, 1.0):
        pen.line([(0.55 * x, 0.55 * y), (x, y)], 0.26)
    pen.disc(0.0, 0.0, 0.55)


def _arrow(to_x: float, to_y: float) -> Callable[[Pen], None]:
    """An arrow that shows this way (a unit vector)."""

    def draw(pen: Pen) -> None:
        up = [(0, -1), (0.85, -0.05), (0.32, -0.05), (0.32, 1)]
        up += [(-x, y) for x, y in up[:0:-1]]
        pen.polygon([(-x * to_y - y * to_x, x * to_x - y * to_y) for x, y in up])

    return draw


def smiley(pen: Pen) -> None:
    pen.disc(0.0, 0.0, 0.98)
    for side in (-0.36, 0.36):
        pen.ellipse(side, -0.28, 0.16, 0.24, pen.ground)
    pen.arc(0.0, 0.05, 0.58, 15, 165, 0.22, pen.ground)


def cloud(pen: Pen) -> None:
    pen.disc(-0.55, 0.2, 0.42)
    pen.disc(0.0, -0.15, 0.55)
    pen.disc(0.58, 0.18, 0.42)
    pen.polygon([(-0.55, 0.1), (0.58, 0.1), (0.58, 0.6), (-0.55, 0.6)])


def umbrella(pen: Pen) -> None:
    pen.pie(0.0, 0.05, 0.98, 180, 360)
    pen.line([(0.0, 0.0), (0.0, 0.75)], 0.2)
    pen.arc(-0.2, 0.72, 0.28, 0, 180, 0.2)


def note(pen: Pen) -> None:
    pen.ellipse(-0.3, 0.66, 0.42, 0.32)
    pen.line([(0.02, 0.66), (0.02, -0.95)], 0.22)
    pen.polygon([(-0.08, -0.98), (0.72, -0.4), (0.62, 0.15), (0.45, -0.2), (-0.08, -0.4)])


def anchor(pen: Pen) -> None:
    pen.disc(0.0, -0.72, 0.28)
    pen.disc(0.0, -0.72, 0.11, pen.ground)
    pen.line([(0.0, -0.5), (0.0, 0.85)], 0.24)
    pen.line([(-0.5, -0.3), (0.5, -0.3)], 0.22)
    pen.arc(0.0, 0.12, 0.82, 8, 172, 0.24)
    for side in (-1, 1):
        pen.polygon([(side * 0.98, 0.4), (side * 0.45, 0.4), (side * 0.86, -0.05)])


def flower(pen: Pen) -> None:
    for x, y in around(6, 0.6):
        pen.disc(x, y, 0.37)
    pen.disc(0.0, 0.0, 0.32, YELLOW if pen.ink != YELLOW else DARK)


def lightning(pen: Pen) -> None:
    pen.polygon(
        [(0.25, -1.0), (-0.65, 0.15), (-0.08, 0.15), (-0.3, 1.0), (0.65, -0.25), (0.08, -0.25)]
    )


def house(pen: Pen) -> None:
    pen.polygon([(0.0, -0.95), (1.0, -0.05), (-1.0, -0.05)])
    pen.polygon([(-0.72, -0.05), (0.72, -0.05), (0.72, 0.9), (-0.72, 0.9)])
    pen.polygon([(-0.22, 0.25), (0.22, 0.25), (0.22, 0.9), (-0.22, 0.9)], pen.ground)


def tree(pen: Pen) -> None:
    """A fir in its own green."""
    pen.polygon([(-0.17, 0.5), (0.17, 0.5), (0.17, 1.0), (-0.17, 1.0)], WOOD)
    pen.polygon([(0.0, -1.0), (0.6, -0.1), (-0.6, -0.1)], LEAF)
    pen.polygon([(0.0, -0.5), (0.85, 0.6), (-0.85, 0.6)], LEAF)


SYMBOL_DRAWINGS: Mapping[str, Callable[[Pen], None]] = {
    "heart": heart,
    "star": star,
    "moon": moon,
    "sun": sun,
    "up arrow": _arrow(0, -1),
    "down arrow": _arrow(0, 1),
    "left arrow": _arrow(-1, 0),
    "right arrow": _arrow(1, 0),
    "smiley": smiley,
    "cloud": cloud,
    "umbrella": umbrella,
    "note": note,
    "anchor": anchor,
    "flower": flower,
    "lightning": lightning,
    "house": house,
    "tree": tree,
}
