"""How rt2-nano's vocabulary was made: `python -m sayact.experiments.nano_vocabulary`.

It writes codecs/nano_tokenizer.json anew, which every network trained with it depends on: run it
only before a new pretraining. Reads what the embedded web says, page and table, in all its
languages, and every sentence of Language-Table's seven families on eight blocks.
"""

import logging
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np

from sayact.codecs.nano_tokenizer import FILE, train_nano_tokenizer
from sayact.codecs.places import PLACEHOLDER
from sayact.codecs.tokens import JsonTokenizer
from sayact.envs.language_table.blocks import BLOCK_MODES
from sayact.envs.language_table.words import WORDINGS, instructions
from sayact.web.page import draw_page
from sayact.web.question import Question
from sayact.web.questions import table_questions
from sayact.web.scenes import draw_scene

logger = logging.getLogger(__name__)

TABLES, PAGES = 12_000, 6_000
SEED = 0


def texts() -> Iterator[str]:
    """Everything that the vocabulary is made from, without places."""
    for question in questions():
        yield without_places(question.question)
        yield without_places(question.answer)
    for family in WORDINGS:
        yield from instructions(family, BLOCK_MODES["BLOCK_8"])


def questions() -> Iterator[Question]:
    for index in range(TABLES):
        rng = np.random.default_rng([SEED, 0, index])
        yield from table_questions(draw_scene(rng), rng)
    for index in range(PAGES):
        yield from draw_page(np.random.default_rng([SEED, 1, index]))[1]


def without_places(text: str) -> str:
    return PLACEHOLDER.sub("", text)


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    content = train_nano_tokenizer(texts())
    tokenizer = JsonTokenizer.from_file(content)
    path = Path(str(files("sayact.codecs") / FILE))
    path.write_bytes(content)
    logger.info("%s: %d tokens, %d bytes", path.name, tokenizer.size, len(content))


if __name__ == "__main__":
    main()
