"""`sayact doctor`: does a policy answer to what it sees and hears?"""

from dataclasses import dataclass
from typing import Annotated

from rich.console import Console
from rich.markup import escape
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb


@dataclass(frozen=True, kw_only=True)
class Doctor(Verb):
    """Show a policy fixed pictures and sentences, and look for answers that are always the same.

    Prints the tokens it chose and how sure it was, for each number of an action. Exit status 1
    when the network answers NaN.

    For instance:

        sayact doctor rt1-nano
        sayact doctor imported/rt1main --frames 6 --json -
    """

    checkpoint: Annotated[Positional[str], arg(metavar="CHECKPOINT")]
    """A checkpoint's folder or the name of a policy in the box."""
    frames: int = 1
    """How often each picture is shown, up to the policy's window; 1 is the start of an episode."""

    def run(self, console: Console) -> Outcome:
        from sayact.policies.doctor import examine
        from sayact.policies.loading import load_policy
        from sayact.policies.rt1 import RT1Policy
        from sayact.schema.errors import SayactError

        policy = load_policy(self.checkpoint)
        if not isinstance(policy, RT1Policy):
            raise SayactError(
                f"the doctor examines RT-1's network, which {self.checkpoint!r} does not have: it "
                "is a baseline or an RT-2. Give a checkpoint of an RT-1, or rt1-nano."
            )
        try:
            diagnosis = examine(policy, self.frames)
        except ValueError as error:
            raise SayactError(str(error)) from error
        for line in diagnosis.lines():
            console.print(escape(line), soft_wrap=True)
        return Outcome(result=diagnosis.to_json(), ok=diagnosis.finite)
