"""Drawn pages: symbols, shapes, numbers and faces on plain or patterned grounds.

What the table cannot show: things of the wide world, digits to add, people to tell apart. A page is
drawn at twice its size and shrunk.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from sayact.envs.language_table.blocks import RGB, outline
from sayact.envs.language_table.camera import PICTURE
from sayact.envs.language_table.task import pick
from sayact.web.faces import Face, draw_face, paint_face
from sayact.web.glyphs import SYMBOLS, UPRIGHT, font
from sayact.web.page_questions import Item, page_questions
from sayact.web.question import Question
from sayact.web.scenes import ALL_COLORS, ALL_SHAPES, RADIUS

SCALE = 2  # drawn this much larger, then shrunk
WIDTH, HEIGHT = PICTURE[1] * SCALE, PICTURE[0] * SCALE
SIZES = (0.2, 0.4)  # of the picture's height: radius of a thing is half of it
MOST_ITEMS = 6
TRIES = 40
LEAST_CONTRAST = 110.0  # between a thing's colour and the ground, distance in RGB
LARGEST_NUMBER = 12
PAGE_KINDS = ("things", "numbers", "faces")
KIND_SHARES = (0.6, 0.2, 0.2)

Color = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where something is drawn: middle and radius in pixels of the large canvas."""

    x: float
    y: float
    radius: float


def draw_page(rng: np.random.Generator) -> tuple[UInt8[np.ndarray, "180 320 3"], list[Question]]:
    """A picture and its questions."""
    ground = _ground_color(rng)
    canvas = _ground(ground, rng)
    kind = PAGE_KINDS[int(rng.choice(len(PAGE_KINDS), p=KIND_SHARES))]
    painters = {"things": _things, "numbers": _numbers, "faces": _faces}
    items = painters[kind](canvas, ground, rng)
    picture = canvas.resize((PICTURE[1], PICTURE[0]), Image.Resampling.BOX)
    return np.asarray(picture), page_questions(kind, items, rng)


# --- the ground ------------------------------------------------------------------------------


def _ground_color(rng: np.random.Generator) -> Color:
    """Light, dark, or any."""
    low, high = pick(((200, 256), (0, 70), (30, 230)), rng)
    red, green, blue = rng.integers(low, high, size=3)
    return int(red), int(green), int(blue)


def _ground(color: Color, rng: np.random.Generator) -> Image.Image:
    """Plain, shaded from one side to the other, lined or noisy; never far from `color`."""
    base = np.broadcast_to(np.array(color, np.float32), (HEIGHT, WIDTH, 3)).copy()
    style = int(rng.integers(4))
    if style == 1:
        slope = np.linspace(-25, 25, WIDTH, dtype=np.float32)
        base += slope[None, :, None] if rng.random() < 0.5 else -slope[None, :, None]
    elif style == 2:
        step = int(rng.integers(24, 64))
        base[::step] += 20
        base[:, ::step] += 20
    elif style == 3:
        base += rng.normal(0, 8, size=(HEIGHT, WIDTH, 1)).astype(np.float32)
    return Image.fromarray(np.clip(base, 0, 255).astype(np.uint8))


def _contrasting(ground: Color, rng: np.random.Generator) -> str:
    """A colour by name that stands out from the ground."""
    order = [ALL_COLORS[i] for i in rng.permutation(len(ALL_COLORS))]
    far = {name: float(np.linalg.norm(np.subtract(_pixel(name), ground))) for name in order}
    return next(
        (name for name in order if far[name] > LEAST_CONTRAST), max(far, key=far.__getitem__)
    )


def _pixel(color: str) -> Color:
    red, green, blue = (int(255 * part) for part in RGB[color])
    return red, green, blue


def _spots(count: int, rng: np.random.Generator, sizes: tuple[float, float] = SIZES) -> list[Spot]:
    """Places that do not overlap; fewer where there is no room."""
    spots: list[Spot] = []
    for _ in range(count):
        for _ in range(TRIES):
            radius = HEIGHT * rng.uniform(*sizes) / 2
            x = rng.uniform(radius + 4, WIDTH - radius - 4)
            y = rng.uniform(radius + 4, HEIGHT - radius - 4)
            if all(np.hypot(x - s.x, y - s.y) > 1.1 * (radius + s.radius) for s in spots):
                spots.append(Spot(x=x, y=y, radius=radius))
                break
    return spots


def _item(noun: str, spot: Spot, color: str | None = None, face: Face | None = None) -> Item:
    place = (round(spot.x / WIDTH, 4), round(spot.y / HEIGHT, 4))
    return Item(noun=noun, place=place, color=color, face=face)


# --- what is drawn ---------------------------------------------------------------------------


def _things(canvas: Image.Image, ground: Color, rng: np.random.Generator) -> list[Item]:
    """Symbols and shapes; no two of one name and colour."""
    items: list[Item] = []
    for spot in _spots(int(rng.integers(1, MOST_ITEMS + 1)), rng):
        pool = ALL_SHAPES if rng.random() < 0.4 else tuple(SYMBOLS)
        noun, color = pick(pool, rng), _contrasting(ground, rng)
        if any((item.noun, item.color) == (noun, color) for item in items):
            continue
        if pool is ALL_SHAPES:
            _paint_shape(canvas, noun, spot, _shade(color, rng), rng)
        else:
            turn = 0.0 if noun in UPRIGHT else float(rng.normal(0, 15))
            _paint_text(canvas, SYMBOLS[noun], spot, _shade(color, rng), turn)
        items.append(_item(noun, spot, color))
    return items


def _numbers(canvas: Image.Image, ground: Color, rng: np.random.Generator) -> list[Item]:
    """Numbers to read and to add; all different."""
    items = []
    values = rng.permutation(LARGEST_NUMBER + 1)
    spots = _spots(int(rng.integers(2, 5)), rng, (0.22, 0.4))
    for value, spot in zip(values, spots, strict=False):
        color = _contrasting(ground, rng)
        bold = bool(rng.random() < 0.5)
        _paint_text(canvas, str(value), spot, _shade(color, rng), float(rng.normal(0, 6)), bold)
        items.append(_item(str(value), spot, color))
    return items


def _faces(canvas: Image.Image, ground: Color, rng: np.random.Generator) -> list[Item]:
    """People; each item's noun is "person"."""
    items = []
    for spot in _spots(int(rng.integers(1, 5)), rng, (0.4, 0.55)):
        face = draw_face(rng)
        paint_face(canvas, face, (spot.x, spot.y), spot.radius)
        items.append(_item("person", spot, face=face))
    return items


def _shade(color: str, rng: np.random.Generator) -> Color:
    """The colour, a little lighter or darker."""
    red, green, blue = np.clip(np.array(_pixel(color)) + rng.integers(-18, 19), 0, 255)
    return int(red), int(green), int(blue)


def _paint_shape(
    canvas: Image.Image, shape: str, spot: Spot, color: Color, rng: np.random.Generator
) -> None:
    """A block's outline from above, turned at will, filled or as a thick line."""
    angle = rng.uniform(-np.pi, np.pi)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    corners = outline(shape) @ turn.T * (spot.radius / RADIUS[shape])
    points = [(spot.x + float(x), spot.y - float(y)) for x, y in corners]
    pen = ImageDraw.Draw(canvas)
    if rng.random() < 0.8:
        pen.polygon(points, fill=color)
    else:
        pen.line([*points, *points[:2]], fill=color, width=int(spot.radius / 5) + 2, joint="curve")


def _paint_text(
    canvas: Image.Image, text: str, spot: Spot, color: Color, turn: float, bold: bool = False
) -> None:
    """Text as large as the spot, its middle there, turned by `turn` degrees."""
    size = int(2 * spot.radius)
    face = font(size, bold)
    left, top, right, bottom = face.getbbox(text)
    scale = 2 * spot.radius / max(right - left, bottom - top, 1)
    face = font(max(8, int(size * min(scale, 1.6))), bold)
    left, top, right, bottom = face.getbbox(text)
    side = int(np.hypot(right - left, bottom - top)) + 4
    mask = Image.new("L", (side, side))
    corner = (side / 2 - (left + right) / 2, side / 2 - (top + bottom) / 2)
    ImageDraw.Draw(mask).text(corner, text, fill=255, font=face)
    mask = mask.rotate(turn, Image.Resampling.BILINEAR)
    canvas.paste(color, (int(spot.x - side / 2), int(spot.y - side / 2)), mask)
