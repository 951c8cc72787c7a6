"""The words of the vla-evaluation-harness, and the harness itself."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from foreign import interpreter, run
from sayact.policies.loading import load_policy
from sayact.schema import LANGUAGE_TABLE, Action, Observation
from sayact.schema.errors import BadObservationError, WireError
from sayact.serve import vla_eval
from sayact.serve.messages import action_message, observation_of
from sayact.serve.process import running
from sayact.serve.wire import pack, unpack

HARNESS = "vla-eval==0.8.0"
ROBOT = Path(__file__).parent / "vla_eval_robot.py"
IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def message(kind: str, payload: Any, seq: int = 5) -> dict[str, Any]:
    return {"type": kind, "payload": payload, "seq": seq, "timestamp": 0.0}


def png(image: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(image).save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize(
    "picture",
    [
        IMAGE,
        {"__image__": True, "format": "png", "data": png(IMAGE), "shape": [4, 6, 3]},
        {
            "__image__": True,
            "format": "raw",
            "data": IMAGE.tobytes(),
            "dtype": "|u1",
            "shape": [4, 6, 3],
        },
        {"__ndarray__": True, "data": IMAGE.tobytes(), "dtype": "|u1", "shape": [4, 6, 3]},
    ],
    ids=["openpi's array", "png", "raw", "the harness' array"],
)
def test_an_observation_in_their_words_is_one_in_ours(picture: Any) -> None:
    cameras = {"agentview": picture, "wrist": np.zeros((2, 2, 3), np.uint8)}
    payload = {"images": cameras, "task_description": "push", "states": np.arange(3.0)}
    question = vla_eval.question(unpack(pack(message("observation", payload))))
    assert (question.kind, question.seq, question.answered) == ("observation", 5, True)
    assert question.ours is not None
    seen = observation_of(question.ours)
    np.testing.assert_array_equal(seen.image, IMAGE)
    assert seen.instruction == "push"
    np.testing.assert_array_equal(seen.state, np.arange(3, dtype=np.float32))


@pytest.mark.parametrize(
    ("payload", "ours"),
    [
        ({"task": {"name": "a", "instruction": "push"}}, {"instruction": "push"}),
        ({"task_description": "push"}, {"instruction": "push"}),
        ({"task": {"name": "a"}}, {}),
    ],
)
def test_an_episode_begins_with_its_sentence_if_it_names_one(
    payload: dict[str, Any], ours: dict[str, Any]
) -> None:
    question = vla_eval.question(message("episode_start", payload))
    assert question.ours == {"type": "episode_start", **ours}
    assert not question.answered
    assert vla_eval.question(message("episode_end", {"steps": 3})).ours == {"type": "episode_end"}


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (message("dance", {}), WireError),
        (message("observation", [1]), WireError),
        (message(np.zeros(3), {}), WireError),  # pyright: ignore[reportArgumentType]
        ({}, WireError),
        (message("observation", {}), BadObservationError),
        (message("observation", {"images": {}}), BadObservationError),
        (
            message(
                "observation",
                {"images": {"a": {"__image__": True, "format": "raw", "data": b"1", "shape": [9]}}},
            ),
            BadObservationError,
        ),
    ],
)
def test_what_is_no_message_of_theirs_is_refused(
    wrong: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        vla_eval.question(wrong)


def test_an_answer_holds_the_bare_action_under_the_number_of_its_question() -> None:
    values, tokens = np.array([0.5, -0.5], np.float32), np.array([3, 4])
    reply = action_message(Action(values=values, tokens=tokens))
    told = vla_eval.action(5, reply)
    assert (told["type"], told["seq"]) == ("action", 5)
    assert told["payload"]["actions"] == {
        "__ndarray__": True,
        "data": values.tobytes(),
        "dtype": "<f4",
        "shape": [2],
    }
    back = unpack(pack(told))["payload"]
    np.testing.assert_array_equal(back["actions"], values)
    np.testing.assert_array_equal(back["tokens"], tokens)
    assert vla_eval.error(5, "ShapeError: no")["payload"] == {"error": "ShapeError: no"}


@pytest.mark.slow
def test_the_published_harness_drives_the_server(request: pytest.FixtureRequest) -> None:
    """Its own connection, from its own environment; episodes are apart from each other."""
    python = interpreter(request.config.cache, HARNESS)
    with running("rt1-nano") as server:
        met = json.loads(run(python, ROBOT, server.port))
    image = np.random.default_rng(0).integers(0, 256, (180, 320, 3), dtype=np.uint8)
    seen = Observation(image=image, instruction="push the red moon to the blue cube")
    policy = load_policy("rt1-nano")
    policy.reset()
    alone = [policy.act(seen).tokens for _ in range(3)]
    assert met["episodes"] == [[t.tolist() for t in alone if t is not None]] * 2
    assert met["dims"] == len(met["actions"]) == len(LANGUAGE_TABLE)
    assert met["protocol"] == vla_eval.PROTOCOL_VERSION
    assert ["BadObservationError" in met["errors"][0], "Error" in met["errors"][1]] == [True, True]
