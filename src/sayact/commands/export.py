"""`sayact export`: a checkpoint made ready for one engine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb


@dataclass(frozen=True, kw_only=True)
class Export(Verb):
    """Write a checkpoint as a folder for one engine, which acts alone and faster.

    OpenVINO is the fastest on a CPU; ONNX is read by most inference software. docs/speed.md tells
    what each precision costs in accuracy.

    For instance:

        sayact export rt1-nano --to openvino --precision bfloat16 --out runs/fast
        sayact eval runs/fast language_table
    """

    checkpoint: Annotated[Positional[str], arg(metavar="CHECKPOINT")]
    """A checkpoint's folder, or the name of a policy in the box."""
    to: Literal["openvino", "onnx"]
    """What will compute it."""
    precision: Literal["float32", "bfloat16", "int8"] = "float32"
    """bfloat16: OpenVINO only. int8: the transformer's matrices; the rest stays as it is best."""
    out: Annotated[Path, arg(metavar="DIR")]
    """The new folder."""

    def run(self, console: Console) -> Outcome:
        from sayact.models.checkpoint import read_checkpoint
        from sayact.policies.engines.exported import export
        from sayact.policies.loading import build_model, checkpoint_folder

        checkpoint = read_checkpoint(checkpoint_folder(self.checkpoint))
        model = build_model(checkpoint)
        picture = checkpoint.processor["images"]["crop"]
        with console.status(f"exporting to {self.to}"):
            export(checkpoint, model, tuple(picture), self.out, self.to, self.precision)
        size = sum(f.stat().st_size for f in self.out.iterdir())
        console.print(f"{self.out}: {size / 1e6:.0f} MB for {self.to}, {self.precision}")
        return Outcome(
            result={"out": self.out, "engine": self.to, "precision": self.precision, "bytes": size}
        )
