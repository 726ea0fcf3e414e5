"""One request to a receiver: to an allowed address, within bounds of time and size, following nobody."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, urlsplit

import h11

from sessions_app.exceptions import SessionsError

from .addresses import Network, is_allowed

TIMEOUT_S = 10.0
"""For all of it: the name, the connection, the request and the answer."""

MAX_ANSWER_BYTES = 2048
"""So much of an answer is read; the rest is not waited for."""

BODY_S = 2.0
"""So long its text is waited for: what counts is the status."""

MAX_HEADER_BYTES = 16 * 1024
BLOCK = 4096
PORTS = {"http": 80, "https": 443}

# Not those threads in which recordings are written: a name may take long.
_resolvers = ThreadPoolExecutor(4, thread_name_prefix="webhook names")


class ReceiverUnreachable(SessionsError):
    """Nobody was reached; the message is for those who look after webhooks."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and beginning of an answer."""

    status: int
    text: str
    took_ms: int


async def post(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    networks: Iterable[Network] = (),
    timeout_s: float | None = None,
) -> Answer:
    """Send a request, and return the beginning of the answer.

    Args:
        networks: See `is_allowed`.

        timeout_s: For all of it; `TIMEOUT_S` if not given.

    Raises:
        ReceiverUnreachable: If there was no answer.
    """
    began, timeout_s = time.monotonic(), TIMEOUT_S if timeout_s is None else timeout_s
    try:
        async with asyncio.timeout(timeout_s):
            status, text = await _post(urlsplit(url), headers, body, list(networks))
    except TimeoutError:
        raise ReceiverUnreachable(f"no answer within {timeout_s:g} s") from None
    except ssl.SSLError as error:
        raise ReceiverUnreachable(f"no secure connection: {error.reason or error}") from None
    except OSError as error:
        raise ReceiverUnreachable(f"no connection: {error.strerror or error}") from None
    except h11.ProtocolError as error:
        raise ReceiverUnreachable(f"this is no answer of HTTP: {error}") from None
    return Answer(status, text, round((time.monotonic() - began) * 1000))


async def _post(
    url: SplitResult, headers: Mapping[str, str], body: bytes, networks: list[Network]
) -> tuple[int, str]:
    host = url.hostname or ""
    address, port = await _address(host, url.port or PORTS.get(url.scheme, 443), networks)
    is_secure = url.scheme == "https"
    reader, writer = await asyncio.open_connection(
        address,
        port,
        limit=MAX_HEADER_BYTES,
        ssl=_tls() if is_secure else None,
        server_hostname=host if is_secure else None,
    )
    try:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)
        for event in _request(url, headers, body):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        return await _answer(connection, reader)
    finally:
        writer.transport.abort()  # nothing more is of interest, also where the other end lingers


async def _address(host: str, port: int, networks: list[Network]) -> tuple[str, int]:
    """Return the first address of a name that is allowed: the one that is connected to."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(_resolvers, _resolve, host, port)
    except (socket.gaierror, UnicodeError):
        raise ReceiverUnreachable(f"the name {host} is not known") from None
    for address in found:
        if is_allowed(address, networks):
            return address, port
    raise ReceiverUnreachable(
        f"{host} is {', '.join(found) or 'nowhere'}, which is no address of the internet: "
        "ASR_WEBHOOK_NETWORKS can allow its network"
    )


def _resolve(host: str, port: int) -> list[str]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _request(url: SplitResult, headers: Mapping[str, str], body: bytes) -> list[h11.Event]:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    host = url.netloc.rpartition("@")[2]
    fixed = {"host": host, "connection": "close", "content-length": str(len(body))}
    named = [(name, value) for name, value in {**fixed, **headers}.items()]
    return [h11.Request(method="POST", target=target, headers=named), h11.Data(data=body), h11.EndOfMessage()]


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, str]:
    """Read status and beginning of an answer."""
    while not isinstance(event := await _next(connection, reader), h11.Response):
        if not isinstance(event, h11.InformationalResponse):
            raise ReceiverUnreachable("the connection was closed without an answer")
    content = bytearray()
    with contextlib.suppress(TimeoutError, OSError, h11.ProtocolError):
        async with asyncio.timeout(BODY_S):
            while len(content) < MAX_ANSWER_BYTES:
                part = await _next(connection, reader)
                if not isinstance(part, h11.Data):
                    break
                content += part.data
    return event.status_code, content[:MAX_ANSWER_BYTES].decode(errors="replace")


async def _next(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(BLOCK))
    return event
