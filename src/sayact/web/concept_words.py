"""What the concepts of tiles are called in eight languages.

    concept_name("de", "apple")                 -> "Apfel"
    the_concept("fr", "bird")                   -> "l'oiseau"
    the_concept("es", "purple plate")           -> "la placa morada"
    the_concept("en", "person with glasses")    -> "the person with glasses"

A new concept is one more noun in each language of `CONCEPT_WORDS` (a test tells which are missing).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sayact.web.concepts import CONCEPTS, PERSON, PLATE, category_of, plate_color, worn_by
from sayact.web.grammar import Noun, nouns
from sayact.web.languages import LANGUAGES

# What has a noun of its own; digits and letters are written alike everywhere.
NAMED = (*CONCEPTS["symbol"], *CONCEPTS["fruit"], *CONCEPTS["animal"])
CATEGORIES = ("fruit", "animal", "digit", "letter", PERSON)  # which "the fruit" can name


@dataclass(frozen=True, kw_only=True)
class ConceptWords:
    """One language's words for tiles.

    concepts: nouns of `NAMED`. categories: nouns of `CATEGORIES`, "plate" beside them.
    the_digit, the_letter: how "the 3" and "the A" are said. worn: what comes behind "person".
    """

    concepts: Mapping[str, Noun]
    categories: Mapping[str, Noun]
    the_digit: str
    the_letter: str
    worn: Mapping[str, str]
    joint: str  # between two things that are worn
    worn_first: bool = False  # before the person


def concept_name(language: str, concept: str) -> str:
    """What a tile shows, without article: as answers say it."""
    return _phrase(language, concept, article=False)


def the_concept(language: str, concept: str) -> str:
    """Which tile is meant: "the apple"."""
    words = CONCEPT_WORDS[language]
    category = category_of(concept)
    if category == "digit":
        return words.the_digit.format(concept)
    if category == "letter":
        return words.the_letter.format(concept)
    return _phrase(language, concept, article=True)


def the_category(language: str, category: str) -> str:
    """ "the fruit", "the number", "the plate"."""
    return LANGUAGES[language].phrase(None, CONCEPT_WORDS[language].categories[category], True)


def the_person_with(language: str, *worn: str, article: bool = True) -> str:
    """ "the person with a hat"."""
    words = CONCEPT_WORDS[language]
    who = LANGUAGES[language].phrase(None, words.categories[PERSON], article)
    if not worn:
        return who
    things = words.joint.join(words.worn[one] for one in worn)
    if words.worn_first:
        return things + _WITH[language] + who
    return f"{who} {_WITH[language]} {things}"


def _phrase(language: str, concept: str, article: bool) -> str:
    words, category = CONCEPT_WORDS[language], category_of(concept)
    if category in ("digit", "letter"):
        return concept
    if category == PERSON:
        return the_person_with(language, *worn_by(concept), article=article)
    if category == PLATE:
        return LANGUAGES[language].phrase(plate_color(concept), words.categories[PLATE], article)
    return LANGUAGES[language].phrase(None, words.concepts[concept], article)


_WITH = {
    "en": "with",
    "de": "mit",
    "fr": "avec",
    "es": "con",
    "it": "con",
    "pt": "com",
    "zh": "的",
    "ja": "の",
}
_CATEGORY_NAMES = (*CATEGORIES, PLATE)


def _nouns(words: str, genders: str = "") -> Mapping[str, Noun]:
    return nouns(NAMED, words, genders)


def _categories(words: str, genders: str = "") -> Mapping[str, Noun]:
    return nouns(_CATEGORY_NAMES, words, genders)


def _worn(glasses: str, hat: str, beard: str) -> Mapping[str, str]:
    return {"glasses": glasses, "hat": hat, "beard": beard}


CONCEPT_WORDS: Mapping[str, ConceptWords] = {
    "en": ConceptWords(
        concepts=_nouns(", ".join(NAMED)),
        categories=_categories("fruit, animal, number, letter, person, plate"),
        the_digit="the {}",
        the_letter="the {}",
        worn=_worn("glasses", "a hat", "a beard"),
        joint=" and ",
    ),
    "de": ConceptWords(
        concepts=_nouns(
            "Herz, Stern, Mond, Sonne, Pfeil nach oben, Pfeil nach unten, Pfeil nach links, "
            "Pfeil nach rechts, Smiley, Wolke, Regenschirm, Note, Anker, Blume, Blitz, Haus, Baum, "
            "Apfel, Banane, Birne, Kirsche, Weintraube, Wassermelone, "
            "Fisch, Vogel, Katze, Kaninchen, Maus, Schmetterling, Schildkröte",
            "nmmfmmmmmfmfmfmnm" + "mfffff" + "mmfnfmf",
        ),
        categories=_categories("Frucht, Tier, Zahl, Buchstabe, Person, Platte", "fnfmff"),
        the_digit="die {}",
        the_letter="das {}",
        worn=_worn("Brille", "Hut", "Bart"),
        joint=" und ",
    ),
    "fr": ConceptWords(
        concepts=_nouns(
            "cœur, étoile, lune, soleil, flèche vers le haut, flèche vers le bas, "
            "flèche vers la gauche, flèche vers la droite, smiley, nuage, parapluie, note, ancre, "
            "fleur, éclair, maison, arbre, "
            "pomme, banane, poire, cerise, raisin, pastèque, "
            "poisson, oiseau, chat, lapin, souris, papillon, tortue",
            "mffmffffmmmfffmfm" + "ffffmf" + "mmmmfmf",
        ),
        categories=_categories("fruit, animal, nombre, lettre, personne, plaque", "mmmfff"),
        the_digit="le {}",
        the_letter="la lettre {}",
        worn=_worn("des lunettes", "un chapeau", "une barbe"),
        joint=" et ",
    ),
    "es": ConceptWords(
        concepts=_nouns(
            "corazón, estrella, luna, sol, flecha hacia arriba, flecha hacia abajo, "
            "flecha a la izquierda, flecha a la derecha, carita feliz, nube, paraguas, nota, "
            "ancla, flor, rayo, casa, árbol, "
            "manzana, plátano, pera, cereza, uva, sandía, "
            "pez, pájaro, gato, conejo, ratón, mariposa, tortuga",
            # "el ancla": a feminine noun with the masculine article
            "mffmffffffmfmfmfm" + "fmffff" + "mmmmmff",
        ),
        categories=_categories("fruta, animal, número, letra, persona, placa", "fmmfff"),
        the_digit="el {}",
        the_letter="la letra {}",
        worn=_worn("gafas", "sombrero", "barba"),
        joint=" y ",
    ),
    "it": ConceptWords(
        concepts=_nouns(
            "cuore, stella, luna, sole, freccia in su, freccia in giù, freccia a sinistra, "
            "freccia a destra, faccina, nuvola, ombrello, nota, ancora, fiore, fulmine, casa, "
            "albero, "
            "mela, banana, pera, ciliegia, uva, anguria, "
            "pesce, uccello, gatto, coniglio, topo, farfalla, tartaruga",
            "mffmffffffmffmmfm" + "ffffff" + "mmmmmff",
        ),
        categories=_categories("frutto, animale, numero, lettera, persona, placca", "mmmfff"),
        the_digit="il numero {}",
        the_letter="la lettera {}",
        worn=_worn("gli occhiali", "il cappello", "la barba"),
        joint=" e ",
    ),
    "pt": ConceptWords(
        concepts=_nouns(
            "coração, estrela, lua, sol, seta para cima, seta para baixo, seta para a esquerda, "
            "seta para a direita, carinha feliz, nuvem, guarda-chuva, nota, âncora, flor, raio, "
            "casa, árvore, "
            "maçã, banana, pera, cereja, uva, melancia, "
            "peixe, pássaro, gato, coelho, rato, borboleta, tartaruga",
            "mffmffffffmfffmff" + "ffffff" + "mmmmmff",
        ),
        categories=_categories("fruta, animal, número, letra, pessoa, placa", "fmmfff"),
        the_digit="o {}",
        the_letter="a letra {}",
        worn=_worn("óculos", "chapéu", "barba"),
        joint=" e ",
    ),
    "zh": ConceptWords(
        concepts=_nouns(
            "心形, 星星, 月亮, 太阳, 向上箭头, 向下箭头, 向左箭头, 向右箭头, 笑脸, 云, 雨伞, 音符, "
            "锚, 花, 闪电, 房子, 树, "
            "苹果, 香蕉, 梨, 樱桃, 葡萄, 西瓜, "
            "鱼, 鸟, 猫, 兔子, 老鼠, 蝴蝶, 乌龟"
        ),
        categories=_categories("水果, 动物, 数字, 字母, 人, 牌子"),
        the_digit="数字{}",
        the_letter="字母{}",
        worn=_worn("戴眼镜", "戴帽子", "有胡子"),
        joint="、",
        worn_first=True,
    ),
    "ja": ConceptWords(
        concepts=_nouns(
            "ハート, 星, 月, 太陽, 上矢印, 下矢印, 左矢印, 右矢印, 笑顔, 雲, 傘, 音符, いかり, "
            "花, 稲妻, 家, 木, "
            "りんご, バナナ, 梨, さくらんぼ, ぶどう, すいか, "
            "魚, 鳥, 猫, うさぎ, ねずみ, 蝶, 亀"
        ),
        categories=_categories("果物, 動物, 数字, 文字, 人, プレート"),
        the_digit="数字の{}",
        the_letter="文字の{}",
        worn=_worn("眼鏡", "帽子", "ひげ"),
        joint="と",
        worn_first=True,
    ),
}
