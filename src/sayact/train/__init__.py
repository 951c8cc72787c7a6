"""One loop, its config, and the state that lets a killed run go on."""

from sayact.train.config import TrainConfig
from sayact.train.log import DivergedError
from sayact.train.loop import check_free, train

__all__ = ["DivergedError", "TrainConfig", "check_free", "train"]
