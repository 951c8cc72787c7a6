"""One websocket to a policy server: open it, ask and be answered, and tell apart what went wrong.

answer    bytes   unpacked
error     text    "NAME: message", raised as the error of that name
broken            `BrokenLink`: whoever holds the link opens another one
silent            AnswerLateError
"""

import ssl
from collections.abc import Mapping
from typing import Any

from sayact.schema import errors
from sayact.schema.errors import (
    AnswerLateError,
    MissingExtraError,
    SayactError,
    ServerBusyError,
    ServerError,
    ServerUnreachableError,
    SessionTakenError,
)
from sayact.serve.wire import MEGA, pack, unpack

# Where a key lies; command lines are read by everybody on a machine. And the file of the authority
# that signed the server's certificate, where the machine does not know it.
KEY_VARIABLE, AUTHORITY_VARIABLE = "SAYACT_KEY", "SAYACT_CA_FILE"
# What an answer may take; a chunk of actions is some kilobytes.
ANSWER_BYTES = 8 * MEGA
# For the goodbye of a connection that may be dead: a robot does not wait for it.
CLOSE_SECONDS = 0.2
# Of a try to connect: behind TLS, websockets now and then misses an answer of HTTP that ends the
# connection (such as 401), and waits in vain; the next try hears it.
HANDSHAKE_SECONDS = 4.0
UNAUTHORIZED, UNAVAILABLE = 401, 503  # HTTP, at the handshake
TAKEN_OVER = 1008  # of the codes by which servers close: another client has the session
# Closed for what we sent, such as too large a message; it would be closed again.
OUR_FAULT = (1002, 1003, 1007, 1009)


class BrokenLink(Exception):
    """The connection is gone, and another one may do."""


class Link:
    """An open connection; `metadata` is what the server said first."""

    def __init__(
        self, url: str, *, key: str | None, context: ssl.SSLContext | None, seconds: float
    ) -> None:
        """Connect within `seconds`. Raises BrokenLink where trying again may help, ServerError or
        ServerBusyError where the server says no."""
        client, self._exceptions = _websockets()
        headers = {} if key is None else {"Authorization": f"Api-Key {_sound(key)}"}
        try:
            self._socket = client.connect(
                url,
                additional_headers=headers,
                ssl=context,
                compression=None,  # pictures are compressed already, or in a hurry
                open_timeout=min(seconds, HANDSHAKE_SECONDS),
                close_timeout=CLOSE_SECONDS,
                max_size=ANSWER_BYTES,
            )
        except self._exceptions.InvalidStatus as refused:
            raise _refusal(url, refused.response) from None
        except ssl.SSLCertVerificationError as bad:
            raise ServerError(
                f"{url} shows a certificate that is not trusted ({bad.verify_message}); give the "
                f"file of its authority: ca_file, or the variable {AUTHORITY_VARIABLE}. Or call "
                "the server by a name that the certificate has"
            ) from None
        except ssl.SSLError as problem:
            raise BrokenLink(
                f"no TLS there: {problem.reason or problem}; is it a server at ws://, without "
                "certificates?"
            ) from problem
        except (OSError, EOFError, self._exceptions.WebSocketException) as problem:
            raise BrokenLink(f"{type(problem).__name__}: {problem}") from problem
        self._told_why = False  # the newest frame was an error
        try:
            self.metadata = self.receive(seconds)
        except BaseException:
            self.close()  # nobody else knows of it
            raise

    @property
    def closed(self) -> bool:
        return self._socket.close_code is not None

    def ask(self, message: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Raises what the server says, AnswerLateError, or BrokenLink."""
        data = pack(message)
        try:
            self._socket.send(data)
        except (OSError, self._exceptions.ConnectionClosed) as broken:
            raise self._why(broken) from None
        return self.receive(seconds)

    def receive(self, seconds: float) -> dict[str, Any]:
        try:
            frame = self._socket.recv(timeout=max(0.0, seconds))
        except TimeoutError:
            raise AnswerLateError(f"no answer within {seconds:.3g} s") from None
        except (OSError, self._exceptions.ConnectionClosed) as broken:
            raise self._why(broken) from None
        self._told_why = isinstance(frame, str)
        if isinstance(frame, str):
            raise said(frame)
        return unpack(frame)

    def close(self) -> None:
        """Say goodbye, and do not wait for the answer."""
        self._socket.close()

    def _why(self, broken: Exception) -> Exception:
        """A connection that the server closed for a reason of its own is not opened again; one
        that it closed after an error has had its error."""
        code, reason = self._socket.close_code, self._socket.close_reason or "no reason given"
        if code == TAKEN_OVER:
            return SessionTakenError(
                f"another client has taken this session over (the server says: {reason}); two "
                "robots need two sessions"
            )
        if code in OUR_FAULT and not self._told_why:
            return ServerError(f"the server closed the connection with code {code}: {reason}")
        return BrokenLink(f"{type(broken).__name__}: {broken}")


def said(text: str) -> SayactError:
    """The error that a server's text frame names; ServerError for one that is none of ours."""
    name, colon, message = text.partition(": ")
    kind = getattr(errors, name, None) if colon else None
    if isinstance(kind, type) and issubclass(kind, SayactError):
        try:
            return kind(message)
        except TypeError:  # an error that is built from parts
            pass
    return ServerError(f"the server says: {text}")


def tls(url: str, ca_file: str | None) -> ssl.SSLContext | None:
    """None for ws://; ca_file: of an authority that the machine does not know."""
    if not url.startswith("wss://"):
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as problem:  # ssl.SSLError is one
        raise SayactError(
            f"{ca_file} is no file of certificates ({problem.strerror or problem}); give the one "
            f"of the server's authority, as PEM, as ca_file or in {AUTHORITY_VARIABLE}"
        ) from None


def _sound(key: str) -> str:
    """Without the line's end of the file that it came from."""
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        raise ServerError(f"a key has letters of ASCII alone; look into {KEY_VARIABLE}")
    return key


def _refusal(url: str, response: Any) -> SayactError:
    """Of an HTTP answer where a websocket was asked for."""
    body = bytes(response.body or b"").decode(errors="replace").strip()[:200]
    if response.status_code == UNAUTHORIZED:
        return ServerError(
            f"{url} wants a key, and not this one. Give it as key=…, or in the environment "
            f"variable {KEY_VARIABLE}"
        )
    if response.status_code == UNAVAILABLE:
        return ServerBusyError(body.partition(": ")[2] or f"{url} takes no more robots")
    return ServerUnreachableError(
        f"{url} is no policy server: it answered with HTTP status {response.status_code} ({body})"
    )


def _websockets() -> tuple[Any, Any]:
    try:
        from websockets import exceptions
        from websockets.sync import client
    except ModuleNotFoundError:
        raise MissingExtraError("websockets", "serve") from None
    return client, exceptions
