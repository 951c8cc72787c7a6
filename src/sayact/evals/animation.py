"""Films of an evaluation as one small animated picture, for a page that cannot play mp4.

python -m sayact.evals.animation runs/eval/videos/nano-*-0.mp4 --out assets/rt1-nano.webp
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import av
import tyro
from PIL import Image
from tyro.conf import Positional, arg

WIDTH = 480  # pixels; a README column is about twice as wide
QUALITY = 60  # of WebP; the tokens' digits stay readable


@dataclass(frozen=True, kw_only=True)
class Animation:
    """Join films into one animated WebP, quicker than life."""

    films: Annotated[Positional[tuple[Path, ...]], arg(metavar="MP4 ...")]
    """In the order shown."""
    out: Annotated[Path, arg(metavar="WEBP")]
    """The file to write."""
    every: int = 2
    """Keep every so-manieth frame."""
    speed: float = 1.5
    """How many times faster than life."""

    def write(self) -> Path:
        frames = [frame for film in self.films for frame in pictures(film, self.every)]
        with av.open(str(self.films[0])) as first:
            rate = float(first.streams.video[0].average_rate or 10)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        frames[0].save(
            self.out,
            save_all=True,
            append_images=frames[1:],
            duration=round(1000 * self.every / rate / self.speed),
            loop=0,
            quality=QUALITY,
            method=6,
        )
        return self.out


def pictures(film: Path, every: int) -> Iterator[Image.Image]:
    """Every `every`-th frame of a film, and its last, made small."""
    with av.open(str(film)) as container:
        frames = list(container.decode(video=0))
    for index in sorted({*range(0, len(frames), every), len(frames) - 1}):
        picture: Image.Image = frames[index].to_image()
        height = round(WIDTH * picture.height / picture.width)
        yield picture.resize((WIDTH, height), Image.Resampling.LANCZOS)


def main(arguments: Sequence[str] | None = None) -> None:
    tyro.cli(Animation, args=arguments).write()


if __name__ == "__main__":
    main()
