"""Other services' HTTP beside Django: requests and answers that wait for minutes, and no thread with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from audit import addresses
from sessions_app.access import decision
from sessions_app.wire.client_fields import any_bearer
from sessions_app.wire.protocol import ErrorCode, ProtocolError

from .whole_recording import may_send

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

JSON = "application/json"
RETRY_S = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; streams begin with the first piece of their body."""

    body: str
    status: int = 200
    kind: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Request:
    """The parts of a request that matter here."""

    def __init__(self, scope: Any) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"].rstrip("/")
        self.query: str = scope["query_string"].decode("latin-1")
        self.scheme: str = scope.get("scheme", "http")
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        client = scope.get("client")
        self.peer: str | None = client[0] if client else None

    @property
    def token(self) -> str:
        return any_bearer(self.headers)

    @property
    def is_local(self) -> bool:
        return decision.is_local(self.peer, self.headers)

    @property
    def address(self) -> str | None:
        forwarded = self.headers.get("x-forwarded-for", "")
        return addresses.of_client(self.peer, forwarded, settings.PROXIES)

    def check_origin(self) -> None:
        """Refuse pages of others.

        Raises:
            ProtocolError: FORBIDDEN.
        """
        if not decision.is_origin_allowed(
            self.headers,
            scheme=self.scheme,
            allowed_hosts=settings.ALLOWED_HOSTS,
            trusted_origins=settings.CSRF_TRUSTED_ORIGINS,
        ):
            raise ProtocolError(ErrorCode.FORBIDDEN, "pages of other addresses may not call this")

    async def admit(self) -> None:
        """Refuse who may not send. Raises as `admit` of a recording."""
        await may_send(token=self.token, is_local=self.is_local)


async def send_answer(send: Send, answer: Answer) -> None:
    await begin(send, answer)
    await send({"type": "http.response.body", "body": answer.body.encode()})


async def begin(send: Send, answer: Answer) -> None:
    """Send the beginning of an answer; pieces of its body follow."""
    headers = [(b"content-type", f"{answer.kind}; charset=utf-8".encode()), *answer.headers]
    headers.append((b"cache-control", b"no-store"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


async def send_more(send: Send, text: str) -> None:
    """Send a piece of a body, which is not the last."""
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def body_of(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the body of a request as it comes.

    Raises:
        ProtocolError: BAD_PARAMETER, if it is cut off.
    """
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ProtocolError(ErrorCode.BAD_PARAMETER, "the request was cut off")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


def retry_headers(error: ProtocolError) -> tuple[tuple[bytes, bytes], ...]:
    """Return when to try again, if that makes sense."""
    retry_s = error.retry_after or (RETRY_S if error.code.is_retryable else None)
    return ((b"retry-after", str(max(1, round(retry_s))).encode()),) if retry_s else ()
