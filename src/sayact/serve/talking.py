"""A connection from its first message to its last, on either path.

    /           openpi: metadata first, then an answer for every message; errors are text frames
    /vla-eval   the vla-evaluation-harness: the same answers in its words (`vla_eval`)

A mistake in one request is told and the connection stays open; a message that cannot be read ends
it, since nobody knows what the next one would be; and so does a fault of the server's own, whose
traceback stays in the log.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sayact.schema.errors import SayactError, ServerBusyError, WireError
from sayact.serve import messages as say
from sayact.serve import vla_eval
from sayact.serve.conversation import MILLI, Conversation, Service
from sayact.serve.wire import pack, unpack

# A robot that does not read its answers for so long is gone, or stuck; its connection is cut.
WRITE_SECONDS = 10.0
ERROR_ID_BYTES = 4

# Codes of RFC 6455 section 7.4.1.
NORMAL, NO_TEXT, UNREADABLE, TAKEN, FAULT, BUSY = 1000, 1003, 1007, 1008, 1011, 1013

logger = logging.getLogger(__name__)
Frame = bytes | str


async def talk(connection: ServerConnection, service: Service, words: "Words") -> None:
    """The whole of a connection, in the words of its path."""
    hanging_up: list[asyncio.Task[None]] = []  # the loop itself holds tasks weakly

    def hang_up() -> None:
        closing = connection.close(TAKEN, "session taken over")
        hanging_up.append(asyncio.create_task(closing))

    conversation = None
    try:
        conversation = Conversation(service, hang_up)
        service.metrics.connected()
        logger.info("%s has session %s", connection.remote_address, conversation.session.name)
        if words.greets:
            await _say(connection, pack(conversation.metadata()))
        await _answer_all(connection, conversation, words)
    except ServerBusyError as full:
        await _part(connection, BUSY, _told(service, full))
    except ConnectionClosed:
        pass  # there is nobody to tell
    finally:
        if conversation is not None:
            conversation.leave()
            logger.info("%s is gone", connection.remote_address)


async def _answer_all(
    connection: ServerConnection, conversation: Conversation, words: "Words"
) -> None:
    """One message after the other, until either side has had enough."""
    service = conversation.service
    async for data in connection:
        received = time.monotonic()
        if isinstance(data, str):
            text = WireError("a text frame; messages are binary, in msgpack")
            return await _part(connection, NO_TEXT, _told(service, text))
        try:
            message = unpack(data, service.limits)
            reply = await words.answer(conversation, message, received)
        except WireError as unreadable:
            return await _part(connection, UNREADABLE, _told(service, unreadable))
        except Exception as fault:
            return await _part(connection, FAULT, _own_fault(service, fault))
        if reply is not None:
            await _say(connection, reply)
        conversation.previous_ms = MILLI * (time.monotonic() - received)
        if conversation.over:
            return await connection.close(NORMAL, "session closed")


async def _openpi(
    conversation: Conversation, message: Mapping[str, Any], received: float
) -> Frame | None:
    try:
        return pack(await conversation.answer(message, received))
    except SayactError as mistake:
        return _told(conversation.service, mistake)


async def _harness(
    conversation: Conversation, message: Mapping[str, Any], received: float
) -> Frame | None:
    seq = vla_eval.seq_of(message)
    try:
        question = vla_eval.question(message)
        if question.kind == vla_eval.HELLO:
            return pack(vla_eval.hello(seq, conversation.metadata()))
        if question.ours is None:
            return None
        answer = await conversation.answer(question.ours, received)
        return pack(vla_eval.action(seq, answer)) if question.answered else None
    except SayactError as mistake:
        return pack(vla_eval.error(seq, _told(conversation.service, mistake)))


@dataclass(frozen=True)
class Words:
    """How a path speaks: whether the server does so first, and what it answers to a message.

    `answer` raises nothing but what is wrong with the server itself.
    """

    greets: bool
    answer: Callable[[Conversation, Mapping[str, Any], float], Awaitable[Frame | None]]


PATHS: Mapping[str, Words] = {
    "/": Words(greets=True, answer=_openpi),
    vla_eval.PATH: Words(greets=False, answer=_harness),
}


async def _say(connection: ServerConnection, frame: Frame) -> None:
    """Raises ConnectionClosed where the other side does not read."""
    try:
        async with asyncio.timeout(WRITE_SECONDS):
            await connection.send(frame)
    except TimeoutError:
        logger.warning("%s reads no answers; cut off", connection.remote_address)
        connection.transport.abort()
        await connection.wait_closed()


async def _part(connection: ServerConnection, code: int, text: str) -> None:
    """The last word, and the end."""
    await _say(connection, text)
    await connection.close(code, text.partition(":")[0])


def _told(service: Service, mistake: SayactError) -> str:
    service.metrics.failed(type(mistake).__name__)
    return say.error_text(mistake)


def _own_fault(service: Service, fault: Exception) -> str:
    number = secrets.token_hex(ERROR_ID_BYTES)
    logger.error("internal error %s", number, exc_info=fault)
    service.metrics.failed("InternalError")
    return f"InternalError: something is wrong with the server; its log tells more under {number}"
