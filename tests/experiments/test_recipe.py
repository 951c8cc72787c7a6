"""Every recipe can be found, fits its own pieces together, and runs from nothing to a policy."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import sayact
from sayact import experiments
from sayact.cli import main
from sayact.codecs import ImageCodec
from sayact.config import to_json
from sayact.data.augmentation import PadThenCrop
from sayact.envs.language_table.tasks import FAMILIES
from sayact.experiments import runs
from sayact.experiments.recipe import Experiment, tiny
from sayact.experiments.resuming import changes, check_same
from sayact.experiments.rt2_recipe import Hub
from sayact.experiments.runs import describe, run, watch
from sayact.models.shapes import PAPER
from sayact.schema import Observation
from sayact.schema.errors import SayactError, UnknownNameError
from sayact.train.log import read_log
from sayact.train.loop import schedule


@pytest.mark.parametrize("name", experiments.names())
class TestEveryRecipe:
    def test_is_found_under_its_own_name(self, name):
        assert experiments.find(name, Experiment).name == name

    def test_reads_the_pictures_that_the_world_gives(self, name):
        recipe = experiments.find(name, Experiment)
        assert isinstance(recipe.images, ImageCodec)
        assert recipe.images.camera == (180, 320)
        network = vars(recipe).get("model") or vars(recipe)["vlm"]
        if isinstance(network, Hub):
            return  # its own size is known once it is loaded
        assert network.picture in (recipe.images.crop, (300, 300))  # else resized for nothing

    def test_rounds_reach_the_last_step_in_order(self, name):
        recipe = experiments.find(name, Experiment)
        ends = [r.until for r in recipe.rounds]
        assert ends == sorted(ends)
        assert ends[-1] == recipe.train.steps
        assert not recipe.rounds[0].follow
        assert set(recipe.families) | set(recipe.watch_families) <= set(FAMILIES)


def test_unknown_recipe_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="rt1_language_table"):
        experiments.find("rt1_langage_table")


def begun(recipe, out):
    """A folder as a run of `recipe` leaves it."""
    (out / "steps" / "00000010").mkdir(parents=True)
    (out / "recipe.json").write_text(json.dumps(to_json(recipe)))
    return (out / "recipe.json").read_text()


def test_a_run_goes_on_only_with_its_own_network(tmp_path):
    recipe = experiments.find("rt1_language_table")
    before = begun(tiny(recipe), tmp_path)
    check_same(replace(tiny(recipe), watch_episodes=7), tmp_path)
    with pytest.raises(SayactError, match="rt1_language_table; its model differs"):
        run(recipe, out=tmp_path, resume=True)
    with pytest.raises(SayactError, match="--resume"):
        run(recipe, out=tmp_path)
    assert (tmp_path / "recipe.json").read_text() == before


def test_a_run_of_an_older_version_goes_on(tmp_path):
    """Its recipe.json lacks what the network could not be told then."""
    recipe = experiments.find("rt1_language_table")
    begun(recipe, tmp_path)
    kept = json.loads((tmp_path / "recipe.json").read_text())
    for key in ("token_learner", "hidden", "action_keys"):
        del kept["model"][key]
    for key in ("padding", "mean", "std"):
        del kept["model"]["backbone"][key]
    (tmp_path / "recipe.json").write_text(json.dumps(kept))
    check_same(recipe, tmp_path)
    kept["model"]["width"] = 128
    (tmp_path / "recipe.json").write_text(json.dumps(kept))
    with pytest.raises(SayactError, match="its model differs"):
        check_same(recipe, tmp_path)


def test_another_seed_is_another_run(tmp_path):
    recipe = tiny(experiments.find("rt1_language_table"))
    before = begun(recipe, tmp_path)
    other = replace(recipe, train=replace(recipe.train, seed=5))
    with pytest.raises(SayactError, match=r"begun with the seed 0, not 5; go on with --seed 0"):
        run(other, out=tmp_path, resume=True)
    assert (tmp_path / "recipe.json").read_text() == before


def test_changed_numbers_are_named_one_by_one(tmp_path):
    recipe = experiments.find("rt1_demo")
    assert changes(recipe, tmp_path) == ()
    begun(recipe, tmp_path)
    assert changes(recipe, tmp_path) == ()
    changed = replace(
        recipe,
        train=replace(recipe.train, steps=9, accumulate=4),
        rounds=(replace(recipe.rounds[0], until=9),),
    )
    assert changes(changed, tmp_path) == (
        "changed: train.steps 2600 → 9",
        "changed: train.accumulate 1 → 4",
        "changed: rounds.0.until 1300 → 9",
        "changed: rounds.1.episodes 120 → absent",
        "changed: rounds.1.until 2600 → absent",
        "changed: rounds.1.follow True → absent",
    )


def test_a_device_or_compiler_that_is_missing_stops_the_run_first(tmp_path, monkeypatch):
    recipe = tiny(experiments.find("rt1_language_table"))
    monkeypatch.setattr(runs, "collect", lambda *given, **options: pytest.fail("collected"))
    with pytest.raises(SayactError, match="no device 'gpu' here"):
        run(recipe, out=tmp_path / "run", device="gpu")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SayactError, match="without --compile"):
        run(replace(recipe, train=replace(recipe.train, compile=True)), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_is_watched_on_its_own_device(monkeypatch):
    """A network on the CPU would take hours for the episodes between a GPU's steps."""
    seen = []
    monkeypatch.setattr(runs, "build_policy", lambda content, device: seen.append(device))

    def pretend(policy, protocol, *, device, **options):
        seen.append(device)
        return SimpleNamespace(families={"separate": SimpleNamespace(success=0.5)})

    monkeypatch.setattr(runs, "evaluate", pretend)
    recipe = experiments.find("rt1_b3_language_table")
    content = describe(recipe, recipe.processor(), {}, ())
    assert watch(recipe, content, "cuda:1") == {"success/separate": 0.5}
    assert seen == ["cuda:1", "cuda:1"]


def test_only_a_tiny_model_card_says_that_it_is_tiny():
    recipe = experiments.find("rt1_language_table")
    for made, says in ((tiny(recipe), True), (recipe, False)):
        assert ("--tiny" in describe(made, made.processor(), {}, ()).card) == says


def test_the_released_recipe_is_as_the_released_code():
    """google-research/robotics_transformer: what its docstring claims, number by number."""
    recipe = experiments.find("rt1_b3_language_table")
    assert replace(recipe.model, action_dims=PAPER.action_dims) == PAPER
    assert recipe.images.slack == (0, 0)
    assert recipe.shift == PadThenCrop(rows=20, columns=50, of=(256, 320), shared=True)
    assert recipe.jitter is None
    config = recipe.train
    assert (config.learning_rate, config.betas, config.epsilon) == (1e-4, (0.9, 0.999), 1e-7)
    assert (config.weight_decay, config.clip_norm, config.ema_decay) == (0.0, None, 0.0)
    assert {schedule(config, step) for step in range(0, config.steps, 999)} == {1.0}
    assert not any(config.holds_statistics(step) for step in range(0, config.steps, 999))
    assert {frames for _, _, frames in config.draws(0, 10, recipe.model.frames)} == {6}


def test_the_command_hands_its_options_on(tmp_path, monkeypatch):
    seen = {}

    def pretend(recipe, **options):
        seen.update(options, train=recipe.train)
        options["say"]("backbone: of the test")
        return tmp_path

    monkeypatch.setattr(runs, "run", pretend)
    weights = str(tmp_path / "b3.safetensors")
    options = ["--backbone", weights, "--accumulate", "4", "--compile", "--seed", "3"]
    options += ["--threads", "5"]
    assert main(["train", "rt1_b3_language_table", *options]) == 0
    assert str(seen["backbone"]) == weights
    assert (seen["train"].accumulate, seen["train"].compile, seen["train"].seed) == (4, True, 3)
    assert seen["train"].threads == 5
    assert main(["train", "rt1_b3_language_table"]) == 0
    assert seen["backbone"] is None
    assert (seen["train"].accumulate, seen["train"].compile) == (1, False)
    assert seen["train"].threads is None  # all cores, as the recipe says


def test_datasets_of_one_name_are_refused(tmp_path):
    recipe = tiny(experiments.find("rt1_language_table"))
    with pytest.raises(SayactError, match="different names"):
        run(recipe, out=tmp_path, data=[tmp_path / "a" / "demos", tmp_path / "b" / "demos"])


def test_tiny_run_goes_from_nothing_to_a_policy_that_acts(tmp_path, rng):
    """Two rounds: demonstrations, then the policy's own states; the checkpoint acts alone."""
    recipe = tiny(experiments.find("rt1_language_table"))
    checkpoint = run(recipe, out=tmp_path, workers=1)
    policy = sayact.load_policy(checkpoint)
    picture = rng.integers(0, 256, (180, 320, 3), dtype=np.uint8)
    action = policy.act(Observation(image=picture, instruction="push the red moon up"))
    assert np.isfinite(action.values).all()
    assert (tmp_path / "first_batch.png").stat().st_size > 1000
    assert "attention" in (tmp_path / "model.txt").read_text()
    assert "`delta_x` -0.1 to 0.1 m" in (checkpoint / "README.md").read_text()
    rows = read_log(tmp_path)
    assert rows[-1]["step"] == recipe.train.steps
    assert any(key.startswith("success/") for row in rows for key in row)
    assert json.loads((tmp_path / "recipe.json").read_text())["name"] == "rt1_language_table"
    again = run(recipe, out=tmp_path, workers=1, resume=True)
    assert again == checkpoint
    assert read_log(tmp_path) == rows
    said: list[str] = []
    slower = replace(recipe, train=replace(recipe.train, learning_rate=1e-4))
    run(slower, out=tmp_path, workers=1, resume=True, say=said.append)
    assert said == ["changed: train.learning_rate 0.001 → 0.0001"]
    assert read_log(tmp_path) == [*rows, {"step": recipe.train.steps, "note": said[0]}]
