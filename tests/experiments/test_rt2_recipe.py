"""RT-2's recipes: phases, gates, where a run begins, and the whole path from nothing to acting."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import sayact
from sayact import experiments
from sayact.cli import main
from sayact.codecs import ImageCodec
from sayact.codecs.text import text_processor
from sayact.config import from_json, to_json
from sayact.experiments import rt2_runs
from sayact.experiments.plans import moved_and_goal
from sayact.experiments.rt2_backbones import soft_ranges
from sayact.experiments.rt2_phases import check_phases, ended, next_stop
from sayact.experiments.rt2_recipe import Gate, Hub, Phase, RT2Recipe, tiny
from sayact.experiments.rt2_runs import run
from sayact.experiments.rt2_sources import Given
from sayact.models.checkpoint import read_checkpoint
from sayact.models.vlms.adapters import LoraConfig
from sayact.models.vlms.nano_config import NanoConfig
from sayact.schema import LANGUAGE_TABLE, Observation
from sayact.schema.errors import BrokenDatasetError, CheckpointError, SayactError, UnknownNameError
from sayact.testing import noise_store
from sayact.testing.tiny_backbones import save_tiny_backbone
from sayact.testing.tiny_vlm import byte_tokenizer
from sayact.train.log import read_log
from small_web import write_web

NAMES = [name for name in experiments.names() if name.startswith("rt2_")]
IMAGES = ImageCodec(camera=(36, 64), shrink_by=2, crop=(16, 28))


def little(**options):
    """A recipe of seconds: small pictures, no acting on the way."""
    recipe = tiny(experiments.find("rt2_language_table", RT2Recipe))
    assert isinstance(recipe.vlm, NanoConfig)
    network = replace(recipe.vlm, picture=IMAGES.crop, vision="stem", stem=(8, 8), width=16)
    mixture = {"robot": 0.5, "robot questions": 0.1, "web": 0.4}
    phases = tuple(Phase(until=until, mixture=mixture) for until in (20, 40))
    train = replace(
        recipe.train, steps=40, ema_decay=0.9, precision="float32", threads=1, frames_a_step=6
    )
    return replace(
        recipe,
        **{
            "vlm": network,
            "images": IMAGES,
            "rounds": phases,
            "train": train,
            "watch_episodes": 0,
            **options,
        },
    )


def web_only(**options):
    return little(rounds=(Phase(until=40, mixture={"web": 1.0}),), **options)


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_survives_json_and_its_phases_fit(name):
    recipe = experiments.find(name, RT2Recipe)
    check_phases(recipe)
    check_phases(tiny(recipe))
    assert not any(phase.gate for phase in tiny(recipe).rounds)
    assert from_json(RT2Recipe, json.loads(json.dumps(to_json(recipe)))) == recipe


def test_the_control_differs_in_its_mixture_alone():
    co_fine_tuned, control = (
        experiments.find(name, RT2Recipe) for name in ("rt2_language_table", "rt2_robot_only")
    )
    phases = co_fine_tuned.rounds
    assert replace(control, name=co_fine_tuned.name, rounds=phases) == co_fine_tuned
    assert not control.learns_from("web")


def test_phases_out_of_order_are_refused():
    recipe = web_only()
    backwards = tuple(Phase(until=until, mixture={"web": 1.0}) for until in (40, 20))
    for rounds in ((), backwards, (Phase(until=39, mixture={"web": 1.0}),)):
        with pytest.raises(SayactError, match="each must end after the one before"):
            check_phases(replace(recipe, rounds=rounds))


def test_a_gate_ends_its_phase_at_the_evaluation_that_opens_it(tmp_path):
    phase = Phase(until=100, mixture={"web": 1.0}, gate=Gate(number="a", at_least=0.5))
    log = [{"step": step, "a": step / 100} for step in (20, 40, 60, 80)]
    assert ended(phase, log, start=0) == 60
    assert ended(phase, log, start=60) == 80  # of another phase before
    assert ended(phase, log[:2], start=0) == 100
    assert ended(replace(phase, gate=None), log, start=0) == 100
    recipe = web_only()
    assert next_stop(recipe, phase, tmp_path, 0) == 20  # until the next evaluation
    assert next_stop(recipe, replace(phase, gate=None), tmp_path, 0) == 100


def test_a_phase_is_over_when_its_gate_opens(tmp_path, monkeypatch):
    """And the run is as long as its phases were."""
    monkeypatch.setattr(
        rt2_runs, "watch_answers", lambda source, content, most, device: {"right": 1.0}
    )
    gate = Gate(number="right", at_least=0.9)
    phases = (
        Phase(until=60, mixture={"web": 1.0}, gate=gate),
        Phase(until=100, mixture={"web": 2.0}, gate=gate),
    )
    recipe = web_only()
    recipe = replace(recipe, rounds=phases, train=replace(recipe.train, steps=100))
    given = Given(web=[write_web(tmp_path / "web")])
    checkpoint = run(recipe, out=tmp_path / "run", given=given)
    assert checkpoint.parent.name == "00000040"
    notes = [(row["step"], row["note"]) for row in read_log(tmp_path / "run") if "note" in row]
    assert notes == [
        (0, "phase 0: web 100%; to step 60 or right 0.9"),
        (20, "phase 1: web 100%; to step 100 or right 0.9"),
    ]
    rows = read_log(tmp_path / "run")
    assert run(recipe, out=tmp_path / "run", given=given, resume=True) == checkpoint
    assert read_log(tmp_path / "run") == rows


def test_a_gate_is_measured_after_a_kill_and_one_that_never_opens_is_an_error(
    tmp_path, monkeypatch
):
    """Killed between a checkpoint and its evaluation."""

    class Killed(Exception):
        pass

    def die(*given):
        raise Killed

    given = Given(web=[write_web(tmp_path / "web")])
    phases = (
        Phase(until=30, mixture={"web": 1.0}, gate=Gate(number="right", at_least=0.9)),
        Phase(until=40, mixture={"web": 1.0}),
    )
    recipe = web_only()
    recipe = replace(recipe, rounds=phases)
    monkeypatch.setattr(rt2_runs, "watch_answers", die)
    with pytest.raises(Killed):
        run(recipe, out=tmp_path / "run", given=given)
    monkeypatch.setattr(rt2_runs, "watch_answers", lambda *given: {"wrong": 1.0})
    with pytest.raises(SayactError, match=r"waits for 'right', .* there are: wrong"):
        run(recipe, out=tmp_path / "run", given=given, resume=True)
    monkeypatch.setattr(rt2_runs, "watch_answers", lambda *given: {"right": 1.0})
    run(recipe, out=tmp_path / "run", given=given, resume=True)
    began = [row["step"] for row in read_log(tmp_path / "run") if "note" in row]
    assert began == [0, 20]


def robot_cache(folder):
    """A frame cache as a run leaves it."""
    store = noise_store(np.random.default_rng(0))
    folder.mkdir(parents=True)
    np.save(folder / "frames.npy", store.frames[np.arange(len(store))])
    arrays = {f"privileged.{k}": v for k, v in store.privileged.items()}
    arrays |= {"observation.state": store.states, "action": store.actions}
    arrays |= {"lengths": np.diff(store.starts), "success": store.success}
    np.savez(folder / "arrays.npz", **arrays)  # pyright: ignore[reportArgumentType]
    head = {"tasks": list(store.tasks), "infos": list(store.infos)}
    (folder / "store.json").write_text(json.dumps(head))
    return folder


def co_fine_tuned():
    phases = little().rounds
    return little(rounds=(replace(phases[0], episodes=4), phases[1]))


def numbers(out):
    return [{k: v for k, v in row.items() if k != "frames_per_second"} for row in read_log(out)]


def test_robot_and_web_train_together_and_a_stopped_run_goes_on_to_the_last_digit(
    tmp_path, monkeypatch
):
    recipe = co_fine_tuned()
    given = Given(web=[write_web(tmp_path / "web")], data=[robot_cache(tmp_path / "robot")])
    whole = run(recipe, out=tmp_path / "whole", given=given)

    class Killed(Exception):
        pass

    def die(step, values):
        if step == 35:
            raise Killed

    with pytest.raises(Killed):
        run(recipe, out=tmp_path / "parts", given=given, progress=die)
    with pytest.raises(SayactError, match="--resume"):
        run(recipe, out=tmp_path / "parts", given=given)
    parts = run(recipe, out=tmp_path / "parts", given=given, resume=True)
    assert numbers(tmp_path / "parts") == numbers(tmp_path / "whole")
    weights = [(folder / "model.safetensors").read_bytes() for folder in (whole, parts)]
    assert weights[0] == weights[1]
    row = next(row for row in read_log(tmp_path / "whole") if row["step"] == 40 and "loss" in row)
    sources = ("robot", "robot questions", "web")
    assert {f"loss/{name}" for name in sources} <= set(row)
    assert (tmp_path / "whole" / "first_batch.png").stat().st_size > 1000
    stored = read_checkpoint(whole)
    assert {v.dtype for v in stored.weights.values() if v.is_floating_point()} == {torch.bfloat16}
    action = sayact.load_policy(whole).act(
        Observation(image=np.zeros((*IMAGES.camera, 3), np.uint8), instruction="push it up")
    )
    assert np.isfinite(action.values).all()


def test_a_run_begins_with_the_weights_of_another(tmp_path):
    given = Given(web=[write_web(tmp_path / "web")])
    recipe = replace(web_only(), held_out=0)
    first = run(recipe, out=tmp_path / "first", given=given)
    said: list[str] = []
    frozen = replace(recipe, train=replace(recipe.train, learning_rate=0.0, batch_norm="running"))
    started = replace(given, init=tmp_path / "first")
    second = run(frozen, out=tmp_path / "second", given=started, say=said.append)
    assert f"weights: those of {tmp_path / 'first'}" in said
    before, after = (read_checkpoint(folder).weights for folder in (first, second))
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert run(frozen, out=tmp_path / "second", given=started, resume=True) == second
    other = replace(given, init=tmp_path / "second")
    with pytest.raises(SayactError, match="leave --init out"):
        run(frozen, out=tmp_path / "second", given=other, resume=True)
    shutil.rmtree(tmp_path / "second" / "steps")
    with pytest.raises(SayactError, match="give the same --init again"):
        run(frozen, out=tmp_path / "second", given=given, resume=True)
    with pytest.raises(UnknownNameError, match="rt1-nano"):
        run(recipe, out=tmp_path / "third", given=replace(given, init=tmp_path / "absent"))
    wider = replace(recipe, vlm=replace(recipe.vlm, width=24))
    with pytest.raises(CheckpointError, match="of another network"):
        run(wider, out=tmp_path / "third", given=started)


def test_a_pretrained_backbone_trains_with_adapters_and_acts_without_them(tmp_path):
    """The hub's formats and LoRA; the checkpoint's weights have the adapters in them."""
    pytest.importorskip("peft")
    folder = save_tiny_backbone("smolvlm", tmp_path / "smolvlm")
    hub = Hub(name=str(folder), lora=LoraConfig(rank=2))
    recipe = web_only(vlm=hub, action_words="symbols", soft_places=0.0, held_out=1)
    recipe = replace(recipe, train=replace(recipe.train, steps=2, evaluate_every=2))
    recipe = replace(recipe, rounds=(replace(recipe.rounds[0], until=2),))
    given = Given(web=[write_web(tmp_path / "web")])
    checkpoint = run(recipe, out=tmp_path / "run", given=given)
    assert not any("lora" in name for name in read_checkpoint(checkpoint).weights)
    action = sayact.load_policy(checkpoint).act(
        Observation(image=np.zeros((*IMAGES.camera, 3), np.uint8), instruction="push it up")
    )
    assert np.isfinite(action.values).all()


def test_another_network_or_vocabulary_does_not_go_on(tmp_path):
    recipe = web_only()
    (tmp_path / "steps" / "00000010").mkdir(parents=True)
    (tmp_path / "recipe.json").write_text(json.dumps(to_json(recipe)))
    for other in (
        replace(recipe, vlm=replace(recipe.vlm, width=24)),
        replace(recipe, action_words="short"),
    ):
        with pytest.raises(SayactError, match=r"its (vlm|action_words) differs"):
            run(other, out=tmp_path, resume=True)


def test_mixtures_that_cannot_be_are_refused(tmp_path):
    given = Given(web=[write_web(tmp_path / "web")])
    for mixture, error, said in (
        ({"wep": 1.0}, UnknownNameError, "source of a mixture"),
        ({"robot": 1.0}, SayactError, "before any has collected"),
        ({"web": 0.0}, SayactError, "weights are above zero"),
        ({}, SayactError, "learns from nothing"),
    ):
        # In the last phase: it is found before the first is trained.
        phases = Phase(until=20, mixture={"web": 1.0}), Phase(until=40, mixture=mixture)
        with pytest.raises(error, match=said):
            run(little(rounds=phases), out=tmp_path / "run", given=given)
    assert not (tmp_path / "run").exists()


def test_what_is_given_and_cannot_be_learned_from_is_refused_at_once(tmp_path):
    with pytest.raises(BrokenDatasetError, match="is no folder"):
        run(co_fine_tuned(), out=tmp_path / "run", given=Given(web=[tmp_path / "absent"]))
    with pytest.raises(SayactError, match="learns from none"):
        run(web_only(), out=tmp_path / "run", given=Given(data=[tmp_path]))
    assert not (tmp_path / "run").exists()


def test_frames_of_another_size_are_refused(tmp_path):
    recipe = replace(co_fine_tuned(), images=replace(IMAGES, camera=(72, 128)))
    given = Given(data=[robot_cache(tmp_path / "robot")])
    with pytest.raises(SayactError, match="caches frames of"):
        run(recipe, out=tmp_path / "run", given=given)


def test_soft_targets_are_about_actions_of_the_robot_and_about_places():
    recipe = web_only(soft_actions=2.0, soft_places=1.0)
    processor = text_processor(byte_tokenizer(), LANGUAGE_TABLE, IMAGES)
    actions, places = soft_ranges(recipe, processor)
    assert (actions.ids, actions.sources) == (processor.actions.ids, ("robot",))
    assert (places.ids, places.sources) == (processor.places.ids, None)
    without = text_processor(byte_tokenizer(places=10), LANGUAGE_TABLE, IMAGES)
    with pytest.raises(SayactError, match="soft_places needs tokens that stand for places"):
        soft_ranges(recipe, without)


@pytest.mark.parametrize(
    ("sentence", "family", "read"),
    [
        ("move the red moon to the top left", "block2absolute", ("red moon", "top left")),
        ("push the blue cube next to the green star", "block2block", ("blue cube", "green star")),
        ("point at the green star", "point2block", ("arm", "green star")),
        ("slide the red moon up and left", "block2relative", ("red moon", None)),
        (
            "put the red moon above the blue cube",
            "block2block_relative",
            ("red moon", "up of blue cube"),
        ),
        (
            "move the blue cube away from the blue moon",
            "separate",
            ("blue cube", "apart"),
        ),
        ("put the red moon to the bottom left", "block1_to_corner", ("red moon", "bottom left")),
        ("put the kettle on", "block2block", None),
    ],
)
def test_plans_say_what_moves_and_where_to(sentence, family, read):
    assert moved_and_goal(sentence, family, "BLOCK_8") == read


def test_the_command_hands_its_options_on(tmp_path, monkeypatch):
    seen = {}

    def pretend(recipe, **options):
        seen.update(options, recipe=recipe)
        return tmp_path

    monkeypatch.setattr(rt2_runs, "run", pretend)
    options = ["--web", "a", "b", "--init", "c", "--data", "d", "--strict", "--accumulate", "2"]
    assert main(["train", "rt2_language_table", *options]) == 0
    given = seen["given"]
    assert [str(p) for p in (*given.web, given.init, *given.data)] == ["a", "b", "c", "d"]
    assert given.strict
    assert seen["recipe"].train.accumulate == 2
    assert main(["train", "rt2_language_table", "--backbone", "x"]) == 2
    assert main(["train", "rt1_language_table", "--web", "x"]) == 2


@pytest.mark.slow
def test_tiny_run_goes_from_nothing_to_a_policy_that_acts(tmp_path, rng):
    """The embedded web is drawn, demonstrations are collected, the policy is followed."""
    checkpoint = run(
        tiny(experiments.find("rt2_language_table", RT2Recipe)), out=tmp_path, workers=1
    )
    policy = sayact.load_policy(checkpoint)
    picture = rng.integers(0, 256, (180, 320, 3), dtype=np.uint8)
    action = policy.act(Observation(image=picture, instruction="push the red moon up"))
    assert np.isfinite(action.values).all()
    rows = read_log(tmp_path)
    assert any(key.startswith("answers/table/") for row in rows for key in row)
    assert any(key.startswith("success/") for row in rows for key in row)
