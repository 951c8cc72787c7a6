"""How fast RT-1 acts, and what speed costs in accuracy: what `sayact bench rt1` runs and shows.

the released shape with drawn weights ─▶ every engine                          ─▶ rows
                                      ─▶ without token cache, TokenLearner     ─▶ rows, speedups
rt1-nano in episodes that it played   ─▶ every engine                          ─▶ accuracy
"""

import functools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from sayact.envs import make_env
from sayact.evals.provenance import policy_title, provenance
from sayact.evals.rollouts import Moment, run_episode
from sayact.policies.engines.bench import (
    ABLATED,
    ENGINES,
    Effort,
    Figures,
    Say,
    bench,
    subject_of,
)
from sayact.policies.engines.players import Episodes
from sayact.policies.engines.roofline import fastest
from sayact.policies.engines.stand_in import moving_pictures, stand_in
from sayact.policies.loading import load_policy
from sayact.schema import LANGUAGE_TABLE, Observation

STAND_IN, BOXED = "stand-in for rt1main", "rt1-nano"
QUICK = tuple(case for case in ENGINES if not case.engine.startswith("torch "))
DRAWN_EPISODES, DRAWN_STEPS = 4, 10
# Starts that nothing was trained, watched or evaluated on.
ROLLOUT_SEED = 5000
ROLLOUT_FAMILIES = ("block2block", "separate", "point2block", "block1_to_corner")
ROLLOUT_STEPS = 40


def measure(
    effort: Effort,
    say: Say,
    *,
    checkpoint: str | None = None,
    quick: bool = False,
) -> dict[str, Any]:
    """All figures as plain JSON: of `checkpoint`, or of the stand-in and the policy in the box.

    quick: only the engines that need no compiler, and the network as it is.
    """
    cases = QUICK if quick else ENGINES
    started = datetime.now(UTC).isoformat(timespec="seconds")
    if checkpoint is not None:
        figures = bench(subject_of(checkpoint), _episodes_for(checkpoint), cases, effort, say)
        found = {"policy": policy_title(checkpoint), **figures.to_json()}
    else:
        # Two benches, or three; most of the time goes into the first.
        drawn = moving_pictures(DRAWN_EPISODES, DRAWN_STEPS, np.random.default_rng(0))
        played = _episodes_for(BOXED)
        subject = functools.cache(stand_in)
        parts = [
            bench(subject, drawn, cases, effort, _part(say, 0.0, 0.5)),
            bench(subject_of(BOXED), played, cases, effort, _part(say, 0.5, 0.7)),
        ]
        if not quick:
            parts.append(bench(subject, drawn, ABLATED, effort, _part(say, 0.7, 1.0)))
        # One machine has one roof: the highest rates that any of them saw.
        rates = fastest(part.rates for part in parts)
        whole, boxed, *ablated = (replace(part, rates=rates) for part in parts)
        found = {"policy": STAND_IN, **whole.to_json()}
        for part in ablated:
            found["rows"] += [row for row in part.to_json()["rows"] if not _whole(row)]
            found["speedups"] = speedups(part)
        frames = sum(len(episode) for episode in played)
        found["accuracy"] = {"policy": BOXED, "frames": frames, **boxed.to_json()}
    return found | {"threads": effort.threads, "date": started} | provenance()


def speedups(ablated: Figures) -> list[dict[str, Any]]:
    """What TokenLearner brings by itself, and what the cache brings on top, as in the paper."""
    by_case = {
        (r.engine, r.precision, r.token_learner, r.cache): r.ms_per_step for r in ablated.rows
    }
    return [
        {
            "engine": engine,
            "precision": precision,
            "token_learner": by_case[engine, precision, False, False] / without_cache,
            "cache": without_cache / by_case[engine, precision, True, True],
        }
        for (engine, precision, token_learner, cache), without_cache in by_case.items()
        if token_learner and not cache
    ]


def _episodes_for(checkpoint: str) -> Episodes:
    """Pictures such as the policy was made for, where this package can make them."""
    policy = load_policy(checkpoint)
    if policy.action_space == LANGUAGE_TABLE:
        return [_played(checkpoint, family) for family in ROLLOUT_FAMILIES]
    camera = subject_of(checkpoint)(True).processor["images"]["camera"]
    rng = np.random.default_rng(0)
    return moving_pictures(DRAWN_EPISODES, DRAWN_STEPS, rng, tuple(camera))


def _played(checkpoint: str, family: str) -> list[Observation]:
    """What the policy itself sees in an episode of Language-Table."""
    moments: list[Moment] = []
    env = make_env("language_table", family=family, max_steps=ROLLOUT_STEPS)
    try:
        policy = load_policy(checkpoint)
        run_episode(env, policy, family=family, index=0, seed=ROLLOUT_SEED, watch=moments.append)
    finally:
        env.close()
    return [Observation(image=m.picture, instruction=m.instruction) for m in moments]


def _part(say: Say, start: float, end: float) -> Say:
    """Progress of a part as progress of the whole."""
    return lambda what, share: say(what, start + (end - start) * share)


def _whole(row: dict[str, Any]) -> bool:
    return row["cache"] and row["token_learner"]
