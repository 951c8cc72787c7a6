"""Symbols of the DejaVu font: what they are called, in English and in seven other languages.

The font comes with matplotlib, most foreign names with the package `emoji` (Unicode's CLDR names).
A symbol that `emoji` does not know is asked about in English only.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import emoji
import matplotlib
from PIL import ImageFont

# English name -> glyph. Names of the sixteen blocks' shapes mean the same thing here.
SYMBOLS: Mapping[str, str] = {
    "sun": "☀",
    "cloud": "☁",
    "umbrella": "☂",
    "snowman": "☃",
    "comet": "☄",
    "star": "★",
    "telephone": "☎",
    "cup": "☕",
    "clover": "☘",
    "pointing hand": "☝",
    "skull": "☠",
    "radioactive sign": "☢",
    "biohazard sign": "☣",
    "peace sign": "☮",
    "yin yang": "☯",
    "sad face": "☹",
    "happy face": "☺",
    "female sign": "♀",
    "male sign": "♂",
    "Aries": "♈",
    "Taurus": "♉",
    "Gemini": "♊",
    "Cancer": "♋",
    "Leo": "♌",
    "Virgo": "♍",
    "Libra": "♎",
    "Scorpio": "♏",
    "Sagittarius": "♐",
    "Capricorn": "♑",
    "Aquarius": "♒",
    "Pisces": "♓",
    "king": "♚",
    "queen": "♛",
    "rook": "♜",
    "bishop": "♝",
    "knight": "♞",
    "pawn": "♟",
    "spade": "♠",
    "heart": "♥",
    "club": "♣",
    "note": "♪",
    "two notes": "♫",
    "recycling sign": "♻",
    "wheelchair": "♿",
    "flag": "⚑",
    "hammers": "⚒",
    "anchor": "⚓",
    "swords": "⚔",
    "scales": "⚖",
    "alembic": "⚗",
    "flower": "⚘",
    "gear": "⚙",
    "atom": "⚛",
    "warning sign": "⚠",
    "lightning": "⚡",
    "coffin": "⚰",
    "urn": "⚱",
    "scissors": "✂",
    "airplane": "✈",
    "envelope": "✉",
    "victory hand": "✌",
    "writing hand": "✍",
    "pencil": "✏",
    "check mark": "✔",
    "x mark": "✖",
    "blossom": "✿",
    "snowflake": "❄",
    "right arrow": "➡",
    "left arrow": "⬅",
    "up arrow": "⬆",
    "down arrow": "⬇",
    "hexagon": "⬢",
    "circle": "●",
    "square": "■",
    "mouse": "🐭",
    "cow": "🐮",
    "cat": "🐱",
    "monkey": "🐵",
    "joker": "🃏",
    "grinning face": "😀",
    "face with sunglasses": "😎",
    "crying face": "😢",
    "sleeping face": "😴",
    "angry face": "😠",
    "surprised face": "😮",
    "keyboard": "⌨",
}
# Turned, these would be other symbols.
UPRIGHT = frozenset(
    {"right arrow", "left arrow", "up arrow", "down arrow", "Cancer", "check mark", "square"}
)
REGULAR, BOLD = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"
BOLD_FACES = (BOLD, "DejaVuSerif-Bold.ttf", "DejaVuSansMono-Bold.ttf")


def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The DejaVu font that matplotlib ships, at `size` pixels."""
    return typeface(BOLD if bold else REGULAR, size)


@lru_cache(maxsize=512)
def typeface(file: str, size: int) -> ImageFont.FreeTypeFont:
    """One of the fonts that matplotlib ships, by its file."""
    return ImageFont.truetype(str(_folder() / file), size)


def _folder() -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@lru_cache(maxsize=16)
def foreign_names(language: str) -> Mapping[str, str]:
    """English name -> this language's, of the symbols for which there is one."""
    emoji.config.load_language(language)
    known = {}
    for english, glyph in SYMBOLS.items():
        for spelled in (glyph, glyph + "\ufe0f"):  # the second asks for the coloured picture
            names = emoji.EMOJI_DATA.get(spelled, {})
            if language in names:
                known[english] = names[language].strip(":").replace("_", " ").lower()
    return known
