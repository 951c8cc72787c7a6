"""What all verbs share: how results are shown, and how they are kept as JSON."""

import json as json_format
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from tyro.conf import arg

from sayact.schema.errors import SayactError


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a verb found. `ok` false ends the command with status 1 after all is written."""

    result: dict[str, Any] = field(default_factory=dict)
    ok: bool = True


@dataclass(frozen=True, kw_only=True)
class Verb(ABC):
    """Options of one verb; its docstring is the help text, its fields are the flags."""

    json: Annotated[str | None, arg(metavar="FILE")] = None
    """Write the result as JSON to this file too; - for standard output."""

    @abstractmethod
    def run(self, console: Console) -> Outcome:
        """Do it. What a person reads goes to `console`."""

    def __call__(self) -> int:
        """Run, write the JSON, and say how it ended: the exit status."""
        # Standard output belongs to the JSON when it is asked for there.
        console = Console(stderr=self.json == "-", highlight=False)
        if getattr(self, "seed", 0) < 0:  # what numpy and PyTorch draw from
            raise SayactError("--seed is a whole number from 0 on")
        outcome = self.run(console)
        if self.json is not None:
            text = json_format.dumps(outcome.result, indent=1, default=str) + "\n"
            if self.json == "-":
                sys.stdout.write(text)
            else:
                target = Path(self.json)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
        return 0 if outcome.ok else 1
