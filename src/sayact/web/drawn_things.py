"""Fruits for tiles, in their own colours, and animals, most of them in one ink."""

from collections.abc import Callable, Mapping

from sayact.web.pen import DARK, LEAF, WOOD, YELLOW, Pen

RED, PINK = (215, 35, 40), (250, 170, 180)
BEAK = (240, 150, 20)

# --- fruits: in their own colours ------------------------------------------------------------


def apple(pen: Pen) -> None:
    pen.ellipse(-0.33, 0.15, 0.55, 0.72, RED)
    pen.ellipse(0.33, 0.15, 0.55, 0.72, RED)
    pen.line([(0.0, -0.4), (0.12, -0.95)], 0.18, WOOD)
    pen.ellipse(0.45, -0.75, 0.34, 0.18, LEAF)


def banana(pen: Pen) -> None:
    pen.disc(0.15, -0.35, 1.1, YELLOW)
    pen.disc(0.42, -0.72, 1.1, pen.ground)
    pen.disc(-0.72, -0.85, 0.16, WOOD)


def pear(pen: Pen) -> None:
    skin = (170, 200, 50)
    pen.disc(0.0, 0.38, 0.62, skin)
    pen.ellipse(0.0, -0.28, 0.36, 0.5, skin)
    pen.line([(0.0, -0.6), (0.1, -1.0)], 0.16, WOOD)


def cherry(pen: Pen) -> None:
    for x in (-0.5, 0.52):
        pen.line([(x, 0.4), (0.15, -0.9)], 0.15, LEAF)
        pen.disc(x, 0.5, 0.45, (200, 20, 50))


def grapes(pen: Pen) -> None:
    pen.line([(0.0, -0.5), (0.0, -1.0)], 0.18, WOOD)
    rows = (((-0.56, -0.4), (0.0, -0.45), (0.56, -0.4)), ((-0.3, 0.1), (0.3, 0.1)), ((0.0, 0.6),))
    for spot in (one for row in rows for one in row):
        pen.disc(*spot, 0.35, (60, 20, 90))
        pen.disc(*spot, 0.28, (125, 55, 165))


def watermelon(pen: Pen) -> None:
    """A slice."""
    for radius, color in ((1.0, (35, 120, 50)), (0.84, (225, 240, 200)), (0.74, (230, 60, 75))):
        pen.pie(0.0, -0.45, radius, 0, 180, color)
    for x, y in ((-0.35, -0.22), (0.0, 0.05), (0.35, -0.22)):
        pen.ellipse(x, y, 0.07, 0.11, DARK)


# --- animals: one ink ------------------------------------------------------------------------


def fish(pen: Pen) -> None:
    pen.ellipse(-0.2, 0.0, 0.78, 0.5)
    pen.polygon([(0.35, 0.0), (1.0, -0.6), (1.0, 0.6)])
    pen.disc(-0.58, -0.12, 0.13, pen.ground)


def bird(pen: Pen) -> None:
    """It sits, and looks to the left."""
    pen.ellipse(0.1, 0.22, 0.62, 0.46)
    pen.disc(-0.42, -0.4, 0.38)
    pen.polygon([(0.5, 0.1), (1.05, -0.55), (0.95, 0.25), (0.4, 0.5)])
    pen.polygon([(-0.72, -0.55), (-1.05, -0.3), (-0.72, -0.2)], BEAK)
    for x in (-0.05, 0.25):
        pen.line([(x, 0.55), (x, 0.98)], 0.13, BEAK)
    pen.disc(-0.48, -0.48, 0.11, pen.ground)


def _eyes(pen: Pen, y: float) -> None:
    for side in (-0.32, 0.32):
        pen.disc(side, y, 0.15, pen.ground)


def cat(pen: Pen) -> None:
    """Its face: pointed ears and whiskers."""
    pen.ellipse(0.0, 0.2, 0.78, 0.66)
    for side in (-1, 1):
        pen.polygon([(side * 0.78, 0.15), (side * 0.72, -0.95), (side * 0.1, -0.35)])
        pen.line([(side * 0.4, 0.42), (side * 1.05, 0.3)], 0.09)
        pen.line([(side * 0.4, 0.5), (side * 1.05, 0.62)], 0.09)
    _eyes(pen, 0.1)


def rabbit(pen: Pen) -> None:
    """Its face: long ears."""
    pen.disc(0.0, 0.48, 0.52)
    for side in (-0.3, 0.3):
        pen.ellipse(side, -0.42, 0.2, 0.62)
        pen.ellipse(side, -0.42, 0.08, 0.42, PINK)
    for side in (-0.2, 0.2):
        pen.disc(side, 0.4, 0.11, pen.ground)


def mouse(pen: Pen) -> None:
    """Its face: large round ears."""
    for side in (-0.58, 0.58):
        pen.disc(side, -0.45, 0.45)
        pen.disc(side, -0.45, 0.24, PINK)
    pen.polygon([(-0.62, 0.1), (0.62, 0.1), (0.0, 1.0)])
    pen.ellipse(0.0, 0.12, 0.64, 0.48)
    for side in (-0.24, 0.24):
        pen.disc(side, 0.1, 0.12, pen.ground)


def butterfly(pen: Pen) -> None:
    for side in (-1, 1):
        pen.ellipse(side * 0.54, -0.38, 0.44, 0.46)
        pen.ellipse(side * 0.44, 0.48, 0.36, 0.38)
        pen.line([(0.0, -0.4), (side * 0.26, -1.0)], 0.09, DARK)
    pen.ellipse(0.0, 0.05, 0.13, 0.75, DARK)


def turtle(pen: Pen) -> None:
    """From above: a shell, a head and four feet."""
    skin = (115, 165, 70)
    for x, y in ((-0.6, -0.45), (0.6, -0.45), (-0.6, 0.62), (0.6, 0.62)):
        pen.disc(x, y, 0.26, skin)
    pen.disc(0.0, -0.75, 0.28, skin)
    pen.ellipse(0.0, 0.1, 0.68, 0.75, (70, 100, 45))
    pen.ellipse(0.0, 0.1, 0.36, 0.42, (150, 120, 60))


THING_DRAWINGS: Mapping[str, Callable[[Pen], None]] = {
    "apple": apple,
    "banana": banana,
    "pear": pear,
    "cherry": cherry,
    "grapes": grapes,
    "watermelon": watermelon,
    "fish": fish,
    "bird": bird,
    "cat": cat,
    "rabbit": rabbit,
    "mouse": mouse,
    "butterfly": butterfly,
    "turtle": turtle,
}
