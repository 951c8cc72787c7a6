"""The privileged demonstrator: solves every family by pushing, from the poses of all blocks.

It keeps no plan and no phase: the action is a function of the present state and task alone, and a
continuous one but where it chooses a side, or a block comes into reach. That is what makes it
teachable: whatever state a learner gets into, `act` says what to do there, and nearby pictures
carry nearby labels.

How it pushes. Let phi be the angle between the bearing of the block, as seen from the effector, and
the way in which the block is to go; r the distance between the two.

             way to go
                 ^               phi near 0   behind the block: push, and sidle back behind its
            .-- [#] --.                       centre by heading STEERING * phi to the side
          .'     ^     '.        phi large    follow the circle of radius ORBIT around the block,
         '       |       '                    or the tangent line to it from further away
          '.     o     .'
             '-------'           o is the effector at phi = 0, the circle is the orbit

The heading is the block's bearing turned by STEERING * |phi| or by the angle of that tangent,
whichever is less: one formula that approaches, circles, pushes and corrects.

Other blocks are passed by little, and brushed aside where that does not do. This proved surer than
planning around them, and leaves less to guess for whoever learns from it.
"""

import cmath
import math
from typing import Any

import gymnasium
import numpy as np

from sayact.envs.language_table.env import LanguageTableEnv
from sayact.envs.language_table.planning import (
    Disc,
    Sector,
    blocked_sectors,
    free_bearing,
    ramp,
    wrap,
)
from sayact.envs.language_table.state import TableState
from sayact.envs.language_table.task import Task
from sayact.envs.language_table.workspace import X_MAX, X_MIN, Y_MAX, Y_MIN
from sayact.schema import Action
from sayact.schema.errors import SayactError

# --- the push ---
ORBIT = 0.045  # m; the effector touches a cube's corner at 0.039, its side at 0.033
# Turn of the heading per phi. Over 1, or it would not get behind the block. At 3 the push is as
# sure, but zigzags more, and takes longer when the poses are not exactly known.
STEERING = 2.0
OUTWARD = 2.0  # rad per intrusion relative to ORBIT: how briskly to leave the inside of the orbit

# --- step lengths, m per 0.1 s ---
FREE_STEP = 0.030  # away from the block; the published oracle's 0.3 m/s
ORBIT_STEP = 0.020  # longer ones would cut across the orbit
PUSH_STEP = 0.016  # faster pushes throw the block ahead of the effector, and off course
SLOW_STEP = 0.010  # pushing near the goal, or not quite from behind
NEAR_GOAL = 0.06  # m left to go, from where on the push slows down
ASKEW = 0.5  # rad of phi that make a push as slow as at the goal
NEAR_BLOCK = (0.046, 0.106)  # m; between these distances steps grow from pushing to free
LONGEST_STEP = 0.035  # m; of a disturbed action, and of the published oracle's

# --- passing other blocks with the pushed one: m between centres ---
BLOCK_CLEARANCE = 0.035  # less than their width: they give way
TARGET_CLEARANCE = 0.060  # the reference block of block2block_relative must not be moved
CROWDED_GOAL = 0.9  # no clearance over this share of the other block's distance from the goal
BLOCK_LOOKAHEAD = 0.20  # m; blocks further along the way do not matter yet
BEYOND_GOAL = 0.02  # m; blocks further behind the place of success do not matter
WIDEST_BLOCK_TURN = math.pi / 2  # rad; because of one block
MOST_BLOCK_TURN = 2.0  # rad; because of all of them
KEEP_SIDE = 0.5  # rad; by how much the effector's side sways the choice of a side

# --- the bounds of the effector, behind which it cannot get ---
EDGE = 0.055  # m inside of them, from where on blocks are pushed no further outwards

# --- passing other blocks with the effector ---
CLEARANCE = 0.028  # m between centres; they give way
TARGET_CLEARANCE_EFFECTOR = 0.036  # m, for the reference block of block2block_relative
TARGET_SIDE = (0.3, 0.6)  # rad of phi between which that clearance grows: pushes are not bent
LOOKAHEAD = 0.06  # m
CLOSE_IN = (0.05, 0.07)  # m from the pushed block; within, its neighbours are swept away
BODY = 0.04  # m around the pushed block through which no way past a neighbour leads
MOST_TURN = 1.2  # rad; so that a turn still gets nearer
STRAIGHT_ON = 0.6  # rad of phi up to which the side is chosen by where the block is


class PushOracle:
    """Solves all families by pushing; reads `env.unwrapped.state` and `env.unwrapped.task`.

    For demonstrations that teach correction, execute a disturbed action and store the clean one as
    the label (`Disturbance`).
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        table = env.unwrapped
        if not isinstance(table, LanguageTableEnv):
            raise SayactError(
                f"the push oracle plays LanguageTableEnv only; got {type(table).__name__}"
            )
        self._table = table

    def reset(self) -> None:
        """Nothing to forget: the labels know no past."""

    def act(self) -> Action:
        """What to do now: the displacement of the effector's set-point, metres."""
        task = self._table.task
        if task is None:
            raise SayactError(
                f"the oracle has no task: {self._table.instruction!r} names none on this table. "
                "Call env.reset(), or set_state with an instruction of one of the families."
            )
        return _action(demonstrate(self._table.state, task))


def _action(step: complex) -> Action:
    return Action(values=np.array([step.real, step.imag], np.float32))


# Below, points of the board are complex numbers, x + iy in metres (see `planning`).


def demonstrate(state: TableState, task: Task) -> complex:
    """The oracle's step in this state, metres."""
    task = task.now
    effector = complex(*state.effector_target_xy)
    goal = complex(*task.goal(state))
    blocks = {name: complex(x, y) for name, (x, y, _) in state.blocks.items()}
    if task.pushed is None:
        return _point(effector, goal, [b for name, b in blocks.items() if name != task.target])
    block = blocks.pop(task.pushed)
    kept = blocks[task.target] if task.target and task.family == "block2block_relative" else None
    others = list(blocks.values())
    left = max(0.0, abs(goal - block) - task.tolerance)
    goal = goal if task.family == "block2block" else _inside(goal)
    way = cmath.phase(goal - block)
    if task.family != "separate":  # there the others are where the block comes from
        in_the_way = [other for other in others if other not in (goal, kept)]
        way = _way_past(block, goal, left, cmath.phase(block - effector), in_the_way, kept)
    return _push(effector, block, way, left, others, kept)


def _point(effector: complex, goal: complex, others: list[complex]) -> complex:
    """A step straight to the goal, past the blocks on the line."""
    heading = cmath.phase(goal - effector)
    reach = min(LOOKAHEAD, abs(goal - effector))
    sectors = blocked_sectors(
        effector, [Disc(other, CLEARANCE) for other in others], reach=reach, widest=MOST_TURN
    )
    return cmath.rect(FREE_STEP, free_bearing(heading, sectors, leaning=heading, most=MOST_TURN))


def _way_past(
    block: complex,
    goal: complex,
    left: float,
    bearing: float,
    others: list[complex],
    kept: complex | None,
) -> float:
    """In which direction the block is to go: to the goal, past the others; radians.

    left: metres to success. bearing: of the block, as the effector sees it.
    """
    discs = [
        Disc(other, min(BLOCK_CLEARANCE, CROWDED_GOAL * abs(goal - other))) for other in others
    ]
    if kept is not None:
        discs.append(Disc(kept, TARGET_CLEARANCE))
    reach = min(left + BEYOND_GOAL, BLOCK_LOOKAHEAD)
    sectors = blocked_sectors(block, discs, reach=reach, widest=WIDEST_BLOCK_TURN)
    straight = cmath.phase(goal - block)
    if goal == _inside(goal):
        sectors += _walls(block)
    sway = max(-KEEP_SIDE, min(KEEP_SIDE, wrap(bearing - straight)))
    return free_bearing(straight, sectors, leaning=straight + sway, most=MOST_BLOCK_TURN)


def _push(
    effector: complex,
    block: complex,
    way: float,
    left: float,
    others: list[complex],
    kept: complex | None,
) -> complex:
    """The step that gets the effector behind the block and pushes it along `way`."""
    bearing, distance = cmath.phase(block - effector), abs(block - effector)
    phi = _angle_to_close(bearing, way, _walls(block, ORBIT))
    tangent = _tangent(distance)
    turn = min(STEERING * abs(phi), tangent)
    length = _step_length(distance, abs(phi), left, circling=turn == tangent)

    clearance = CLEARANCE * ramp(distance, *CLOSE_IN)
    discs = [Disc(o, clearance) for o in others if abs(o - effector) < distance and o != kept]
    if kept is not None:
        discs.append(Disc(kept, TARGET_CLEARANCE_EFFECTOR * ramp(abs(phi), *TARGET_SIDE)))
    sectors = blocked_sectors(
        effector,
        [disc for disc in discs if disc.radius > 0],
        reach=min(LOOKAHEAD, max(distance, ORBIT)),
        widest=MOST_TURN,
    )
    side = math.copysign(1.0, phi)
    heading = bearing + side * turn
    if sectors:
        body = math.asin(min(1.0, BODY / distance)) if distance else math.pi
        sectors.append(Sector(bearing, min(turn, body)))
        leaning = bearing + side * min(turn, max(0.0, abs(phi) - STRAIGHT_ON))
        heading = free_bearing(heading, sectors, leaning=leaning, most=MOST_TURN)
    return cmath.rect(length, heading)


def _inside(point: complex) -> complex:
    """The nearest point from which a block could still be pushed on."""
    x = min(X_MAX - EDGE, max(X_MIN + EDGE, point.real))
    y = min(Y_MAX - EDGE, max(Y_MIN + EDGE, point.imag))
    return complex(x, y)


def _walls(block: complex, within: float = EDGE) -> list[Sector]:
    """The bearings on which `within` metres lead from the block beyond the effector's bounds."""
    gaps = (
        (math.pi, block.real - X_MIN),
        (0.0, X_MAX - block.real),
        (-math.pi / 2, block.imag - Y_MIN),
        (math.pi / 2, Y_MAX - block.imag),
    )
    return [
        Sector(outwards, math.acos(max(0.0, gap / within)))
        for outwards, gap in gaps
        if gap < within
    ]


def _angle_to_close(bearing: float, way: float, walls: list[Sector]) -> float:
    """phi, -pi..pi; or the other way round, if the effector cannot get through there."""
    phi = wrap(bearing - way)
    for wall in walls:
        ahead = wrap(wall.bearing - (way + math.pi))
        if 0 < ahead * phi < phi * phi:
            return phi - math.copysign(math.tau, phi)
    return phi


def _tangent(distance: float) -> float:
    """The angle from the block's bearing to the tangent of its orbit; outwards from inside."""
    if distance > ORBIT:
        return math.asin(ORBIT / distance)
    return math.pi / 2 + OUTWARD * (1 - distance / ORBIT)


def _step_length(distance: float, askew: float, left: float, *, circling: bool) -> float:
    """Long away from the block, shorter around it, slow where a push must be careful; metres."""
    care = ramp(left, 0, NEAR_GOAL) * (1 - ramp(askew, 0, ASKEW))
    near = ORBIT_STEP if circling else SLOW_STEP + (PUSH_STEP - SLOW_STEP) * care
    return near + (FREE_STEP - near) * ramp(distance, *NEAR_BLOCK)
