"""RT-2 acting: one picture and one prompt in, A action tokens out; and any question answered.

    act    picture, "… what action should the robot take to push the red moon left? A:" ─▶ 128 37
    ask    picture, "Q: where is the yellow pentagon? A:"                     ─▶ <loc23><loc41>

    step       0           1        2        3           4            plan_every = 3
    plan       written     given    given    written     given        "Plan: … Action:"
    action     decoded     decoded  decoded  decoded     decoded      A tokens, one prefill

There is no history: RT-2 sees the picture of the moment. A plan is written every few steps and
given to the model as a part of its prompt in between, so that those steps cost as much as without.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from sayact.codecs.prompts import ACTION, plan_in
from sayact.codecs.text import TextProcessor
from sayact.models.vlms.vlm import VLM
from sayact.policies.decoding import PromptBatch, Sampling, Spoken, decode_actions, decode_text
from sayact.policies.policy import Policy
from sayact.schema import Action, ActionSpace, Observation
from sayact.schema.errors import BadObservationError, CheckpointError, SayactError

ANSWER_TOKENS = 32  # most of an answer, unless told
PLAN_TOKENS = 48  # most of a plan: two sentences with places in them


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was said about a picture.

    tokens: their ids, the end left off. probabilities: of each among those allowed.
    places: the points that the text names, (x, y) in 0…1 of the picture that was given.
    """

    text: str
    tokens: Int64[np.ndarray, "N"]
    probabilities: Float32[np.ndarray, "N"]
    places: Float32[np.ndarray, "P 2"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a robot is about, for which sentence that was written, and when."""

    instruction: str
    text: str
    tokens: tuple[int, ...]
    age: int = 0  # actions taken since


class RT2Policy(Policy):
    """Greedy unless `temperature` is above 0; plans every `plan_every` actions, never if that is 0.

    Decoding is constrained: whatever the model prefers, an action is A tokens that mean something.
    """

    def __init__(
        self,
        vlm: VLM,
        processor: TextProcessor,
        *,
        device: str = "cpu",
        plan_every: int = 0,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> None:
        """Raises CheckpointError where model and processor do not fit each other."""
        _require_fit(vlm, processor)
        if plan_every < 0:
            raise SayactError(f"plan_every is {plan_every}; it is a number of steps, 0 for no plan")
        if not 0 <= temperature < float("inf"):
            raise SayactError(
                f"temperature is {temperature}; it is a number from 0 on, 0 for the likeliest word"
            )
        self.vlm = vlm.to(device).eval()
        self.processor = processor
        self.device = device
        self.plan_every = plan_every
        self._sampling = _sampling(temperature, seed)
        self._legal = torch.as_tensor(processor.actions.legal(vlm.vocabulary)).to(device)
        self._words = _text_tokens(vlm, processor).to(device)
        self._plans: dict[int, Plan] = {}

    @property
    def action_space(self) -> ActionSpace:
        return self.processor.action_space

    def reset(self) -> None:
        """Forget all plans."""
        self._plans.clear()

    def forget(self, robot: int) -> None:
        """Forget the plan of one robot of `act_many`, because its episode has ended."""
        self._plans.pop(robot, None)

    def seed(self, seed: int) -> None:
        """What is drawn from here on; without a temperature nothing is."""
        if self._sampling is not None:
            self._sampling.generator.manual_seed(seed)

    def act(self, observation: Observation) -> Action:
        """The action for this moment.

        Raises ShapeError for a picture of another size or dtype, and BadObservationError for a
        sentence that is too long for the model.
        """
        return self.act_many([observation])[0]

    def act_many(self, observations: Sequence[Observation]) -> list[Action]:
        """The actions of many robots in one call; each has its own place in the list, and keeps it.

        Raises as `act` does; then no robot acts.
        """
        plans = [self._plans.get(robot) for robot in range(len(observations))]
        acted = self.act_with_plans(observations, plans)
        self._plans |= {robot: plan for robot, (_, plan) in enumerate(acted) if plan is not None}
        return [action for action, _ in acted]

    def act_with_plans(
        self, observations: Sequence[Observation], plans: Sequence[Plan | None]
    ) -> list[tuple[Action, Plan | None]]:
        """As `act_many`, for a caller that keeps the robots' plans: each robot's action, and the
        plan to hand in with its next observation; None at the beginning of an episode."""
        if not observations:
            return []
        pictures = [self.processor.images.look(seen.image) for seen in observations]
        sentences = [seen.instruction for seen in observations]
        plans = self._plans_for(pictures, sentences, plans)
        prompts = [
            self.processor.task(sentence, plan.tokens if plan and plan.tokens else None)
            for sentence, plan in zip(sentences, plans, strict=True)
        ]
        asked = self._asked(pictures, prompts, room=len(self.action_space))
        found = decode_actions(self.vlm, asked, self._legal, self._sampling)
        columns = (found.tokens, found.probabilities, found.illegal)
        tokens, chances, illegal = (column.cpu().numpy() for column in columns)
        said = [plan.text if plan and plan.text else None for plan in plans]
        return [
            (self.processor.action(tokens[row], chances[row], illegal[row], said[row]), plan)
            for row, plan in enumerate(plans)
        ]

    def require_readable(self, observation: Observation) -> None:
        """Raises ShapeError or BadObservationError where `act` would, without computing."""
        self.processor.images.require_picture(observation.image)
        sentence = observation.instruction
        prompt = self.processor.task(sentence, () if self.plan_every else None)
        self._require_room([prompt], len(self.action_space))
        if self.plan_every:
            self._require_room([self.processor.plan_prompt(sentence)], 1)

    def ask(
        self,
        image: np.ndarray,
        question: str,
        *,
        most_tokens: int = ANSWER_TOKENS,
        points: Float32[np.ndarray, "P 2"] | None = None,
    ) -> Answer:
        """What the model says about a picture (H, W, 3); "<p0>" in a question is `points[0]`.

        Raises ShapeError for a picture that is not the camera's, BadObservationError for a question
        that is too long.
        """
        picture = self.processor.images.look(image)
        spoken = self._say([picture], [self.processor.question(question, points)], most_tokens)[0]
        text = self._text(spoken.tokens)
        found = np.array(self.processor.places.read(text), np.float32).reshape(-1, 2)
        return Answer(
            text=text,
            tokens=np.array(spoken.tokens, np.int64),
            probabilities=np.array(spoken.probabilities, np.float32),
            places=self.processor.images.to_picture_units(found).astype(np.float32),
        )

    def _plans_for(
        self,
        pictures: Sequence[np.ndarray],
        sentences: Sequence[str],
        before: Sequence[Plan | None],
    ) -> list[Plan | None]:
        """Every robot's plan: those whose time has come are written, all in one call, but that
        nobody's plan is cut short by another one's long sentence."""
        if not self.plan_every:
            return [None] * len(sentences)
        plans = [plan and replace(plan, age=plan.age + 1) for plan in before]
        due: dict[int, list[int]] = {}  # by how many tokens the plan may have
        for robot, sentence in enumerate(sentences):
            if not self._is_fresh(plans[robot], sentence):
                due.setdefault(self._room_for_plan(sentence), []).append(robot)
        for room, robots in due.items():
            spoken = self._say(
                [pictures[robot] for robot in robots],
                [self.processor.plan_prompt(sentences[robot]) for robot in robots],
                room,
                enough=self._goes_on_to_act,
            )
            for robot, said in zip(robots, spoken, strict=True):
                plans[robot] = self._plan(sentences[robot], said)
        return plans

    def _is_fresh(self, plan: Plan | None, sentence: str) -> bool:
        """Written for what the robot is told now, and not too old."""
        return plan is not None and plan.instruction == sentence and plan.age < self.plan_every

    def _room_for_plan(self, sentence: str) -> int:
        """So many tokens a plan may have, be said, and still be given in a prompt to act on."""
        to_act = len(self.processor.task(sentence, plan=())) + len(self.action_space)
        longest = max(to_act, len(self.processor.plan_prompt(sentence)))
        return max(1, min(PLAN_TOKENS, self.vlm.context - longest))

    def _goes_on_to_act(self, tokens: Sequence[int]) -> bool:
        """Models that learned plan and action in one answer do; their plan ends before that."""
        return ACTION in self.processor.tokenizer.decode(tokens)

    def _plan(self, sentence: str, spoken: Spoken) -> Plan:
        """What was said up to a marker, in the tokens in which it was said."""
        tokens = spoken.tokens
        text = plan_in(self.processor.tokenizer.decode(tokens))
        while not text.startswith(self._text(tokens)):
            tokens = tokens[:-1]
        text = self._text(tokens)
        while tokens and self._text(tokens[:-1]) == text:  # the space before a marker
            tokens = tokens[:-1]
        return Plan(instruction=sentence, text=text, tokens=tokens)

    def _say(
        self,
        pictures: Sequence[np.ndarray],
        prompts: Sequence[Sequence[int]],
        most_tokens: int,
        enough: Callable[[Sequence[int]], bool] | None = None,
    ) -> list[Spoken]:
        """Free text about each picture."""
        if most_tokens < 1:
            raise SayactError(f"most_tokens is {most_tokens}; an answer has at least one token")
        room = min(most_tokens, max(1, self.vlm.context - max(map(len, prompts))))
        return decode_text(
            self.vlm,
            self._asked(pictures, prompts, room),
            self._words,
            end=self.processor.tokenizer.end,
            most_tokens=room,
            sampling=self._sampling,
            enough=enough,
        )

    def _asked(
        self, pictures: Sequence[np.ndarray], prompts: Sequence[Sequence[int]], room: int
    ) -> PromptBatch:
        """One batch. Raises BadObservationError where a prompt leaves no room for its answer."""
        self._require_room(prompts, room)
        asked = list(zip(pictures, prompts, strict=True))
        return PromptBatch.of(asked, self.processor.tokenizer.pad, self.device)

    def _require_room(self, prompts: Sequence[Sequence[int]], room: int) -> None:
        longest, most = max(map(len, prompts)), self.vlm.context - room
        if longest > most:
            raise BadObservationError(
                f"a sentence makes a prompt of {longest} tokens; this model reads at most {most} "
                f"and answers with {room}. Say it in fewer words."
            )

    def _text(self, tokens: Sequence[int]) -> str:
        return " ".join(self.processor.tokenizer.decode(tokens).split())


def _text_tokens(vlm: VLM, processor: TextProcessor) -> Bool[Tensor, "V"]:
    """What free text may hold: all that the tokenizer has, but padding and the words of actions
    that mean nothing else."""
    tokenizer = processor.tokenizer
    allowed = torch.zeros(vlm.vocabulary, dtype=torch.bool)
    allowed[: tokenizer.size] = True
    allowed[[tokenizer.pad, *processor.actions.reserved]] = False
    allowed[tokenizer.end] = True
    return allowed


def _sampling(temperature: float, seed: int) -> Sampling | None:
    if temperature == 0:
        return None
    return Sampling(temperature=temperature, generator=torch.Generator().manual_seed(seed))


def _require_fit(vlm: VLM, processor: TextProcessor) -> None:
    used = max(*processor.actions.ids, processor.tokenizer.end, processor.tokenizer.pad)
    if used >= vlm.vocabulary:
        raise CheckpointError(
            f"the model tells {vlm.vocabulary} tokens apart, and its processor uses token {used}. "
            "config.json, processor.json and tokenizer.json must be of one checkpoint."
        )
