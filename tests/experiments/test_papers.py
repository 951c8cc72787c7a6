"""The papers' experiments: which arms there are, what a budget buys, what is learned from."""

import fcntl
import json
from dataclasses import replace

import numpy as np
import pytest
from left_out import held_out

from sayact.config import from_json, to_json
from sayact.data.frames import FrameStore
from sayact.envs.language_table import words
from sayact.envs.language_table.blocks import BLOCK_MODES
from sayact.evals.pool import WorkerDiedError
from sayact.evals.suites.laying import HELD_OUT_PAIRS
from sayact.experiments.episodes import Chosen, choose, named_blocks
from sayact.experiments.papers import training
from sayact.experiments.papers.arms import ARMS, EIGHTH, FOUR_BLOCKS, arm, needed
from sayact.experiments.papers.materials import Materials
from sayact.experiments.papers.plan import (
    MOST_STARTS,
    Plan,
    hours_of,
    keep_plan,
    make_plan,
    tiny_plan,
    with_starts,
)
from sayact.experiments.papers.players import players_of
from sayact.experiments.papers.recipes import recipe_of
from sayact.experiments.papers.speed import Speed
from sayact.experiments.papers.training import Workshop
from sayact.experiments.recipe import Recipe
from sayact.experiments.rt2_backbones import build, freeze
from sayact.experiments.rt2_phases import check_phases
from sayact.experiments.rt2_recipe import RT2Recipe
from sayact.schema.errors import SayactError, UnknownNameError
from sayact.testing import noise_store

SPEED = Speed(rt1=0.24, rt1_micro=0.11, nano=0.55, micro=0.25, pico=0.14)
BLOCKS = BLOCK_MODES["BLOCK_8"]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(ARMS, SPEED, hours=3)


def sentences(rng: np.random.Generator, each: int) -> list[tuple[str, str, tuple[str, ...]]]:
    """Family, sentence and arguments of tasks of all seven families."""
    found = []
    for family, wording in words.WORDINGS.items():
        arguments = list(wording.arguments(BLOCKS))
        for place in rng.integers(len(arguments), size=each).tolist():
            phrase = wording.phrase(BLOCKS, *arguments[place])
            found.append((family, words.say(phrase, rng), arguments[place]))
    return found


def told_store(tasks: list[tuple[str, str]]) -> FrameStore:
    """Noise with these (family, sentence)s."""
    store = noise_store(np.random.default_rng(0), episodes=len(tasks), length=2)
    infos = tuple({"family": family} for family, _ in tasks)
    return replace(store, tasks=tuple(sentence for _, sentence in tasks), infos=infos)


def test_all_blocks_are_found_in_sentences_and_what_is_moved_is_named_first(rng):
    for _, sentence, arguments in sentences(rng, 40):
        named = named_blocks(sentence)
        assert named[0] == arguments[0].replace("_", " ")
        if not any(word in sentence for word in words.GROUP_WORDS):  # "… apart from the clump"
            asked = {block.replace("_", " ") for block in BLOCKS if block in str(arguments)}
            assert set(named) == asked


def test_no_sentence_of_a_held_out_pair_is_learned_from(rng):
    tasks = [(family, sentence) for family, sentence, _ in sentences(rng, 12)]
    kept = choose(told_store(tasks), Chosen(without=HELD_OUT_PAIRS))
    assert not any(held_out(task) for task in kept.tasks)
    left_out = {task for _, task in tasks} - set(kept.tasks)
    assert 0 < len(left_out) < len(tasks) / 3


def test_what_does_not_say_its_family_cannot_be_held_out(rng):
    store = told_store([("", "push the red moon up")])
    with pytest.raises(SayactError, match="do not say of which family"):
        choose(store, Chosen(without=HELD_OUT_PAIRS))


def test_a_half_holds_its_quarter_and_few_blocks_come_in_the_same_amount(rng):
    store = told_store([(family, sentence) for family, sentence, _ in sentences(rng, 200)])
    parts = {share: choose(store, Chosen(share=share)) for share in (0.25, 0.5, 1.0)}
    sizes = [part.episodes for part in parts.values()]
    assert sizes == [350, 700, 1400]
    pictures = {
        share: {part.frames[part.starts[e : e + 1]].tobytes() for e in range(part.episodes)}
        for share, part in parts.items()
    }
    assert pictures[0.25] < pictures[0.5] < pictures[1.0]
    few, narrow = (choose(store, Chosen(share=EIGHTH, blocks=b)) for b in ((), FOUR_BLOCKS))
    families = [[info["family"] for info in part.infos] for part in (few, narrow)]
    assert sorted(families[0]) == sorted(families[1])
    named = {block for task in narrow.tasks for block in named_blocks(task)}
    assert named == {block.replace("_", " ") for block in FOUR_BLOCKS}
    with pytest.raises(SayactError, match="take a smaller share"):
        choose(store, Chosen(share=0.9, blocks=FOUR_BLOCKS))
    with pytest.raises(SayactError, match="above 0 and at most 1"):
        choose(store, Chosen(share=0.0))


def test_some_episodes_of_a_joined_store_are_those_episodes(rng):
    stores = [noise_store(rng, episodes=n) for n in (3, 4)]
    joined = FrameStore.join([stores[0].only(np.array([2, 0])), stores[1]])
    picked = joined.only(np.array([5, 0]))
    assert picked.tasks == (stores[1].tasks[3], stores[0].tasks[2])
    rows = np.arange(len(picked))
    wanted = np.concatenate(
        [
            s.frames[np.arange(s.starts[e], s.starts[e + 1])]
            for s, e in ((stores[1], 3), (stores[0], 2))
        ]
    )
    np.testing.assert_array_equal(picked.frames[rows], wanted)
    np.testing.assert_array_equal(picked.actions[9:], stores[0].actions[18:27])
    assert picked.episode_index.tolist() == [0] * 9 + [1] * 9
    assert picked.starts.tolist() == [0, 9, 18]
    with pytest.raises(IndexError):
        picked.frames[np.array([18])]


@pytest.mark.parametrize("name", [one.name for one in ARMS])
def test_every_arm_is_a_recipe_that_can_be_run(plan, name):
    for numbers in (plan, tiny_plan(1, 0)):
        recipe = recipe_of(arm(name), numbers)
        assert from_json(type(recipe), json.loads(json.dumps(to_json(recipe)))) == recipe
        recipe.train.check(recipe.model.frames if isinstance(recipe, Recipe) else 1)
        assert recipe.chosen.without == HELD_OUT_PAIRS
        if isinstance(recipe, RT2Recipe):
            check_phases(recipe)


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("scratch", {"rounds"}),
        ("symbols", {"action_words"}),
        ("robot-40", {"rounds"}),
        ("robot-80", {"rounds"}),
        ("fine-tuned", {"rounds"}),
        ("control", {"web"}),
        ("half", {"chosen"}),
        ("quarter", {"chosen"}),
        ("eighth", {"chosen"}),
        ("narrow", {"chosen"}),
        ("pico", {"vlm"}),
        ("pico-fine-tuned", {"vlm", "rounds"}),
        ("pico-scratch", {"vlm", "rounds"}),
        ("frozen", {"rounds", "frozen", "train"}),
    ],
)
def test_ablations_differ_from_the_reference_in_one_thing(plan, name, differs):
    reference, other = (to_json(recipe_of(arm(n), plan)) for n in ("co-fine-tuned", name))
    assert {key for key in reference if reference[key] != other[key]} == {"name"} | differs


def test_one_frame_differs_from_six_in_frames_alone(plan):
    six, one = (to_json(recipe_of(arm(name), plan)) for name in ("rt1-micro", "rt1-one-frame"))
    assert {key for key in six if six[key] != one[key]} == {"name", "model", "train"}
    assert six["model"] | {"frames": 1} == one["model"]
    assert six["train"] | {"single_frame_steps": six["train"]["steps"]} == one["train"]


def test_many_words_differ_from_few_in_words_alone(plan):
    few, many = (to_json(recipe_of(arm(name), plan)) for name in ("rt1-micro", "rt1-rephrased"))
    assert {key for key in few if few[key] != many[key]} == {"name", "rephrased"}


def test_no_two_players_have_one_name(tmp_path, plan):
    """Their outcomes would lie in one folder."""
    workshop = Workshop(out=tmp_path, plan=plan, materials=Materials(out=tmp_path))
    assert players_of(workshop, ARMS, ("rt1-nano",))[-1].name == "frozen"
    with pytest.raises(SayactError, match="would be called rt1;"):
        players_of(workshop, ARMS, ("elsewhere/rt1",))


def test_arms_come_with_what_they_begin_with():
    assert [one.name for one in needed(("rt2",))] == ["web", "grounded", "rt2"]
    assert [one.name for one in needed(("rt2",), given=("rt2",))] == ["rt2"]
    assert needed(()) == ARMS
    assert set(needed(("main", "ablations"))) == set(ARMS)
    assert {one.size for one in needed(("ablations",))} == {"micro", "pico"}
    with pytest.raises(UnknownNameError, match="rt2"):
        needed(("rt3",))


def test_a_budget_scales_what_is_done_and_is_kept(tmp_path, plan):
    double = make_plan(ARMS, SPEED, hours=6)
    assert double.steps["ablation"] == pytest.approx(2 * plan.steps["ablation"], rel=0.01)
    assert plan.starts < double.starts <= MOST_STARTS
    slower = replace(SPEED, nano=2 * SPEED.nano)
    assert make_plan(ARMS, slower, hours=3).steps["main"] < plan.steps["main"]
    for some in (plan, double):
        expected = sum(some.seconds.values()) / 3600 / some.workers
        assert 0.8 * some.hours < expected <= some.hours
    assert keep_plan(plan, tmp_path) == plan
    assert keep_plan(make_plan(ARMS, slower, hours=3), tmp_path) == plan
    with pytest.raises(SayactError, match="planned for 3 h"):
        keep_plan(double, tmp_path)
    some_arms = needed(("main",))
    assert keep_plan(make_plan(some_arms, SPEED, hours=3), tmp_path) == plan
    other = tmp_path / "main"
    other.mkdir()
    keep_plan(make_plan(some_arms, SPEED, hours=3), other)
    with pytest.raises(SayactError, match=r"without the arms co-fine-tuned, .* --earlier"):
        keep_plan(plan, other)
    (other / "plan.json").write_text('{"hours": 3}')
    with pytest.raises(SayactError, match="another version of sayact"):
        keep_plan(plan, other)


def test_the_time_for_playing_is_used_by_whoever_plays(plan):
    ablations = needed(("ablations",))
    alone = make_plan(ablations, SPEED, hours=3)
    assert alone.starts == alone.ablation_starts > plan.ablation_starts
    twice = with_starts(alone, 2 * alone.starts, ablations, 0)
    assert twice.seconds["playing"] == pytest.approx(2 * alone.seconds["playing"])
    given = make_plan(ARMS, SPEED, hours=3, given=("rt1", "rt2", "web", "grounded"))
    assert given.starts == plan.starts
    assert given.steps["ablation"] > plan.steps["ablation"]


@pytest.mark.parametrize(("text", "hours"), [("90m", 1.5), ("3h", 3.0), ("1.5d", 36.0)])
def test_budgets_are_times(text, hours):
    assert hours_of(text) == hours


@pytest.mark.parametrize("text", ["3", "h", "0h", "-3h", "three hours"])
def test_what_is_no_time_is_no_budget(text):
    with pytest.raises(SayactError, match="such as 90m, 3h or 1d"):
        hours_of(text)


def test_frozen_parts_have_no_gradient_and_must_come_from_somewhere():
    recipe = recipe_of(arm("frozen"), tiny_plan(1, 0))
    assert isinstance(recipe, RT2Recipe)
    model, _ = build(recipe)
    with pytest.raises(SayactError, match="give --init"):
        freeze(model, recipe, ())
    moving = replace(recipe, train=replace(recipe.train, batch_norm="batch"))
    with pytest.raises(SayactError, match="batch_norm='running'"):
        freeze(model, moving, ("weights",))
    with pytest.raises(UnknownNameError, match="part of the network"):
        freeze(model, replace(recipe, frozen=("ears",)), ("weights",))
    freeze(model, recipe, ("weights",))
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen
    assert all(name.startswith("vlm.eyes.") for name in frozen)


def test_each_size_is_larger_than_the_next(plan):
    sizes = {}
    for name in ("rt2", "co-fine-tuned", "pico", "symbols"):
        recipe = recipe_of(arm(name), plan)
        assert isinstance(recipe, RT2Recipe)
        model, processor = build(recipe)
        sizes[name] = sum(parameter.numel() for parameter in model.parameters())
        assert processor.actions.vocabulary == recipe.action_words
    assert 2.8 < sizes["rt2"] / sizes["co-fine-tuned"] < 3.6
    assert 2.0 < sizes["co-fine-tuned"] / sizes["pico"] < 2.4
    assert sizes["symbols"] == sizes["co-fine-tuned"]


def test_a_run_whose_experiment_was_killed_stops_and_no_two_are_in_one_folder(
    tmp_path, monkeypatch
):
    training.stop_if_orphan(20, {})
    monkeypatch.setattr(training, "parent_lives", lambda: False)
    with pytest.raises(WorkerDiedError, match="step 20"):
        training.stop_if_orphan(20, {})
    at_once = fcntl.LOCK_EX | fcntl.LOCK_NB
    with (tmp_path / training.LOCK).open("w") as second:
        with training.alone_in(tmp_path), pytest.raises(BlockingIOError):
            fcntl.flock(second, at_once)
        fcntl.flock(second, at_once)
