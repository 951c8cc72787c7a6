"""Does a policy answer to what it sees and hears? A fixed input, and what comes out of it.

    3 pictures × 3 sentences ─▶ tokenize ─▶ a window of that one frame ─▶ decode ─▶ 9 × (A, V)

A network whose weights went to the wrong places rarely crashes: it answers the same whatever it is
shown. That is what is looked for here. It says nothing about how well a policy acts.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64, UInt8

from sayact.codecs.instructions import GivenSentences
from sayact.policies.rt1 import RT1Policy
from sayact.schema import ActionSpace

SENTENCES = (
    "pick up the green can",
    "open the top drawer",
    "move the sponge near the apple",
)
PICTURES = 3
SEED = 0  # of the pictures, and of the vectors where none came
DRAWN = "drawn at random, for want of vectors"  # stands for a sentence

# Total variation, half the summed difference of two distributions: 0 equal, 1 disjoint. Pictures
# and sentences as different as these move a network that looks at them by far more.
DEAF_UNDER = 1e-3
# Share of a mode's probability on bins that are no mode: that much is what noise leaves behind.
STRAY_OVER = 0.01


@dataclass(frozen=True, kw_only=True)
class DimensionReport:
    """One action dimension over all inputs. `entropy` is the mean, in bits of `most`."""

    name: str
    tokens: tuple[int, ...]
    distinct: int
    entropy: float
    most: float
    stray: float | None


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What the doctor saw. `finite` is false when the network answered NaN or infinity.

    `by_picture` and `by_sentence` are how far the distributions move when only that changes: the
    largest total variation of any dimension; None where nothing finite came out. `sentences` are
    those it heard; `DRAWN` stands for one that is none.
    """

    sentences: tuple[str, ...]
    dimensions: tuple[DimensionReport, ...]
    by_picture: float | None
    by_sentence: float | None
    finite: bool
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """The report for people: a row a dimension, then what to worry about."""
        heard = f"sentences: {'; '.join(dict.fromkeys(self.sentences))}"
        warned = [f"warning: {text}" for text in self.warnings] or ["nothing to worry about"]
        return [*self._answers(), heard, *warned]

    def _answers(self) -> list[str]:
        if not self.finite:
            return []
        width = max((len(d.name) for d in self.dimensions), default=0)
        rows = [
            f"{d.name:<{width}}  entropy {d.entropy:5.2f} of {d.most:.0f} bits  "
            f"{d.distinct} distinct of {len(d.tokens)}  tokens {' '.join(map(str, d.tokens))}"
            for d in self.dimensions
        ]
        moved = (
            f"moved by another picture {self.by_picture:.3f}, by another sentence "
            f"{self.by_sentence:.3f} (0 not at all, 1 entirely)"
        )
        return [*rows, moved]


def examine(policy: RT1Policy, frames: int = 1) -> Diagnosis:
    """Show `policy` the fixed pictures and sentences. The episode it may be in is left alone.

    Each picture is shown `frames` times, as to a robot that stands still: 1 is the first step of an
    episode. Raises ValueError where the policy's window does not hold that many.
    """
    window = policy.engine.config.frames
    if not 1 <= frames <= window:
        raise ValueError(f"frames must be 1 to {window}, the policy's window; got {frames}")
    height, width = policy.processor.images.camera
    pictures = fixed_pictures(height, width)
    sentences = _sentences(policy)
    logits = np.array(
        [
            [answer(policy, picture, vector, frames) for _, vector in sentences]
            for picture in pictures
        ]
    )
    heard = tuple(text for text, _ in sentences)
    if not np.isfinite(logits).all():
        return Diagnosis(
            sentences=heard,
            dimensions=(),
            by_picture=None,
            by_sentence=None,
            finite=False,
            warnings=("the network answers NaN or infinity; its weights are broken",),
        )
    tokens = np.array([[policy.choose(answer).tokens for answer in row] for row in logits])
    return diagnose(logits, tokens, policy.action_space, heard)


def _sentences(policy: RT1Policy) -> list[tuple[str, Float32[np.ndarray, "E"]]]:
    """With vectors of the policy's encoder; drawn ones where it has too few."""
    encoder = policy.processor.sentences
    if not isinstance(encoder, GivenSentences):
        return [(text, np.asarray(encoder(text))) for text in SENTENCES]
    size = (len(SENTENCES), policy.engine.config.sentence)
    drawn = np.random.default_rng(SEED).standard_normal(size, np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    known = sorted(encoder.vectors.items())
    return [*known, *((DRAWN, vector) for vector in drawn)][: len(SENTENCES)]


def answer(
    policy: RT1Policy,
    picture: UInt8[np.ndarray, "H W 3"],
    sentence: Float32[np.ndarray, "E"],
    frames: int,
) -> Float32[np.ndarray, "A V"]:
    """Logits after `frames` times this picture."""
    processor, engine = policy.processor, policy.engine
    pixels = processor.pixels(processor.shrink(picture[None]))[0]
    tokens = engine.tokenize(np.ascontiguousarray(pixels), sentence)
    return engine.decode(policy.window([tokens] * frames))


def fixed_pictures(height: int, width: int) -> UInt8[np.ndarray, "P H W 3"]:
    """Pictures that have nothing in common: coloured boxes on a table, over dark and light."""
    generator = np.random.default_rng(SEED)
    pictures = np.empty((PICTURES, height, width, 3), np.uint8)
    for picture in pictures:
        picture[:] = generator.integers(0, 256, 3)
        picture[height // 2 :] = generator.integers(0, 256, 3)
        for _ in range(8):
            top, left = generator.integers(0, (height, width))
            size = int(generator.integers(height // 8, height // 2))
            picture[top : top + size, left : left + size] = generator.integers(0, 256, 3)
    return pictures


def diagnose(
    logits: Float[np.ndarray, "P S A V"],
    tokens: Int64[np.ndarray, "P S A"],
    space: ActionSpace,
    sentences: tuple[str, ...] = SENTENCES,
) -> Diagnosis:
    """The report on finite answers to P pictures, each with S sentences; `tokens` it chose."""
    chances = _softmax(logits.astype(np.float64))
    dimensions = tuple(
        _report(space.dimensions[a].name, space.dimensions[a].n, chances[:, :, a], tokens[:, :, a])
        for a in range(len(space))
    )
    by_picture = _moved(chances, lambda a, b: a[1] == b[1])
    by_sentence = _moved(chances, lambda a, b: a[0] == b[0])
    return Diagnosis(
        sentences=sentences,
        dimensions=dimensions,
        by_picture=by_picture,
        by_sentence=by_sentence,
        finite=True,
        warnings=tuple(_warnings(dimensions, by_picture, by_sentence)),
    )


def _softmax(logits: Float64[np.ndarray, "*n V"]) -> Float64[np.ndarray, "*n V"]:
    chances = np.exp(logits - logits.max(-1, keepdims=True))
    return chances / chances.sum(-1, keepdims=True)


def _report(
    name: str,
    modes: int | None,
    chances: Float64[np.ndarray, "P S V"],
    tokens: Int64[np.ndarray, "P S"],
) -> DimensionReport:
    logs = np.log2(chances, out=np.zeros_like(chances), where=chances > 0)
    return DimensionReport(
        name=name,
        tokens=tuple(tokens.flatten().tolist()),
        distinct=len(np.unique(tokens)),
        entropy=float(-(chances * logs).sum(-1).mean()),
        most=float(np.log2(chances.shape[-1])),
        stray=None if modes is None else float(chances[..., modes:].sum(-1).max()),
    )


def _moved(
    chances: Float64[np.ndarray, "P S A V"],
    comparable: Callable[[tuple[int, int], tuple[int, int]], bool],
) -> float:
    """The largest total variation between any two inputs that are comparable."""
    inputs = product(range(chances.shape[0]), range(chances.shape[1]))
    pairs = [(a, b) for a, b in combinations(inputs, 2) if comparable(a, b)]
    return max(float(np.abs(chances[a] - chances[b]).sum(-1).max()) / 2 for a, b in pairs)


def _warnings(
    dimensions: tuple[DimensionReport, ...], by_picture: float, by_sentence: float
) -> list[str]:
    found: list[str] = []
    # A mode that stays "arm" is no fault, so modes do not count here.
    numbers = [d for d in dimensions if d.stray is None] or list(dimensions)
    if all(d.distinct == 1 for d in numbers):
        found.append(
            "constant actions: every number of the action is the same for all pictures and "
            "sentences. The weights may be in the wrong places, or the checkpoint broken."
        )
    if by_picture < DEAF_UNDER:
        found.append("the answer does not depend on the picture")
    if by_sentence < DEAF_UNDER:
        found.append("the answer does not depend on the sentence")
    found += [
        f"{d.name}: up to {d.stray:.0%} of the probability is on tokens that are none of its modes"
        for d in dimensions
        if d.stray is not None and d.stray > STRAY_OVER
    ]
    return found
