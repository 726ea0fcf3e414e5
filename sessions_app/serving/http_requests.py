"""HTTP requests whose bodies are bounded while they come, and read as the application asks for them.

daphne takes any length, copies the whole body from disk into memory, and asks the application then; Twisted
parses forms of any size before that, for nobody.
"""

from __future__ import annotations

import asyncio
import io
from typing import IO, Any

from .body_limits import BodyMeter, BodyTooLarge, TooManyBodies

from daphne.http_protocol import HTTPFactory, WebRequest  # isort: skip
from twisted.internet import reactor
from twisted.web.http_headers import Headers

CHUNK_BYTES = 64 * 1024

LINGER_S = 1.0
"""What still comes of a refused body is thrown away for so long: who is cut off at once may not read why."""


class SpooledBody(asyncio.Queue[dict[str, Any]]):
    """A request's messages to the application: first its body, piece by piece, then what daphne says."""

    def __init__(self, content: IO[bytes]) -> None:
        super().__init__()
        self._content = content

    async def get(self) -> dict[str, Any]:
        if not self._content.closed:
            if chunk := self._content.read(CHUNK_BYTES):
                return {"type": "http.request", "body": chunk, "more_body": True}
            self._content.close()
        return await super().get()


class BoundedRequest(WebRequest):  # type: ignore[misc]
    """A request that is refused as soon as its body is known to be too large."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)
        self._meter: BodyMeter | None = None
        self.is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        path = self.channel._path.partition(b"?")[0].decode("latin-1")
        self._meter = BodyMeter(self.server.max_body_bytes(path), self.server.body_budget)
        try:
            self._meter.announce(length or 0)
        except (BodyTooLarge, TooManyBodies) as error:
            self._refuse(error)
            length = 0  # no file for it
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self.is_refused:
            return
        assert self._meter
        try:
            self._meter.receive(len(data))
        except (BodyTooLarge, TooManyBodies) as error:
            self._refuse(error)
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        forget_root_path(self.requestHeaders)
        return super().process()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        if not self.is_refused:
            super().requestReceived(command, path, version)

    def _refuse(self, error: BodyTooLarge | TooManyBodies) -> None:
        self.is_refused = True
        self.requestHeaders.removeHeader(b"Expect")  # nothing more is expected
        if self.content:
            self.content.close()
        self._release()
        transport = self.channel.transport
        transport.write(refusal(error))
        transport.loseWriteConnection()
        reactor.callLater(LINGER_S, transport.abortConnection)  # type: ignore[arg-type] # Twisted's are wrong

    def take_content(self) -> IO[bytes]:
        """Return the body for whoever reads it, and leave daphne an empty one to copy."""
        content: Any = self.content
        self.content: IO[bytes] = io.BytesIO()
        return content  # type: ignore[no-any-return]

    def finish(self) -> None:
        super().finish()
        self._release()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        super().connectionLost(reason)
        self._release()

    def _release(self) -> None:
        if self._meter:
            self._meter.release()


def forget_root_path(headers: Headers) -> None:
    """Remove the header by which daphne lets a client say where the site begins: clients do not know."""
    headers.removeHeader(b"Daphne-Root-Path")


def refusal(error: BodyTooLarge | TooManyBodies) -> bytes:
    """Return a whole answer, for a client that is to send no more."""
    status = "413 Content Too Large" if isinstance(error, BodyTooLarge) else "503 Service Unavailable"
    headers = [
        f"HTTP/1.1 {status}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(str(error))}",
        "Connection: close",
        *(["Retry-After: 5"] if isinstance(error, TooManyBodies) else []),
    ]
    return ("\r\n".join(headers) + "\r\n\r\n" + str(error)).encode()


class BoundedHTTPFactory(HTTPFactory):  # type: ignore[misc]
    """daphne's, with such requests."""

    def buildProtocol(self, address: Any) -> Any:  # noqa: N802
        protocol = super().buildProtocol(address)
        protocol.requestFactory = BoundedRequest
        return protocol
