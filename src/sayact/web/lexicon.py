"""What blocks are called in eight languages.

    name("de", "purple_heart")      -> "lila Herz"           what a thing is
    the_name("fr", "red_star")      -> "l'étoile rouge"      which thing is meant

    the_name("de", "red_moon", moved=True)   -> "den roten Mond"    what is acted on

Adjectives agree with the noun's gender. The words stand in `languages`.
"""

from sayact.envs.language_table.blocks import color_of, shape_of
from sayact.web.languages import LANGUAGES


def name(language: str, thing: str) -> str:
    """What a thing is: `red_moon` -> "red moon"."""
    words = LANGUAGES[language]
    return words.phrase(color_of(thing), words.shapes[shape_of(thing)], article=False)


def the_name(language: str, thing: str, moved: bool = False) -> str:
    """Which thing is meant: `red_moon` -> "the red moon"."""
    words = LANGUAGES[language]
    return words.phrase(color_of(thing), words.shapes[shape_of(thing)], article=True, moved=moved)


def the_shape(language: str, thing: str, moved: bool = False) -> str:
    """By shape alone: "the moon"."""
    words = LANGUAGES[language]
    return words.phrase(None, words.shapes[shape_of(thing)], article=True, moved=moved)


def the_color(language: str, thing: str, moved: bool = False) -> str:
    """By colour alone: "the red block"."""
    words = LANGUAGES[language]
    return words.phrase(color_of(thing), words.thing, article=True, moved=moved)
