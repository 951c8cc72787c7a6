"""An RT-2 teaches an RT-1: what it is asked, what is kept of it, and what the student learns."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import sayact
from sayact.cli import main
from sayact.codecs.text import text_processor
from sayact.config import to_json
from sayact.data import DatasetSpec, DatasetWriter
from sayact.data.frames import FrameStore
from sayact.experiments import distillation_answers
from sayact.experiments.distillation import AGREEMENT, DISTANCE, Student, run, windows
from sayact.experiments.distillation_answers import (
    SoftTargets,
    ask,
    distributions,
    fingerprint_of,
)
from sayact.experiments.distillation_data import open_pictures
from sayact.experiments.distillation_recipe import (
    read_student,
    recipe_of,
    require_same_space,
)
from sayact.models.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from sayact.models.losses import taught_bin_loss
from sayact.models.rt1 import RT1
from sayact.models.vlms.nano import NanoVLM
from sayact.policies.decoding import PromptBatch, decode_actions
from sayact.policies.loading import build_processor, load_rt2
from sayact.policies.looking import looked_at
from sayact.policies.rt2 import RT2Policy
from sayact.policies.rt2_checkpoint import describe_rt2
from sayact.schema import LANGUAGE_TABLE, Episode, Observation
from sayact.schema.batches import Batch
from sayact.schema.errors import ActionSpaceMismatchError, SayactError
from sayact.testing import TINY_IMAGES, hashed_sentence, tiny_rt1
from sayact.testing.tiny import tiny_nano
from sayact.testing.tiny_vlm import byte_tokenizer
from sayact.train.log import read_log

SENTENCES = "push it up", "push it down", "stop"
BINS, STUDENT_BINS = 21, 32


def write_dataset(folder, *, episodes=8, length=8, camera=TINY_IMAGES.camera):
    """Grounds of three colours, three sentences, and actions that no one should read."""
    spec = DatasetSpec(
        action_space=LANGUAGE_TABLE,
        fps=10,
        image_shape=camera,
        robot_type="toy",
        state_names=("x",),
        privileged={},
        provenance={},
    )
    writer = DatasetWriter(folder, spec)
    for index in range(episodes):
        rng = np.random.default_rng(index)
        images = rng.integers(0, 40, (length, *camera, 3), dtype=np.uint8)
        images[..., index % 3] += 180
        zeros = np.zeros((length, 2), np.float32)
        episode = Episode(
            images=images,
            states=zeros[:, :1],
            actions=zeros,
            instruction=SENTENCES[(index // 3) % 3],
            success=True,
        )
        writer.add(index, episode)
    writer.finalize()
    return folder


def teacher_of(seed=1):
    """A tiny RT-2 with drawn weights. What it sees and hears counts for more than usual, so that
    it does not say one thing only."""
    tokenizer = byte_tokenizer()
    torch.manual_seed(seed)
    vlm = NanoVLM(replace(tiny_nano(tokenizer.size), context=128)).eval()  # a token a letter
    with torch.no_grad():
        vlm.token_embedding.weight.mul_(3)
        for name, weight in vlm.named_parameters():
            if "film" in name:
                weight.normal_(0, 0.3)
            if "query_key_value" in name:
                weight.mul_(4)
            if name.endswith("attention.out.weight"):
                weight.mul_(30)
    processor = text_processor(
        tokenizer, LANGUAGE_TABLE, TINY_IMAGES, vocabulary="numeric", bins=BINS
    )
    return RT2Policy(vlm, processor)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folders of a teacher, a student and a dataset."""
    folder = tmp_path_factory.mktemp("distillation")
    teacher = teacher_of()
    save_checkpoint(folder / "teacher", describe_rt2(teacher.vlm, teacher.processor))
    torch.manual_seed(0)
    config = tiny_rt1(frames=3, bins=STUDENT_BINS)
    student = Checkpoint(
        weights=RT1(config).state_dict(),
        config={"model": "rt1", "architecture": to_json(config)},
        action_space=LANGUAGE_TABLE,
        processor={
            "images": to_json(TINY_IMAGES),
            "actions": {"codec": "uniform_bins", "bins": STUDENT_BINS},
            "sentences": "custom",
        },
        sentences={sentence: hashed_sentence(sentence) for sentence in SENTENCES},
    )
    save_checkpoint(folder / "student", student)
    write_dataset(folder / "data")
    return folder


def recipe_for(made, **options):
    teacher = load_rt2(made / "teacher", "teach")
    student = read_student(str(made / "student"))
    given = {
        "teacher": "teacher",
        "fingerprint": fingerprint_of(teacher),
        "student": "student",
        "content": student,
        "looks": teacher.vlm.looks,
        "data": [made / "data"],
        "threads": 1,
        **options,
    }
    return recipe_of(**given), teacher, student


def opened(folder, cache, teacher=TINY_IMAGES):
    return open_pictures([folder], teacher=teacher, student=TINY_IMAGES, cache=cache)


def asked_about(made, out, teacher):
    pictures = opened(made / "data", out)
    return pictures, ask(teacher, pictures.teacher, out, key="k" * 64, points=3, progress=False)


def test_answers_are_what_the_teacher_would_do(made, tmp_path):
    teacher = teacher_of()
    pictures, answers = asked_about(made, tmp_path, teacher)
    frames = pictures.teacher
    np.testing.assert_allclose(answers.chances.astype(np.float32).sum(-1), 1, atol=0.01)
    assert len(np.unique(answers.bins[:], axis=0)) >= 3
    camera = np.repeat(np.repeat(frames.frames[np.arange(64)], 2, 1), 2, 2)
    for row in (0, 17, 63):
        sentence = frames.tasks[frames.episode_index[row]]
        action = teacher.act(Observation(image=camera[row], instruction=sentence))
        assert action.tokens is not None
        assert action.probabilities is not None
        assert action.illegal is not None
        assert answers.bins[row].tolist() == action.tokens.tolist()
        found = answers.chances[row, [0, 1], action.tokens]
        np.testing.assert_allclose(found, action.probabilities, atol=2e-3)
        np.testing.assert_allclose(answers.illegal[row], action.illegal, atol=2e-3)


def test_distributions_choose_as_acting_does():
    teacher = teacher_of(2)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (5, 3, *TINY_IMAGES.crop), dtype=np.uint8)
    prompts = [teacher.processor.task(SENTENCES[row % 3]) for row in range(5)]
    given = PromptBatch.of(list(zip(pixels, prompts, strict=True)), teacher.processor.tokenizer.pad)
    words = teacher.processor.actions
    chances, bins, illegal = distributions(teacher.vlm, given, words)
    legal = torch.as_tensor(words.legal(teacher.vlm.vocabulary))
    acted = decode_actions(teacher.vlm, given, legal)
    np.testing.assert_array_equal(bins, words.bins(acted.tokens.numpy()))
    torch.testing.assert_close(illegal, acted.illegal)
    for number, chance in enumerate(chances):
        torch.testing.assert_close(chance.max(-1).values, acted.probabilities[:, number])


def test_the_student_is_told_where_the_teacher_looked(made, tmp_path):
    recipe, teacher, student = recipe_for(made)
    assert recipe.model.points == 3
    pictures, answers = asked_about(made, tmp_path, teacher)
    batch = windows(recipe, teacher, build_processor(student), answers, pictures.learned)(
        (0, 20, 1)
    )
    assert batch.points is not None
    rng = np.random.default_rng([recipe.train.seed, 0])
    rows = np.sort(rng.integers(len(pictures.learned.frames), size=20))
    corners = TINY_IMAGES.draw_corners(rng, 20)
    # Found again by asking the teacher about one frame, and moved by hand from the picture's centre
    # to the random crop.
    for number, row in enumerate(rows[:5]):
        frames = pictures.learned.frames
        pixels = TINY_IMAGES.model_pixels(frames.frames[np.array([row])])[0]
        prompt = teacher.processor.task(frames.tasks[frames.episode_index[row]])
        asked = PromptBatch.of([(pixels, prompt)], teacher.processor.tokenizer.pad)
        (seen,) = looked_at(teacher.vlm, asked, 3).numpy()
        moved = (np.array(TINY_IMAGES.centre) - corners[number]) / np.array(TINY_IMAGES.crop)
        np.testing.assert_allclose(batch.points[number, 0], seen + moved[::-1], atol=2e-3)


def test_a_teacher_that_cannot_say_where_it_looked(made):
    recipe, _, _ = recipe_for(made, looks=False)
    assert recipe.model.points == 0


class Stopped(Exception):
    pass


def test_a_killed_teacher_goes_on_where_it_was(made, tmp_path, monkeypatch):
    monkeypatch.setattr(distillation_answers, "FRAMES_AT_ONCE", 10)
    monkeypatch.setattr(distillation_answers, "SAVE_EVERY", 2)
    teacher = teacher_of()
    whole = asked_about(made, tmp_path / "whole", teacher)[1]
    calls, die_at = 0, 6

    def counted(*given):
        nonlocal calls
        calls += 1
        if calls == die_at:
            raise Stopped
        return distributions(*given)

    monkeypatch.setattr(distillation_answers, "distributions", counted)
    with pytest.raises(Stopped):
        asked_about(made, tmp_path / "parts", teacher)
    calls, die_at = 0, None
    parts = asked_about(made, tmp_path / "parts", teacher)[1]
    assert calls == 3  # 64 frames in tens, of which the first forty were kept
    np.testing.assert_array_equal(parts.chances, whole.chances)
    np.testing.assert_array_equal(parts.bins, whole.bins)
    asked_about(made, tmp_path / "parts", teacher)
    assert calls == 3
    (head,) = (tmp_path / "parts").glob("answers-*/answers.json")
    head.write_text("{")
    anew = asked_about(made, tmp_path / "parts", teacher)[1]
    assert calls == 3 + 7
    np.testing.assert_array_equal(anew.bins, whole.bins)


def test_the_fingerprint_is_the_weights(made):
    known = fingerprint_of(teacher_of())
    assert fingerprint_of(load_rt2(made / "teacher", "teach")) == known
    assert fingerprint_of(teacher_of(2)) != known


def test_actions_are_not_read_and_some_episodes_are_held_out(made, tmp_path):
    pictures = opened(made / "data", tmp_path)
    assert pictures.learned.frames.actions.shape == (56, 0)
    assert pictures.held_out is not None
    assert pictures.held_out.rows.tolist() == list(range(56, 64))
    # A frame cache says the same, and need not have any actions.
    cache = tmp_path / "data"
    with np.load(cache / "arrays.npz") as file:
        kept = {name: file[name] for name in file.files if name != "action"}
    np.savez(cache / "arrays.npz", **kept)
    again = opened(cache, tmp_path)
    assert again.fingerprint == pictures.fingerprint
    rows = np.arange(64)
    np.testing.assert_array_equal(again.teacher.frames[rows], pictures.teacher.frames[rows])


def test_targets_belong_to_their_frames():
    chances = np.eye(6, dtype=np.float16)[:, None].repeat(2, 1)  # frame n is sure of bin n
    answers = distillation_answers.Answers(
        chances=chances,
        bins=np.zeros((6, 2), np.int16),
        illegal=np.zeros((6, 2), np.float16),
        places=np.zeros((6, 0, 2), np.float16),
    )
    shares = np.eye(6, dtype=np.float32)[None].repeat(2, 0)
    targets = SoftTargets(answers, np.array([5, 3, 0]), shares)(np.array([[0, 1], [2, 2]]))
    assert targets.argmax(-1).tolist() == [[[5, 5], [3, 3]], [[0, 0], [0, 0]]]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_loss_is_zero_for_the_teachers_own_logits(temperature):
    torch.manual_seed(0)
    logits, others = 3 * torch.randn(2, 5, 2, 7)
    targets = logits.softmax(-1)
    assert taught_bin_loss(logits, targets, temperature).abs() < 1e-5
    assert taught_bin_loss(others, targets, temperature) > 0.1


def test_frames_past_the_end_carry_no_loss():
    torch.manual_seed(0)
    student = Student(tiny_rt1(frames=3)).eval()
    targets = torch.rand(2, 3, 2, 32).softmax(-1)
    batch = Batch(
        pixels=torch.zeros(2, 3, 3, *TINY_IMAGES.crop, dtype=torch.uint8),
        instruction=torch.zeros(2, 512),
        action_ids=torch.zeros(2, 3, 2, dtype=torch.int64),
        valid=torch.tensor([[True, True, True], [True, False, False]]),
        action_targets=targets,
    )
    changed = targets.clone()
    changed[1, 1:] = torch.rand(2, 2, 32).softmax(-1)
    before, after = (student.loss(b).total for b in (batch, replace(batch, action_targets=changed)))
    torch.testing.assert_close(before, after)
    parts = batch.split(2)
    assert all(part.action_targets is not None for part in parts)
    assert torch.equal(parts[1].to("cpu").action_targets, targets[1:])  # pyright: ignore


def test_a_student_comes_to_agree_with_its_teacher(made, tmp_path):
    recipe, teacher, student = recipe_for(made, steps=45, temperature=1.5)
    faster = replace(recipe.train, frames_a_step=18, learning_rate=3e-3, precision="float32")
    faster = replace(faster, ema_decay=0.9, log_every=5)
    recipe = replace(recipe, train=faster, jitter=None)
    checkpoint = run(recipe, teacher, student, out=tmp_path, data=[made / "data"])
    rows = read_log(tmp_path)
    learned = [row["accuracy"] for row in rows if "accuracy" in row]
    assert learned[-1] > 2 * learned[0]
    (exam,) = (row for row in rows if AGREEMENT in row)
    assert exam[AGREEMENT] > 5 / STUDENT_BINS, "five times chance, on frames it never saw"
    assert exam[DISTANCE] < 0.2  # of the range; chance is a third
    content = read_checkpoint(checkpoint)
    assert content.config["distilled"]["temperature"] == 1.5
    assert content.config["distilled"]["teacher_fingerprint"] == recipe.fingerprint
    assert "taught by teacher" in content.card
    policy = sayact.load_policy(tmp_path)
    picture = np.full((*TINY_IMAGES.camera, 3), 90, np.uint8)
    action = policy.act(Observation(image=picture, instruction=SENTENCES[0]))
    assert np.isfinite(action.values).all()


def command(made, out, *more):
    options = ["--student", str(made / "student"), "--data", str(made / "data"), "--tiny"]
    return ["distill", str(made / "teacher"), *options, "--threads", "1", "--out", str(out), *more]


def test_the_command_from_end_to_end(made, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(command(made, out, "--json", str(tmp_path / "found.json"))) == 0
    said = capsys.readouterr().out
    assert "the teacher answered for 16 frames" in said
    assert "on frames held out" in said
    found = json.loads((tmp_path / "found.json").read_text())
    assert 0 <= found[AGREEMENT] <= 1
    assert "Made with `--tiny`" in read_checkpoint(Path(found["checkpoint"])).card
    # A longer run of the same goes on; another teacher does not.
    assert main(command(made, out)) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(command(made, out, "--resume")) == 0
    other = teacher_of(2)
    save_checkpoint(tmp_path / "other", describe_rt2(other.vlm, other.processor))
    arguments = command(made, out, "--resume")
    arguments[1] = str(tmp_path / "other")
    capsys.readouterr()
    assert main(arguments) == 2
    assert "has other weights" in capsys.readouterr().err


def test_a_warm_student_begins_with_its_weights(made, tmp_path):
    recipe, teacher, student = recipe_for(made, steps=1, warm=True)
    recipe = replace(recipe, train=replace(recipe.train, learning_rate=0.0, frames_a_step=6))
    checkpoint = run(recipe, teacher, student, out=tmp_path, data=[made / "data"])
    weights = read_checkpoint(checkpoint).weights
    assert all(torch.equal(weights[name], value) for name, value in student.weights.items())
    assert "Weights: those of student" in read_checkpoint(checkpoint).card


class TestWhatCannotBe:
    def test_a_teacher_that_is_no_rt2(self, made):
        for name, kind in ((str(made / "student"), "an RT-1"), ("oracle", "a baseline")):
            with pytest.raises(SayactError, match=f"is {kind}, which cannot teach"):
                load_rt2(name, "teach")

    def test_a_student_that_is_no_rt1(self, made):
        with pytest.raises(SayactError, match="of the model 'rt2'; a student is an RT-1"):
            read_student(str(made / "teacher"))
        with pytest.raises(SayactError, match="has no weights"):
            read_student("oracle")

    def test_another_action_space(self, made):
        _, teacher, student = recipe_for(made)
        other = replace(student, action_space=replace(LANGUAGE_TABLE, rate_hz=3.0))
        with pytest.raises(ActionSpaceMismatchError, match=r"rate_hz: 10\.0 here, 3\.0 there"):
            require_same_space(teacher, other)

    def test_pictures_of_another_camera(self, made, tmp_path):
        write_dataset(tmp_path / "large", episodes=1, camera=(72, 128))
        images = TINY_IMAGES
        with pytest.raises(
            SayactError, match=r"\(72, 128\).* the teacher's camera gives \(36, 64\)"
        ):
            open_pictures(
                [tmp_path / "large"], teacher=images, student=images, cache=tmp_path / "cache"
            )

    def test_a_frame_cache_that_was_shrunk_otherwise(self, made, tmp_path):
        opened(made / "data", tmp_path)
        whole = replace(TINY_IMAGES, shrink_by=1, crop=(32, 56))
        with pytest.raises(SayactError, match="the teacher needs"):
            opened(tmp_path / "data", tmp_path, teacher=whole)

    def test_no_data(self, made, tmp_path):
        images = TINY_IMAGES
        with pytest.raises(SayactError, match="name at least one dataset"):
            open_pictures([], teacher=images, student=images, cache=tmp_path)
        write_dataset(tmp_path / "empty", episodes=0)
        with pytest.raises(SayactError, match="no episodes"):
            opened(tmp_path / "empty", tmp_path)

    def test_a_sentence_that_is_too_long(self, made, tmp_path):
        pictures = opened(made / "data", tmp_path)
        tasks = ("push " * 100, *pictures.teacher.tasks[1:])
        with pytest.raises(SayactError, match="the teacher reads at most"):
            ask(teacher_of(), replace(pictures.teacher, tasks=tasks), tmp_path, key="k" * 64)

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [({"steps": 0}, "steps is 0"), ({"episodes": 0}, "episodes"), ({"temperature": 0.0}, "0")],
    )
    def test_numbers_of_no_run(self, made, wrong, said):
        with pytest.raises(SayactError, match=said):
            recipe_for(made, **wrong)


def test_teacher_and_student_may_shrink_differently(made, tmp_path):
    whole = replace(TINY_IMAGES, shrink_by=1, crop=(32, 56))
    pictures = opened(made / "data", tmp_path, teacher=whole)
    assert pictures.teacher.frames.shape[1:3] == (36, 64)
    assert pictures.learned.frames.frames.shape[1:3] == (18, 32)
    row = pictures.learned.rows[20]
    seen = FrameStore.open(tmp_path / "teacher" / "data").frames[np.array([row])]
    shrunk = TINY_IMAGES.shrink(seen)[0]
    np.testing.assert_array_equal(pictures.learned.frames.frames[np.array([20])][0], shrunk)
