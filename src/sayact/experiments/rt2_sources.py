"""What a phase of an RT-2 recipe learns from: robot data of the run, the web, what a user gives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rich.console import Console

from sayact.codecs.text import TextProcessor
from sayact.data.examples import Source
from sayact.data.frames import FrameStore, is_frame_store
from sayact.data.mixture import Mixture, Part
from sayact.data.robot_text import RobotQuestions, RobotText
from sayact.data.vision_language.hub_datasets import open_reader
from sayact.data.vision_language.source import VisionLanguage
from sayact.data.vision_language.store import PictureStore
from sayact.evals.web import draw_web
from sayact.experiments.episodes import choose
from sayact.experiments.plans import plan_task
from sayact.experiments.rt2_recipe import ROBOT, ROBOT_QUESTIONS, WEB, Phase, RT2Recipe
from sayact.experiments.runs import collect_round, locate_task, open_frames
from sayact.web.shards import Settings


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a run gets from outside, instead of what it would make or begin from itself.

    data: robot datasets, or frame caches made of such, in place of the first demonstrations.
    web: folders of pictures with questions, in place of the embedded web. init: a checkpoint of the
    same network, whose weights it begins with. cache: where shrunk pictures are kept, for other
    runs too; in the run's own folder unless told. strict: bad web examples are errors. skip_broken:
    broken robot episodes are left out.
    """

    data: Sequence[Path] = ()
    web: Sequence[Path] = ()
    init: Path | None = None
    cache: Path | None = None
    strict: bool = False
    skip_broken: bool = False


@dataclass
class Sources:
    """Opened when the first phase asks for them, and kept."""

    recipe: RT2Recipe
    given: Given
    processor: TextProcessor
    context: int
    out: Path
    workers: int
    robot: list[FrameStore] = field(default_factory=list[FrameStore])

    def mixture(self, phase: Phase) -> Mixture:
        """Batches for a phase."""
        parts = [Part(source=self._open(n), weight=w) for n, w in phase.mixture.items()]
        seed, jitter = self.recipe.train.seed, self.recipe.jitter
        return Mixture(parts, self.processor.tokenizer, seed=seed, jitter=jitter)

    def collect(self, number: int) -> None:
        """The robot data that a phase begins with."""
        if not self.recipe.rounds[number].episodes:
            return
        folders = [self.out / "data" / f"round-{number}"]
        if self.given.data and not self.robot:
            folders = list(self.given.data)
        elif not is_frame_store(self.cache / folders[0].name):
            # The cache is made of a round that is complete: there is nothing left to collect.
            collect_round(self.recipe, number, folders[0], self.out, self.workers)
        images, skip = self.recipe.images, self.given.skip_broken
        self.robot += [open_frames(folder, images, self.cache, skip) for folder in folders]

    @property
    def cache(self) -> Path:
        return self.given.cache or self.out / "cache"

    @cached_property
    def web(self) -> VisionLanguage:
        """Pictures and questions, shrunk once."""
        recipe, given = self.recipe, self.given
        folders = list(given.web) or [drawn_web(recipe, self.out / "web", self.workers)]
        store = PictureStore.build(
            [open_reader(folder) for folder in folders],
            recipe.images,
            self.cache / "web",
            strict=given.strict,
            workers=self.workers,
        )
        return VisionLanguage(
            store,
            self.processor,
            context=self.context,
            kinds=recipe.web.kinds,
            languages=recipe.web.languages,
            strict=given.strict,
            name=WEB,
        )

    def _open(self, name: str) -> Source:
        if name == WEB:
            return self.web
        frames = choose(FrameStore.join(self.robot), self.recipe.chosen)
        if name == ROBOT_QUESTIONS:
            return RobotQuestions(frames, self.processor, locate=locate_task, name=name)
        return RobotText(
            frames,
            self.processor,
            locate=locate_task,
            plan=plan_task,
            plan_share=self.recipe.plan_share,
            name=ROBOT,
        )


def drawn_web(recipe: RT2Recipe, folder: Path, workers: int) -> Path:
    """The embedded web of a recipe; shards that are there are kept."""
    web = recipe.web
    settings = Settings(pictures=web.pictures, pages=web.pages, objects=web.objects, seed=web.seed)
    draw_web(settings, folder, workers=workers, console=Console(stderr=True))
    return folder
