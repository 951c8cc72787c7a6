"""What a policy knows about pictures that nobody trains on: the embedded web's test pictures.

    draw (test split) ─▶ pictures, questions ─▶ ask ─▶ right or wrong, by kind, with an interval

Everybody is asked the same questions. Grading is that of `sayact.evals.answers`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from sayact.data.vision_language.source import VisionLanguage
from sayact.data.vision_language.store import PictureStore
from sayact.data.vision_language.webdataset import WebDataset
from sayact.evals.answers import NEAR_BOARD, NEAR_PICTURE, answering, right_answers
from sayact.evals.provenance import policy_title, provenance
from sayact.evals.web import draw_web
from sayact.policies.loading import load_rt2
from sayact.policies.rt2 import RT2Policy
from sayact.schema.errors import SayactError
from sayact.web.scenes import Objects
from sayact.web.shards import Settings

GRADING = (
    f"A place is right within {100 * NEAR_BOARD:.0f} cm on the board, within "
    f"{100 * NEAR_PICTURE:.0f} % of the width on a page; words must be the same."
)


@dataclass(frozen=True, kw_only=True)
class QuizProtocol:
    """pictures, pages: drawn for the quiz. questions: at most so many of each kind.

    objects: "all" 144 kinds of blocks, or the "robot"'s eight.
    """

    pictures: int = 600
    pages: int = 300
    questions: int = 200
    objects: Objects = "all"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.questions < 1:
            raise SayactError(
                f"a quiz asks at least 1 question of every kind; got questions {self.questions}"
            )


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How many questions of one kind a policy was asked, and how many it answered right."""

    kind: str
    right: int
    asked: int


def quiz(
    names: Sequence[str],
    protocol: QuizProtocol,
    out: Path,
    *,
    workers: int = 2,
    device: str = "cpu",
    console: Console | None = None,
) -> dict[str, Any]:
    """Ask every policy; pictures are kept in `out` and used again. A table's content as JSON."""
    console = console or Console(stderr=True)
    policies = {name: load_rt2(name, "answer questions", device) for name in names}
    folder = out / f"pictures-{protocol.objects}-{protocol.seed}"
    settings = Settings(
        pictures=protocol.pictures,
        pages=protocol.pages,
        objects=protocol.objects,
        seed=protocol.seed,
        split="test",
    )
    draw_web(settings, folder, workers=workers, console=console)
    rows: list[dict[str, Any]] = []
    for name, policy in policies.items():
        with console.status(f"asking {policy_title(name)}"):
            found = _ask(policy, folder, protocol.questions)
        rows.append({"policy": policy_title(name), "answers": [asdict(one) for one in found]})
    return {"quiz": asdict(protocol) | {"grading": GRADING}, "rows": rows, **provenance()}


def _ask(policy: RT2Policy, folder: Path, most: int) -> list[Answered]:
    """Policies that see pictures at the same size read them from the same cache."""
    images = policy.processor.images
    height, width = images.shrunk
    cache = folder.with_name(f"cache-{folder.name}-{height}x{width}")
    store = PictureStore.build([WebDataset(folder)], images, cache)
    source = VisionLanguage(
        store, policy.processor, context=policy.vlm.context, held_out=1.0, name="quiz"
    )
    return [
        Answered(kind=kind, right=int(np.sum(right)), asked=len(right))
        for kind, right in right_answers(source, answering(policy), most).items()
    ]
