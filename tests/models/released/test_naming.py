"""Names and layouts of the released checkpoints, made by rule, against the official lists.

`released_variables.json` holds what the SavedModels of rt1main and rt1multirobot declare, in the
order of their numbers; rt1simreal's is rt1main's. The flax lists stand in the parity fixtures.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sayact.models.layers.efficientnet import IMAGENET_STD
from sayact.models.released.naming import (
    NAMINGS,
    Naming,
    flax,
    place,
    recognise,
    release,
    tensorflow,
    with_normalisation,
)
from sayact.models.released.naming_tensorflow import NORMALISATION
from sayact.models.rt1 import RT1, RT1Config
from sayact.models.shapes import FLAX, MULTIROBOT, PAPER, RT1_X
from sayact.schema.errors import CheckpointError

GOLDEN = Path(__file__).parents[2] / "golden" / "rt1"
TENSORFLOW = {"rt1main": PAPER, "rt1multirobot": MULTIROBOT}
SHAPES: dict[str, tuple[Naming, RT1Config]] = {
    "rt1main": ("tensorflow", PAPER),
    "rt1multirobot": ("tensorflow", MULTIROBOT),
    "rt1x": ("flax", RT1_X),
    "rt1flax": ("flax", FLAX),
}
# As little as has every kind of layer, so that whole networks are cheap.
SMALL: dict[Naming, RT1Config] = {
    "tensorflow": replace(PAPER, width=24, layers=2, heads=3, head_dim=4, bins=16, frames=2),
    "flax": replace(FLAX, width=24, layers=2, heads=3, head_dim=4, bins=16, frames=2, hidden=8),
}


@pytest.fixture(scope="module")
def official():
    return json.loads((GOLDEN / "released_variables.json").read_text())


@pytest.mark.parametrize("shape", TENSORFLOW)
def test_names_shapes_and_order_of_the_saved_models(official, shape):
    """`model_variables/N` of a SavedModel is the N-th, counted from one."""
    ours = [(v.theirs, list(v.shape)) for v in tensorflow(TENSORFLOW[shape])]
    assert ours == list(official[shape].items())


def test_names_and_shapes_of_the_flax_parameters():
    with np.load(GOLDEN / "fixture_jax_A.npz") as fixture:
        listed = json.loads(str(fixture["meta"]))
    for shape, config in (("default", FLAX), ("rt1x", RT1_X)):
        assert {v.theirs: list(v.shape) for v in flax(config)} == listed[shape]["shapes"]


@pytest.mark.parametrize("shape", SHAPES)
def test_recognised_by_names_and_shapes(shape):
    naming, config = SHAPES[shape]
    shapes = {v.theirs: v.shape for v in NAMINGS[naming](config)}
    assert recognise(shapes) == (naming, config, shape)


@pytest.mark.parametrize("naming", SMALL)
def test_other_sizes_are_recognised_too(naming):
    config = replace(SMALL[naming], image_tokens=5, frames=3)
    shapes = {v.theirs: v.shape for v in NAMINGS[naming](config)}
    assert recognise(shapes) == (naming, config, None)


class TestSmallNetworks:
    """There and back, and what does not fit."""

    @pytest.fixture(scope="class", params=SMALL)
    def naming(self, request):
        return request.param

    @pytest.fixture(scope="class")
    def config(self, naming):
        return SMALL[naming]

    @pytest.fixture(scope="class")
    def names(self, naming, config):
        return NAMINGS[naming](config)

    @pytest.fixture(scope="class")
    def state(self, config):
        """No two numbers alike in a tensor, so that a wrong layout cannot hide."""
        state = RT1(config).state_dict()
        return {
            k: torch.arange(v.numel(), dtype=v.dtype).reshape(v.shape) for k, v in state.items()
        }

    @pytest.fixture
    def arrays(self, state, names):
        return release(state, names)

    def test_every_tensor_of_ours_has_one_variable(self, state, names):
        ours = [v.ours for v in names if v.ours]
        assert len(ours) == len(set(ours))
        assert {k for k in state if not k.endswith("num_batches_tracked")} == set(ours)

    def test_round_trip(self, state, names, config, arrays):
        assert {k: a.shape for k, a in arrays.items()} == {v.theirs: v.shape for v in names}
        back = place(arrays, names, config)
        for name, tensor in state.items():
            if not name.endswith("num_batches_tracked"):
                assert torch.equal(back[name], tensor), name
        RT1(config).load_state_dict(back)

    def test_half_precision_becomes_float32(self, names, config, arrays):
        halves = {k: np.ones(a.shape, np.float16) for k, a in arrays.items()}
        state = place(halves, names, config)
        kinds = {v.dtype for k, v in state.items() if not k.endswith("num_batches_tracked")}
        assert kinds == {torch.float32}

    def test_every_fault_is_named(self, names, config, arrays):
        alive = [v for v in names if v.ours]
        gone, turned = alive[3].theirs, alive[-1].theirs
        del arrays[gone]
        arrays[turned] = np.zeros((2, 3), np.float32)
        arrays["optimizer/step"] = np.zeros(())
        with pytest.raises(CheckpointError) as caught:
            place(arrays, names, config)
        message = str(caught.value)
        assert message.startswith("3 variables do not fit")
        assert f"missing: {gone}, shape" in message
        assert f"wrong shape: {turned} is (2, 3), should be {alive[-1].shape}" in message
        assert "extra: optimizer/step, shape ()" in message

    def test_whole_and_complex_numbers_are_no_weights(self, names, config, arrays):
        alive = [v.theirs for v in names if v.ours]
        for name, kind in ((alive[0], np.int32), (alive[1], np.complex64), (alive[2], "<U3")):
            arrays[name] = np.zeros(arrays[name].shape, kind)
        with pytest.raises(CheckpointError, match="3 variables do not fit") as caught:
            place(arrays, names, config)
        for name, kind in zip(alive, ("int32", "complex64", "<U3"), strict=False):
            assert f"wrong dtype: {name} is {kind}, should be floating" in str(caught.value)

    def test_dead_weights_may_be_absent(self, names, config, arrays):
        for variable in names:
            if variable.dead:
                del arrays[variable.theirs]
        place(arrays, names, config)


HEAD, POSITIONS = "_transformer/_output_tokens/kernel", "_transformer/_position_emb/kernel"
QUERY = "_transformer/_layers/3/mha1/_query_dense/kernel"


@pytest.mark.parametrize(
    ("name", "shape", "fault"),
    [
        (HEAD, None, f"missing: {HEAD}, shape (512, 256)"),
        (QUERY, None, f"missing: {QUERY}, shape (512, 8, 128)"),
        (HEAD, (512, 300), f"wrong shape: {HEAD} is (512, 300), should be (512, 256)"),
        (HEAD, (512,), f"wrong shape: {HEAD} is (512,), should be (512, 256)"),
        (POSITIONS, (115, 512), f"wrong shape: {POSITIONS} is (115, 512), should be (114, 512)"),
        (POSITIONS, (0, 512), f"wrong shape: {POSITIONS} is (0, 512), should be (114, 512)"),
        ("global_step", (), "extra: global_step, shape ()"),
    ],
)
def test_a_faulty_checkpoint_is_measured_against_the_nearest_shape(name, shape, fault):
    """Also where the faulty array is one that sizes are read from."""
    shapes = {v.theirs: v.shape for v in tensorflow(PAPER)}
    if shape is None:
        del shapes[name]
    else:
        shapes[name] = shape
    with pytest.raises(CheckpointError) as caught:
        recognise(shapes)
    first, *faults, _ = str(caught.value).splitlines()
    assert first == "1 variable does not fit the released network."
    assert faults == [f"  {fault}"]


def test_something_else_is_not_recognised():
    with pytest.raises(CheckpointError, match="of no released RT-1"):
        recognise({"encoder.weight": (3, 3)})


class TestNormalisation:
    """Keras' stored mean and variance, and the second division, become one mean and deviation."""

    def test_the_released_numbers_are_the_usual_ones(self):
        """They hold the deviation where the variance belongs; together it comes out right."""
        stored = {f"{NORMALISATION}/variance": np.array(IMAGENET_STD, np.float32)}
        stored[f"{NORMALISATION}/mean"] = np.array(PAPER.backbone.mean, np.float32)
        assert with_normalisation(PAPER, stored) == PAPER
        assert with_normalisation(FLAX, {}) == FLAX

    def test_others_are_kept(self):
        stored = {
            f"{NORMALISATION}/mean": np.array([0.5, 0.5, 0.25], np.float32),
            f"{NORMALISATION}/variance": np.array([0.0625, 1.0, 0.0], np.float32),
        }
        backbone = with_normalisation(PAPER, stored).backbone
        assert backbone.mean == (0.5, 0.5, 0.25)
        expected = np.sqrt(IMAGENET_STD) * [0.25, 1.0, 1e-7]  # never divided by zero
        assert backbone.std == pytest.approx(tuple(expected))
