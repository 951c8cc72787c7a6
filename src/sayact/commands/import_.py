"""`sayact import rt1|backbone`: weights that others have trained and released."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from rich.console import Console
from rich.markup import escape
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb

Source = Annotated[Positional[Path], arg(metavar="SOURCE")]


@dataclass(frozen=True, kw_only=True)
class ImportRT1(Verb):
    """Turn a checkpoint that Google released of RT-1 or RT-1-X into one of Sayact's.

    SOURCE is the folder of a TensorFlow SavedModel, the path of a TensorFlow training checkpoint,
    the folder or file of a flax checkpoint, or an .npz of named arrays. Nothing of TensorFlow or
    JAX is needed. What does not fit is listed variable by variable, and nothing is written. The
    doctor looks at the result; exit status 1 when the network answers NaN.

    For instance:

        sayact import rt1 robotics_transformer/trained_checkpoints/rt1main --out imported/rt1main
        sayact import rt1 rt_1_x_jax/checkpoint --out imported/rt1x --name rt1x
    """

    source: Source
    """What was released."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder of the new checkpoint. It must not hold anything yet."""
    name: str | None = None
    """What the model card calls it; the name of DIR unless told."""
    sentences: Annotated[Path | None, arg(metavar="FILE.npz")] = None
    """Vectors by sentence, of the encoder that the release learned from (docs/import.md)."""
    space: Literal["rt1", "rt1_x"] | None = None
    """How far the arm moves: up to 1 in rt1, up to 2 in rt1_x. Unless told: rt1_x for 512 bins."""

    def run(self, console: Console) -> Outcome:
        from sayact.evals.provenance import provenance
        from sayact.policies.imported import NO_SENTENCES
        from sayact.policies.importing import import_rt1

        name = self.name or self.out.name
        with _listing_faults(console):
            imported = import_rt1(
                self.source, self.out, name, provenance(), self.sentences, self.space
            )
        origin, diagnosis = imported.origin, imported.diagnosis
        console.print(
            f"{origin.form} of {origin.shape or 'an unpublished size'}: {origin.variables} "
            f"variables, {imported.parameters:,} numbers",
            soft_wrap=True,
        )
        for line in diagnosis.lines():
            console.print(escape(line), soft_wrap=True)
        console.print(f"actions: {escape(origin.actions())}", soft_wrap=True)
        if not imported.sentences:
            console.print(f"note: {NO_SENTENCES}", soft_wrap=True)
        console.print(f"checkpoint: {self.out}", soft_wrap=True)
        return Outcome(result=imported.to_json(), ok=diagnosis.finite)


@dataclass(frozen=True, kw_only=True)
class ImportBackbone(Verb):
    """Keep the ImageNet weights of an EfficientNet-B3 as RT-1's backbone, to begin training from.

    SOURCE is the folder of google/efficientnet-b3 as Hugging Face has it, or a file: torchvision's
    efficientnet_b3 (.pth or .safetensors), Keras' efficientnetb3_notop.h5, or what this command
    wrote. Nothing is unpickled.

    For instance:

        sayact import backbone efficientnet-b3 --out weights/efficientnet-b3.safetensors
    """

    source: Source
    """A folder or file of weights."""
    out: Annotated[Path, arg(metavar="FILE")]
    """The .safetensors file to write."""

    def run(self, console: Console) -> Outcome:
        from sayact.models.released.imagenet import import_backbone

        with _listing_faults(console):
            backbone = import_backbone(self.source, self.out)
        console.print(
            f"{backbone.layout}: {backbone.tensors} tensors, {backbone.parameters:,} numbers",
            soft_wrap=True,
        )
        console.print(f"backbone: {self.out}", soft_wrap=True)
        return Outcome(result={**vars(backbone), "out": self.out})


@contextmanager
def _listing_faults(console: Console) -> Iterator[None]:
    """What does not fit is an indented list; it goes above the one line that ends a mistake."""
    from sayact.schema.errors import CheckpointError

    try:
        yield
    except CheckpointError as error:
        lines = str(error).splitlines()
        for line in lines:
            if line.startswith("  "):
                console.print(escape(line), soft_wrap=True)
        raise CheckpointError(" ".join(n for n in lines if not n.startswith("  "))) from error
