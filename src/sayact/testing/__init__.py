"""Stand-ins for tests, ours and yours: toy worlds, tiny networks, frames made of noise."""

from sayact.testing.mobile import MobileToyOracle, MobileToyWorld
from sayact.testing.tiny import (
    TINY_IMAGES,
    hashed_sentence,
    noise_store,
    tiny_processor,
    tiny_rt1,
)
from sayact.testing.toy import GOAL, FixedPolicy, ToyOracle, ToyWorld

__all__ = [
    "GOAL",
    "TINY_IMAGES",
    "FixedPolicy",
    "MobileToyOracle",
    "MobileToyWorld",
    "ToyOracle",
    "ToyWorld",
    "hashed_sentence",
    "noise_store",
    "tiny_processor",
    "tiny_rt1",
]
