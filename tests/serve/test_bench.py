"""The bench measures what it says, and its tables say what it measured."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sayact.evals.serve_tables import markdown_tables, terminal_tables
from sayact.policies.loading import load_policy
from sayact.schema import Observation
from sayact.schema.errors import SayactError
from sayact.serve.bench import crowd, mean_batch, overhead
from sayact.serve.beside import SERVER, published_server
from sayact.serve.messages import observation_message
from sayact.serve.process import ServerProcess
from sayact.serve.server import start_in_thread
from sayact.serve.wire import pack

SEEN = [Observation(image=np.full((18, 32, 3), n, np.uint8), instruction="push") for n in range(3)]

WIRE = {"policy": "zero", "kilobytes": 10.2, "round_trip_ms": 5.0, "infer_ms": 4.0}
CROWD = {"policy": "rt1-nano", "median_ms": 20.0, "p99_ms": 31.0, "batch": None}
FOUND: dict[str, Any] = {
    "serving": "rt1-nano",
    "jpeg_quality": 90,
    "effort": {"steps": 500, "seconds": 4.0},
    "overhead": [
        {**WIRE, "server": "sayact", "picture": "JPEG", "median_ms": 1.0, "p99_ms": 9.0},
        {**WIRE, "server": "openpi", "picture": "raw", "median_ms": 2.0, "p99_ms": 4.0},
    ],
    "throughput": [
        {**CROWD, "server": "batched", "robots": 1, "actions_per_second": 50.0},
        {**CROWD, "server": "batched", "robots": 8, "actions_per_second": 90.0},
        {**CROWD, "server": "openpi", "robots": 1, "actions_per_second": 40.0},
        {**CROWD, "server": "openpi", "robots": 8, "actions_per_second": 41.0},
    ],
    "hardware": "two cores",
    "commit": "abc",
    "date": "2026-11-20T00:00:00",
    "command": "sayact bench serve",
}


class Nearby(ServerProcess):
    """A server in a thread stands in for one in a process."""

    def __init__(self, port: int) -> None:
        super().__init__((), port=port)


def test_overhead_is_what_the_forward_pass_does_not_explain() -> None:
    with start_in_thread(load_policy("zero")) as server:
        for quality, picture in ((90, "JPEG"), (None, "raw")):
            row = overhead(Nearby(server.port), "zero", SEEN, quality, steps=30)
            assert row.picture == picture
            assert 0 < row.median_ms <= row.p99_ms
            assert row.infer_ms < row.round_trip_ms
            assert row.median_ms < row.round_trip_ms


def test_a_crowd_is_answered_and_counted() -> None:
    frames = [pack(observation_message(seen)) for seen in SEEN]
    with start_in_thread(load_policy("zero")) as server:
        trips, batches, seconds = asyncio.run(crowd(server.url, frames, 3, 0.3))
    assert len(trips) == len(batches) > 3
    assert seconds >= 0.3
    assert max(trips) < seconds


def test_a_refusal_is_no_measurement() -> None:
    with (
        start_in_thread(load_policy("zero")) as server,
        pytest.raises(SayactError, match="BadObservationError"),
    ):
        asyncio.run(crowd(server.url, [pack({"prompt": "push"})], 1, 0.3))


def test_batches_are_counted_once_for_each_forward_pass() -> None:
    assert mean_batch([1, 3, 3, 3]) == pytest.approx(2)


def test_tables_show_every_server_and_judge_the_goal() -> None:
    page = markdown_tables(FOUND)
    assert "| zero, JPEG | 10 | 5.00 | 4.00 | 1.00 | 9.00 |" in page
    assert "| openpi: zero, raw |" in page
    assert "zero 1.00 ms (met) and 9.00 ms (not met)" in page
    assert "| robots | batched | openpi |" in page
    assert "| 8 | 90 (20, 31) | 41 (20, 31) |" in page
    assert [table.row_count for table in terminal_tables(FOUND)] == [2, 4]


def test_what_is_no_clone_of_openpi_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SayactError, match=SERVER.name):
        published_server(tmp_path)
