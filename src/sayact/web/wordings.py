"""How each kind of question about the table is worded, language by language.

`{a}` and `{b}` are things with their article, `{what}` is a phrase of words, "<p1>" a place. The
English ones are many, so that a model learns what is asked and not how.
"""

from collections.abc import Mapping

Wordings = Mapping[str, tuple[str, ...]]  # by language

POINTING: Wordings = {
    "en": (
        "where is {a}?",
        "point at {a}",
        "point to {a}",
        "find {a}",
        "locate {a}",
        "show me {a}",
        "where do you see {a}?",
        "at which place is {a}?",
    ),
    "de": ("wo ist {a}?", "wo liegt {a}?"),
    "fr": ("où est {a} ?", "où se trouve {a} ?"),
    "es": ("¿dónde está {a}?", "señala {a}"),
    "it": ("dov'è {a}?", "dove si trova {a}?"),
    "pt": ("onde está {a}?", "onde fica {a}?"),
    "zh": ("{a}在哪里?", "指出{a}"),
    "ja": ("{a}はどこですか?", "{a}はどこにありますか?"),
}
EFFECTOR: Wordings = {
    "en": (
        "where is the arm?",
        "where is the arm's tip?",
        "where is the robot's tip?",
        "point at the arm's tip",
        "find the tip of the arm",
        "where does the arm point?",
    ),
    "de": ("wo ist die Spitze des Arms?", "wo ist der Arm?"),
    "fr": ("où est le bout du bras ?", "où est le bras ?"),
    "es": ("¿dónde está la punta del brazo?", "¿dónde está el brazo?"),
    "it": ("dov'è la punta del braccio?", "dov'è il braccio?"),
    "pt": ("onde está a ponta do braço?", "onde está o braço?"),
    "zh": ("机械臂的末端在哪里?", "机械臂在哪里?"),
    "ja": ("アームの先はどこですか?", "アームはどこですか?"),
}
NAMING: Wordings = {
    "en": (
        "what is at <p1>?",
        "what lies at <p1>?",
        "what do you see at <p1>?",
        "name the block at <p1>",
        "which block is at <p1>?",
    ),
    "de": ("was ist bei <p1>?", "was liegt bei <p1>?"),
    "fr": ("qu'y a-t-il à <p1> ?",),
    "es": ("¿qué hay en <p1>?",),
    "it": ("che cosa c'è in <p1>?",),
    "pt": ("o que há em <p1>?",),
    "zh": ("<p1>是什么?",),
    "ja": ("<p1>には何がありますか?",),
}
NAMING_TILE: Wordings = {
    **NAMING,
    "en": (
        "what is at <p1>?",
        "what lies at <p1>?",
        "what do you see at <p1>?",
        "what is on the plate at <p1>?",
        "name the plate at <p1>",
    ),
}
COLOR_OF: Wordings = {
    "en": (
        "what color is {a}?",
        "which color has {a}?",
        "what is the color of {a}?",
        "name the color of {a}",
    )
}
SHAPE_OF: Wordings = {
    "en": (
        "what shape is {a}?",
        "which shape has {a}?",
        "what is the shape of {a}?",
        "name the shape of {a}",
    )
}
LISTING: Wordings = {
    "en": (
        "list everything with its place",
        "what is where?",
        "name all blocks and their places",
        "list all blocks and where they are",
    ),
    "de": ("was liegt wo?",),
    "fr": ("qu'est-ce qui est où ?",),
    "es": ("¿qué está dónde?",),
    "it": ("che cosa sta dove?",),
    "pt": ("o que está onde?",),
    "zh": ("什么在哪里?",),
    "ja": ("何がどこにありますか?",),
}
LISTING_TILES: Wordings = {
    "en": (
        "list all plates with their places",
        "name all plates and their places",
        "which plate is where?",
        "list all plates and where they are",
    ),
    "de": ("welche Platte liegt wo?",),
    "fr": ("quelle plaque est où ?",),
    "es": ("¿qué placa está dónde?",),
    "it": ("quale placca sta dove?",),
    "pt": ("qual placa está onde?",),
    "zh": ("什么牌子在哪里?",),
    "ja": ("どのプレートがどこにありますか?",),
}
LISTING_SOME: Wordings = {
    "en": (
        "list all {what} with their places",
        "where are the {what}?",
        "point at all {what}",
        "find all {what}",
    )
}
COUNTING: Wordings = {
    "en": (
        "how many {what} are there?",
        "how many {what} do you see?",
        "count the {what}",
        "what is the number of {what}?",
    )
}
COUNTING_ALL: Wordings = {
    "en": (
        "how many blocks are there?",
        "how many blocks do you see?",
        "count the blocks",
        "what is the number of blocks?",
    ),
    "de": ("wie viele Klötze gibt es?", "wie viele Klötze liegen da?"),
    "fr": ("combien de blocs y a-t-il ?", "combien de blocs vois-tu ?"),
    "es": ("¿cuántos bloques hay?",),
    "it": ("quanti blocchi ci sono?",),
    "pt": ("quantos blocos há?",),
    "zh": ("有几块积木?",),
    "ja": ("ブロックはいくつありますか?",),
}
# Yes or no: is a on that side of b?
SIDES: Mapping[str, Wordings] = {
    "left": {
        "en": ("is {a} left of {b}?", "is {a} to the left of {b}?"),
        "de": ("ist {a} weiter links als {b}?",),
        "fr": ("est-ce que {a} est plus à gauche que {b} ?",),
        "es": ("¿está {a} más a la izquierda que {b}?",),
        "it": ("{a} è più a sinistra che {b}?",),
        "pt": ("{a} está mais à esquerda que {b}?",),
        "zh": ("{a}在{b}的左边吗?",),
        "ja": ("{a}は{b}の左にありますか?",),
    },
    "right": {
        "en": ("is {a} right of {b}?", "is {a} to the right of {b}?"),
        "de": ("ist {a} weiter rechts als {b}?",),
        "fr": ("est-ce que {a} est plus à droite que {b} ?",),
        "es": ("¿está {a} más a la derecha que {b}?",),
        "it": ("{a} è più a destra che {b}?",),
        "pt": ("{a} está mais à direita que {b}?",),
        "zh": ("{a}在{b}的右边吗?",),
        "ja": ("{a}は{b}の右にありますか?",),
    },
    "above": {
        "en": ("is {a} above {b}?", "is {a} further up than {b}?"),
        "de": ("ist {a} weiter oben als {b}?",),
        "fr": ("est-ce que {a} est plus haut que {b} ?",),
        "es": ("¿está {a} más arriba que {b}?",),
        "it": ("{a} è più in alto che {b}?",),
        "pt": ("{a} está mais acima que {b}?",),
        "zh": ("{a}在{b}的上面吗?",),
        "ja": ("{a}は{b}の上にありますか?",),
    },
    "below": {
        "en": ("is {a} below {b}?", "is {a} further down than {b}?"),
        "de": ("ist {a} weiter unten als {b}?",),
        "fr": ("est-ce que {a} est plus bas que {b} ?",),
        "es": ("¿está {a} más abajo que {b}?",),
        "it": ("{a} è più in basso che {b}?",),
        "pt": ("{a} está mais abaixo que {b}?",),
        "zh": ("{a}在{b}的下面吗?",),
        "ja": ("{a}は{b}の下にありますか?",),
    },
}
NEAREST: Wordings = {
    "en": (
        "what is nearest to {a}?",
        "which block is closest to {a}?",
        "what lies next to {a}?",
        "name the neighbor of {a}",
    )
}
UTMOST: Mapping[str, Wordings] = {
    "left": {"en": ("what is furthest left?", "which block is leftmost?", "name the leftmost")},
    "right": {"en": ("what is furthest right?", "which block is rightmost?", "name the rightmost")},
    "above": {"en": ("what is furthest up?", "which block is topmost?", "name the topmost")},
    "below": {"en": ("what is furthest down?", "which block is lowest?", "name the lowest")},
    "arm": {
        "en": (
            "what is nearest to the arm?",
            "which block is closest to the arm?",
            "what does the arm nearly touch?",
        )
    },
}
SAME: Mapping[str, Wordings] = {
    "color": {
        "en": (
            "do {a} and {b} have the same color?",
            "are {a} and {b} of one color?",
        )
    },
    "shape": {
        "en": (
            "do {a} and {b} have the same shape?",
            "are {a} and {b} of one shape?",
        )
    },
}
CAPTION: Wordings = {
    "en": ("what do you see?", "describe the picture", "what is on the board?", "what is there?"),
    "de": ("was siehst du?",),
    "fr": ("que vois-tu ?",),
    "es": ("¿qué ves?",),
    "it": ("che cosa vedi?",),
    "pt": ("o que você vê?",),
    "zh": ("你看到什么?",),
    "ja": ("何が見えますか?",),
}
# The instruction by itself: what reads it puts it into the prompt that robots are asked with.
PLAN: Wordings = dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "zh", "ja"), ("{what}",))
# Two instructions in one sentence, to be done in order.
IN_ORDER = ("{}, then {}", "{} and after that {}", "first {}, then {}")
# Instructions in other languages, of the three families whose sentence is easy to translate.
TO_BLOCK: Wordings = {
    "de": ("schiebe {a} zu: {b}",),
    "fr": ("pousse {a} vers {b}",),
    "es": ("empuja {a} hacia {b}",),
    "it": ("spingi {a} verso {b}",),
    "pt": ("empurre {a} para junto de: {b}",),
    "zh": ("把{a}推到{b}旁边",),
    "ja": ("{a}を{b}の方へ押して",),
}
TO_PLACE: Wordings = {
    "de": ("schiebe {a} dorthin: {what}",),
    "fr": ("pousse {a} {what}",),
    "es": ("empuja {a}: {what}",),
    "it": ("spingi {a} {what}",),
    "pt": ("empurre {a}: {what}",),
    "zh": ("把{a}推到{what}",),
    "ja": ("{a}を{what}へ押して",),
}
POINT_AT: Wordings = {
    "de": ("bewege den Arm hierhin: {a}",),
    "fr": ("amène le bras vers {a}",),
    "es": ("mueve el brazo hacia {a}",),
    "it": ("porta il braccio verso {a}",),
    "pt": ("leve o braço para junto de: {a}",),
    "zh": ("把机械臂移到{a}",),
    "ja": ("アームを{a}へ動かして",),
}
