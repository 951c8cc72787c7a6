"""What `sayact bench rt1` measures: every engine on the same pictures, taking turns.

    checkpoint ─▶ export for each engine and precision ─▶ one process a row (players.py)
                                                              │
    turns: row 1, row 2, … row 1, row 2, …  ─▶  median of the steps

A step is `policy.act`: from the camera's picture, resize included, to an action.
"""

# Half of these libraries' types are unknown to a strict checker.
# pyright: standard

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sayact.config import from_json
from sayact.models.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from sayact.models.rt1 import RT1Config
from sayact.policies.engines.exported import export
from sayact.policies.engines.players import Apart, Case, Episodes
from sayact.policies.engines.roofline import fastest, roofline_ms, step_flops
from sayact.policies.loading import build_model, checkpoint_folder
from sayact.schema import ActionSpace
from sayact.schema.errors import SayactError

REFERENCE = Case(engine="torch", precision="float32")
BEST = Case(engine="openvino", precision="bfloat16")
ENGINES = (
    REFERENCE,
    Case(engine="torch streamlined", precision="float32"),
    Case(engine="torch streamlined", precision="bfloat16"),
    Case(engine="torch compiled", precision="bfloat16"),
    Case(engine="openvino", precision="float32"),
    BEST,
    Case(engine="openvino", precision="int8"),
    Case(engine="onnx", precision="float32"),
    Case(engine="onnx", precision="int8"),
)
ABLATED = tuple(
    replace(case, cache=cache, token_learner=token_learner)
    for case in (REFERENCE, BEST)
    for token_learner, cache in ((True, True), (True, False), (False, True), (False, False))
)
IN_TORCH = ("torch", "torch streamlined", "torch compiled")
# What an engine computes the image network in, where that is not the precision asked for.
IMAGE_PRECISION = {("openvino", "int8"): "bfloat16", ("onnx", "int8"): "float32"}

Subject = Callable[[bool], Checkpoint]  # the network with TokenLearner, or without
Say = Callable[[str, float], None]  # what is being done, and which share of all is behind us


@dataclass(frozen=True, kw_only=True)
class Row:
    """One engine's figures.

    `ms_per_step` is the median on the clock, `best_ms` the best, `cpu_ms` the median of all cores'
    time together. `token_agreement` is the share of action tokens that are the reference's,
    `action_error` the mean difference of its values from the reference's as a share of their
    range. `flops` are a step's operations by the precision they are computed in.
    """

    engine: str
    precision: str
    cache: bool
    token_learner: bool
    ms_per_step: float
    token_agreement: float
    peak_mb: float
    best_ms: float
    cpu_ms: float
    action_error: float
    flops: Mapping[str, float]

    def roofline_ms(self, rates: Mapping[str, float]) -> float:
        """The arithmetic alone, at the rates of this row's own precisions."""
        return 1e3 * sum(flops / rates[precision] for precision, flops in self.flops.items())


@dataclass(frozen=True, kw_only=True)
class Effort:
    """`rounds` turns of `steps` control steps for every row, and matrix products a while each."""

    threads: int
    rounds: int = 12
    steps: int = 5
    rate_seconds: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`rates` are matrix products in operations a second; `skipped` tells what did not run, why."""

    rows: tuple[Row, ...]
    rates: Mapping[str, float]
    flops: tuple[float, float]  # of the image network for one frame, of the transformer
    skipped: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        image, transformer = self.flops
        return {
            "roofline_ms": roofline_ms(self.flops, self.rates),
            "rows": [
                asdict(row) | {"roofline_ms": row.roofline_ms(self.rates)} for row in self.rows
            ],
            "rates_gflops": {name: rate / 1e9 for name, rate in self.rates.items()},
            "gflops": {"image": image / 1e9, "transformer": transformer / 1e9},
            "skipped": dict(self.skipped),
        }


def subject_of(name: str) -> Subject:
    """A checkpoint by name or path; it has one form only."""
    content = read_checkpoint(checkpoint_folder(name))
    return lambda token_learner: content


def bench(
    subject: Subject,
    episodes: Episodes,
    cases: Sequence[Case],
    effort: Effort,
    say: Say = lambda what, share: None,
) -> Figures:
    """The figures of all `cases`, which take turns; the reference is always among them."""
    with tempfile.TemporaryDirectory(prefix="sayact-bench-") as folder, ExitStack() as ending:
        shelf = _Shelf(Path(folder), subject)
        players: dict[Case, Apart] = {}
        skipped: dict[str, str] = {}
        for number, case in enumerate(cases):
            say(f"preparing {case}", number / len(cases) / 2)
            try:
                players[case] = Apart(case, shelf.folder(case), episodes, effort.threads)
            except SayactError as reason:
                if case.engine == REFERENCE.engine:  # nothing to compare the others with
                    raise
                skipped[str(case)] = str(reason)
                continue
            ending.callback(players[case].close)
        answers = {case: player.call("answers") for case, player in players.items()}
        peaks = {case: player.call("peak_mb") for case, player in players.items()}
        rates: list[dict[str, float]] = []
        seconds: dict[Case, list[tuple[float, float]]] = {case: [] for case in players}
        for turn in range(effort.rounds):
            rates.append(players[REFERENCE].call("rates", effort.rate_seconds))
            for case, player in players.items():
                say(f"timing {case}", (1 + turn / effort.rounds) / 2)
                seconds[case] += player.call("seconds", effort.steps)

    content = subject(True)
    rows = []
    for case in players:
        reference = replace(REFERENCE, token_learner=case.token_learner)
        agreement, error = compared(answers[case], answers[reference], content.action_space)
        clock, cpu = 1e3 * np.array(seconds[case]).T
        rows.append(
            Row(
                **asdict(case),
                ms_per_step=float(np.median(clock)),
                best_ms=float(clock.min()),
                cpu_ms=float(np.median(cpu)),
                token_agreement=agreement,
                action_error=error,
                peak_mb=peaks[case],
                flops=_by_precision(case, subject),
            )
        )
    return Figures(
        rows=tuple(rows), rates=fastest(rates), flops=_flops(content, cache=True), skipped=skipped
    )


def compared(
    answer: tuple[np.ndarray, np.ndarray],
    reference: tuple[np.ndarray, np.ndarray],
    space: ActionSpace,
) -> tuple[float, float]:
    """Share of equal tokens, and mean difference of the values as a share of their range."""
    agreement = float((answer[0] == reference[0]).mean())
    difference = np.abs(answer[1] - reference[1]) / (space.high - space.low)
    return agreement, float(difference.mean())


class _Shelf:
    """Checkpoints and exports of the subject, each written when it is first asked for."""

    def __init__(self, folder: Path, subject: Subject) -> None:
        self._folder, self._subject = folder, subject

    def folder(self, case: Case) -> Path:
        """What `load_policy` needs for this case."""
        kind = "whole" if case.token_learner else "without-token-learner"
        checkpoint = self._folder / kind
        content = self._subject(case.token_learner)
        if not checkpoint.exists():
            save_checkpoint(checkpoint, content)
        if case.engine in IN_TORCH:
            return checkpoint
        exported = self._folder / f"{kind}-{case.engine}-{case.precision}"
        if not exported.exists():
            picture = tuple(content.processor["images"]["crop"])
            export(content, build_model(content), picture, exported, case.engine, case.precision)
        return exported


def _flops(content: Checkpoint, cache: bool) -> tuple[float, float]:
    config = from_json(RT1Config, content.config["architecture"])
    return step_flops(config, tuple(content.processor["images"]["crop"]), cache)


def _by_precision(case: Case, subject: Subject) -> dict[str, float]:
    image, transformer = _flops(subject(case.token_learner), case.cache)
    rounded = IMAGE_PRECISION.get((case.engine, case.precision), case.precision)
    if rounded == case.precision:
        return {rounded: image + transformer}
    return {rounded: image, case.precision: transformer}
