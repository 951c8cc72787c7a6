"""What lies on a board, blocks and tiles alike, as references to it need to know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sayact.envs.language_table.blocks import color_of
from sayact.envs.language_table.setting import Tile
from sayact.envs.language_table.state import Pose2D
from sayact.web.concepts import PERSON, category_of, plate_color


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Something on the board: a block ("red_moon") or a tile (a concept of `concepts`).

    xy: its middle, metres. side: of a tile, metres.
    """

    name: str
    kind: Literal["block", "tile"]
    xy: tuple[float, float]
    side: float = 0.0

    @property
    def category(self) -> str:
        """ "block", or the concept's: "digit", "letter", "symbol", "fruit", "animal" …"""
        return "block" if self.kind == "block" else category_of(self.name)

    @property
    def color(self) -> str | None:
        """Of a block and of a plate that shows nothing but a colour."""
        return color_of(self.name) if self.kind == "block" else plate_color(self.name)

    @property
    def called(self) -> str:
        """As a plan's answer calls it: "red moon", "3", "apple", "person"."""
        if self.category == PERSON:
            return PERSON
        return self.name.replace("_", " ") if self.kind == "block" else self.name


def placed(blocks: Mapping[str, Pose2D], tiles: Sequence[Tile] = ()) -> list[Placed]:
    """What lies there: blocks with their poses, then tiles."""
    stood = [Placed(name=name, kind="block", xy=(x, y)) for name, (x, y, _) in blocks.items()]
    lying = [Placed(name=one.name, kind="tile", xy=one.xy, side=one.side) for one in tiles]
    return [*stood, *lying]
