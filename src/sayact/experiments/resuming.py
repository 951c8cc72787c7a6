"""A run that goes on: what must be as it was when it began, and a note of what is not.

recipe.json in the run's folder  ─▶  another network, pictures or seed: refused
                                 ─▶  other schedules, rounds and the like: noted, old → new
"""

import json
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from sayact.config import ConfigError, from_json, to_json
from sayact.experiments.recipe import Experiment
from sayact.models.checkpoint import saved_steps
from sayact.schema.errors import SayactError
from sayact.train.log import RunLog

RECIPE_FILE = "recipe.json"
# What weights would not fit, or would not mean the same with.
SAME = "name", "model", "vlm", "action_words", "action_bins", "images"
ABSENT = "absent"  # a field that only one of two recipes has, such as a fourth round's


def kept(out: Path) -> dict[str, Any]:
    """What recipe.json in a run's folder says; nothing where there is none."""
    path = out / RECIPE_FILE
    return json.loads(path.read_text()) if path.exists() else {}


def check_same(recipe: Experiment, out: Path) -> None:
    """A run goes on with the network and the pictures that it began with; other weights do not fit.

    And with its seed, or it would be neither the one run nor the other. Schedules and rounds may
    change, as between a short run and a longer one.
    """
    began = kept(out)
    if not saved_steps(out) or not began:
        return
    for key in SAME:
        if hasattr(recipe, key) and not same(began[key], getattr(recipe, key)):
            raise SayactError(
                f"{out} was begun with another recipe ({began['name']}; its {key} differs). Give "
                "the same recipe, with --tiny where it began so, or another --out."
            )
    seed = began["train"]["seed"]
    if seed != recipe.train.seed:
        raise SayactError(
            f"{out} was begun with the seed {seed}, not {recipe.train.seed}; go on with "
            f"--seed {seed}, or give another --out"
        )


def same(kept: Any, given: Any) -> bool:
    """A part of recipe.json against a recipe's; fields that came later had their defaults then."""
    if not is_dataclass(given):
        return kept == given
    try:
        return from_json(type(given), kept) == given
    except ConfigError:
        return False


def changes(recipe: Experiment, out: Path) -> tuple[str, ...]:
    """A line for every number that is another one than the run in `out` had so far."""
    if not saved_steps(out) or not kept(out):
        return ()
    old = dict(_numbers(to_json(from_json(type(recipe), kept(out)))))
    new = dict(_numbers(to_json(recipe)))
    return tuple(
        f"changed: {name} {old.get(name, ABSENT)} → {new.get(name, ABSENT)}"
        for name in {**old, **new}
        if old.get(name, ABSENT) != new.get(name, ABSENT)
    )


def note(out: Path, lines: tuple[str, ...]) -> None:
    """Write into the run's log, at the step it goes on from."""
    if not lines:
        return
    step = saved_steps(out)[-1]
    log = RunLog(out, step)
    for line in lines:
        log.note(step, line)
    log.close()


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every number and word in nested dicts and lists, by its path: ("rounds.0.until", 4000)."""
    if isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in items:
            yield from _numbers(part, f"{name}.{key}" if name else str(key))
    else:
        yield name, value
