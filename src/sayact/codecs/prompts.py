"""What a language model is asked, and where its plan and its action stand (RT-2 sections 3.2, 4.4).

    Q: what action should the robot take to push the red moon left? A: 128 37
    Q: what action should the robot take to push the red moon left? A: Plan: … Action: 128 37
    Q: where is the yellow pentagon? A: <loc23><loc41>

A prompt ends and the answer begins at one of three places of the second line:

    after "A:"       the answer is the action, or plan and action in one
    after "Plan:"    the answer is the plan
    after "Action:"  the answer is the action that follows a plan which is given
"""

from dataclasses import dataclass

PLAN, ACTION = "Plan:", "Action:"


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """`closing` stands between prompt and answer: what the backbone's `closing` says."""

    robot: str = "what action should the robot take to {instruction}?"
    frame: str = "Q: {question} A:"
    closing: str = ""

    def __post_init__(self) -> None:
        for text, slot in ((self.robot, "{instruction}"), (self.frame, "{question}")):
            if text.count(slot) != 1:
                raise ValueError(f"{text!r} must hold {slot} once")

    @property
    def gap(self) -> str:
        """What separates an answer from its prompt."""
        return "" if self.closing[-1:].isspace() else " "

    @property
    def around_question(self) -> tuple[str, str]:
        """What stands before and after a question, `closing` left off."""
        before, after = self.frame.split("{question}")
        return before, after

    @property
    def around_task(self) -> tuple[str, str]:
        """What stands before and after the sentence that tells a robot what to do."""
        before, after = self.robot.split("{instruction}")
        return self.around_question[0] + before, after + self.around_question[1]


def plan_in(answer: str) -> str:
    """The plan in what a model answered after "Plan:", on one line: all before an "Action:"."""
    return " ".join(answer.split(ACTION, 1)[0].split())
