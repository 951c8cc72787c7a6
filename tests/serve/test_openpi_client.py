"""The published client of openpi, unchanged and in its own environment, drives our server."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foreign import interpreter, run
from sayact.policies.loading import load_policy
from sayact.schema import LANGUAGE_TABLE, ActionSpace, Observation
from sayact.serve.process import running

CLIENT = ("openpi-client==0.1.2", "typing_extensions")  # it imports both and asks for one
ROBOT = Path(__file__).parent / "openpi_robot.py"


@pytest.fixture(scope="module")
def met(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a robot with openpi's client met at `sayact serve rt1-nano`."""
    python = interpreter(request.config.cache, *CLIENT)
    with running("rt1-nano") as server:
        return json.loads(run(python, ROBOT, server.port))


def test_it_is_the_client_that_cannot_live_beside_us(met: dict[str, Any]) -> None:
    assert met["numpy"].startswith("1.")


def test_it_is_told_the_action_space(met: dict[str, Any]) -> None:
    assert ActionSpace.from_json(met["metadata"]["action_space"]) == LANGUAGE_TABLE
    assert met["metadata"]["picture"] == [180, 320]


def test_its_actions_are_those_of_the_policy(met: dict[str, Any]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (180, 320, 3), dtype=np.uint8)
    seen = Observation(image=image, instruction="push the red moon to the blue cube")
    policy = load_policy("rt1-nano")
    policy.reset()
    alone = [policy.act(seen) for _ in range(4)]
    assert met["dtype"] == "float32"
    for answer, tokens, action in zip(met["actions"], met["tokens"], alone, strict=False):
        np.testing.assert_allclose(answer, [action.values], atol=1e-6)
        assert action.tokens is not None
        assert tokens == action.tokens.tolist()
    np.testing.assert_allclose(met["brokered"], alone[3].values, atol=1e-6)


def test_it_is_told_how_long_things_took(met: dict[str, Any]) -> None:
    first, second, _ = met["timings"]
    assert 0 < met["policy_timing"]["infer_ms"] <= second["prev_total_ms"]
    assert first["infer_ms"] > 0
    assert "prev_total_ms" not in first


def test_mistakes_are_raised_by_name_and_the_connection_goes_on(met: dict[str, Any]) -> None:
    names = [said.splitlines()[1].split(":")[0] for said in met["refusals"]]
    assert names == ["BadObservationError", "ShapeError", "ShapeError", "BadObservationError"]
    assert "Traceback" not in "".join(met["refusals"])
    assert len(met["after"][0]) == len(LANGUAGE_TABLE)
