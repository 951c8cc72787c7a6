"""Look at a dataset: a table of its episodes and a contact sheet of one."""

import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.table import Table

from sayact.data.dataset import Dataset, summarise
from sayact.schema import Episode
from sayact.schema.errors import SayactError

SHEET_COLUMNS = 5
MOST_TILES = 25
TILE_WIDTH = 240  # pixels; five make a picture of 1200
MARGIN = 8
CAPTION = 18  # height of the line under a tile, pixels
HEADING = 52


def show(
    directory: str | Path,
    episode: int = 0,
    out: str | Path | None = None,
    *,
    console: Console | None = None,
) -> Path:
    """Print what a dataset holds and write a contact sheet of one episode; the sheet's path."""
    dataset = Dataset.open(directory)
    console = console or Console()
    console.print(overview(dataset))
    if not len(dataset):
        raise SayactError(f"{directory} holds no episodes yet")
    if not 0 <= episode < len(dataset):
        raise SayactError(f"no episode {episode}; {directory} has 0 to {len(dataset) - 1}")
    target = Path(out) if out else Path(f"episode-{episode:06d}.png")
    if target.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        target = target / f"episode-{episode:06d}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(dataset.episode(episode), dataset.fps).save(target)
    return target


def overview(dataset: Dataset) -> Table:
    """One line per task family, with sizes and sentences."""
    title = f"{dataset.directory}: {len(dataset)} episodes, {dataset.frames} frames"
    table = Table(title=title, caption=f"{len(dataset.tasks)} different sentences")
    for name in ("family", "episodes", "success", "mean steps", "example"):
        table.add_column(name, justify="left" if name in ("family", "example") else "right")
    examples = {str(r.info.get("family", "-")): r.instruction for r in reversed(dataset.episodes)}
    for family, figures in summarise(dataset.episodes).items():
        table.add_row(
            family,
            f"{figures['episodes']:.0f}",
            f"{100 * figures['success']:.0f} %",
            f"{figures['mean_length']:.1f}",
            examples[family],
        )
    return table


def contact_sheet(episode: Episode, fps: int) -> Image.Image:
    """Frames of an episode, first and last among them, each with its step and its action."""
    steps = np.unique(np.linspace(0, len(episode) - 1, MOST_TILES).round().astype(int))
    height, width = episode.images.shape[1:3]
    tile = (TILE_WIDTH, round(TILE_WIDTH * height / width))
    cell = (tile[0] + MARGIN, tile[1] + CAPTION + MARGIN)
    columns = min(SHEET_COLUMNS, len(steps))
    rows = -(-len(steps) // columns)
    size = (columns * cell[0] + MARGIN, rows * cell[1] + HEADING + MARGIN)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    _heading(draw, episode, fps, size[0])
    small = ImageFont.load_default(12)
    for k, step in enumerate(steps):
        left = MARGIN + (k % columns) * cell[0]
        top = HEADING + (k // columns) * cell[1]
        sheet.paste(Image.fromarray(episode.images[step]).resize(tile), (left, top))
        action = ", ".join(f"{value:+.3f}" for value in episode.actions[step][:4])
        draw.text((left, top + tile[1] + 2), f"step {step}   {action}", "black", small)
    return sheet


def _heading(draw: ImageDraw.ImageDraw, episode: Episode, fps: int, width: int) -> None:
    sentence = textwrap.shorten(episode.instruction or "(no sentence)", max(width // 9, 20))
    outcome = "success" if episode.success else "failure"
    details = ", ".join(f"{key} {value}" for key, value in episode.info.items())
    line = f"{outcome}, {len(episode)} steps, {len(episode) / fps:.1f} s   {details}"
    draw.text((MARGIN, 6), sentence, "black", ImageFont.load_default(18))
    draw.text((MARGIN, 30), line, "dimgray", ImageFont.load_default(12))
