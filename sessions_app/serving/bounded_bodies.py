"""Bounds of request bodies as an ASGI application: for servers that ask it before a body has come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from speakers.decoding import takes_recordings

from .body_limits import (
    MAX_BODY_BYTES,
    MAX_FILE_BODY_BYTES,
    BodyBudget,
    BodyMeter,
    BodyTooLarge,
    TooManyBodies,
)

TRANSCRIPTIONS = ("/v1/audio/transcriptions", "/v1/listen")
"""Where whole meetings are sent, by clients of other services."""

UPLOADS = "/api/uploads/"
"""Where files of any size come in pieces."""

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


def max_body_bytes(path: str) -> int:
    """Return how large a body may be at this address."""
    is_piece = path.startswith(UPLOADS)
    is_large = is_piece or path.rstrip("/") in TRANSCRIPTIONS or takes_recordings(path)
    return MAX_FILE_BODY_BYTES if is_large else MAX_BODY_BYTES


class BoundedBodies:
    """Refuses what is too large in place of the application behind it."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._budget = BodyBudget()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        meter = BodyMeter(max_body_bytes(scope["path"]), self._budget)

        async def receive_counted() -> Message:
            message = await receive()
            meter.receive(len(message.get("body", b"")))
            return message

        try:
            meter.announce(_length(scope["headers"]))
            await self._application(scope, receive_counted, send)
        except BodyTooLarge as error:
            await _answer(send, 413, error)
        except TooManyBodies as error:
            await _answer(send, 503, error)
        finally:
            meter.release()


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    length = dict(headers).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


async def _answer(send: Send, status: int, error: Exception) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": str(error).encode()})
