"""Where the effector may go, and the inner part of the board where starts and goals are drawn.

Numbers: Language-Table, commit 5b7bf0e. Metres, origin at the robot base, x away from the robot
(down in the picture), y to the picture's right.
"""

import numpy as np
from jaxtyping import Float

# Bounds of the effector's set-point. They overhang the painted board by 2 cm at the front.
X_MIN, X_MAX = 0.15, 0.60
Y_MIN, Y_MAX = -0.3048, 0.3048

# Starts are drawn, and most goals must lie, this far inside the bounds.
INNER_MARGIN = 0.08
INNER_LOW = np.array([X_MIN + INNER_MARGIN, Y_MIN + INNER_MARGIN])
INNER_HIGH = np.array([X_MAX - INNER_MARGIN, Y_MAX - INNER_MARGIN])

# A block this far outside the bounds cannot even be touched: the effector's radius (12.7 mm) plus
# the half-width of a cube (19.8 mm).
REACH_BEYOND_BOUNDS = 0.0325

LOW = np.array([X_MIN, Y_MIN])
HIGH = np.array([X_MAX, Y_MAX])


def clip_to_bounds(xy: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    """The nearest point the effector's set-point may take."""
    return np.clip(xy, LOW, HIGH)


def inside_inner(xy: Float[np.ndarray, "2"]) -> bool:
    """Whether a goal lies strictly within the bounds less the inner margin."""
    return bool(np.all(xy > INNER_LOW) and np.all(xy < INNER_HIGH))


def within_reach(xy: Float[np.ndarray, "2"]) -> bool:
    """Whether the effector can still touch a block centred here."""
    return bool(np.all(xy > LOW - REACH_BEYOND_BOUNDS) and np.all(xy < HIGH + REACH_BEYOND_BOUNDS))
