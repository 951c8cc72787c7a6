"""Pictures for people: enlarged, with the instruction in a white band on top."""

import textwrap

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

SIZE = (640, 360)  # width, height of the enlarged picture, pixels
BAND_HEIGHT = 72  # pixels: two lines; even in sum with 360, as video codecs want it
FONT_SIZE = 26  # pixels
LINE_HEIGHT = 32
LINE_LENGTH = 46  # characters that fit the width
MARGIN = 8


def captioned(picture: UInt8[np.ndarray, "H W 3"], text: str) -> UInt8[np.ndarray, "432 640 3"]:
    """The picture at 640 x 360 below its text; text beyond two lines is cut."""
    canvas = Image.new("RGB", (SIZE[0], SIZE[1] + BAND_HEIGHT), "white")
    canvas.paste(Image.fromarray(picture).resize(SIZE, Image.Resampling.BILINEAR), (0, BAND_HEIGHT))
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(FONT_SIZE)
    for row, line in enumerate(textwrap.wrap(text, LINE_LENGTH, max_lines=2)):
        pen.text((MARGIN, row * LINE_HEIGHT + MARGIN // 2), line, fill="black", font=font)
    return np.asarray(canvas)
