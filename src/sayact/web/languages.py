"""Words of eight languages: colours, shapes, places and numbers.

A new language is one more `Language` here; a new colour or shape is one more word in each of them
(a test tells which are missing).
"""

from collections.abc import Mapping

from sayact.web.grammar import Forms, Language, Noun, listed, nouns

_COLORS = listed("red, blue, green, yellow, purple, orange, pink, cyan, white, black, brown, grey")
_SHAPES = listed(
    "moon, cube, star, pentagon, heart, triangle, cross, arrow, diamond, drop, bar, hourglass"
)
_PLACES = listed(
    "top_left, top, top_right, center_left, center, center_right, bottom_left, bottom, bottom_right"
)


def _colors(words: str) -> dict[str, Forms]:
    """In the order of `_COLORS`: one form, or "masculine/feminine"."""
    forms = (word.split("/") for word in listed(words))
    each = ({"": one[0]} if len(one) == 1 else {"m": one[0], "f": one[1]} for one in forms)
    return dict(zip(_COLORS, each, strict=True))


def _shapes(words: str, genders: str = "") -> dict[str, Noun]:
    """In the order of `_SHAPES`, with one letter of gender each."""
    return nouns(_SHAPES, words, genders)


def _places(words: str) -> dict[str, str]:
    """In the order of `_PLACES`."""
    return dict(zip(_PLACES, listed(words), strict=True))


_GERMAN_STEMS = {
    "red": "rot",
    "blue": "blau",
    "green": "grün",
    "yellow": "gelb",
    "orange": "orangefarben",
    "cyan": "türkis",
    "white": "weiß",
    "black": "schwarz",
    "brown": "braun",
    "grey": "grau",
}
_GERMAN_UNBENT = {"purple": {"": "lila"}, "pink": {"": "rosa"}}
_CHINESE_NUMBERS = listed(
    "零, 一, 二, 三, 四, 五, 六, 七, 八, 九, 十, 十一, 十二, 十三, 十四, 十五, 十六, 十七, 十八, "
    "十九, 二十"
)

LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        colors=_colors(", ".join(_COLORS)),
        shapes=_shapes(", ".join(_SHAPES)),
        numbers=listed(
            "zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, "
            "thirteen, fourteen, fifteen, sixteen, seventeen, eighteen, nineteen, twenty"
        ),
        places={place: place.replace("_", " ") for place in _PLACES},
        yes="yes",
        no="no",
        thing=("block", "n"),
        articles={"n": "the"},
    ),
    "de": Language(
        colors={
            **{c: {"m": s + "er", "f": s + "e", "n": s + "es"} for c, s in _GERMAN_STEMS.items()},
            **_GERMAN_UNBENT,
        },
        color_with_article={c: {"": s + "e"} for c, s in _GERMAN_STEMS.items()},
        moved_colors={c: {"m": s + "en"} for c, s in _GERMAN_STEMS.items()},
        moved_articles={"m": "den"},
        shapes=_shapes(
            "Mond, Würfel, Stern, Fünfeck, Herz, Dreieck, Kreuz, Pfeil, Raute, Tropfen, Balken, "
            "Sanduhr",
            "mmmnnnnmfmmf",
        ),
        numbers=listed(
            "null, eins, zwei, drei, vier, fünf, sechs, sieben, acht, neun, zehn, elf, zwölf, "
            "dreizehn, vierzehn, fünfzehn, sechzehn, siebzehn, achtzehn, neunzehn, zwanzig"
        ),
        places=_places(
            "oben links, oben, oben rechts, links, Mitte, rechts, unten links, unten, unten rechts"
        ),
        yes="ja",
        no="nein",
        thing=("Klotz", "m"),
        articles={"m": "der", "f": "die", "n": "das"},
    ),
    "fr": Language(
        colors=_colors(
            "rouge, bleu/bleue, vert/verte, jaune, violet/violette, orange, rose, cyan, "
            "blanc/blanche, noir/noire, marron, gris/grise"
        ),
        shapes=_shapes(
            "lune, cube, étoile, pentagone, cœur, triangle, croix, flèche, losange, goutte, barre, "
            "sablier",
            "fmfmmmffmffm",
        ),
        numbers=listed(
            "zéro, un, deux, trois, quatre, cinq, six, sept, huit, neuf, dix, onze, douze, treize, "
            "quatorze, quinze, seize, dix-sept, dix-huit, dix-neuf, vingt"
        ),
        places=_places(
            "en haut à gauche, en haut, en haut à droite, à gauche, au centre, à droite, "
            "en bas à gauche, en bas, en bas à droite"
        ),
        yes="oui",
        no="non",
        thing=("bloc", "m"),
        articles={"m": "le", "f": "la", "l'": "l'"},
        vowels="aeiouéè",
        color_first=False,
    ),
    "es": Language(
        colors=_colors(
            "rojo/roja, azul, verde, amarillo/amarilla, morado/morada, naranja, rosa, cian, "
            "blanco/blanca, negro/negra, marrón, gris"
        ),
        shapes=_shapes(
            "luna, cubo, estrella, pentágono, corazón, triángulo, cruz, flecha, rombo, gota, "
            "barra, reloj de arena",
            "fmfmmmffmffm",
        ),
        numbers=listed(
            "cero, uno, dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez, once, doce, "
            "trece, catorce, quince, dieciséis, diecisiete, dieciocho, diecinueve, veinte"
        ),
        places=_places(
            "arriba a la izquierda, arriba, arriba a la derecha, a la izquierda, en el centro, "
            "a la derecha, abajo a la izquierda, abajo, abajo a la derecha"
        ),
        yes="sí",
        no="no",
        thing=("bloque", "m"),
        articles={"m": "el", "f": "la"},
        color_first=False,
    ),
    "it": Language(
        colors=_colors(
            "rosso/rossa, blu, verde, giallo/gialla, viola, arancione, rosa, ciano, "
            "bianco/bianca, nero/nera, marrone, grigio/grigia"
        ),
        shapes=_shapes(
            "luna, cubo, stella, pentagono, cuore, triangolo, croce, freccia, rombo, goccia, "
            "barra, clessidra",
            "fmfmmmffmfff",
        ),
        numbers=listed(
            "zero, uno, due, tre, quattro, cinque, sei, sette, otto, nove, dieci, undici, dodici, "
            "tredici, quattordici, quindici, sedici, diciassette, diciotto, diciannove, venti"
        ),
        places=_places(
            "in alto a sinistra, in alto, in alto a destra, a sinistra, al centro, a destra, "
            "in basso a sinistra, in basso, in basso a destra"
        ),
        yes="sì",
        no="no",
        thing=("blocco", "m"),
        articles={"m": "il", "f": "la", "l'": "l'"},
        vowels="aeiou",
        color_first=False,
    ),
    "pt": Language(
        colors=_colors(
            "vermelho/vermelha, azul, verde, amarelo/amarela, roxo/roxa, laranja, rosa, ciano, "
            "branco/branca, preto/preta, marrom, cinza"
        ),
        shapes=_shapes(
            "lua, cubo, estrela, pentágono, coração, triângulo, cruz, seta, losango, gota, barra, "
            "ampulheta",
            "fmfmmmffmfff",
        ),
        numbers=listed(
            "zero, um, dois, três, quatro, cinco, seis, sete, oito, nove, dez, onze, doze, treze, "
            "catorze, quinze, dezesseis, dezessete, dezoito, dezenove, vinte"
        ),
        places=_places(
            "em cima à esquerda, em cima, em cima à direita, à esquerda, no centro, à direita, "
            "embaixo à esquerda, embaixo, embaixo à direita"
        ),
        yes="sim",
        no="não",
        thing=("bloco", "m"),
        articles={"m": "o", "f": "a"},
        color_first=False,
    ),
    "zh": Language(
        colors=_colors("红色, 蓝色, 绿色, 黄色, 紫色, 橙色, 粉色, 青色, 白色, 黑色, 棕色, 灰色"),
        shapes=_shapes(
            "月亮, 方块, 星星, 五边形, 心形, 三角形, 十字, 箭头, 菱形, 水滴, 长条, 沙漏"
        ),
        numbers=_CHINESE_NUMBERS,
        places=_places("左上, 上方, 右上, 左边, 中间, 右边, 左下, 下方, 右下"),
        yes="是",
        no="不是",
        thing=("积木", "n"),
        joint="",
    ),
    "ja": Language(
        colors=_colors(
            "赤い, 青い, 緑の, 黄色い, 紫の, オレンジ色の, ピンクの, 水色の, 白い, 黒い, 茶色い, "
            "灰色の"
        ),
        shapes=_shapes(
            "月, 立方体, 星, 五角形, ハート, 三角形, 十字, 矢印, ひし形, しずく, 棒, 砂時計"
        ),
        numbers=_CHINESE_NUMBERS,
        places=_places("左上, 上, 右上, 左, 中央, 右, 左下, 下, 右下"),
        yes="はい",
        no="いいえ",
        thing=("ブロック", "n"),
        joint="",
    ),
}
