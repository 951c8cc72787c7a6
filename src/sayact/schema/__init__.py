"""The nouns of Sayact. `Batch` lives in `sayact.schema.batches`, so that clients need no torch."""

from sayact.schema.actions import LANGUAGE_TABLE, RT1, RT1_X, RT2, ActionSpace, Dimension
from sayact.schema.episodes import Action, Episode, Observation

__all__ = [
    "LANGUAGE_TABLE",
    "RT1",
    "RT1_X",
    "RT2",
    "Action",
    "ActionSpace",
    "Dimension",
    "Episode",
    "Observation",
]
