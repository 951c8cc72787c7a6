"""The path /vla-eval: our messages in the words of the vla-evaluation-harness, and back.

    harness ─▶ hello          seq 1      server ─▶ hello   seq 1   who answers, and how
    harness ─▶ episode_start  seq 2                                no answer
    harness ─▶ observation    seq 3      server ─▶ action  seq 3
    harness ─▶ episode_end    seq 4                                no answer

Every message is a map of type, payload, seq and timestamp. An answer carries the seq of its
question; what went wrong is a message of type "error", and the connection stays open.

Read in github.com/allenai/vla-evaluation-harness 0.8.0 (arXiv 2603.13966), published as the package
vla-eval: protocol/messages.py, numpy_codec.py, image_codec.py, model_servers/serve.py.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sayact.schema.errors import BadObservationError, WireError
from sayact.serve import messages as ours

PATH = "/vla-eval"
HELLO, OBSERVATION, ACTION, ERROR = "hello", "observation", "action", "error"
KINDS = (HELLO, OBSERVATION, ours.EPISODE_START, ours.EPISODE_END, ERROR)
TYPE, PAYLOAD, SEQ, TIMESTAMP = "type", "payload", "seq", "timestamp"
PROTOCOL_VERSION = 1  # the harness'

CAMERAS, SENTENCE, STATES = "images", "task_description", ("states", "state")
# A picture of theirs is a map too: of its pixels, or of a PNG or JPEG file.
IMAGE, RAW = "__image__", "raw"


@dataclass(frozen=True)
class Question:
    """What the harness sent. `ours` is the same in our words; None where nothing is to be done."""

    kind: str
    seq: int
    ours: dict[str, Any] | None

    @property
    def answered(self) -> bool:
        """The harness waits for an answer to these alone; another would be taken for theirs."""
        return self.kind in (HELLO, OBSERVATION)


def question(message: Mapping[str, Any]) -> Question:
    """Raises WireError for a message of another form, and BadObservationError for what is no
    picture; `seq_of` says which of them was meant."""
    kind, payload = message.get(TYPE), message.get(PAYLOAD)
    if not isinstance(kind, str) or kind not in KINDS:
        raise WireError(f"a message of type {str(kind)[:40]!r}; there are: {', '.join(KINDS)}")
    if not isinstance(payload, dict):
        raise WireError(f"the payload of {kind!r} must be a map of names to values")
    seq = seq_of(message)
    if kind == OBSERVATION:
        return Question(kind, seq, _observation(payload))
    if kind == ours.EPISODE_START:
        return Question(kind, seq, {ours.TYPE: kind, **_instruction(payload)})
    if kind == ours.EPISODE_END:
        return Question(kind, seq, {ours.TYPE: kind})
    return Question(kind, seq, None)


def seq_of(message: Mapping[str, Any]) -> int:
    """Its number; 0 where it has none that could be one."""
    seq = message.get(SEQ)
    return seq if type(seq) is int else 0


def hello(seq: int, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a greeting, from our metadata. The spec names what is compared with a world's:
    one entry, of as many numbers as the action space has."""
    space = metadata["action_space"]
    spec = {
        "name": space["name"],
        "dims": len(space["dimensions"]),
        "format": f"sayact_{space['name']}",
        "description": ", ".join(d["name"] for d in space["dimensions"]),
    }
    payload = {
        "harness_version": f"sayact {metadata['version']}",
        "protocol_version": PROTOCOL_VERSION,
        "model_server": f"sayact {metadata['policy']}",
        "capabilities": {},
        "action_spec": {"actions": spec},
        "sayact": dict(metadata),
    }
    return _message(HELLO, seq, payload)


def action(seq: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of ours; of a chunk of one action the action itself, as worlds there take it."""
    return _message(ACTION, seq, {**answer, ours.ACTIONS: answer[ours.ACTIONS][0]})


def error(seq: int, text: str) -> dict[str, Any]:
    """`text` is "NAME: message", as in the text frames of the other path."""
    return _message(ERROR, seq, {"error": text})


def _message(kind: str, seq: int, payload: dict[str, Any]) -> dict[str, Any]:
    """The clock stands in the protocol; nothing here looks at it."""
    return {TYPE: kind, PAYLOAD: _spelled(payload), SEQ: seq, TIMESTAMP: time.time()}


def _spelled(value: Any) -> Any:
    """With arrays as the harness reads them: named by text where openpi has bytes."""
    if isinstance(value, dict):
        return {name: _spelled(part) for name, part in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, np.ndarray):
        return value
    array: dict[str, Any] = {"data": value.tobytes(), "dtype": value.dtype.str}
    return {"__ndarray__": True, **array, "shape": list(value.shape)}


def _observation(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Of many cameras the first, which is the world's main one; of states whichever it names."""
    cameras = payload.get(CAMERAS)
    if not isinstance(cameras, dict) or not cameras:
        raise BadObservationError(
            f"no picture in the observation; give {CAMERAS!r}, a map of names to pictures"
        )
    observation = {ours.IMAGES[0]: _picture(next(iter(cameras.values())))}
    if SENTENCE in payload:
        observation[ours.PROMPTS[0]] = payload[SENTENCE]
    state = next((payload[name] for name in STATES if name in payload), None)
    if state is not None:
        observation[ours.STATE] = state
    return observation


def _picture(given: Any) -> Any:
    """An array, or the bytes of a file; the form is judged where all pictures are."""
    if not isinstance(given, dict) or IMAGE not in given:
        return given
    data, shape = given.get("data"), given.get("shape")
    if given.get("format") != RAW:
        return data
    if not isinstance(data, bytes) or not isinstance(shape, list):
        raise BadObservationError("a raw picture needs bytes as data and a list as shape")
    try:
        return np.frombuffer(data, np.uint8).reshape(shape)
    except (TypeError, ValueError, OverflowError):
        raise BadObservationError(
            f"{len(data):,} bytes are no raw picture of shape {str(shape)[:60]}"
        ) from None


def _instruction(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The sentence of an episode, where its start names one; observations there mostly do."""
    task = payload.get("task")
    places = (payload, task) if isinstance(task, dict) else (payload,)
    named = [p[name] for p in places for name in (SENTENCE, ours.INSTRUCTION) if name in p]
    return {ours.INSTRUCTION: named[0]} if named else {}
