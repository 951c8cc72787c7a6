"""What counts as the right answer: words, and places by their distance."""

import numpy as np
import pytest

from sayact.data.vision_language.source import VisionLanguage
from sayact.envs.language_table.camera import project, unproject
from sayact.evals.answers import in_camera, is_right, measure_answers
from sayact.testing import TINY_IMAGES
from sayact.testing.tiny_rt2 import tiny_text_processor
from small_web import store, write_web


def test_the_board_seen_is_the_board_stood_on(rng):
    board = rng.uniform((0.15, -0.3), (0.6, 0.3), (50, 2))
    assert unproject(project(board)) == pytest.approx(board, abs=1e-5)
    assert unproject(project(board, 0.0), 0.0) == pytest.approx(board, abs=1e-5)


def test_crop_and_back():
    points = np.array([[[3.0, 5.0], [50.0, 30.0]]])
    cut = TINY_IMAGES.to_crop_units(points, np.array([TINY_IMAGES.centre]))
    assert in_camera(TINY_IMAGES, cut[0]) == pytest.approx(points[0])


@pytest.mark.parametrize(
    ("told", "expected", "right"),
    [
        ("red moon", "red moon", True),
        ("Red  moon ", "red moon", True),
        ("red", "red moon", False),
        ("", "red", False),
        ("at <p0>", "at <p0>", True),
        ("at <p0>", "at <p1>", True),
        ("at <p0>", "at <p2>", False),
        ("<p0> moon", "moon <p0>", False),
        ("at <p0> <p0>", "at <p0>", False),
    ],
)
def test_answers(told, expected, right):
    """p1 is near p0 and p2 is far, in a picture of no known kind."""
    words = tiny_text_processor()
    points = np.array([[0.5, 0.5], [0.53, 0.5], [0.6, 0.5]], np.float32)
    tokens = [words.answer_text(text, points) if text else [] for text in (told, expected)]
    assert is_right(words, tokens[0], tokens[1], "picture") == right


def test_each_scene_and_kind_is_measured_on_its_own(tmp_path):
    web = VisionLanguage(
        store(write_web(tmp_path / "web", 60), tmp_path / "cache"),
        tiny_text_processor(),
        context=200,
        held_out=0.5,
    )
    said = []

    def nearly(examples, most):
        """Right about places, wrong about all else."""
        said.append(len(examples))
        assert most == max(len(example.answer) for example in examples)
        places = set(web.processor.places.ids)
        return [e.answer if places & set(e.answer) else e.answer[:2] for e in examples]

    found = measure_answers(web, nearly, most=5)
    assert found == {
        "answers/page/pointing": 1.0,
        "answers/page/vqa": 0.0,
        "answers/table/pointing": 1.0,
        "answers/table/vqa": 0.0,
    }
    assert said == [5, 5, 5, 5]
