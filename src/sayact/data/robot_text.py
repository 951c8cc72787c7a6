"""Robot frames as examples: what to do now, in action tokens; where things are, in place tokens.

    RobotText        Q: what action should the robot take to push the red moon up? A:   131 97
                     in a share of the examples first a plan, then the action that follows it:
                     … A: Plan:   the red moon is at <loc20><loc31>; push it up.
                     … A: Plan: the red moon is at <loc20><loc31>; push it up. Action:   131 97
    RobotQuestions   Q: where is the effector? A:   <loc12><loc40>

Both draw any frame of any episode alike, and crop it anywhere.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from sayact.codecs.images import ImageCodec
from sayact.codecs.text import TextProcessor
from sayact.data.examples import UNKNOWN, Example
from sayact.data.frames import FrameStore
from sayact.data.windows import Locate
from sayact.schema.errors import SayactError

# (store, row of it, where its three places are in the camera picture) → the plan in words; "<p0>",
# "<p1>", "<p2>" in it stand for the places. None: nothing to plan.
Plan = Callable[[FrameStore, int, Float32[np.ndarray, "3 2"]], str | None]

# About the places that `Locate` names: the effector, what must be pushed, its goal.
QUESTIONS = (
    ("where is the effector?", "<p0>"),
    ('where is what must be pushed to "{instruction}"?', "<p1>"),
    ('to "{instruction}", what must be pushed, and where to?', "<p1> <p2>"),
)


class Frames:
    """Frames of a store, each cropped anywhere, with the places that are known in it."""

    def __init__(self, store: FrameStore, images: ImageCodec, locate: Locate | None) -> None:
        self.store, self.images = store, images
        self.points = None if locate is None else locate(store)

    def draw(
        self, rng: np.random.Generator, count: int
    ) -> tuple[Int64[np.ndarray, "N"], UInt8[np.ndarray, "N 3 c d"], Float32[np.ndarray, "N 3 2"]]:
        """Rows, model pictures, and places in 0…1 of those: outside of one counts at its edge."""
        rows = np.sort(rng.integers(len(self.store), size=count))  # in the order of the file
        corners = self.images.draw_corners(rng, count)
        pictures = self.images.model_pixels(self.store.frames[rows], corners)
        if self.points is None:
            return rows, pictures, np.tile(UNKNOWN, (count, 1, 1))
        cut = self.images.to_crop_units(self.points[rows], corners)
        return rows, pictures, cut.clip(0, 1).astype(np.float32)

    def sentence(self, row: int) -> str:
        return self.store.tasks[self.store.episode_index[row]]


class RobotText:
    """The action of a frame. In `plan_share` of the examples there is a plan: half of those ask for
    it, half give it and ask for the action, as acting does."""

    def __init__(
        self,
        store: FrameStore,
        processor: TextProcessor,
        *,
        locate: Locate | None = None,
        plan: Plan | None = None,
        plan_share: float = 0.0,
        name: str = "robot",
    ) -> None:
        if plan_share and (plan is None or locate is None):
            raise SayactError("plans need privileged truth: give both `plan` and `locate`")
        self.name, self.processor = name, processor
        self.frames = Frames(store, processor.images, locate)
        self.plan, self.plan_share = plan, plan_share

    def __len__(self) -> int:
        return len(self.frames.store)

    def draw(self, rng: np.random.Generator, count: int) -> list[Example]:
        rows, pictures, points = self.frames.draw(rng, count)
        shares = rng.random(count)
        examples: list[Example] = []
        for row, picture, places, share in zip(
            rows.tolist(), pictures, points, shares, strict=True
        ):
            planned = self._planned(row, places, share) if share < self.plan_share else None
            prompt, answer = planned or self._plain(row)
            examples.append(Example(pixels=picture, prompt=prompt, answer=answer, points=places))
        return examples

    def _plain(self, row: int) -> tuple[list[int], list[int]]:
        """Prompt and answer without a plan."""
        actions = self.frames.store.actions[row]
        return self.processor.task(self.frames.sentence(row)), self.processor.answer_action(actions)

    def _planned(
        self, row: int, places: Float32[np.ndarray, "3 2"], share: float
    ) -> tuple[list[int], list[int]] | None:
        """The same with one, if there is something to plan."""
        assert self.plan is not None  # __init__
        assert self.frames.points is not None
        text = self.plan(self.frames.store, row, self.frames.points[row])
        if text is None:
            return None
        sentence = self.frames.sentence(row)
        if share < self.plan_share / 2:
            return self.processor.plan_prompt(sentence), self.processor.answer_plan(text, places)
        prompt = self.processor.task(sentence, self.processor.plan(text, places))
        return prompt, self.processor.answer_action(self.frames.store.actions[row])


class RobotQuestions:
    """Questions about the frames that the robot acts on: a lesson in looking before acting."""

    def __init__(
        self,
        store: FrameStore,
        processor: TextProcessor,
        *,
        locate: Locate,
        questions: Sequence[tuple[str, str]] = QUESTIONS,
        name: str = "robot questions",
    ) -> None:
        self.name, self.processor, self.questions = name, processor, tuple(questions)
        self.frames = Frames(store, processor.images, locate)

    def __len__(self) -> int:
        return len(self.frames.store) * len(self.questions)

    def draw(self, rng: np.random.Generator, count: int) -> list[Example]:
        rows, pictures, points = self.frames.draw(rng, count)
        asked = rng.integers(len(self.questions), size=count)
        examples: list[Example] = []
        for row, picture, places, which in zip(rows.tolist(), pictures, points, asked, strict=True):
            question, answer = self.questions[which]
            text = question.format(instruction=self.frames.sentence(row))
            examples.append(
                Example(
                    pixels=picture,
                    prompt=self.processor.question(text, places),
                    answer=self.processor.answer_text(answer, places),
                    points=places,
                )
            )
        return examples
