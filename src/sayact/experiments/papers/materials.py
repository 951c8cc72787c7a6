"""What all arms share: demonstrations, two webs, and their shrunk pictures, each made once.

OUT/demonstrations        collected by the oracle, unless datasets are given
OUT/web/all, web/robot    the embedded web: all things, or the robot's eight blocks alone
OUT/cache/frames          what training reads by memory map: the robot's frames,
OUT/cache/all, …/robot    and the pictures of either web
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sayact.codecs import ImageCodec
from sayact.data.frames import FrameStore, is_frame_store
from sayact.data.vision_language.hub_datasets import open_reader
from sayact.data.vision_language.store import PictureStore
from sayact.evals.collect import collect
from sayact.experiments.episodes import Chosen, choose
from sayact.experiments.papers.arms import Arm
from sayact.experiments.papers.plan import Plan
from sayact.experiments.papers.recipes import recipe_of
from sayact.experiments.rt1_language_table import RECIPE as RT1_NANO
from sayact.experiments.rt2_recipe import RT2Recipe
from sayact.experiments.rt2_sources import drawn_web
from sayact.experiments.runs import TRAINING_SEED, open_frames

DEMONSTRATIONS, WEB, CACHE, FRAMES = "demonstrations", "web", "cache", "frames"


@dataclass(frozen=True, kw_only=True)
class Materials:
    """Where an experiment's robot data and webs lie. data, web: what was given from outside.

    A given web takes the place of the one that shows everything; the control's is always drawn.
    """

    out: Path
    data: tuple[Path, ...] = ()
    web: tuple[Path, ...] = ()

    def robot_data(self) -> tuple[Path, ...]:
        """Datasets or frame caches."""
        return self.data or (self.out / DEMONSTRATIONS,)

    def web_of(self, arm: Arm) -> tuple[Path, ...]:
        """Folders with pictures and questions."""
        if arm.objects == "all" and self.web:
            return self.web
        return (self.out / WEB / arm.objects,)

    def cache_of(self, arm: Arm) -> Path:
        """Where shrunk pictures of its web lie; those of the robot lie in `robot_caches`."""
        return self.out / CACHE / arm.objects

    def robot_caches(self) -> tuple[Path, ...]:
        """Frame caches of all robot data, as `prepare` leaves them."""
        shared = self.out / CACHE / FRAMES
        return tuple(f if is_frame_store(f) else shared / f.name for f in self.robot_data())

    def episodes(self, chosen: Chosen) -> int:
        """How many of the robot data an arm learns from; none before `prepare`."""
        caches = self.robot_caches()
        if not all(is_frame_store(folder) for folder in caches):
            return 0
        return choose(FrameStore.join([FrameStore.open(f) for f in caches]), chosen).episodes


def prepare(materials: Materials, plan: Plan, arms: Sequence[Arm], console: Console) -> None:
    """Make what is not there yet; all of it goes on where it was stopped."""
    if not materials.data:
        console.print("demonstrations", style="bold")
        collect(
            out=materials.out / DEMONSTRATIONS,
            episodes=plan.episodes,
            families=RT1_NANO.families,
            workers=plan.workers,
            seed=TRAINING_SEED + 100 * plan.seed,
            noise=RT1_NANO.noise,
        )
    images = RT1_NANO.images
    for folder in materials.robot_data():
        open_frames(folder, images, materials.out / CACHE / FRAMES, skip_broken=False)
    check_episodes(materials, plan, arms)
    prepared: set[Path] = set()
    for arm in arms:
        recipe = recipe_of(arm, plan)
        if (
            isinstance(recipe, RT2Recipe)
            and sees_web(arm)
            and materials.cache_of(arm) not in prepared
        ):
            prepared.add(materials.cache_of(arm))
            _prepare_web(materials, recipe, arm, plan.workers, images)


def check_episodes(materials: Materials, plan: Plan, arms: Sequence[Arm]) -> None:
    """Find an arm that there are too few episodes for now, not after hours."""
    store = FrameStore.join([FrameStore.open(folder) for folder in materials.robot_caches()])
    for chosen in dict.fromkeys(recipe_of(arm, plan).chosen for arm in arms):
        choose(store, chosen)


def sees_web(arm: Arm) -> bool:
    """Does it learn from pictures of the web?"""
    return arm.model == "web" or (arm.model == "rt2" and arm.robot is not None)


def _prepare_web(
    materials: Materials, recipe: RT2Recipe, arm: Arm, workers: int, images: ImageCodec
) -> None:
    folders = materials.web_of(arm)
    if not materials.web or arm.objects != "all":
        drawn_web(recipe, folders[0], workers)
    PictureStore.build(
        [open_reader(folder) for folder in folders],
        images,
        materials.cache_of(arm) / WEB,
        workers=max(workers, 1),  # threads
    )
