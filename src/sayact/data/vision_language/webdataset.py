"""WebDataset shards: tar files in which members of one name belong together.

000000.tar   000017.jpg   000017.json   {"question": "what is it?", "answer": "a dog"}
             000018.png   000018.txt    a dog on a beach
             000019.jpg   000019.json   {"questions": [{"question": …, "answer": …}, …]}
"""

import json
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from sayact.data.vision_language.questions import (
    BROKEN_MEMBER,
    CAPTION_PROMPT,
    EMPTY_ANSWER,
    NO_QUESTION,
    PICTURE,
    Found,
    Question,
    Skipped,
    parse_questions,
)
from sayact.schema.errors import BrokenDatasetError

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
TAR_END = bytes(2 * tarfile.BLOCKSIZE)  # two empty blocks
RECORD, CAPTION = ".json", (".txt", ".caption")


@dataclass(frozen=True)
class WebDataset:
    """All tar files below a folder, in the order of their names."""

    folder: Path

    @property
    def shards(self) -> list[Path]:
        return sorted(Path(self.folder).rglob("*.tar"))

    def fingerprint(self) -> str:
        """Names and sizes of the shards."""
        return names_and_sizes(self.folder, self.shards)

    def read(self, skipped: Skipped) -> Iterator[Found]:
        for shard in self.shards:
            yield from _read_shard(shard, skipped)


def _read_shard(shard: Path, skipped: Skipped) -> Iterator[Found]:
    """Members of one key stand next to each other: that is the format's rule."""
    key, members = "", dict[str, bytes]()
    try:
        with tarfile.open(shard, "r|") as tar:
            for entry in tar:
                if not entry.isfile():
                    continue
                path = PurePosixPath(entry.name)
                stem, dot, suffix = path.name.partition(".")
                this = str(path.with_name(stem))
                if this != key and members:
                    yield from _found(f"{shard.name}/{key}", members, skipped)
                    members = {}
                key = this
                file = tar.extractfile(entry)
                members[(dot + suffix).lower()] = b"" if file is None else file.read()
        _require_end(shard)
    except (tarfile.TarError, OSError, EOFError) as error:
        # A tar cannot be read past a break: what was whole before it is kept.
        skipped.add(BROKEN_MEMBER, f"{shard.name}, after {key or 'its beginning'}", error)
        return
    if members:
        yield from _found(f"{shard.name}/{key}", members, skipped)


def _require_end(shard: Path) -> None:
    """Raises ReadError where a tar stops between two members, which reading alone does not show."""
    with shard.open("rb") as file:
        file.seek(-min(len(TAR_END), shard.stat().st_size), os.SEEK_END)
        if file.read() != TAR_END:
            raise tarfile.ReadError("it was cut short")


def _found(name: str, members: dict[str, bytes], skipped: Skipped) -> Iterator[Found]:
    picture = next((content for kind, content in members.items() if kind in PICTURES), None)
    caption = next((content for kind, content in members.items() if kind in CAPTION), None)
    questions: tuple[Question, ...] = ()
    scene = PICTURE
    try:
        if RECORD in members:
            record = json.loads(members[RECORD])
            if not isinstance(record, dict):
                raise ValueError("its json is no object")
            scene = str(record.get("kind", PICTURE))
            # A caption's json often holds nothing but where it came from.
            if caption is None or "question" in record or "questions" in record:
                questions = parse_questions(record, name, skipped)
                caption = None
        if caption is not None:
            text = caption.decode().strip()
            if not text:
                skipped.add(EMPTY_ANSWER, name)
            else:
                questions = (Question(question=CAPTION_PROMPT, answer=text, about="caption"),)
    except (ValueError, UnicodeDecodeError) as error:
        skipped.add(BROKEN_MEMBER, name, error)
        return
    if questions:
        yield Found(name=name, picture=picture, questions=questions, scene=scene)
    elif RECORD not in members and caption is None:
        skipped.add(NO_QUESTION, name)


def names_and_sizes(folder: Path, files: Sequence[Path]) -> str:
    """A fingerprint of files below a folder, without reading them."""
    rows = [(str(p.relative_to(folder)), p.stat().st_size) for p in files]
    return sha256(json.dumps(rows).encode()).hexdigest()


def is_webdataset(folder: Path) -> bool:
    """Whether a folder holds shards; an error where there is no such folder."""
    if not Path(folder).is_dir():
        raise BrokenDatasetError(f"{folder} is no folder of pictures and questions")
    return any(Path(folder).rglob("*.tar"))
