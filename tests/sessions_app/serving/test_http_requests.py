"""Requests with bodies, as they come in from the network."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sessions_app.serving.body_limits import BodyBudget

from sessions_app.serving.daphne_server import PatientServer  # isort: skip
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from sessions_app.serving.http_requests import LINGER_S, BoundedHTTPFactory, SpooledBody

LIMIT, FILE_LIMIT = 1000, 150_000


class HalfClosing(StringTransport):
    """What a client hears, and whether it may still say something."""

    is_half_closed = is_aborted = False

    def loseWriteConnection(self) -> None:  # noqa: N802
        self.is_half_closed = True

    def abortConnection(self) -> None:  # noqa: N802
        self.is_aborted = True


def _transport() -> Any:
    untyped: Any = HalfClosing
    return untyped()


class Site:
    """A server behind a connection: its application is told of requests, and has read their bodies whole."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self.roots: list[str] = []
        self.server = PatientServer(
            self._application, endpoints=["unused"], on_stop=self._stop, max_body_bytes=self._limit
        )
        self.server.connections = {}
        self.server.body_budget = BodyBudget(limit=200_000)
        self.transport: Any = _transport()
        factory = BoundedHTTPFactory(self.server)
        factory.timeOut = None
        self.channel = factory.buildProtocol(None)
        self.channel.makeConnection(self.transport)

    @staticmethod
    def _limit(path: str) -> int:
        return FILE_LIMIT if path == "/files" else LIMIT

    async def _stop(self) -> None: ...

    async def _application(self, *, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        self.requests.append((scope["path"], body))
        self.roots.append(scope["root_path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive(self, *data: bytes) -> bytes:
        for part in data:
            self.channel.dataReceived(part)
        for _ in range(5):
            await asyncio.sleep(0)
        answer: bytes = self.transport.value()
        return answer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("sessions_app.serving.http_requests.reactor", clock)
    return clock


@pytest.fixture
def site(clock: Clock) -> Site:
    return Site()


def post(path: str, length: int, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {length}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_body_within_the_limit_reaches_the_application(site: Site) -> None:
    assert b"204" in await site.receive(post("/?a=b", LIMIT), b"x" * 600, b"y" * 400)
    assert site.requests == [("/", b"x" * 600 + b"y" * 400)]


async def test_more_than_fits_in_memory_comes_from_disk_piece_by_piece(site: Site) -> None:
    body = bytes(range(256)) * 500
    await site.receive(post("/files", len(body)), body[:70_000], body[70_000:])
    assert site.requests == [("/files", body)]


async def test_no_form_is_parsed_before_somebody_wants_it(site: Site) -> None:
    head = post("/", 30, "Content-Type: multipart/form-data; boundary=none")
    assert b"204" in await site.receive(head, b"not what a form would look like"[:30])


class TestTooLarge:
    async def test_it_is_refused_by_its_head_alone(self, site: Site) -> None:
        answer = await site.receive(post("/", LIMIT + 1))
        assert answer.startswith(b"HTTP/1.1 413")
        assert site.transport.is_half_closed
        assert not site.requests

    async def test_files_are_taken_where_files_are_sent_alone(self, site: Site) -> None:
        assert not await site.receive(post("/files", LIMIT + 1))
        assert (await Site().receive(post("/files", FILE_LIMIT + 1))).startswith(b"HTTP/1.1 413")

    async def test_without_a_length_it_is_refused_when_too_much_has_come(self, site: Site) -> None:
        assert not await site.receive(CHUNKED, b"3e8\r\n" + b"x" * LIMIT + b"\r\n")
        assert (await site.receive(b"1\r\nx\r\n0\r\n\r\n")).startswith(b"HTTP/1.1 413")
        assert not site.requests

    async def test_what_comes_of_it_is_thrown_away_and_then_cut_off(self, site: Site, clock: Clock) -> None:
        head = post("/", 2 * LIMIT, "Expect: 100-continue")
        answer = await site.receive(head, b"x" * LIMIT, b"x" * LIMIT, b"GET / HTTP/1.1\r\n\r\n")
        assert answer.count(b"HTTP/1.1") == 1
        assert not site.requests
        assert not site.transport.is_aborted
        clock.advance(LINGER_S)
        assert site.transport.is_aborted

    async def test_nothing_is_held_of_it(self, site: Site) -> None:
        await site.receive(post("/", LIMIT + 1))
        assert site.server.body_budget.held == 0


class TestAllTogether:
    async def test_who_comes_when_there_is_no_room_is_to_come_again(self, site: Site) -> None:
        other = Site()
        other.server.body_budget = site.server.body_budget
        await site.receive(post("/files", FILE_LIMIT))
        answer = await other.receive(post("/files", FILE_LIMIT))
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"Retry-After" in answer

    async def test_there_is_room_again_when_one_is_answered(self, site: Site) -> None:
        await site.receive(post("/files", 3), b"abc")
        assert site.server.body_budget.held == 0

    async def test_there_is_room_again_when_its_client_has_gone(self, site: Site) -> None:
        await site.receive(post("/files", FILE_LIMIT), b"abc")
        assert site.server.body_budget.held == FILE_LIMIT
        site.channel.connectionLost(None)
        assert site.server.body_budget.held == 0


async def test_a_client_that_goes_away_is_told_of_behind_its_body(tmp_path: Any) -> None:
    file = (tmp_path / "body").open("w+b")
    file.write(b"abc")
    file.seek(0)
    body = SpooledBody(file)
    body.put_nowait({"type": "http.disconnect"})
    assert (await body.get())["body"] == b"abc"
    assert (await body.get())["type"] == "http.disconnect"


async def test_no_client_says_where_the_site_begins(site: Site) -> None:
    assert b"204" in await site.receive(post("/x/metrics", 0, "Daphne-Root-Path: /x"))
    assert site.roots == [""]
