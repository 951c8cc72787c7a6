"""Errors that teach: each says what was given, what is allowed and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class SayactError(Exception):
    """A mistake the user can mend. The command prints it on one line and exits with status 2."""


class ShapeError(SayactError, ValueError):
    """An array of the wrong dtype or shape."""


class UnknownNameError(SayactError, ValueError):
    """A name that is not on the list."""

    def __init__(self, kind: str, given: str, allowed: Iterable[str]) -> None:
        names = sorted(allowed)
        near = get_close_matches(given, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {kind} {given!r}; there are: {', '.join(names)}.{hint}")


class ActionSpaceMismatchError(SayactError):
    """A policy whose numbers mean something else than the world's."""


class BadActionError(SayactError):
    """A policy answered with NaN, infinity or a number outside its action space."""


class BadObservationError(SayactError, ValueError):
    """A policy was shown NaN or infinity."""


class BrokenDatasetError(SayactError):
    """A dataset file that cannot be read."""


class CheckpointError(SayactError):
    """A checkpoint folder that is missing something or does not fit."""


class MissingExtraError(SayactError, ImportError):
    """A package that only some of Sayact needs, and that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package {package}, which is not installed. "
            f"`pip install 'sayact[{extra}]'` brings it; in a clone, `pip install '.[{extra}]'`."
        )


class RenderingError(SayactError, RuntimeError):
    """No way to draw pictures on this machine."""


class WireError(SayactError, ValueError):
    """A message that cannot be read: not msgpack, too large, too deep, or of the wrong form."""


class SessionTakenError(SayactError):
    """A session that belongs to another connection."""


class DeadlineError(SayactError):
    """An action that could not be given as early as it was asked for."""


class ServerBusyError(SayactError):
    """A server that has as many robots, or as much to do, as it takes on."""


class HistoryLostError(SayactError):
    """An episode whose history is gone with the process that held it; the next step begins anew."""


class ServerUnreachableError(SayactError, ConnectionError):
    """A policy server that nobody answers for, or not as one."""


class AnswerLateError(SayactError, TimeoutError):
    """An action that a server did not give in time."""


class ServerError(SayactError):
    """What a server said went wrong, where it is no error of ours by name."""
