"""Paints tiles: flat pictures that lie on the board and show a digit, a symbol, a fruit, a person.

    paint_tile("3", rng)        another plate, ink, font and turn at every call
    paint_tile("purple plate", rng)

One painter serves the web's scenes and the suites that measure what was learned from them. A plate
is light or dark, never of a strong colour: strong colours are those of things and plain plates.
"""

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from sayact.envs.language_table.blocks import RGB
from sayact.envs.language_table.setting import TILE_PIXELS
from sayact.envs.language_table.task import pick
from sayact.web.concepts import PERSON, category_of, plate_color, worn_by
from sayact.web.drawn_symbols import SYMBOL_DRAWINGS
from sayact.web.drawn_things import THING_DRAWINGS
from sayact.web.faces import Color, draw_face, paint_face
from sayact.web.glyphs import BOLD_FACES, typeface
from sayact.web.pen import DARK, WHITE, Pen

DRAWINGS = {**SYMBOL_DRAWINGS, **THING_DRAWINGS}
SCALE = 2  # drawn this much larger, then shrunk
SIDE = SCALE * TILE_PIXELS
REACH = 0.5 * SIDE  # pixels from the middle to the edge
GLYPH = (0.72, 0.86)  # of the reach: how far a drawing goes
TURN = 7.0  # degrees, standard deviation
LIGHT_SHARE = 0.65
GROUND_TINT = 12  # widest shift of a ground's red, green and blue
# Inks that stand out from light and from dark plates (RGB).
DARK_INKS = (DARK, (190, 25, 30), (25, 60, 190), (15, 110, 45), (115, 30, 140), (170, 75, 10))
LIGHT_INKS = (WHITE, (255, 215, 50), (255, 140, 140), (130, 190, 255), (140, 235, 140))
EDGES = (DARK, (90, 90, 90), (150, 150, 150), WHITE)  # of frames
UNCLEAR = {("0", "DejaVuSansMono-Bold.ttf")}  # it has a dot, as if it were an 8
JITTER = 14  # widest shift of a colour
PLAIN_JITTER = 18  # of a plate that shows nothing else
# Glyphs of digits and letters: so much broader than the font has them, for the camera sees a plate
# from the side of its reader and little of its height, and so much bolder.
BROADER = (1.0, 1.3)
STROKES = (0, 3)  # pixels
FRAMES = ("none", "line", "broad", "disc")
LINE, BROAD = (2, 3), (4, 5)  # pixels, how thick frames can be
DISC_GLYPH = 0.82  # of a glyph's reach elsewhere: a disc has no corners


def paint_tile(concept: str, rng: np.random.Generator) -> UInt8[np.ndarray, "64 64 3"]:
    """A picture of the concept, upright, in a style of its own."""
    light = bool(rng.random() < LIGHT_SHARE)
    color, frame = plate_color(concept), pick(FRAMES, rng)
    if color is not None:
        shade = _shifted(_pixel(color), PLAIN_JITTER, rng)
        canvas = Image.new("RGB", (TILE_PIXELS, TILE_PIXELS), shade)
    else:
        ground = _ground(light, rng)
        canvas = Image.new("RGB", (SIDE, SIDE), ground)
        ink = _shifted(pick(DARK_INKS if light else LIGHT_INKS, rng), JITTER, rng)
        reach = REACH * float(rng.uniform(*GLYPH)) * (DISC_GLYPH if frame == "disc" else 1.0)
        _show(canvas, concept, Pen(canvas, ink, ground, reach), rng)
        canvas = _turned(canvas, float(rng.normal(0.0, TURN)), ground)
    _frame(canvas, frame, _shifted(pick(EDGES, rng), JITTER, rng), rng)
    return np.asarray(canvas)


def _turned(canvas: Image.Image, degrees: float, ground: Color) -> Image.Image:
    """Turned about its middle and shrunk to a tile's size at once."""
    along, across = SCALE * np.cos(np.radians(degrees)), SCALE * np.sin(np.radians(degrees))
    middle = TILE_PIXELS / 2
    left = REACH - middle * (along + across)
    top = REACH - middle * (along - across)
    return canvas.transform(
        (TILE_PIXELS, TILE_PIXELS),
        Image.Transform.AFFINE,
        (along, across, left, -across, along, top),
        Image.Resampling.BILINEAR,
        fillcolor=ground,
    )


def _show(canvas: Image.Image, concept: str, pen: Pen, rng: np.random.Generator) -> None:
    category = category_of(concept)
    if category in ("digit", "letter"):
        _write(canvas, concept, pen, rng)
    elif category == PERSON:
        face = draw_face(rng, worn_by(concept))
        paint_face(canvas, face, (REACH, REACH), pen.reach, bold=True)
    else:
        DRAWINGS[concept](pen)


def _write(canvas: Image.Image, text: str, pen: Pen, rng: np.random.Generator) -> None:
    """One sign, as high as the pen reaches."""
    face = pick([one for one in BOLD_FACES if (text, one) not in UNCLEAR], rng)
    stroke = int(rng.integers(STROKES[0], STROKES[1] + 1))
    written = typeface(face, round(2.2 * pen.reach))
    left, top, right, bottom = written.getbbox(text, stroke_width=stroke)
    mask = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(mask).text(
        (-left, -top), text, fill=255, font=written, stroke_width=stroke, stroke_fill=255
    )
    height = round(2 * pen.reach)
    width = round(mask.width * height / mask.height * float(rng.uniform(*BROADER)))
    mask = mask.resize((min(width, height), height), Image.Resampling.BILINEAR)
    canvas.paste(pen.ink, ((SIDE - mask.width) // 2, (SIDE - height) // 2), mask)


def _frame(canvas: Image.Image, frame: str, color: Color, rng: np.random.Generator) -> None:
    """What runs around the plate, or makes a disc of it."""
    last = TILE_PIXELS - 1
    if frame in ("line", "broad"):
        width = pick(LINE if frame == "line" else BROAD, rng)
        ImageDraw.Draw(canvas).rectangle((0, 0, last, last), outline=color, width=width)
    elif frame == "disc":
        outside = Image.new("L", canvas.size, 255)
        ImageDraw.Draw(outside).ellipse((0, 0, last, last), fill=0)
        canvas.paste(color, (0, 0), outside)


def _ground(light: bool, rng: np.random.Generator) -> Color:
    grey = int(rng.integers(200, 250)) if light else int(rng.integers(15, 60))
    return _shifted((grey, grey, grey), GROUND_TINT, rng)


def _pixel(color: str) -> Color:
    red, green, blue = (int(255 * part) for part in RGB[color])
    return red, green, blue


def _shifted(color: Color, most: int, rng: np.random.Generator) -> Color:
    red, green, blue = np.clip(np.array(color) + rng.integers(-most, most + 1, size=3), 0, 255)
    return int(red), int(green), int(blue)
