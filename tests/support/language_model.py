"""A stand-in for a language model's server: OpenAI's wire format, with answers that tests decide."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PIECE = 7
"""Characters of an answer that come at once."""


@dataclass(slots=True)
class Reply:
    """An answer to one request."""

    text: str = ""
    status: int = 200
    refusal: str = ""
    finish: str = "stop"
    usage: int | None = 100
    breaks_off: bool = False
    """The connection ends in the middle."""

    is_silent: bool = False
    """Nothing ever comes."""

    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class StandIn:
    """A server at work."""

    answer: Callable[[dict[str, Any]], Reply]
    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@asynccontextmanager
async def stand_in(answer: Callable[[dict[str, Any]], Reply]) -> AsyncIterator[StandIn]:
    """Serve on a free port; `answer` is given each request's body."""
    server = StandIn(answer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _answer(server, reader, writer)
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


async def _answer(server: StandIn, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    headers = {
        name.strip().lower(): value.strip()
        for name, _colon, value in (row.partition(":") for row in head.split("\r\n")[1:])
    }
    body = json.loads(await reader.readexactly(int(headers["content-length"])))
    server.requests.append(body)
    server.authorizations.append(headers.get("authorization", ""))
    assert head.startswith("POST /v1/chat/completions ")
    reply = server.answer(body)
    if reply.is_silent:
        await reader.read()
        return
    if reply.status != 200:
        content = json.dumps({"error": {"message": reply.text, "type": "error", "code": None}}).encode()
        writer.write(_head(reply.status, "application/json", reply.headers, len(content)) + content)
        await writer.drain()
        return
    writer.write(_head(200, "text/event-stream", reply.headers))
    for event in _events(reply):
        writer.write(f"data: {event}\n\n".encode())
        await writer.drain()


def _head(status: int, kind: str, extra: dict[str, str], length: int | None = None) -> bytes:
    rows = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", "Connection: close"]
    rows += [f"{name}: {value}" for name, value in extra.items()]
    rows += [f"Content-Length: {length}"] if length is not None else []
    return ("\r\n".join(rows) + "\r\n\r\n").encode()


def _events(reply: Reply) -> list[str]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if reply.refusal:
        deltas.append({"refusal": reply.refusal})
    deltas += [{"content": reply.text[at : at + PIECE]} for at in range(0, len(reply.text), PIECE)]
    events = [_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    if reply.breaks_off:
        return events[: len(events) // 2]
    events.append(_chunk([{"index": 0, "delta": {}, "finish_reason": reply.finish}]))
    if reply.usage is not None:
        usage = {"prompt_tokens": reply.usage - 1, "completion_tokens": 1, "total_tokens": reply.usage}
        events.append(_chunk([], usage=usage))
    return [*events, "[DONE]"]


def _chunk(choices: list[dict[str, Any]], **more: Any) -> str:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "stand-in"}
    return json.dumps({**base, "choices": choices, **more})
