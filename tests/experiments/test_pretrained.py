"""Where ImageNet weights are looked for, and that a run says what it found."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from sayact import experiments
from sayact.experiments import pretrained
from sayact.experiments.pretrained import FROM_SCRATCH, find_backbone, start_backbone
from sayact.experiments.recipe import tiny
from sayact.experiments.runs import begin, describe, run
from sayact.models.released.imagenet import backbone_weights, import_backbone
from sayact.models.rt1 import RT1
from sayact.schema.errors import SayactError
from sayact.train.log import read_log


@pytest.fixture(autouse=True)
def nothing_on_this_machine(monkeypatch):
    monkeypatch.delenv(pretrained.VARIABLE, raising=False)
    hub = SimpleNamespace(try_to_load_from_cache=lambda name, file: None)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)


@pytest.fixture
def recipe():
    return tiny(experiments.find("rt1_b3_language_table"))


def random_backbone(recipe, folder):
    """Another network's backbone, in a file of our own names."""
    torch.manual_seed(7)
    state = RT1(recipe.model).tokenizer.backbone.state_dict()
    kept = {
        name: tensor.clone()
        for name, tensor in state.items()
        if ".film." not in name and not name.endswith("num_batches_tracked")
    }
    save_file(kept, folder / "b3.safetensors")
    return folder / "b3.safetensors", kept


def test_the_flag_comes_before_the_variable_and_that_before_the_cache(tmp_path, monkeypatch):
    flag, variable, cached = (tmp_path / name for name in ("flag", "variable", "cached"))
    for path in (flag, variable, cached):
        path.touch()
    assert find_backbone(None) is None
    hub = SimpleNamespace(try_to_load_from_cache=lambda name, file: str(cached))
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert find_backbone(None) == cached
    monkeypatch.setenv(pretrained.VARIABLE, str(variable))
    assert find_backbone(None) == variable
    assert find_backbone(flag) == flag


def test_a_place_that_was_named_must_exist(tmp_path, monkeypatch):
    with pytest.raises(SayactError, match=r"--backbone is .*nowhere"):
        find_backbone(tmp_path / "nowhere")
    monkeypatch.setenv(pretrained.VARIABLE, "/no/such/file")
    with pytest.raises(SayactError, match="SAYACT_BACKBONE is /no/such/file"):
        find_backbone(None)


def test_no_hub_library_is_no_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # an import of it fails
    assert find_backbone(None) is None


def test_weights_go_into_the_backbone_and_film_stays_the_identity(tmp_path, recipe):
    path, kept = random_backbone(recipe, tmp_path)
    model = RT1(recipe.model)
    line = start_backbone(model, path)
    assert line.startswith("backbone: ImageNet weights of b3.safetensors (sha256 ")
    state = model.tokenizer.backbone.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in kept.items())
    assert not any(state[name].any() for name in state if ".film." in name)


def test_the_checkpoint_says_how_its_backbone_began(tmp_path, recipe):
    path, _ = random_backbone(recipe, tmp_path)
    for given, told in ((None, FROM_SCRATCH), (path, "ImageNet weights of b3.safetensors")):
        model = RT1(recipe.model)
        began = begin(recipe, model, tmp_path / "run", given)
        content = describe(recipe, recipe.processor(), model.state_dict(), began)
        assert told in content.config["backbone"][0]
        assert told.removeprefix("b") in content.card  # a capital there


def test_a_recipe_from_random_weights_takes_no_backbone(tmp_path):
    nano = experiments.find("rt1_language_table")
    with pytest.raises(SayactError, match="leave --backbone out"):
        begin(nano, RT1(nano.model), tmp_path, tmp_path / "b3.safetensors")


def test_a_run_that_goes_on_takes_no_other_backbone(tmp_path, recipe):
    (tmp_path / "run" / "steps" / "00000010").mkdir(parents=True)
    path, _ = random_backbone(recipe, tmp_path)
    with pytest.raises(SayactError, match="goes on with the weights it has; leave --backbone out"):
        begin(recipe, RT1(recipe.model), tmp_path / "run", path)


def test_an_hour_of_b3_begins_from_random_weights_wherever_it_runs(tmp_path, recipe):
    """Or its measured result would depend on what lies in somebody's cache."""
    hour = experiments.find("rt1_b3_hour")
    assert begin(hour, RT1(tiny(hour).model), tmp_path, None) == ()


def test_a_tiny_run_says_it_everywhere_and_remembers_when_it_goes_on(tmp_path, recipe):
    """The whole path of the recipe: console, log, recipe.json, config.json, model card."""
    path, _ = random_backbone(recipe, tmp_path)
    recipe = replace(
        recipe,
        train=replace(recipe.train, steps=4, frames_a_step=12),
        watch_families=("block2block",),
        watch_episodes=1,
    )
    recipe = replace(recipe, rounds=(replace(recipe.rounds[0], episodes=2, until=4),))
    said: list[str] = []
    out = tmp_path / "run"
    checkpoint = run(recipe, out=out, workers=1, backbone=path, say=said.append)
    (line,) = said
    assert "ImageNet weights of b3.safetensors" in line
    assert read_log(out)[0] == {"step": 0, "note": line}
    for file in (out / "recipe.json", checkpoint / "config.json"):
        assert json.loads(file.read_text())["backbone"] == [line]
    card = (checkpoint / "README.md").read_text()
    assert line[1:] in card
    assert "Made with `--tiny`" in card
    path.unlink()  # what it began with is known all the same
    run(recipe, out=out, workers=1, resume=True, say=said.append)
    assert said == [line, line]


def test_what_import_backbone_writes_is_taken(tmp_path, recipe):
    path, kept = random_backbone(recipe, tmp_path)
    import_backbone(path, tmp_path / "imported.safetensors")
    found = backbone_weights(tmp_path / "imported.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in kept.items())
