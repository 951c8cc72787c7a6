"""rt2-nano's own tokenizer: one vocabulary of 4,096 for words, numbers, places and actions.

    0 …            <pad> <end>, the turns of a prompt, <loc00> … <loc63>
    then           256 bytes, so that any text of any language can be written
    then           what byte-pair encoding made of the words that the embedded web and
                   Language-Table say, and the integers 0 … 255, each one token

Upper and lower case are one. The constant part of the robot prompt is one token as well: it says
nothing, and every token costs time.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.trainers import BpeTrainer

from sayact.codecs.tokens import JsonTokenizer

FILE = "nano_tokenizer.json"
SIZE = 4_096
PLACES = 64
INTEGERS = 256
# Marks of prompts and plans (`sayact.codecs.prompts`), and the ends of a sequence.
MARKS = ("<pad>", "<end>", "Q:", "A:", "Plan:", "Action:", "what action should the robot take to")
# So many times each integer is shown to the training: more often than any word, so that all of
# them become tokens before it runs out of room.
INTEGER_COUNT = 1_000_000


def train_nano_tokenizer(texts: Iterable[str]) -> bytes:
    """A `tokenizer.json` for these texts; they are read once, numbers in them count for nothing."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    marks = [*MARKS, *(f"<loc{place:02}>" for place in range(PLACES))]
    trainer = BpeTrainer(
        vocab_size=SIZE,
        special_tokens=[
            AddedToken(mark, lstrip=True, normalized=False, special=True) for mark in marks
        ],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*_integers(), *texts], trainer)
    return tokenizer.to_str(pretty=False).encode()


def _integers() -> Iterable[str]:
    """Every integer, often: a word counts as often as it comes."""
    line = " ".join(str(number) for number in range(INTEGERS))
    return (line for _ in range(INTEGER_COUNT // INTEGERS))


@cache
def nano_tokenizer() -> JsonTokenizer:
    """The one in the package."""
    return JsonTokenizer.from_file((files("sayact.codecs") / FILE).read_bytes())
