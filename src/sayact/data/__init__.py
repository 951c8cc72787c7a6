"""Disk <-> episodes: the LeRobotDataset v3.0 layout, written and read, and the training cache."""

from sayact.data.check import CheckReport, Problem, check
from sayact.data.dataset import Dataset, EpisodeRow
from sayact.data.frames import FrameStore
from sayact.data.layout import DatasetSpec
from sayact.data.show import show
from sayact.data.stats import stats
from sayact.data.writer import DatasetWriter

__all__ = [
    "CheckReport",
    "Dataset",
    "DatasetSpec",
    "DatasetWriter",
    "EpisodeRow",
    "FrameStore",
    "Problem",
    "check",
    "show",
    "stats",
]
