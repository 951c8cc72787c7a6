"""Worlds to act in. `make_env` opens one by name; Gymnasium knows them by their ids as well."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import gymnasium
import numpy as np

from sayact.envs.encoding import decode_instruction
from sayact.schema import Observation
from sayact.schema.errors import UnknownNameError

__all__ = ["WORLDS", "make_env", "register_worlds", "to_observation"]

# name -> (Gymnasium id, module:class). A new world is one line here; its module is imported when
# it is made.
WORLDS: Mapping[str, tuple[str, str]] = {
    "language_table": (
        "sayact/LanguageTable-v0",
        "sayact.envs.language_table.env:LanguageTableEnv",
    ),
}


def make_env(name: str, **options: Any) -> gymnasium.Env[Any, Any]:
    """Open a world: `make_env("language_table", family="block2block", seed=0)`.

    The options are those of the world's class. It comes without Gymnasium's wrappers.
    """
    if name not in WORLDS:
        raise UnknownNameError("world", name, WORLDS)
    module, _, world = WORLDS[name][1].partition(":")
    return getattr(import_module(module), world)(**options)


def register_worlds() -> None:
    """Tell Gymnasium the ids, so that `gymnasium.make("sayact/LanguageTable-v0")` finds them."""
    for gym_id, entry_point in WORLDS.values():
        if gym_id not in gymnasium.registry:
            # set_state begins an episode as reset does; Gymnasium's own guard knows reset only.
            gymnasium.register(gym_id, entry_point, order_enforce=False)


def to_observation(raw: Mapping[str, np.ndarray]) -> Observation:
    """What a policy takes, from what Language-Table gives: state = effector xy, set-point xy."""
    state = [raw["effector_translation"], raw["effector_target_translation"]]
    return Observation(
        image=raw["rgb"],
        instruction=decode_instruction(raw["instruction"]),
        state=np.concatenate(state).astype(np.float32),
    )


# The one thing that happens at import: Gymnasium 1.x has no plugin entry points, an id is known
# only after someone registered it. No world is imported by this.
register_worlds()
