"""What robot and server say to each other: openpi's observation → actions, and ours around it.

    server ─▶  metadata                     once, on connect
    robot  ─▶  observation                  a control step;       server ─▶  actions
    robot  ─▶  {"type": "episode_start"}    where one begins;     server ─▶  the same, "ok": True
    server ─▶  "ShapeError: the picture …"  a text frame, in place of any answer

A client of openpi knows the first two lines and the last. docs/serve.md lists every key.
"""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import UInt8

from sayact.schema import Action, Observation
from sayact.schema.errors import BadObservationError, MissingExtraError, WireError

PROTOCOL = 1  # of what is added to openpi's; a change that breaks clients makes it 2

# Names that clients of openpi give the camera and the sentence; the first is what ours sends.
IMAGES = ("observation/image", "observation/exterior_image_1_left", "image")
PROMPTS = ("prompt", "instruction")
STATE = "observation/state"

# Beside an observation, all optional.
SESSION, STEP, RESET, DEADLINE_MS = "session", "step", "reset", "deadline_ms"

# A message with a type holds no observation.
TYPE, RESUME, SEED, INSTRUCTION, OK = "type", "resume", "seed", "instruction", "ok"
EPISODE_START, EPISODE_END, CLOSE = "episode_start", "episode_end", "close"
CONTROLS = (RESET, EPISODE_START, EPISODE_END, RESUME, CLOSE)

# Answers.
ACTIONS, TOKENS, PROBABILITIES, ILLEGAL, PLAN = (
    "actions",
    "tokens",
    "probabilities",
    "illegal",
    "plan",
)
EPISODE, STEPS, RESUMED = "episode", "steps", "resumed"
POLICY_TIMING, SERVER_TIMING = "policy_timing", "server_timing"
INFER_MS, QUEUE_MS, BATCH, PREV_TOTAL_MS = "infer_ms", "queue_ms", "batch", "prev_total_ms"

PICTURE_FORMATS = ("JPEG", "PNG")
# A camera's picture has 0.06 to 2 million; a PNG of a few kB can ask for billions.
MOST_PIXELS = 4_000_000
MOST_LETTERS = 4096  # of a sentence
MOST_STATE = 1024  # numbers of a robot's own state


def observation_message(
    observation: Observation, jpeg_quality: int | None = None
) -> dict[str, Any]:
    """As openpi's clients say it. jpeg_quality: 1…95; None sends the bare bytes of the picture.

    JPEG changes pixels, and a policy may then answer with another token.
    """
    image = observation.image
    message: dict[str, Any] = {
        IMAGES[0]: np.ascontiguousarray(image)
        if jpeg_quality is None
        else jpeg(image, jpeg_quality),
        PROMPTS[0]: observation.instruction,
    }
    if observation.state is not None:
        message[STATE] = observation.state
    return message


def observation_of(message: Mapping[str, Any], instruction: str | None = None) -> Observation:
    """What a robot sees, from its message; `instruction` stands in where that has none.

    Raises BadObservationError or ShapeError for what cannot be looked at.
    """
    key = next((name for name in IMAGES if name in message), None)
    if key is None:
        raise BadObservationError(
            f"no picture in the message; give {IMAGES[0]!r}, {IMAGES[1]!r} or {IMAGES[2]!r}"
        )
    return Observation(
        image=_picture(message[key]),
        instruction=_sentence(message, instruction),
        state=_state(message.get(STATE)),
    )


def is_bare(message: Mapping[str, Any]) -> bool:
    """Does its picture, if any, need no decoding?"""
    given = next((message[name] for name in IMAGES if name in message), None)
    return isinstance(given, np.ndarray) and given.ndim > 1


def action_message(action: Action) -> dict[str, Any]:
    """One action as a chunk of length 1, which is how openpi's clients take it."""
    parts = {
        ACTIONS: np.asarray(action.values, np.float32)[None],
        TOKENS: action.tokens,
        PROBABILITIES: action.probabilities,
        ILLEGAL: action.illegal,
        PLAN: action.plan,
    }
    return {name: part for name, part in parts.items() if part is not None}


def action_of(message: Mapping[str, Any]) -> Action:
    """The first action of an answer. Raises WireError where it holds none."""
    actions = message.get(ACTIONS)
    if not isinstance(actions, np.ndarray) or actions.ndim != 2 or not len(actions):
        raise WireError("the answer holds no actions: an array of shape (n, dimensions) is missing")
    width, plan = actions.shape[1], message.get(PLAN)
    if not isinstance(plan, str | None):
        raise WireError("the plan of an answer must be text")
    return Action(
        values=np.array(actions[0], np.float32),
        tokens=_column(message, TOKENS, width, np.int64),
        probabilities=_column(message, PROBABILITIES, width, np.float32),
        illegal=_column(message, ILLEGAL, width, np.float32),
        plan=plan,
    )


def error_text(error: Exception) -> str:
    """One line, "NAME: message", as a text frame carries it."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def jpeg(image: UInt8[np.ndarray, "H W 3"], quality: int) -> bytes:
    """The picture as a JPEG file, its colours not thinned out: small blocks are told by them."""
    target = io.BytesIO()
    _pillow().fromarray(image).save(target, "JPEG", quality=quality, subsampling=0)
    return target.getvalue()


def _picture(given: Any) -> np.ndarray:
    """Bare pixels as they came; a file's are decoded, in RGB."""
    if isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype == np.uint8:
        given = given.tobytes()
    if isinstance(given, bytes):
        return _decoded(given)
    if not isinstance(given, np.ndarray):
        raise BadObservationError(
            f"a picture must be a uint8 array of shape (height, width, 3), or the bytes of a "
            f"{' or '.join(PICTURE_FORMATS)} file; got a {type(given).__name__}"
        )
    _require_few_pixels(*given.shape[:2])
    return given


def _decoded(file: bytes) -> UInt8[np.ndarray, "H W 3"]:
    """The size stands in a file's first bytes, and is looked at before anything is decoded."""
    pillow = _pillow()
    try:
        with pillow.open(io.BytesIO(file), formats=PICTURE_FORMATS) as picture:
            _require_few_pixels(*picture.size)
            return np.asarray(picture.convert("RGB"))
    except BadObservationError:
        raise
    # Decoders of broken files raise whatever they stumble over.
    except Exception as problem:
        raise BadObservationError(
            f"{len(file):,} bytes that are no whole {' or '.join(PICTURE_FORMATS)} picture: "
            f"{type(problem).__name__}"
        ) from None


def _require_few_pixels(*sides: int) -> None:
    if int(np.prod(sides, dtype=np.float64)) > MOST_PIXELS:
        raise BadObservationError(
            f"a picture of {' × '.join(map(str, sides))} pixels; the most is {MOST_PIXELS:,}"
        )


def _sentence(message: Mapping[str, Any], instead: str | None) -> str:
    given: Any = next((message[name] for name in PROMPTS if name in message), instead)
    if isinstance(given, np.ndarray) and given.ndim == 0:
        given = given.tolist()  # text as numpy holds it
    if not isinstance(given, str):
        raise BadObservationError(
            f"no sentence in the message: give {PROMPTS[0]!r} as text, or start the episode with "
            "an instruction"
        )
    if len(given) > MOST_LETTERS:
        raise BadObservationError(
            f"a sentence of {len(given):,} letters; the most is {MOST_LETTERS:,}"
        )
    return given


def _state(given: Any) -> np.ndarray | None:
    """The robot's own numbers; today's policies look at the picture alone."""
    if given is None:
        return None
    if not isinstance(given, np.ndarray) or given.ndim != 1 or given.dtype.kind not in "fiu":
        raise BadObservationError("a robot's state must be an array of numbers of one axis")
    if len(given) > MOST_STATE or not np.isfinite(given).all():
        raise BadObservationError(f"a robot's state must be at most {MOST_STATE} finite numbers")
    return given.astype(np.float32)


def _column(message: Mapping[str, Any], name: str, width: int, dtype: type) -> np.ndarray | None:
    column = message.get(name)
    if column is None:
        return None
    if not isinstance(column, np.ndarray) or column.shape != (width,):
        raise WireError(f"{name} of the answer must be {width} numbers, one a dimension")
    return column.astype(dtype)


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise MissingExtraError("pillow", "serve") from None
    return Image
