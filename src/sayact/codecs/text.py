"""The one piece between the robot's world and a language model: words, pixels, actions ⇄ tokens.

    Observation ─▶ observe ─▶ pixels, prompt tokens ─▶ model ─▶ A action tokens ─▶ action ─▶ Action
    "where is …?" ─▶ question ─▶ prompt tokens ─▶ model ─▶ text ─▶ places.read ─▶ points

Training and acting call the same `TextProcessor`, and it is saved inside the checkpoint. Text that
people wrote is spelled: neither control tokens nor action tokens come out of it, whatever it says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from sayact.codecs.action_words import ActionWords, Vocabulary, action_words
from sayact.codecs.images import ImageCodec
from sayact.codecs.places import PLACEHOLDER, PlaceWords, place_words
from sayact.codecs.prompts import ACTION, PLAN, Prompts
from sayact.codecs.tokens import JsonTokenizer
from sayact.schema import Action, ActionSpace, Observation
from sayact.schema.errors import CheckpointError, SayactError

Points = Float32[np.ndarray, "P 2"]


@dataclass(frozen=True, kw_only=True)
class TextProcessor:
    """All but `images` speak the same tokenizer."""

    images: ImageCodec
    tokenizer: JsonTokenizer
    actions: ActionWords
    places: PlaceWords
    prompts: Prompts = field(default_factory=Prompts)

    @property
    def action_space(self) -> ActionSpace:
        return self.actions.action_space

    def observe(
        self, observation: Observation, plan: Sequence[int] | None = None
    ) -> tuple[UInt8[np.ndarray, "3 c d"], list[int]]:
        """An observation as the model takes it: one picture, and the prompt's tokens.

        Raises ShapeError for a picture that is not the camera's.
        """
        return self.images.look(observation.image), self.task(observation.instruction, plan)

    def task(self, instruction: str, plan: Sequence[int] | None = None) -> list[int]:
        """The prompt whose answer is an action; `plan` holds the tokens of one that is given."""
        asked = self._framed(instruction, self.prompts.around_task)
        return asked if plan is None else asked + self._planned(plan)

    def plan_prompt(self, instruction: str) -> list[int]:
        """The prompt whose answer is a plan."""
        asked = self._framed(instruction, self.prompts.around_task)
        return asked + self._marker(self.prompts.gap + PLAN)

    def question(self, text: str, points: Points | None = None) -> list[int]:
        """The prompt whose answer is text; "<p0>" in it stands for the place of `points[0]`."""
        return self._framed(text, self.prompts.around_question, points)

    def answer_action(
        self, values: Float32[np.ndarray, "A"], plan: Sequence[int] | None = None
    ) -> list[int]:
        """A tokens and the end; with `plan`, what answers a task that gave none, in one piece."""
        before = [] if plan is None else self._planned(plan)
        return [*before, *self.actions.encode(values).tolist(), self.tokenizer.end]

    def answer_plan(self, text: str, points: Points | None = None) -> list[int]:
        """The answer to a plan prompt, and the end."""
        return [*self.plan(text, points), self.tokenizer.end]

    def answer_text(self, text: str, points: Points | None = None) -> list[int]:
        """The answer to a question, and the end.

        Raises SayactError where it names a point that is not there, or is nowhere (NaN).
        """
        return [*self._spell(self.prompts.gap + text.strip(), points), self.tokenizer.end]

    def plan(self, text: str, points: Points | None = None) -> list[int]:
        """The tokens of a plan, as `task` and `answer_action` take it."""
        return self._spell(" " + text.strip(), points)

    def action(
        self,
        tokens: Int64[np.ndarray, "A"],
        probabilities: Float32[np.ndarray, "A"] | None = None,
        illegal: Float32[np.ndarray, "A"] | None = None,
        plan: str | None = None,
    ) -> Action:
        """Action tokens back to an action in physical units; its own tokens are the bins."""
        return Action(
            values=self.actions.decode(tokens),
            tokens=self.actions.bins(tokens),
            probabilities=probabilities,
            illegal=illegal,
            plan=plan,
        )

    def _framed(
        self, text: str, around: tuple[str, str], points: Points | None = None
    ) -> list[int]:
        """A whole prompt. Line breaks and double spaces in the text say nothing, and go."""
        spelled = self._spell(" ".join(text.split()), points, *around)
        return [*self.tokenizer.start, *spelled, *self._marker(self.prompts.closing)]

    def _planned(self, plan: Sequence[int]) -> list[int]:
        return [*self._marker(self.prompts.gap + PLAN), *plan, *self._marker(" " + ACTION)]

    def _marker(self, text: str) -> list[int]:
        """Tokens of our own text, control tokens among them."""
        return self.actions.free(self.tokenizer.encode(text))

    def _spell(
        self, text: str, points: Points | None = None, before: str = "", after: str = ""
    ) -> list[int]:
        """Tokens of text that others wrote, with places for its placeholders if there are points,
        and of what is ours around it."""
        # Text, index, text, index, … text.
        parts = [text] if points is None else PLACEHOLDER.split(text)
        tokens: list[int] = []
        gap = ""
        for number, part in enumerate(parts):
            if number % 2:
                tokens += self.places.encode(*_point(points, int(part)), gap)
                continue
            last = number == len(parts) - 1
            # The space before a place is the place's: each vocabulary has its way with it.
            kept = part if last else part.removesuffix(" ")
            gap = part[len(kept) :]
            ours = before if number == 0 else "", after if last else ""
            tokens += self.tokenizer.spell(kept, before=ours[0], after=ours[1])
        return self.actions.free(tokens)

    def to_json(self) -> dict[str, Any]:
        """All but the action space and the tokenizer, which have files of their own."""
        return {
            "images": asdict(self.images),
            "tokenizer": self.tokenizer.to_json(),
            "actions": self.actions.to_json(),
            "places": {"bins": self.places.bins},
            "prompts": asdict(self.prompts),
        }

    @classmethod
    def from_json(
        cls, data: Mapping[str, Any], space: ActionSpace, tokenizer_file: bytes
    ) -> "TextProcessor":
        """Raises CheckpointError where something that `to_json` writes is missing or wrong."""
        try:
            tokenizer = JsonTokenizer.from_file(tokenizer_file, **data["tokenizer"])
            return cls(
                images=ImageCodec.from_json(data["images"]),
                tokenizer=tokenizer,
                actions=ActionWords.from_json(data["actions"], space, tokenizer),
                places=PlaceWords(tokenizer=tokenizer, bins=data["places"]["bins"]),
                prompts=Prompts(**data["prompts"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"processor.json does not describe prompts: {error}") from error


def _point(points: Points | None, index: int) -> tuple[float, float]:
    if points is None or index >= len(points):
        raise SayactError(f"a text names the point <p{index}>, and that point is not given")
    x, y = points[index].tolist()
    return x, y


def text_processor(
    tokenizer: JsonTokenizer,
    space: ActionSpace,
    images: ImageCodec,
    *,
    vocabulary: Vocabulary = "numeric",
    bins: int | None = None,
    closing: str = "",
) -> TextProcessor:
    """The usual one for a tokenizer; `bins` None: as many as the vocabulary's paper has."""
    return TextProcessor(
        images=images,
        tokenizer=tokenizer,
        actions=action_words(tokenizer, space, vocabulary, bins),
        places=place_words(tokenizer),
        prompts=Prompts(closing=closing),
    )
