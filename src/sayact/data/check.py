"""Read a whole dataset and name what is broken."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from sayact.data.dataset import Dataset
from sayact.data.layout import INFO_PATH, STATS_PATH, TASKS_PATH, read_json
from sayact.data.tables import read_parquet
from sayact.schema.errors import BrokenDatasetError


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One broken thing: its episode if it has one, and a sentence that names the file."""

    episode: int | None
    what: str


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """What `check` read and found; `problems` is empty for a sound dataset."""

    directory: Path
    episodes: int
    frames: int
    problems: tuple[Problem, ...]

    def require_sound(self) -> None:
        """Raise the first problem, if there is one."""
        if self.problems:
            more = len(self.problems) - 1
            tail = f" (and {more} more)" if more else ""
            raise BrokenDatasetError(self.problems[0].what + tail)


def check(directory: str | Path, *, progress: bool = True) -> CheckReport:
    """Decode every frame and read every row of a dataset; problems come in episode order."""
    directory = Path(directory)
    try:
        dataset = Dataset.open(directory)
    except BrokenDatasetError as error:
        problem = Problem(episode=None, what=str(error))
        return CheckReport(directory=directory, episodes=0, frames=0, problems=(problem,))
    problems = [*_broken_tables(dataset), *_wrong_totals(dataset)]
    positions = range(len(dataset))
    console = Console(stderr=True)
    for position in track(positions, "reading episodes", console=console, disable=not progress):
        try:
            dataset.episode(position)
        except BrokenDatasetError as error:
            index = dataset.episodes[position].index
            problems.append(Problem(episode=index, what=str(error)))
    return CheckReport(
        directory=directory,
        episodes=len(dataset),
        frames=dataset.frames,
        problems=tuple(problems),
    )


def _broken_tables(dataset: Dataset) -> Iterator[Problem]:
    """What no episode is read from, but other tools need: sentences and statistics."""
    sentences, statistics = dataset.directory / TASKS_PATH, dataset.directory / STATS_PATH
    try:
        if any(not row.staged for row in dataset.episodes):  # written with the first large files
            read_parquet(sentences)
        if statistics.exists():  # written at the end of a run
            read_json(statistics)
    except BrokenDatasetError as error:
        yield Problem(episode=None, what=str(error))


def _wrong_totals(dataset: Dataset) -> Iterator[Problem]:
    """`info.json` and the table of episodes must agree."""
    file = dataset.directory / INFO_PATH
    info = read_json(file)
    joined = [row for row in dataset.episodes if not row.staged]
    found = {
        "total_episodes": len(joined),
        "total_frames": sum(row.length for row in joined),
    }
    for key, value in found.items():
        if info.get(key) != value:
            what = f"{file}: {key} is {info.get(key)}, but meta/episodes has {value}"
            yield Problem(episode=None, what=what)
    if [row.index for row in joined] != list(range(len(joined))):
        what = f"{dataset.directory}/meta/episodes: episodes are missing or there twice"
        yield Problem(episode=None, what=what)
