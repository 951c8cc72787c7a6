"""What an import has made: the record kept in config.json, and the model card."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sayact.codecs.released import CAMERA
from sayact.policies.doctor import Diagnosis
from sayact.schema import RT1, RT1_X

SPACES = {space.name: space for space in (RT1, RT1_X)}
SENTENCES_SHOWN = 20  # in the model card, at most

# github.com/google-research/robotics_transformer/issues/19; the RT-1-X notebook loads it too.
NO_SENTENCES = (
    "The released networks learned from sentences embedded by "
    "tfhub.dev/google/universal-sentence-encoder-large/5, which needs TensorFlow. Compute the "
    "vectors of your sentences once and import with --sentences FILE.npz (docs/import.md)."
)

USE = """\
```python
import numpy as np
import sayact
from sayact.schema import Observation

policy = sayact.load_policy("this folder")
policy.reset()
image = np.zeros(({height}, {width}, 3), np.uint8)  # RGB, from the robot's camera
observation = Observation(image=image, instruction={instruction!r})
action = policy.act(observation)
```
"""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a checkpoint came from; kept in its config.json.

    `shape` is the published network it has, if it is one. `sha256` is of the file, or of the lines
    that `sha256sum` prints for its files. `left_out` counts what no policy needs, by kind.
    """

    name: str
    release: str
    form: str
    shape: str | None
    action_space: str
    action_space_assumed: bool
    files: tuple[str, ...]
    sha256: str
    checksums_compared: bool
    variables: int
    step: int | None
    left_out: dict[str, int]

    def actions(self) -> str:
        """How far the arm moves, and how that is known."""
        moves = next(d for d in SPACES[self.action_space].dimensions if d.name == "delta_x")
        known = "assumed, as no array tells; --space overrides" if self.action_space_assumed else ""
        known = known or "as told by --space"
        return f"{self.action_space}: the arm moves up to {moves.high:g} ({known})"


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What came out of an import: the folder `out` acts alone, on `sentences`."""

    out: Path
    origin: Origin
    parameters: int
    sentences: tuple[str, ...]
    diagnosis: Diagnosis

    def to_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "origin": asdict(self.origin),
            "parameters": self.parameters,
            "sentences": self.sentences,
            "diagnosis": self.diagnosis.to_json(),
        }


def card(imported: Imported) -> str:
    """The model card: what it is, where it came from, how it answered."""
    height, width = CAMERA
    instruction = next(iter(imported.sentences), "a sentence that came with a vector")
    table = "".join(f"| {what} | {fact} |\n" for what, fact in _facts(imported).items())
    report = "\n".join(imported.diagnosis.lines())
    return (
        f"# {imported.origin.name}\n\n"
        "Weights of RT-1 that Google released, imported by `sayact import rt1`.\n\n"
        + USE.format(height=height, width=width, instruction=instruction)
        + f"\nIt sees pictures of {height} × {width} pixels (height × width) and an English "
        "sentence, and answers at 3 Hz with a mode, seven numbers of the arm and three of the "
        f"base.\n\n| | |\n|---|---|\n{table}"
        f"\n{_sentences(imported.sentences)}\n"
        "\n`sayact doctor` on three fixed pictures, each with three sentences. This tells "
        "whether it answers to what it is shown, not how well it acts:\n\n"
        f"```\n{report}\n```\n"
    )


def _facts(imported: Imported) -> dict[str, str]:
    origin = imported.origin
    left_out = ", ".join(f"{kind} ({count})" for kind, count in origin.left_out.items())
    return {
        "released as": f"{origin.form}, names of the {origin.release} release",
        "network": origin.shape or "of no published size; see config.json",
        "actions": origin.actions(),
        "files": ", ".join(origin.files),
        "sha256": f"`{origin.sha256}`",
        "variables": f"{origin.variables}, {imported.parameters:,} numbers",
        "training step": "not told" if origin.step is None else f"{origin.step:,}",
        "left out": left_out or "nothing",
    }


def _sentences(known: tuple[str, ...]) -> str:
    """Which sentences it acts on, or how to give it some."""
    if not known:
        return NO_SENTENCES
    listed = "".join(f"- {sentence}\n" for sentence in known[:SENTENCES_SHOWN])
    more = len(known) - SENTENCES_SHOWN
    return (
        f"Sentences that it acts on, {len(known)} in all:\n\n{listed}"
        + (f"- and {more} more, in sentences.safetensors\n" if more > 0 else "")
        + "\nAnother sentence needs a new import, into another folder."
    )
