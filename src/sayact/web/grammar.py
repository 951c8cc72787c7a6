"""How the words of a language make a name: article, colour and noun, in its order and gender."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Gender = Literal["m", "f", "n"]
Noun = tuple[str, Gender]
Forms = Mapping[str, str]  # by gender; a single entry "" serves all


def listed(words: str) -> tuple[str, ...]:
    """Words between commas."""
    return tuple(words.replace("\n", " ").split(", "))


def nouns(names: Sequence[str], words: str, genders: str = "") -> dict[str, Noun]:
    """English name -> noun, in the order of `names`; one letter of gender each, or all "n"."""
    each = zip(names, listed(words), genders or "n" * len(names), strict=True)
    return {name: (noun, _gender(letter)) for name, noun, letter in each}


def _gender(letter: str) -> Gender:
    return "m" if letter == "m" else "f" if letter == "f" else "n"


@dataclass(frozen=True, kw_only=True)
class Language:
    """One language's words.

    colors: English colour -> forms that stand beside a noun.
    color_with_article: the forms after "the", where they differ (German's weak declension).
    articles: "the" by gender; empty where there is none. "l'" stands before a vowel.
    moved_articles, moved_colors: what these become before a thing that something is done to, where
        they change (German's accusative: "den roten Mond").
    color_first: whether the colour comes before the noun.
    joint: between colour and noun.
    """

    colors: Mapping[str, Forms]
    shapes: Mapping[str, Noun]
    numbers: tuple[str, ...]  # 0 to 20
    places: Mapping[str, str]  # the nine of the board
    yes: str
    no: str
    thing: Noun  # "block", for a colour alone
    articles: Forms = field(default_factory=dict)
    color_with_article: Mapping[str, Forms] = field(default_factory=dict)
    moved_articles: Forms = field(default_factory=dict)
    moved_colors: Mapping[str, Forms] = field(default_factory=dict)
    vowels: str = ""  # before which "l'" stands
    color_first: bool = True
    joint: str = " "

    def color(self, color: str, gender: Gender, article: bool = False, moved: bool = False) -> str:
        """The colour's form beside a noun of this gender."""
        forms = self.colors[color]
        if article:
            forms = self.color_with_article.get(color, forms)
        if moved and gender in self.moved_colors.get(color, {}):
            forms = self.moved_colors[color]
        return forms[gender] if gender in forms else forms[""]

    def phrase(self, color: str | None, noun: Noun, article: bool, moved: bool = False) -> str:
        """Article, colour and noun in this language's order; `moved`: it is what is acted on."""
        word, gender = noun
        named = word
        if color is not None:
            shade = self.color(color, gender, article, moved)
            pair = (shade, word) if self.color_first else (word, shade)
            named = self.joint.join(pair)
        if not article or not self.articles:
            return named
        if "l'" in self.articles and named[0].lower() in self.vowels:
            return "l'" + named
        articles = {**self.articles, **self.moved_articles} if moved else self.articles
        return f"{articles[gender]} {named}"
