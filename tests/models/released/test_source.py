"""Which of a release's forms a path leads to, and what is said when it is none."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from flax_writer import write_flax, write_orbax
from tf_writer import VALUE, write_bundle

from sayact.models.released.checksum import sha256
from sayact.models.released.source import open_source
from sayact.schema.errors import CheckpointError

NETWORK = "agent/_actor_network/"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 141357912\n"
NAME = "_transformer/_token_emb/kernel"


def bundle(prefix: Path, value: float) -> Path:
    """A training checkpoint of one variable."""
    return write_bundle(prefix, {NETWORK + NAME + VALUE: np.array([value], np.float32)})


def value(path: Path) -> float:
    return float(open_source(path).arrays[NAME][0])


def test_the_note_names_the_checkpoint(tmp_path: Path) -> None:
    for step in (9, 10, 200):
        bundle(tmp_path / f"ckpt-{step}", step)
    assert value(tmp_path) == 200, "without a note the newest"
    (tmp_path / "checkpoint").write_text(
        'model_checkpoint_path: "/cns/somewhere/ckpt-9"\nall_model_checkpoint_paths: "ckpt-200"\n'
    )
    assert value(tmp_path) == 9
    assert value(tmp_path / "ckpt-10") == 10
    assert value(tmp_path / "ckpt-10.index") == 10


def test_names_are_preferred_to_numbers_where_both_are_whole(tmp_path: Path) -> None:
    saved = tmp_path / "variables" / "variables"
    write_bundle(saved, {f"train_step{VALUE}": np.array(3, np.int64)})
    prefix = bundle(tmp_path / "ckpt-5", 5)
    assert open_source(tmp_path).form == "TensorFlow checkpoint"
    Path(f"{prefix}.data-00000-of-00001").write_bytes(POINTER)
    assert open_source(tmp_path).form == "TensorFlow SavedModel"
    assert open_source(tmp_path / "variables").step == 3


def test_a_folder_of_flax_checkpoints_gives_the_newest(tmp_path: Path) -> None:
    for step in (9, 10):
        write_flax(tmp_path / f"checkpoint_{step}", {"params/a": np.full(2, step, np.float32)})
    assert open_source(tmp_path).arrays["params/a"][0] == 10
    write_orbax(tmp_path / "checkpoint_11", {"params/a": np.full(2, 11, np.float32)})
    assert open_source(tmp_path).arrays["params/a"][0] == 11


def test_an_npz_may_be_told_by_its_content(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{NETWORK + NAME + VALUE: np.ones(1), "global_step": np.array(7)})
    (tmp_path / "a.npz").rename(tmp_path / "arrays")
    source = open_source(tmp_path / "arrays")
    assert list(source.arrays) == [NAME]
    assert source.step == 7


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({}, "no checkpoint that Sayact knows"),
        ({"checkpoint": b'model_checkpoint_path: "ckpt-3"\n'}, "no ckpt-N.index"),
        ({"manifest.ocdbt": b""}, "OCDBT"),
        ({"checkpoint": POINTER}, "Git LFS pointer"),
        ({"checkpoint_3": b"\x81\xa6params"}, "cut short. Download it again"),
        ({"checkpoint_3": b"\x81\xa4step\x03"}, "no params"),
        ({"checkpoint_3": b"hello"}, "no checkpoint of flax"),
    ],
    ids=["empty", "note alone", "ocdbt", "pointer", "truncated", "other msgpack", "text"],
)
def test_a_folder_that_is_none_is_refused(
    files: dict[str, bytes], named: str, tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=named) as error:
        open_source(tmp_path)
    assert all(name in str(error.value) for name in list(files)[:1] if "ocdbt" not in name)


def test_nothing_there_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing at .*gone.* SavedModel"):
        open_source(tmp_path / "gone")


def test_the_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(b"abc")
    # FIPS 180-2's example, and `sha256sum a b | sha256sum` of it.
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256([tmp_path / "a"]) == abc
    both = "6e0534855d1d183250459e82c311fb77578cf75019787625a10154399462260d"
    assert sha256([tmp_path / "b", tmp_path / "a"]) == both


def npy(file: Path) -> None:
    np.save(file.with_suffix(".npy"), np.zeros(3))
    file.with_suffix(".npy").rename(file)


def objects(file: Path) -> None:
    np.savez(file, **{NAME: np.array([None])})  # pyright: ignore[reportArgumentType]


def other_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("note.txt", "hello")


@pytest.mark.parametrize(
    ("write", "named"),
    [
        (lambda file: file.write_bytes(b""), "no .npz"),
        (lambda file: file.write_bytes(b"hello there"), "no .npz"),
        (npy, "no .npz"),
        (objects, NAME),
        (other_zip, "note.txt"),
    ],
    ids=["empty", "text", "npy", "objects", "another zip"],
)
def test_an_npz_that_is_none_is_refused(
    write: Callable[[Path], object], named: str, tmp_path: Path
) -> None:
    write(tmp_path / "a.npz")
    with pytest.raises(CheckpointError, match=named) as error:
        open_source(tmp_path / "a.npz")
    assert str(error.value).startswith(str(tmp_path / "a.npz"))
    assert "numpy.savez" in str(error.value)
    assert "pickle" not in str(error.value)


def test_a_step_that_is_no_number_is_passed_over(tmp_path: Path) -> None:
    step = np.array(["soon"])
    np.savez(tmp_path / "a.npz", **{NAME: np.ones(1), "step": step})  # pyright: ignore[reportArgumentType]
    assert open_source(tmp_path / "a.npz").step is None
