"""Each form of a release, written as it was released, becomes the checkpoint it was made from."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from flax_writer import write_flax, write_orbax
from released_tiny import TINY, TINY_FLAX, random_weights
from tf_writer import VALUE, write_bundle
from torch import Tensor

from sayact.models.released.naming import flax, release, tensorflow
from sayact.models.rt1 import RT1, RT1Config
from sayact.models.shapes import FLAX, MULTIROBOT, PAPER
from sayact.models.shapes import RT1_X as RT1_X_NETWORK
from sayact.policies import importing, load_policy
from sayact.policies.doctor import Diagnosis
from sayact.policies.engines import Engine, TorchEngine
from sayact.policies.importing import assumed_space, import_rt1
from sayact.policies.rt1 import RT1Policy
from sayact.schema import RT1 as RT1_SPACE
from sayact.schema import RT1_X, Action, Observation
from sayact.schema.errors import BadObservationError, CheckpointError, UnknownNameError

PAGE = Path(__file__).parents[2] / "docs" / "import.md"
NETWORK = "agent/_actor_network/"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 141357912\n"

Arrays = dict[str, np.ndarray]


@cache
def state(kind: str) -> dict[str, Tensor]:
    return random_weights(TINY if kind == "tensorflow" else TINY_FLAX)


@cache
def released(kind: str) -> Arrays:
    names = tensorflow(TINY) if kind == "tensorflow" else flax(TINY_FLAX)
    return release(state(kind), names)


def arrays(kind: str) -> Arrays:
    """What a release of this kind holds, to be changed at will."""
    return dict(released(kind))


def trained(given: Arrays) -> dict[str, np.ndarray | bytes]:
    """What a training checkpoint holds: variables, Adam's moments, counters, the graph."""
    held: dict[str, np.ndarray | bytes] = {f"{NETWORK}{n}{VALUE}": a for n, a in given.items()}
    slot = (
        f"{NETWORK}_transformer/_token_emb/kernel/.OPTIMIZER_SLOT/agent/_actor_optimizer/m{VALUE}"
    )
    counters = {"global_step": 424760, "save_counter": 5, "agent/_actor_optimizer/iter": 424760}
    held |= {name + VALUE: np.array(n, np.int64) for name, n in counters.items()}
    return held | {slot: np.zeros(3, np.float32), "_CHECKPOINTABLE_OBJECT_GRAPH": b"\x0a\x00"}


def saved(given: Arrays) -> dict[str, np.ndarray | bytes]:
    """What a SavedModel holds: variables by their number, the step, the graph."""
    order = tensorflow(TINY)
    held: dict[str, np.ndarray | bytes] = {
        f"model_variables/{i}{VALUE}": given[v.theirs]
        for i, v in enumerate(order, 1)
        if v.theirs in given
    }
    step = np.array(424760, np.int64)
    return held | {f"train_step{VALUE}": step, "_CHECKPOINTABLE_OBJECT_GRAPH": b"\x0a\x00"}


def write_trained(folder: Path, given: Arrays) -> Path:
    write_bundle(folder / "ckpt-424760", trained(given), shards=3)
    (folder / "checkpoint").write_text('model_checkpoint_path: "ckpt-424760"\n')
    return folder


def write_saved(folder: Path, given: Arrays) -> Path:
    write_bundle(folder / "variables" / "variables", saved(given))
    return folder


def write_npz(folder: Path, given: Arrays) -> Path:
    np.savez(folder / "arrays.npz", **given)  # pyright: ignore[reportArgumentType]
    return folder / "arrays.npz"


def write_long_npz(folder: Path, given: Arrays) -> Path:
    held = {name: value for name, value in trained(given).items() if isinstance(value, np.ndarray)}
    np.savez(folder / "arrays.npz", **held)  # pyright: ignore[reportArgumentType]
    return folder / "arrays.npz"


def write_flax_folder(folder: Path, given: Arrays) -> Path:
    write_flax(folder / "checkpoint_9", {"params/too": np.zeros(3)}, step=np.int32(9))
    more = {"opt_state": {"0": np.zeros(3, np.float32)}, "step": np.int32(424760)}
    write_flax(folder / "checkpoint_424760", given, chunk_bytes=1 << 18, **more)
    return folder


def write_flax_file(folder: Path, given: Arrays) -> Path:
    return write_flax(folder / "checkpoint", given, step=424760)


def write_old_orbax(folder: Path, given: Arrays) -> Path:
    return write_orbax(folder / "rt_1_x_jax", given, chunks=2, step=424760)


def write_new_orbax(folder: Path, given: Arrays) -> Path:
    write_orbax(folder, given | {"step": np.array(424760), "rng": np.zeros(2, np.uint32)})
    (folder / "checkpoint").unlink()
    return folder


FORMS: dict[str, tuple[str, Callable[[Path, Arrays], Path]]] = {
    "training checkpoint": ("tensorflow", write_trained),
    "SavedModel": ("tensorflow", write_saved),
    "npz of TensorFlow": ("tensorflow", write_npz),
    "npz of TensorFlow, long names": ("tensorflow", write_long_npz),
    "flax": ("flax", write_flax_folder),
    "flax file": ("flax", write_flax_file),
    "Orbax 2023": ("flax", write_old_orbax),
    "Orbax 2024": ("flax", write_new_orbax),
    "npz of flax": ("flax", write_npz),
}


def answer(engine: Engine) -> np.ndarray:
    """Logits of a window of one random frame, seen twice."""
    rng = np.random.default_rng(1)
    sentence = rng.standard_normal(512, np.float32)
    tokens = engine.tokenize(rng.integers(0, 256, (3, 256, 320), np.uint8), sentence)
    return engine.decode(np.stack([tokens, tokens]))


@cache
def original_answer(kind: str) -> np.ndarray:
    model = RT1(TINY if kind == "tensorflow" else TINY_FLAX)
    model.load_state_dict(state(kind))
    return answer(TorchEngine(model))


@pytest.fixture(autouse=True)
def no_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine pictures through a B3 take long; the doctor's own tests have smaller networks."""
    seen = Diagnosis(
        sentences=(), dimensions=(), by_picture=1.0, by_sentence=1.0, finite=True, warnings=()
    )
    monkeypatch.setattr(importing, "examine", lambda policy: seen)


@pytest.mark.parametrize("form", FORMS)
def test_it_answers_as_what_was_released(form: str, tmp_path: Path) -> None:
    kind, write = FORMS[form]
    config: RT1Config = TINY if kind == "tensorflow" else TINY_FLAX
    path = write(tmp_path, arrays(kind))
    imported = import_rt1(path, tmp_path / "out" / "x", "a name", {"version": "test"})

    policy = load_policy(tmp_path / "out" / "x")
    assert isinstance(policy, RT1Policy)
    np.testing.assert_array_equal(answer(policy.engine), original_answer(kind))
    assert policy.engine.config == config
    assert imported.origin.step == (
        None if form in ("npz of TensorFlow", "npz of flax") else 424760
    )
    assert imported.origin.shape is None
    kept = json.loads((tmp_path / "out" / "x" / "config.json").read_text())["imported"]
    assert kept["sha256"] == imported.origin.sha256
    card = (tmp_path / "out" / "x" / "README.md").read_text()
    assert card.startswith("# a name\n")
    assert imported.origin.sha256 in card
    assert "nothing to worry about" in card


def test_a_mode_that_is_none_means_what_it_did_there(tmp_path: Path) -> None:
    for kind, fallback in (("tensorflow", 0), ("flax", 2)):
        out = tmp_path / kind
        import_rt1(write_npz(tmp_path, arrays(kind)), out, kind, {})
        processor = json.loads((out / "processor.json").read_text())
        assert processor["actions"] == {"codec": "edge_bins", "bins": 32, "fallback": fallback}


def test_the_arm_of_rt1x_alone_moves_up_to_two() -> None:
    """Its TensorFlow form has 512 bins too."""
    networks = (RT1_X_NETWORK, replace(PAPER, frames=15, bins=512), FLAX, PAPER, MULTIROBOT)
    assert [assumed_space(config) for config in networks] == [RT1_X] * 2 + [RT1_SPACE] * 3


def test_the_action_space_is_told_and_can_be_overridden(tmp_path: Path) -> None:
    path = write_npz(tmp_path, arrays("tensorflow"))
    assumed = import_rt1(path, tmp_path / "assumed", "x", {})
    told = import_rt1(path, tmp_path / "told", "x", {}, space="rt1_x")
    assert load_policy(tmp_path / "assumed").action_space == RT1_SPACE
    assert load_policy(tmp_path / "told").action_space == RT1_X
    assert assumed.origin.actions().startswith("rt1: the arm moves up to 1 (assumed")
    assert told.origin.actions() == "rt1_x: the arm moves up to 2 (as told by --space)"
    assert f"| actions | {told.origin.actions()} |" in (tmp_path / "told" / "README.md").read_text()
    with pytest.raises(UnknownNameError, match="rt1_x"):
        import_rt1(path, tmp_path / "third", "x", {}, space="rt2")


def test_the_card_lists_the_sentences_that_came(tmp_path: Path) -> None:
    path = write_npz(tmp_path, arrays("tensorflow"))
    vectors = {f"pick up can {number:02d}": np.ones(512, np.float32) for number in range(22)}
    np.savez(tmp_path / "said.npz", **vectors)  # pyright: ignore[reportArgumentType]
    import_rt1(path, tmp_path / "out", "x", {}, tmp_path / "said.npz")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "22 in all:\n\n- pick up can 00\n" in card
    assert "- pick up can 19\n- and 2 more" in card
    assert "can 20" not in card
    assert "needs a new import" in card
    assert "tfhub.dev" not in card
    import_rt1(path, tmp_path / "none", "x", {})
    assert "tfhub.dev" in (tmp_path / "none" / "README.md").read_text()


def test_the_card_and_the_page_say_how_to_act_and_it_works(tmp_path: Path) -> None:
    np.savez(tmp_path / "said.npz", **{"pick green can": np.ones(512, np.float32)})  # pyright: ignore[reportArgumentType]
    path, out = write_npz(tmp_path, arrays("tensorflow")), tmp_path / "out"
    import_rt1(path, out, "x", {}, tmp_path / "said.npz")
    for text, folder in (
        ((out / "README.md").read_text(), "this folder"),
        (PAGE.read_text(), "imported/rt1main"),
    ):
        code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
        shown: dict[str, Action] = {}
        exec(code.replace(folder, str(out)), shown)
        assert shown["action"].values.shape == (11,)


def observation(sentence: str) -> Observation:
    return Observation(image=np.zeros((256, 320, 3), np.uint8), instruction=sentence)


def test_it_acts_on_sentences_that_came_with_vectors_and_on_no_other(tmp_path: Path) -> None:
    vector = np.random.default_rng(0).standard_normal(512, np.float32)
    np.savez(tmp_path / "said.npz", **{"open the drawer": vector})  # pyright: ignore[reportArgumentType]
    path = write_npz(tmp_path, arrays("tensorflow"))
    import_rt1(path, tmp_path / "out", "x", {}, tmp_path / "said.npz")
    policy = load_policy(tmp_path / "out")
    assert isinstance(policy, RT1Policy)
    assert policy.act(observation("open the drawer")).values.shape == (11,)
    np.testing.assert_array_equal(policy.processor.sentences("open the drawer"), vector)
    with pytest.raises(
        BadObservationError, match=r"the sentence 'sing'.*vectors of 1 .*into another --out"
    ):
        policy.act(observation("sing"))


def test_without_vectors_it_refuses_every_sentence(tmp_path: Path) -> None:
    """Another encoder's vector has 512 numbers too, and would be acted on in silence."""
    import_rt1(write_npz(tmp_path, arrays("tensorflow")), tmp_path / "out", "x", {})
    with pytest.raises(BadObservationError, match="--sentences"):
        load_policy(tmp_path / "out").act(observation("open the drawer"))


@pytest.mark.parametrize(
    "vector", [np.zeros(384, np.float32), np.full(512, np.nan, np.float32), np.zeros(512, np.int64)]
)
def test_vectors_that_are_none_are_refused(vector: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "said.npz", **{"open the drawer": vector})  # pyright: ignore[reportArgumentType]
    path = write_npz(tmp_path, arrays("tensorflow"))
    with pytest.raises(CheckpointError, match="'open the drawer' must be 512 finite numbers"):
        import_rt1(path, tmp_path / "out", "x", {}, tmp_path / "said.npz")
    assert not (tmp_path / "out").exists()


def test_sentences_that_are_not_there(tmp_path: Path) -> None:
    path = write_npz(tmp_path, arrays("tensorflow"))
    with pytest.raises(CheckpointError, match=r"no .*nowhere\.npz\. --sentences takes"):
        import_rt1(path, tmp_path / "out", "x", {}, tmp_path / "nowhere.npz")


def test_what_was_left_out_is_told(tmp_path: Path) -> None:
    path = write_trained(tmp_path, arrays("tensorflow"))
    imported = import_rt1(path, tmp_path / "out", "x", {})
    assert imported.origin.left_out == {"optimiser slots": 1, "bookkeeping": 3}
    assert imported.origin.variables == len(tensorflow(TINY))


def refused(path: Path, tmp_path: Path, *named: str) -> str:
    """The import fails with an error that names all of these, and leaves nothing behind."""
    out = tmp_path / "refused"
    with pytest.raises(CheckpointError) as error:
        import_rt1(path, out, "x", {})
    for text in named:
        assert text in str(error.value)
    assert not list(tmp_path.glob("*refused*"))
    return str(error.value)


def test_every_misfit_is_listed(tmp_path: Path) -> None:
    given = arrays("tensorflow")
    del given["_transformer/_layers/0/ff/bias"], given["_transformer/_layers/1/ff/kernel"]
    given["_transformer/_token_emb/kernel"] = np.zeros((3, 4), np.float32)
    given["_transformer/surplus"] = np.zeros(2, np.float32)
    path = write_npz(tmp_path, given)
    said = refused(
        path,
        tmp_path,
        f"{path}: 4 variables do not fit",
        "missing: _transformer/_layers/0/ff/bias, shape (24,)",
        "missing: _transformer/_layers/1/ff/kernel, shape (24, 24)",
        "wrong shape: _transformer/_token_emb/kernel is (3, 4), should be (16, 24)",
        "extra: _transformer/surplus, shape (2,)",
    )
    assert len(said.splitlines()) == 6


def test_whole_numbers_are_listed_as_a_misfit(tmp_path: Path) -> None:
    given = arrays("tensorflow")
    name = "_transformer/_layers/0/ff/bias"
    given[name] = given[name].astype(np.int32)
    path = write_npz(tmp_path, given)
    refused(path, tmp_path, str(path), f"wrong dtype: {name} is int32, should be floating")


def test_arrays_of_something_else_name_the_file(tmp_path: Path) -> None:
    path = write_npz(tmp_path, {"weights": np.zeros(3, np.float32)})
    refused(path, tmp_path, f"{path}: ", "the first: weights", "Give a checkpoint")


def test_a_hole_in_a_saved_model_is_named_as_in_the_network(tmp_path: Path) -> None:
    given = arrays("tensorflow")
    del given["_transformer/_layers/0/ff/bias"]
    refused(write_saved(tmp_path / "a", given), tmp_path, "missing: _transformer/_layers/0/ff/bias")


@pytest.mark.parametrize(
    ("last", "fault", "first", "final"),
    [(729, "missing", 730, 732), (734, "too many", 733, 734), (3, "missing", 4, 634)],
)
def test_a_saved_model_of_too_few_or_many_numbers_names_them(
    last: int, fault: str, first: int, final: int, tmp_path: Path
) -> None:
    held = {f"model_variables/{i}{VALUE}": np.zeros(2, np.float32) for i in range(1, last + 1)}
    write_bundle(tmp_path / "a" / "variables" / "variables", held)
    lines = refused(tmp_path / "a", tmp_path, "variables.index", f"up to {last}").splitlines()
    listed = [f"  {fault}: model_variables/{number}" for number in range(first, final + 1)]
    assert lines[1:-1] == listed
    assert lines[-1].startswith("Give the whole SavedModel")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda f: f.unlink(), ("ckpt-424760.data-00001-of-00003", "missing")),
        (lambda f: f.write_bytes(POINTER), ("data-00001-of-00003", "Git LFS pointer")),
        (lambda f: f.write_bytes(f.read_bytes()[:9999]), ("data-00001-of-00003", "cut short")),
    ],
    ids=["missing", "pointer", "truncated"],
)
def test_a_spoiled_shard_writes_nothing(
    spoil: Callable[[Path], None], named: tuple[str, ...], tmp_path: Path
) -> None:
    folder = write_trained(tmp_path / "a", arrays("tensorflow"))
    spoil(folder / "ckpt-424760.data-00001-of-00003")
    refused(folder, tmp_path, *named)


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious").touch()
    with pytest.raises(CheckpointError, match="not overwritten"):
        import_rt1(tmp_path / "whatever.npz", out, "x", {})
    assert [p.name for p in out.iterdir()] == ["precious"]


def test_the_published_size_from_a_training_checkpoint(tmp_path: Path) -> None:
    """35 M numbers in 732 variables and three shards, as rt1main is."""
    weights = random_weights(PAPER)
    given = release(weights, tensorflow(PAPER))
    assert len(given) == 732
    path = write_trained(tmp_path, given) / "ckpt-424760"
    imported = import_rt1(path, tmp_path / "out", "rt1main", {})
    assert imported.origin.shape == "rt1main"
    assert imported.parameters == 35_339_431
    policy = load_policy(tmp_path / "out")
    assert isinstance(policy, RT1Policy)
    assert isinstance(policy.engine, TorchEngine)
    for name, tensor in policy.engine.model.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
