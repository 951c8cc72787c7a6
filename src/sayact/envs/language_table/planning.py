"""Which way to turn past discs in the plane: bearings, blocked sectors, the nearest free bearing.

Points of the board are complex numbers here, x + iy in metres, so that a distance is `abs`, a
bearing is `cmath.phase`, and one act of the oracle costs some tens of microseconds.
"""

import cmath
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# Sectors that touch are left at their edge and not entered again by rounding.
_EDGE = 1e-9  # radians


class Disc(NamedTuple):
    """Something to keep away from: centre (x + iy) and radius, metres."""

    centre: complex
    radius: float


class Sector(NamedTuple):
    """Bearings within `half_width` of `bearing` are blocked; radians."""

    bearing: float
    half_width: float


def wrap(angle: float) -> float:
    """The same angle within -pi..pi."""
    return math.remainder(angle, math.tau)


def ramp(value: float, start: float, end: float) -> float:
    """0 up to `start`, 1 from `end` on, a straight line between them."""
    return min(1.0, max(0.0, (value - start) / (end - start)))


def blocked_sectors(
    here: complex, discs: Iterable[Disc], *, reach: float, widest: float
) -> list[Sector]:
    """The bearings from `here` that meet a disc within `reach` metres.

    A disc blocks as far as its tangents, but at most `widest` to each side. So near a disc, or
    inside of one, the way past it still leads forwards: it brushes past rather than turns away.
    """
    sectors = []
    for centre, radius in discs:
        offset = centre - here
        distance = abs(offset)
        if distance - radius / 2 > reach or distance == 0.0:
            continue
        tangent = math.asin(min(1.0, radius / distance))
        sectors.append(Sector(cmath.phase(offset), min(widest, tangent)))
    return sectors


def free_bearing(wanted: float, sectors: Sequence[Sector], *, leaning: float, most: float) -> float:
    """The free bearing next to the wanted one, on that side which is nearer to `leaning`.

    Overlapping sectors block as one. A turn of more than `most` is cut short: better to push into
    what is in the way than to turn back and forth in front of it.
    """
    left, right = _edge(wanted, sectors, side=1), _edge(wanted, sectors, side=-1)
    lean = wrap(leaning - wanted)
    turn = left if left - lean <= lean - right else right
    return wanted + max(-most, min(most, turn))


def _edge(wanted: float, sectors: Sequence[Sector], *, side: int) -> float:
    """How far to turn from `wanted`, to one side (1 is counterclockwise), to be free; radians."""
    turn = 0.0
    for _ in sectors:  # each pass leaves at least one more sector behind, or is the last
        before = turn
        for bearing, half_width in sectors:
            offset = wrap(wanted + turn - bearing)
            if abs(offset) < half_width - _EDGE:
                turn += side * half_width - offset
        if turn == before:
            break
    return turn
