"""Requests to receivers that answer, hang, flood, redirect, or are not to be reached."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import socket
from collections.abc import Callable
from typing import Any

import pytest

from sessions_app.webhooks import sending
from sessions_app.webhooks.sending import Answer, ReceiverUnreachable, post

from .receivers import OK, receiving, status

HERE = [ipaddress.ip_network("127.0.0.0/8")]


async def sent(url: str, *, timeout_s: float = 5.0, networks: Any = HERE) -> Answer:
    return await post(url, {"webhook-id": "1", "x": "y"}, b'{"a": 1}', networks=networks, timeout_s=timeout_s)


async def test_a_request_comes_as_it_was_meant() -> None:
    async with receiving(lambda: status(200, "thanks")) as receiver:
        answer = await sent(receiver.url)
    [(headers, body)] = receiver.requests
    assert (answer.status, answer.text, body) == (200, "thanks", b'{"a": 1}')
    assert headers[""] == "POST /hook?a=b HTTP/1.1"
    assert (headers["host"], headers["webhook-id"]) == (f"127.0.0.1:{receiver.port}", "1")


async def test_a_redirect_is_followed_nowhere() -> None:
    async with receiving() as secret:
        moved = f"HTTP/1.1 302 Found\r\nlocation: {secret.url}\r\ncontent-length: 0\r\n\r\n".encode()
        async with receiving(lambda: moved) as receiver:
            assert (await sent(receiver.url)).status == 302
        assert secret.requests == []


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000, b"\0" * 5000],
    ids=["nothing", "nonsense", "half", "long", "zeros"],
)
async def test_what_is_no_answer_is_none(answer: bytes) -> None:
    async with receiving(lambda: answer) as receiver:
        with pytest.raises(ReceiverUnreachable):
            await sent(receiver.url)


async def test_who_says_nothing_is_waited_for_no_longer_than_that() -> None:
    async with receiving(lambda: None) as receiver:
        with pytest.raises(ReceiverUnreachable, match=r"no answer within 0\.2 s"):
            await sent(receiver.url, timeout_s=0.2)


async def test_of_an_answer_without_end_only_the_beginning_is_read() -> None:
    async with receiving(lambda: b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000) as receiver:
        answer = await sent(receiver.url)
    assert (answer.status, len(answer.text)) == (200, sending.MAX_ANSWER_BYTES)


@pytest.mark.parametrize(
    "answer",
    [b"content-length: 9\r\n\r\nhal", b"transfer-encoding: chunked\r\n\r\n3\r\nhal\r\nz"],
    ids=["cut off", "nonsense"],
)  # fmt: skip
async def test_a_status_counts_though_its_text_does_not_come_whole(answer: bytes) -> None:
    async with receiving(lambda: b"HTTP/1.1 200 OK\r\n" + answer) as receiver:
        assert (await sent(receiver.url)).status == 200


async def test_a_hint_before_the_answer_is_none() -> None:
    async with receiving(lambda: b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK) as receiver:
        assert (await sent(receiver.url)).status == 204


async def test_nobody_listening_is_told_so() -> None:
    async with receiving() as receiver:
        url = receiver.url
    with pytest.raises(ReceiverUnreachable, match="no connection"):
        await sent(url)


async def test_a_plain_answer_to_a_secure_request_is_none() -> None:
    async with receiving() as receiver:
        with pytest.raises(ReceiverUnreachable):
            await sent(receiver.url.replace("http:", "https:"))


class TestPrivateAddresses:
    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0"],
    )
    async def test_are_not_connected_to_in_any_spelling(self, host: str) -> None:
        async with receiving() as receiver:
            with pytest.raises(ReceiverUnreachable):
                await sent(f"http://{host}:{receiver.port}/", networks=[])
        assert receiver.connections == 0

    async def test_are_told_with_what_would_help(self) -> None:
        with pytest.raises(ReceiverUnreachable, match=r"localhost is .*ASR_WEBHOOK_NETWORKS"):
            await sent("http://localhost:1/", networks=[])

    async def test_are_not_reached_by_a_name_that_changes_its_mind(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The name is asked once, and what it was then is connected to."""
        answers = itertools.chain(["8.8.8.8"], itertools.repeat("127.0.0.1"))
        monkeypatch.setattr(socket, "getaddrinfo", _answering(lambda: next(answers)))
        connected: list[str] = []

        async def connect(host: str, port: int, **_: Any) -> Any:
            connected.append(host)
            raise OSError("far away")

        monkeypatch.setattr(asyncio, "open_connection", connect)
        with pytest.raises(ReceiverUnreachable, match="far away"):
            await sent("http://rebinding.example/", networks=[])
        assert connected == ["8.8.8.8"]

    async def test_among_public_ones_are_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [(2, 1, 6, "", (address, 80)) for address in ("10.0.0.1", "127.0.0.1", "8.8.4.4")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
        assert await sending._address("mixed.example", 80, []) == ("8.8.4.4", 80)


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 70 + ".example", "x..y"])
async def test_a_name_that_nobody_knows_is_told_so(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if host.endswith(".invalid"):
        monkeypatch.setattr(socket, "getaddrinfo", _failing)
    with pytest.raises(ReceiverUnreachable, match="is not known"):
        await sent(f"http://{host}/")


def _answering(address: Callable[[], str]) -> Callable[..., list[Any]]:
    return lambda *_, **__: [(2, 1, 6, "", (address(), 80))]


def _failing(*_: object, **__: object) -> None:
    raise socket.gaierror("unknown")
