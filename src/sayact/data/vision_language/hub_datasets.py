"""Folders as the Hugging Face hub knows them: a saved `datasets` folder, parquet, an image folder.

    save_to_disk   dataset_info.json, state.json, data-*.arrow      needs the `datasets` package
    parquet        *.parquet                                        image: {bytes, path}
    image folder   metadata.jsonl beside the pictures it names      {"file_name": "a.jpg", …}

Columns: `image`, and `question` and `answer`, or `caption`, or `questions` (a list of them).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sayact.data.vision_language.questions import (
    BROKEN_MEMBER,
    Found,
    Reader,
    Skipped,
    parse_questions,
)
from sayact.data.vision_language.webdataset import WebDataset, is_webdataset, names_and_sizes
from sayact.schema.errors import BrokenDatasetError, MissingExtraError

METADATA = "metadata.jsonl"
SAVED = "state.json", "dataset_dict.json"  # a dataset that was saved to disk, or several splits
ROWS = 64  # read from parquet at a time: pictures are large


def open_reader(folder: Path) -> Reader:
    """The reader for what lies in a folder."""
    folder = Path(folder)
    if is_webdataset(folder):
        return WebDataset(folder)
    if any((folder / name).exists() for name in SAVED):
        return SavedDataset(folder)
    if (folder / METADATA).exists():
        return ImageFolder(folder)
    if any(folder.rglob("*.parquet")):
        return ParquetFiles(folder)
    raise BrokenDatasetError(
        f"{folder} holds no pictures with questions that Sayact can read: no *.tar shards "
        f"(WebDataset), no saved `datasets` folder, no {METADATA}, no *.parquet"
    )


@dataclass(frozen=True)
class SavedDataset:
    """What `Dataset.save_to_disk` wrote; of several splits, "train" or else the first."""

    folder: Path

    def fingerprint(self) -> str:
        return _all_files(self.folder)

    def read(self, skipped: Skipped) -> Iterator[Found]:
        try:
            import datasets
        except ImportError as missing:
            raise MissingExtraError("datasets", "data") from missing
        try:
            opened: Any = datasets.load_from_disk(str(self.folder))
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise BrokenDatasetError(
                f"{self.folder} cannot be read as a saved dataset: {error}"
            ) from error
        if isinstance(opened, datasets.DatasetDict):
            opened = opened["train"] if "train" in opened else next(iter(opened.values()))
        _require_columns(self.folder, opened.column_names)
        # The bytes as they are: decoding is done once for all readers.
        if isinstance(opened.features["image"], datasets.Image):
            opened = opened.cast_column("image", datasets.Image(decode=False))
        for number, row in enumerate(opened):
            yield from _found(f"row {number}", row, self.folder, skipped)


@dataclass(frozen=True)
class ParquetFiles:
    """All parquet files below a folder, in the order of their names."""

    folder: Path

    def fingerprint(self) -> str:
        return _all_files(self.folder)

    def read(self, skipped: Skipped) -> Iterator[Found]:
        for path in sorted(self.folder.rglob("*.parquet")):
            try:
                with pq.ParquetFile(path) as file:
                    _require_columns(path, file.schema_arrow.names)
                    number = 0
                    for batch in file.iter_batches(ROWS):
                        for row in batch.to_pylist():
                            yield from _found(f"{path.name}, row {number}", row, path, skipped)
                            number += 1
            except (OSError, pa.ArrowException) as error:
                skipped.add(BROKEN_MEMBER, path.name, error)


@dataclass(frozen=True)
class ImageFolder:
    """Pictures, and one line of JSON for each."""

    folder: Path

    def fingerprint(self) -> str:
        return _all_files(self.folder)

    def read(self, skipped: Skipped) -> Iterator[Found]:
        with (self.folder / METADATA).open("rb") as lines:
            for number, line in enumerate(lines, 1):
                name = f"line {number}"
                try:
                    row = json.loads(line)
                    image = {"path": str(self.folder / row["file_name"])}
                except (ValueError, KeyError, TypeError) as error:
                    skipped.add(BROKEN_MEMBER, name, error)
                    continue
                yield from _found(name, {**row, "image": image}, self.folder, skipped)


def _require_columns(where: Path, columns: list[str]) -> None:
    told = {"question", "answer"} <= {*columns} or {"caption", "questions"} & {*columns}
    if "image" not in columns or not told:
        raise BrokenDatasetError(
            f"{where} has the columns {', '.join(columns)}; it needs `image`, and `question` and "
            "`answer`, or `caption`, or `questions`. Rename its columns to these."
        )


def _found(name: str, row: Mapping[str, Any], where: Path, skipped: Skipped) -> Iterator[Found]:
    questions = parse_questions(row, name, skipped)
    if questions:
        yield Found(name=name, picture=_picture(row.get("image"), where), questions=questions)


def _picture(image: Any, where: Path) -> bytes | None:
    """Of {"bytes", "path"}, of bytes, or of a path; None where there is nothing."""
    if isinstance(image, Mapping):
        content = image.get("bytes")
        image = content if content is not None else image.get("path")
    if isinstance(image, bytes):
        return image
    if isinstance(image, str):
        path = Path(image) if Path(image).is_absolute() else where / image
        return path.read_bytes() if path.is_file() else None
    return None


def _all_files(folder: Path) -> str:
    return names_and_sizes(folder, sorted(p for p in folder.rglob("*") if p.is_file()))
