"""`sayact ask`: a question about a picture, to a policy that has words."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.console import Console
from rich.markup import escape
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError

if TYPE_CHECKING:
    from PIL import Image

    from sayact.policies.rt2 import Answer

RING = 0.03  # radius of the ring about a place, in picture widths
INK = (232, 119, 34)


@dataclass(frozen=True, kw_only=True)
class Ask(Verb):
    """Ask RT-2 about a picture. It was trained to act, and goes on answering questions.

    For instance:

        sayact ask rt2-nano table.png "where is the yellow pentagon?" --out pointed.png
        sayact ask runs/rt2_language_table table.png "how many blocks are there?" --json -
    """

    checkpoint: Annotated[Positional[str], arg(metavar="CHECKPOINT")]
    """A checkpoint's folder, or the name of a policy in the box."""
    image: Annotated[Positional[Path], arg(metavar="IMAGE")]
    """A picture; another size than the policy's camera is resized."""
    question: Annotated[Positional[str], arg(metavar="QUESTION")]
    """In words, as they are."""
    most_tokens: int = 32
    """Where an answer without end is cut."""
    device: str = "cpu"
    """Where PyTorch computes: cpu, cuda, cuda:1 …"""
    out: Annotated[Path | None, arg(metavar="FILE")] = None
    """A copy of the picture with rings about the places that the answer names."""

    def run(self, console: Console) -> Outcome:
        import numpy as np
        from PIL import Image

        from sayact.policies.loading import load_rt2

        if not self.question.strip():
            raise SayactError("the question is empty; ask something, such as 'where is the arm?'")
        if self.out is not None:
            _require_picture_name(self.out)
        policy = load_rt2(self.checkpoint, "answer questions", self.device)
        picture = _open(self.image)
        height, width = policy.processor.images.camera
        seen = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
        answer = policy.ask(seen, self.question, most_tokens=self.most_tokens)
        console.print(escape(answer.text), soft_wrap=True)
        if self.out is not None:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            _ring(picture, answer).save(self.out)
            console.print(f"places: {self.out}", soft_wrap=True)
        result = {name: _plain(value) for name, value in asdict(answer).items()}
        return Outcome(result={"question": self.question, **result})


def _open(file: Path) -> "Image.Image":
    """In red, green and blue. Raises SayactError for what is no picture."""
    from PIL import Image, UnidentifiedImageError

    if not file.is_file():
        raise SayactError(f"there is no {file}; give the path of a picture, such as a .png or .jpg")
    try:
        return Image.open(file).convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise SayactError(f"{file} cannot be read as a picture: {error}") from error


def _require_picture_name(file: Path) -> None:
    """Its ending says how a picture is written. Raises SayactError for one that says nothing."""
    from PIL import Image

    if Image.registered_extensions().get(file.suffix.lower()) not in Image.SAVE:
        raise SayactError(f"--out writes a picture: {file} needs an ending such as .png or .jpg")


def _ring(picture: "Image.Image", answer: "Answer") -> "Image.Image":
    """A copy with a ring about each place of the answer, numbered if there are several."""
    from PIL import ImageDraw

    drawn = picture.copy()
    pen = ImageDraw.Draw(drawn)
    radius = max(4.0, RING * picture.width)
    for number, (x, y) in enumerate(answer.places * picture.size, 1):
        box = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(box, outline=INK, width=max(2, round(radius / 4)))
        if len(answer.places) > 1:
            pen.text((x + radius, y - radius), str(number), fill=INK)
    return drawn


def _plain(value: object) -> object:
    """Arrays as lists: JSON knows no others."""
    import numpy as np

    return value.tolist() if isinstance(value, np.ndarray) else value
