"""What is common to the files a checkpoint was released in: Git LFS, and missing ones."""

from pathlib import Path

from sayact.schema.errors import CheckpointError

POINTER = b"version https://git-lfs.github.com/spec/"


def refuse_pointer(file: Path) -> None:
    """Raises CheckpointError where `file` is missing, or a Git LFS pointer instead of the data."""
    if not file.is_file():
        raise CheckpointError(f"{file} is missing; the checkpoint is not whole without it")
    if starts_with(file, POINTER):
        raise CheckpointError(
            f"{file} is a Git LFS pointer, a note of where the data is. Run `git lfs install` and "
            f"`git lfs pull --include '{file.name}'` in its repository to get the data itself."
        )


def starts_with(file: Path, magic: bytes) -> bool:
    """Whether the first bytes of a file are these."""
    with file.open("rb") as stream:
        return stream.read(len(magic)) == magic
