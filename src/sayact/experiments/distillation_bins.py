"""From a teacher's bins to a student's: probability goes where the physical values are.

    teacher    │     0.6      │     0.4      │    two bins of 1.5 mm
    student    │   0.4   │0.20+0.13│  0.27   │    three bins of 1 mm

A bin says that the value lies somewhere in it, anywhere alike, so its probability is shared out in
proportion. What a choice means does not depend on bins: each stays what it is.
"""

import numpy as np
from jaxtyping import Float32, Float64

from sayact.codecs import ActionCodec


def rebinning(
    teacher: ActionCodec, student: ActionCodec, student_bins: int
) -> Float32[np.ndarray, "A V W"]:
    """Which share of each of the teacher's V bins goes to each of the W that the student has.

    W is `student_bins`, the width of its network's answer; both codecs are of one action space.
    Rows sum to 1, but those of bins that a dimension of the teacher does not have are zero.
    """
    space = teacher.action_space
    shares = np.zeros((len(space), max(teacher.sizes), student_bins))
    for number, dimension in enumerate(space.dimensions):
        if dimension.n is not None:
            shares[number, : dimension.n, : dimension.n] = np.eye(dimension.n)
            continue
        given, wanted = _edges(teacher, number), _edges(student, number)
        shares[number, : len(given) - 1, : len(wanted) - 1] = _overlaps(given, wanted)
    return shares.astype(np.float32)


def rebin(
    probabilities: Float32[np.ndarray, "*batch A V"], shares: Float32[np.ndarray, "A V W"]
) -> Float32[np.ndarray, "*batch A W"]:
    """Probabilities of the teacher's bins as those of the student's."""
    return np.einsum("...av,avw->...aw", probabilities, shares, optimize=True)


def _overlaps(
    given: Float64[np.ndarray, "V1"], wanted: Float64[np.ndarray, "W1"]
) -> Float64[np.ndarray, "V W"]:
    """Which share of each interval of `given` lies in each of `wanted`."""
    low = np.maximum(given[:-1, None], wanted[None, :-1])
    high = np.minimum(given[1:, None], wanted[None, 1:])
    overlap = np.maximum(high - low, 0)
    # A bin that is a single point, the last of the released code's, goes where that point lies.
    for point in np.flatnonzero(np.diff(given) == 0):
        overlap[point, np.searchsorted(wanted[1:-1], given[point])] = 1
    return overlap / overlap.sum(1, keepdims=True)


def _edges(codec: ActionCodec, dimension: int) -> Float64[np.ndarray, "V1"]:
    """Where each bin of a continuous dimension begins, and where the last ends, in its unit."""
    limits = codec.action_space.dimensions[dimension]
    wide = round((limits.high - limits.low) / float(codec.width[dimension]))
    edges = np.linspace(limits.low, limits.high, wide + 1)
    points = codec.sizes[dimension] - wide  # bins of no width at the end: `EdgeBins` has one
    return np.append(edges, np.full(points, limits.high))
