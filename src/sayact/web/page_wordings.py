"""How questions about drawn pages are worded; as `wordings`, of which they take what fits."""

from sayact.web.wordings import NAMING, Wordings

# A symbol's foreign name stands without article: its gender is not known here.
NAMED: Wordings = {
    "de": ("wo ist das: {a}?",),
    "fr": ("où est ceci : {a} ?",),
    "es": ("¿dónde está esto: {a}?",),
    "it": ("dov'è questo: {a}?",),
    "pt": ("onde está isto: {a}?",),
    "zh": ("{a}在哪里?",),
    "ja": ("{a}はどこですか?",),
}
WHAT_AT: Wordings = {
    **NAMING,
    "en": (
        "what is at <p1>?",
        "what do you see at <p1>?",
        "name the thing at <p1>",
        "what is drawn at <p1>?",
    ),
}
COLOR_AT = (
    "what color is the thing at <p1>?",
    "which color is at <p1>?",
    "name the color at <p1>",
    "what is the color at <p1>?",
)
LIST_ALL = (
    "what is where?",
    "list everything with its place",
    "name all things and their places",
    "list all things and where they are",
)
HOW_MANY = (
    "how many things are there?",
    "count the things",
    "how many things do you see?",
    "what is the number of things?",
)
SUM_ALL = (
    "what is the sum of the numbers?",
    "add the numbers",
    "what do the numbers add up to?",
    "how much is it in all?",
)
SUM_TWO = (
    "what is {a} plus {b}?",
    "add {a} and {b}",
    "how much is {a} plus {b}?",
    "what is the sum of {a} and {b}?",
)
SUM_WORDS: Wordings = {
    "en": (
        "what is {a} plus {b}?",
        "how much is {a} plus {b}?",
        "add {a} and {b}",
        "{a} plus {b} makes what?",
    ),
    "de": ("wie viel ist {a} plus {b}?",),
    "fr": ("combien font {a} plus {b} ?",),
    "es": ("¿cuánto es {a} más {b}?",),
    "it": ("quanto fa {a} più {b}?",),
    "pt": ("quanto é {a} mais {b}?",),
    "zh": ("{a}加{b}等于几?",),
    "ja": ("{a}たす{b}はいくつですか?",),
}
LARGEST = (
    "which number is the largest?",
    "where is the largest number?",
    "point at the largest number",
    "find the largest number",
)
SMALLEST = (
    "which number is the smallest?",
    "where is the smallest number?",
    "point at the smallest number",
    "find the smallest number",
)
RESULT_OF = (
    "where is {a} plus {b}?",
    "point at the sum of {a} and {b}",
    "which number is {a} plus {b}?",
    "find the number that is {a} plus {b}",
)
WEARS = (
    "what does the person at <p1> have?",
    "what does the person at <p1> wear?",
    "describe the person at <p1>",
    "what do you see on the person at <p1>?",
)
HOW_MANY_WITH = (
    "how many people have {what}?",
    "how many people are there with {what}?",
    "count the people with {what}",
    "how many of them have {what}?",
)
MOOD = (
    "does the person at <p1> smile?",
    "is the person at <p1> happy?",
    "does the one at <p1> smile?",
    "is the one at <p1> smiling?",
)
HAIR = (
    "what color is the hair of the person at <p1>?",
    "which hair color has the person at <p1>?",
    "name the hair color at <p1>",
    "what hair has the person at <p1>?",
)
