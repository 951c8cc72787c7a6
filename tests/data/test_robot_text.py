"""Frames as examples: the action of this very frame, places where they are in this very crop."""

import numpy as np
import pytest

from sayact.data.robot_text import QUESTIONS, RobotQuestions, RobotText
from sayact.experiments.runs import locate_task
from sayact.schema.errors import SayactError
from sayact.testing import TINY_IMAGES, noise_store
from sayact.testing.tiny_rt2 import tiny_text_processor


def rows_of(store, example):
    """Which frame an example is of: the only one with these pixels in a row of it."""
    seen = example.pixels.transpose(1, 2, 0)
    height, width = seen.shape[:2]
    for row in range(len(store)):
        frame = store.frames[np.array([row])][0]
        for top, left in np.ndindex(*(s + 1 for s in TINY_IMAGES.slack)):
            if np.array_equal(frame[top : top + height, left : left + width], seen):
                return row, np.array([top, left])
    raise AssertionError("no such frame")


def test_an_example_is_a_frame_with_its_sentence_and_action(rng):
    store, words = noise_store(rng), tiny_text_processor()
    for example in RobotText(store, words, locate=locate_task).draw(rng, 5):
        row, corner = rows_of(store, example)
        sentence = store.tasks[store.episode_index[row]]
        assert example.prompt == words.task(sentence)
        assert example.answer == words.answer_action(store.actions[row])
        places = TINY_IMAGES.to_crop_units(locate_task(store)[row][None], corner[None])[0]
        assert example.points == pytest.approx(places.clip(0, 1), abs=1e-5)


def test_places_are_unknown_without_privileged_truth(rng):
    (example,) = RobotText(noise_store(rng), tiny_text_processor()).draw(rng, 1)
    assert np.isnan(example.points).all()


def test_questions_are_answered_by_the_places(rng):
    store, words = noise_store(rng), tiny_text_processor()
    source = RobotQuestions(store, words, locate=locate_task)
    assert len(source) == len(store) * len(QUESTIONS)
    for example in source.draw(rng, 8):
        told = words.places.read(words.tokenizer.decode(example.answer))
        text = words.tokenizer.decode(example.prompt)
        wanted = [0] if "effector" in text else [1, 2] if "where to" in text else [1]
        cell = 1 / words.places.bins
        assert np.array(told) == pytest.approx(example.points[wanted], abs=cell)


def test_half_of_the_plans_are_asked_for_and_half_are_given(rng):
    store, words = noise_store(rng), tiny_text_processor()

    def plan(store, row, points):
        return "block <p1> to up <p2>"

    source = RobotText(store, words, locate=locate_task, plan=plan, plan_share=0.5)
    kinds = {"asked": 0, "given": 0, "none": 0}
    for example in source.draw(rng, 400):
        prompt = words.tokenizer.decode(example.prompt)
        answer = words.tokenizer.decode(example.answer)
        if prompt.endswith("Plan:"):
            kinds["asked"] += 1
            assert answer.startswith(" block <loc")
        elif "Plan:" in prompt:
            kinds["given"] += 1
            assert prompt.endswith("Action:")
            assert len(example.answer) == 3
        else:
            kinds["none"] += 1
    assert kinds["asked"] == pytest.approx(100, abs=30)
    assert kinds["given"] == pytest.approx(100, abs=30)


def test_plans_need_truth(rng):
    with pytest.raises(SayactError, match="privileged truth"):
        RobotText(noise_store(rng), tiny_text_processor(), plan_share=0.1)
