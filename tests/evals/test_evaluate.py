"""Many episodes: sums, JSON, the same answer from any number of workers, what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from handmade import made
from sayact.evals.evaluate import evaluate
from sayact.evals.evaluation import ALL_FAMILIES, OFFICIAL_FAMILIES, Evaluation, Protocol
from sayact.evals.rollouts import EpisodeResult
from sayact.evals.videos import film_path
from sayact.schema import LANGUAGE_TABLE
from sayact.schema.errors import ActionSpaceMismatchError, SayactError, UnknownNameError
from sayact.testing import FixedPolicy

SHORT = Protocol(families=("separate", "point2block"), episodes=2, max_steps=6)


def outcomes(evaluation: Evaluation) -> list[EpisodeResult]:
    """All but the clock."""
    every = [evaluation, *evaluation.beside]
    return [replace(e, acting_seconds=0.0) for one in every for e in one.episodes]


def test_any_number_of_workers_gives_the_same_result() -> None:
    here = evaluate("random", SHORT, workers=0, beside=("zero",), progress=False)
    apart = evaluate("random", SHORT, workers=2, beside=("zero",), progress=False)
    assert outcomes(here) == outcomes(apart)
    assert len(here.episodes) == 4
    assert [e.seed for e in here.episodes] == [e.seed for e in here.beside[0].episodes]


def test_another_engine_plays_the_same_episodes() -> None:
    one = evaluate("rt1-nano", SHORT, workers=0, beside=(), progress=False)
    other = evaluate("rt1-nano", SHORT, workers=1, beside=(), progress=False, engine="openvino")
    assert outcomes(one) == outcomes(other)
    with pytest.raises(UnknownNameError, match="engine 'tflite'"):
        evaluate("rt1-nano", SHORT, workers=0, beside=(), progress=False, engine="tflite")


def test_the_headline_is_the_mean_of_the_official_families() -> None:
    rates: dict[str, int] = dict.fromkeys(ALL_FAMILIES, 0) | dict.fromkeys(OFFICIAL_FAMILIES, 8)
    evaluation = made(rates)
    assert evaluation.mean_families == OFFICIAL_FAMILIES
    assert evaluation.mean_success == pytest.approx(0.8)
    assert made({"point2block": 5}).mean_success == 0.5


def test_sums_of_a_family() -> None:
    family = made({"separate": 4}).families["separate"]
    assert (family.success, family.successes, family.episodes) == (0.4, 4, 10)
    assert family.mean_steps == pytest.approx(54.5)
    assert family.mean_steps_of_successes == pytest.approx(51.5)
    assert made({"separate": 0}).families["separate"].mean_steps_of_successes is None
    assert made({"separate": 4}).control_hz == pytest.approx(545 / 5)


def test_the_json_has_the_agreed_form_and_reads_back() -> None:
    evaluation = replace(made({"separate": 4}), beside=(made({"separate": 1}, policy="zero"),))
    data = json.loads(json.dumps(evaluation.to_json()))
    assert {"success", "episodes", "interval", "mean_steps"} <= set(data["families"]["separate"])
    assert {"mean_success", "control_hz", "version", "commit", "seed", "protocol"} <= set(data)
    assert data["beside"]["zero"]["mean_success"] == 0.1
    assert data["against"]["zero"]["only_first"] == 3
    assert json.loads(json.dumps(Evaluation.from_json(data).to_json())) == data


def test_nan_from_a_policy_is_counted_and_named() -> None:
    protocol = replace(SHORT, families=("separate",), episodes=1)
    result = evaluate(FixedPolicy(np.nan, 0.0), protocol, beside=(), progress=False)
    assert result.families["separate"].errors == 1
    assert "delta_x is nan" in str(result.episodes[0].error)


def test_what_does_not_fit_is_refused_before_anything_runs() -> None:
    other = replace(LANGUAGE_TABLE, rate_hz=3.0)
    with pytest.raises(ActionSpaceMismatchError, match="3 Hz"):
        evaluate(FixedPolicy(0.0, 0.0, space=other), SHORT, progress=False)
    with pytest.raises(UnknownNameError, match=r"there are: .*language_table"):
        evaluate("zero", replace(SHORT, world="kitchen"), progress=False)
    with pytest.raises(UnknownNameError, match="separate"):
        evaluate("zero", replace(SHORT, families=("stack",)), progress=False)
    with pytest.raises(UnknownNameError, match="BLOCK_8"):
        evaluate("zero", replace(SHORT, block_mode="BLOCK_9"), progress=False)
    with pytest.raises(UnknownNameError, match="oracle"):
        evaluate("rt7", SHORT, progress=False)
    with pytest.raises(UnknownNameError, match="oracle"):
        evaluate("zero", SHORT, beside=("rt7",), progress=False)
    with pytest.raises(SayactError, match="at least 1"):
        evaluate("zero", replace(SHORT, episodes=0), progress=False)


def test_films_of_an_earlier_evaluation_do_not_pass_for_these(tmp_path: Path) -> None:
    first, second = (film_path(tmp_path, "zero", "separate", index) for index in range(2))
    second.write_bytes(b"of earlier weights")
    protocol = replace(SHORT, families=("separate",), max_steps=2)
    evaluate("zero", protocol, workers=0, beside=(), videos=tmp_path, videos_each=1, progress=False)
    assert first.is_file()
    assert not second.exists()
