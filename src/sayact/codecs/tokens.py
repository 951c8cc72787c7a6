"""Text ⇄ token ids, by any tokenizer that lies in a `tokenizer.json`.

That file is the format of the `tokenizers` library, in which the field publishes: our own nano
tokenizer and those of pretrained backbones are read by the same class.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from tokenizers import Tokenizer as TokenizersTokenizer

from sayact.schema.errors import CheckpointError, MissingExtraError, SayactError

TOKENIZER, TOKENIZER_CONFIG = "tokenizer.json", "tokenizer_config.json"

# What published tokenizers call the token that ends an answer and the one that fills a batch, most
# particular first: a chat model ends its turn, not the document.
END_NAMES = (
    "<end>",
    "<end_of_utterance>",
    "<|im_end|>",
    "<|eot_id|>",
    "<eos>",
    "</s>",
    "<|endoftext|>",
)
PAD_NAMES = ("<pad>", "<|pad|>", "[PAD]", "<|endoftext|>")


@runtime_checkable
class Tokenizer(Protocol):
    """What prompts, answers and action words ask of a tokenizer.

    size: ids are 0 … size-1. start: ids before every prompt, often none. end: closes an answer.
    pad: fills a batch. added: ids of tokens beside the vocabulary proper, control tokens mostly.
    """

    @property
    def size(self) -> int: ...

    @property
    def start(self) -> tuple[int, ...]: ...

    @property
    def end(self) -> int: ...

    @property
    def pad(self) -> int: ...

    @property
    def added(self) -> frozenset[int]: ...

    def encode(self, text: str) -> list[int]:
        """Ids of the text and nothing else; control tokens written in it are recognised."""
        ...

    def spell(self, text: str, *, before: str = "", after: str = "") -> list[int]:
        """The same for text that others wrote: control tokens in it are letters like all others.

        They are recognised in what stands `before` and `after`, which is ours.
        """
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids, control tokens included."""
        ...

    def token_id(self, name: str) -> int | None:
        """The id of a token as the vocabulary writes it, if it has it."""
        ...

    def token_name(self, token: int) -> str | None:
        """How the vocabulary writes a token."""
        ...

    def to_file(self) -> bytes:
        """The content of a `tokenizer.json`."""
        ...


@dataclass(frozen=True)
class JsonTokenizer:
    """A `tokenizer.json`, with the ids that frame prompts and answers."""

    file: bytes
    start: tuple[int, ...]
    end: int
    pad: int

    @classmethod
    def from_file(
        cls,
        file: bytes,
        *,
        start: Sequence[int] | None = None,
        end: int | None = None,
        pad: int | None = None,
    ) -> "JsonTokenizer":
        """From a file's content; ids that are not given are recognised.

        Raises CheckpointError where the file cannot be read, or where none of the usual names of
        an end token is in it. Without a padding token the end token pads.
        """
        tokenizer = _parse(file)
        end = _named(tokenizer, END_NAMES) if end is None else end
        if end is None:
            raise CheckpointError(
                f"the tokenizer has none of the tokens that usually end an answer "
                f"({', '.join(END_NAMES)}); say which id does: end=…"
            )
        if pad is None:
            found = _named(tokenizer, PAD_NAMES)
            pad = end if found is None else found
        return cls(file, _start(tokenizer) if start is None else tuple(start), end, pad)

    @cached_property
    def _tokenizer(self) -> TokenizersTokenizer:
        return _parse(self.file)

    @cached_property
    def _size(self) -> int:
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    @cached_property
    def _added(self) -> frozenset[int]:
        return frozenset(self._tokenizer.get_added_tokens_decoder())

    @cached_property
    def _control(self) -> re.Pattern[str] | None:
        """Finds control tokens in a text, the longest first."""
        names = (token.content for token in self._tokenizer.get_added_tokens_decoder().values())
        ordered = sorted((re.escape(name) for name in names if len(name) > 1), key=len)
        return re.compile("|".join(reversed(ordered))) if ordered else None

    @property
    def size(self) -> int:
        return self._size

    @property
    def added(self) -> frozenset[int]:
        return self._added

    def encode(self, text: str) -> list[int]:
        try:
            return self._tokenizer.encode(text, add_special_tokens=False).ids
        except TypeError as error:  # half of a surrogate pair, as broken input leaves behind
            raise SayactError(f"{text!r} holds what is no character; write it anew") from error

    def spell(self, text: str, *, before: str = "", after: str = "") -> list[int]:
        """A control token that reaches into `text` is cut after its first letter."""
        whole, first, last = before + text + after, len(before), len(before) + len(text)
        ids: list[int] = []
        done = start = 0
        while self._control and (found := self._control.search(whole, start)):
            start = found.end()
            if found.start() < last and found.end() > first:
                start = found.start() + 1
                ids += self.encode(whole[done:start])
                done = start
        return ids + self.encode(whole[done:])

    def decode(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(list(ids), skip_special_tokens=False)

    def token_id(self, name: str) -> int | None:
        return self._tokenizer.token_to_id(name)

    def token_name(self, token: int) -> str | None:
        return self._tokenizer.id_to_token(token)

    def to_file(self) -> bytes:
        return self.file

    def to_json(self) -> dict[str, Any]:
        """What the file does not hold."""
        return {"start": list(self.start), "end": self.end, "pad": self.pad}


def load_tokenizer(name_or_folder: str | Path) -> JsonTokenizer:
    """The tokenizer of a backbone: from its folder, or from the Hugging Face hub by name.

    Its `tokenizer_config.json` says which tokens end and pad. Raises CheckpointError where there is
    no tokenizer, MissingExtraError where a hub name is given and the hub's client is missing.
    """
    folder = Path(name_or_folder)
    if folder.is_dir():
        main, config = folder / TOKENIZER, folder / TOKENIZER_CONFIG
        if not main.is_file():
            raise CheckpointError(
                f"{folder} has no {TOKENIZER}; save the tokenizer there with "
                "`AutoTokenizer.from_pretrained(NAME).save_pretrained(FOLDER)`"
            )
    else:
        main = _from_hub(str(name_or_folder), TOKENIZER)
        config = _from_hub(str(name_or_folder), TOKENIZER_CONFIG)
    file = main.read_bytes()
    tokenizer = _parse(file)
    names = _framing_names(config)
    return JsonTokenizer.from_file(
        file,
        end=_named(tokenizer, names.get("eos_token", ())),
        pad=_named(tokenizer, names.get("pad_token", ())),
    )


def _from_hub(name: str, file: str) -> Path:
    try:
        from huggingface_hub import hf_hub_download  # pyright: ignore[reportUnknownVariableType]
    except ImportError as missing:
        raise MissingExtraError("huggingface_hub", "vlm") from missing
    try:
        download = cast("Callable[[str, str], str]", hf_hub_download)
        return Path(download(name, file))
    except (OSError, ValueError) as error:  # the hub's own errors are of these two kinds
        raise CheckpointError(
            f"{name!r} is no folder, and its {file} could not be had from the Hugging Face hub: "
            f"{str(error).splitlines()[0].rstrip('.')}. Give a folder that holds {TOKENIZER}, or a "
            "name as in huggingface.co/NAME that you have access to."
        ) from error


def _framing_names(file: Path) -> dict[str, tuple[str]]:
    """Control tokens by what they are for: each stands there as text or as an object with one."""
    names: dict[str, tuple[str]] = {}
    if not file.is_file():
        return names
    try:
        given: dict[str, Any] = json.loads(file.read_text())
    except ValueError as error:
        raise CheckpointError(f"{file} is not valid JSON: {error}") from error
    for kind in ("eos_token", "pad_token"):
        content = given.get(kind)
        if isinstance(content, dict):
            content = cast("dict[str, Any]", content).get("content")
        if isinstance(content, str):
            names[kind] = (content,)
    return names


def _parse(file: bytes) -> TokenizersTokenizer:
    try:
        tokenizer = TokenizersTokenizer.from_buffer(file)
    except Exception as error:  # the library raises bare Exception, and nothing narrower
        raise CheckpointError(f"{TOKENIZER} cannot be read: {error}") from error
    # A file may ask for cutting and padding; prompts are cut nowhere in silence.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _named(tokenizer: TokenizersTokenizer, names: Sequence[str]) -> int | None:
    """The id of the first of `names` that the tokenizer has."""
    ids = (tokenizer.token_to_id(name) for name in names)
    return next((token for token in ids if token is not None), None)


def _start(tokenizer: TokenizersTokenizer) -> tuple[int, ...]:
    """What the file's own template puts before a text."""
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    framed = tokenizer.encode("a", add_special_tokens=True).ids
    for at in range(len(framed) - len(plain) + 1):
        if framed[at : at + len(plain)] == plain:
            return tuple(framed[:at])
    raise SayactError("the tokenizer's template changes the text that it frames")
