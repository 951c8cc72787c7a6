"""Questions about pictures as examples, drawn at random or, of those held out, one by one.

The last pictures of a store are held out: nothing is ever learned from them, and what is answered
right about them is knowledge rather than memory.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from textwrap import shorten

import numpy as np
from jaxtyping import Bool, Float32, Int64

from sayact.codecs.text import TextProcessor
from sayact.data.examples import POINTS, UNKNOWN, Example
from sayact.data.vision_language.questions import TOO_LONG, Skipped
from sayact.data.vision_language.store import PictureStore
from sayact.schema.errors import SayactError, UnknownNameError

logger = logging.getLogger(__name__)

HELD_OUT = 0.02  # of the pictures
PLAN = "plan"  # the kind of question that is an instruction, and answered by what goes where
SHOWN = 60  # letters of a question, where a complaint names it


@dataclass(frozen=True, kw_only=True)
class Group:
    """Questions that are drawn alike; picture i of them has `rows[starts[i] : starts[i + 1]]`."""

    rows: Int64[np.ndarray, "R"]
    starts: Int64[np.ndarray, "N1"]

    @classmethod
    def of(cls, rows: Int64[np.ndarray, "R"], picture: np.ndarray) -> "Group":
        firsts = np.flatnonzero(np.diff(picture[rows], prepend=-1))
        return cls(rows=rows, starts=np.append(firsts, len(rows)))

    def draw(self, rng: np.random.Generator, count: int) -> Int64[np.ndarray, "n"]:
        """A picture, each alike, then one of its questions."""
        pictures = rng.integers(len(self.starts) - 1, size=count)
        first, end = self.starts[pictures], self.starts[pictures + 1]
        return self.rows[first + np.floor(rng.random(count) * (end - first)).astype(np.int64)]


class VisionLanguage:
    """Part of a mixture. Without `kinds` any picture is as likely as another, and any question of
    it; with them ({"pointing": 0.5, "naming": 0.5}) first the kind is drawn, by its weight, then a
    picture that such a question is asked about. `languages` leaves all others out."""

    def __init__(
        self,
        store: PictureStore,
        processor: TextProcessor,
        *,
        context: int,
        kinds: Mapping[str, float] | None = None,
        languages: Collection[str] | None = None,
        held_out: float = HELD_OUT,
        strict: bool = False,
        name: str = "web",
    ) -> None:
        self.name, self.store, self.processor = name, store, processor
        fits = self._fitting(context, strict)
        if languages is not None:
            require_known("language", languages, store.languages)
            fits &= np.isin(store.language, [store.languages.index(one) for one in languages])
        first_held_out = round(len(store.pictures) * (1 - held_out))
        learned = fits & (store.picture < first_held_out)
        self.held_out = np.flatnonzero(fits & (store.picture >= first_held_out))
        # With all pictures held out there is nothing to draw, and nothing wrong.
        nothing: tuple[list[Group], np.ndarray] = [], np.zeros(0)
        self.groups, self.shares = nothing if held_out == 1 else self._groups(learned, kinds)

    def __len__(self) -> int:
        return sum(len(group.rows) for group in self.groups)

    def draw(self, rng: np.random.Generator, count: int) -> list[Example]:
        which = rng.choice(len(self.groups), size=count, p=self.shares)
        rows = np.empty(count, np.int64)
        for number, group in enumerate(self.groups):
            (places,) = np.nonzero(which == number)
            rows[places] = group.draw(rng, len(places))
        corners = self.processor.images.draw_corners(rng, count)
        return [
            self.example(row, corner) for row, corner in zip(rows.tolist(), corners, strict=True)
        ]

    def example(self, row: int, corner: Int64[np.ndarray, "2"] | None = None) -> Example:
        """Question `row` of the store, its picture cropped there: as acting does, unless told."""
        store, images = self.store, self.processor.images
        corner = np.array(images.centre) if corner is None else corner
        picture = store.pictures[store.picture[row]]
        places = self.places(row, corner)
        few = UNKNOWN.copy()
        few[: len(places)] = places[:POINTS]
        prompt, answer = self._texts(row, places)
        pixels = images.model_pixels(picture[None], corner[None])[0]
        return Example(pixels=pixels, prompt=prompt, answer=answer, points=few)

    def _texts(self, row: int, places: Float32[np.ndarray, "P 2"]) -> tuple[list[int], list[int]]:
        """A plan is asked for as a robot is: the question is what it is told to do."""
        question = self.store.texts[self.store.question[row]]
        answer = self.store.texts[self.store.answer[row]]
        if self.store.kinds[self.store.about[row]] == PLAN:
            return self.processor.plan_prompt(question), self.processor.answer_plan(answer, places)
        return self.processor.question(question, places), self.processor.answer_text(answer, places)

    def places(self, row: int, corner: Int64[np.ndarray, "2"]) -> Float32[np.ndarray, "P 2"]:
        """Points of a question in 0…1 of its crop; one that is outside counts at the edge."""
        images = self.processor.images
        whole = self.store.points_of(row) * np.array(images.camera[::-1])
        return images.to_crop_units(whole[None], corner[None])[0].clip(0, 1).astype(np.float32)

    def held_out_kinds(self) -> list[tuple[str, str]]:
        """Scenes and kinds of questions that something is held out of."""
        store = self.store
        found = np.stack([store.scene[store.picture], store.about], 1)[self.held_out]
        return [(store.scenes[s], store.kinds[k]) for s, k in np.unique(found, axis=0).tolist()]

    def held_out_rows(self, scene: str, kind: str, most: int) -> list[int]:
        """Up to `most` such questions, from all over what is held out."""
        store, rows = self.store, self.held_out
        of_scene = store.scene[store.picture[rows]] == store.scenes.index(scene)
        rows = rows[of_scene & (store.about[rows] == store.kinds.index(kind))]
        spread = np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)
        return rows[spread].tolist()

    def _groups(
        self, learned: Bool[np.ndarray, "Q"], kinds: Mapping[str, float] | None
    ) -> tuple[list[Group], Float32[np.ndarray, "G"] | np.ndarray]:
        if kinds is None:
            chosen, weights = [learned], np.ones(1)
        else:
            require_known("kind of question", kinds, self.store.kinds)
            numbers = [self.store.kinds.index(kind) for kind in kinds]
            chosen = [learned & (self.store.about == number) for number in numbers]
            weights = np.array(list(kinds.values()), np.float64)
            if not (weights > 0).all():
                raise SayactError(
                    f"weights of kinds must be above zero; got {dict(kinds)}. Leave a kind out "
                    "that is not to be asked."
                )
        empty = [
            kind for kind, some in zip(kinds or ("any",), chosen, strict=True) if not some.any()
        ]
        if empty:
            raise SayactError(f"{self.name}: no question of the kind {', '.join(empty)} is left")
        groups = [Group.of(np.flatnonzero(some), self.store.picture) for some in chosen]
        return groups, weights / weights.sum()

    def _fitting(self, context: int, strict: bool) -> Bool[np.ndarray, "Q"]:
        """Which questions fit into the context, together with their answer."""
        store = self.store
        lengths = np.empty((2, len(store.texts)), np.int32)
        # Any point does to count tokens: each place takes as many.
        somewhere = np.full((int(np.diff(store.first_point).max()), 2), 0.5, np.float32)
        for row, column, count in (
            (0, store.question, lambda text: len(self.processor.question(text, somewhere))),
            (1, store.answer, lambda text: len(self.processor.answer_text(text, somewhere))),
        ):
            for number in np.unique(column).tolist():
                lengths[row, number] = count(store.texts[number])
        length = lengths[0, store.question] + lengths[1, store.answer]
        skipped = Skipped(where=self.name, strict=strict)
        for row in np.flatnonzero(length > context).tolist():
            name = repr(shorten(store.texts[store.question[row]], SHOWN, placeholder=" …"))
            skipped.add(TOO_LONG, name, f"{length[row]}, {context} fit")
        if skipped.reasons:
            logger.warning(skipped.summary())
        return length <= context


def require_known(what: str, given: Collection[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownNameError(what, name, known)
