"""Load for a service: what is sent, what is noted, and what counts as missing."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from sessions_app.management.load_generator import (
    FRAME,
    Playing,
    ReceivedLines,
    Report,
    SessionLoad,
    _address,
    counted,
    drive,
)

SOUND = np.arange(FRAME, dtype=np.float32) / FRAME


def heard(lines: dict[int, str], *, close_code: int | None = 1000, error: str = "") -> ReceivedLines:
    return ReceivedLines({seq: (text, 0.5) for seq, text in lines.items()}, close_code, error)


class TestMissing:
    @pytest.mark.parametrize(
        ("sent", "received", "missing"),
        [
            ({}, {}, 0),
            ({1: "a"}, {1: "a"}, 0),
            ({1: "a", 2: "b"}, {2: "b"}, 1),
            ({1: "a"}, {1: "A"}, 1),
            ({1: "a"}, {1: "a", 2: "b"}, 1),
            ({1: "a", 2: "b"}, {2: "a", 3: "b"}, 3),
            ({1: ""}, {}, 1),
        ],
    )
    def test_each_line_that_is_not_as_the_sender_heard_it_counts(
        self, sent: dict[int, str], received: dict[int, str], missing: int
    ) -> None:
        assert SessionLoad(heard(sent), [heard(received)]).missing == missing

    def test_each_receiver_counts_for_itself(self) -> None:
        load = SessionLoad(heard({1: "a"}), [heard({}), heard({1: "a"}), heard({})])

        assert Report([load, load]).missing == 4

    def test_a_session_without_receivers_misses_nothing(self) -> None:
        assert SessionLoad(heard({1: "a"}), []).missing == 0


class TestDelay:
    def test_without_a_line_there_is_none(self) -> None:
        assert Report([]).delay_s(0.5) == 0.0
        assert Report([SessionLoad(heard({}), [])]).delay_s(0.99) == 0.0

    @given(st.lists(st.floats(0, 10), min_size=1, max_size=20), st.floats(0, 1))
    @settings(max_examples=50)
    def test_that_share_of_the_lines_came_within_it(self, delays: list[float], share: float) -> None:
        load = SessionLoad(ReceivedLines({n: ("x", s) for n, s in enumerate(delays, 1)}), [])

        delay = Report([load]).delay_s(share)

        assert delay in delays
        assert np.mean(np.array(delays) <= delay) >= share


class TestPlaying:
    @given(st.integers(1, 3 * FRAME), st.integers(0, FRAME), st.integers(0, 3 * FRAME))
    @settings(max_examples=30)
    def test_it_is_as_long_as_asked_and_goes_round(self, samples: int, begins_at: int, length: int) -> None:
        recording = np.arange(samples, dtype=np.float32)

        frames = list(Playing(recording, begins_at, length).frames())

        played = np.concatenate([np.empty(0, np.float32), *frames])
        np.testing.assert_array_equal(played, (begins_at + np.arange(length)) % samples)
        assert all(len(frame) == FRAME for frame in frames[:-1])


class TestAddress:
    @pytest.mark.parametrize("session", ["load-1", "周会", "a/b?c#d", "100%"])
    def test_any_session_id_is_one_part_of_the_path(self, session: str) -> None:
        parts = urlsplit(_address(["ws://a:1"], 0, session, "sender", ""))

        assert unquote(parts.path) == f"/ws/asr/{session}"
        assert parse_qs(parts.query) == {"mode": ["sender"]}

    def test_servers_take_turns_and_a_token_is_shown(self) -> None:
        servers = ["ws://a", "ws://b"]

        addresses = [_address(servers, at, "s", "receiver", "t&t") for at in range(3)]

        assert [urlsplit(address).netloc for address in addresses] == ["a", "b", "a"]
        assert parse_qs(urlsplit(addresses[0]).query) == {"mode": ["receiver"], "token": ["t&t"]}


def test_errors_are_counted_in_order_of_their_names() -> None:
    assert counted([]) == ""
    assert counted(["b", "a", "b"]) == "a 1, b 2"


class Service:
    """One that answers each sender's frames with a line, and tells it to the receivers."""

    def __init__(self, *, refuses: bool = False, loses: int = 0) -> None:
        self.refuses = refuses
        self.loses = loses
        self.received = np.empty(0, np.float32)
        self.receivers: list[ServerConnection] = []
        self.paths: list[str] = []

    async def __call__(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        if "mode=receiver" in socket.request.path:
            self.receivers.append(socket)
            await socket.wait_closed()
        elif self.refuses:
            await socket.send(json.dumps({"error": {"code": "overloaded"}}))
            await socket.close(4503)
        else:
            await self.take(socket)

    async def take(self, socket: ServerConnection) -> None:
        seq = 0
        async for message in socket:
            if message == "close":
                break
            assert isinstance(message, bytes)
            self.received = np.concatenate([self.received, np.frombuffer(message, "<f4")])
            seq += 1
            line = json.dumps({"seq": seq, "asr": f"line {seq}", "end_ms": 0})
            await socket.send(line)
            for receiver in self.receivers if seq > self.loses else []:
                await receiver.send(line)
        for each in (socket, *self.receivers):
            await each.close()


async def driven(service: Service, **options: Any) -> Report:
    async with serve(service, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(10):
            return await drive([f"ws://127.0.0.1:{port}"], SOUND, prefix="load", **options)


async def test_all_that_was_played_is_sent_and_all_that_was_said_is_noted() -> None:
    service = Service()

    report = await driven(service, length_s=0.21, senders=1, receivers=2, token="t")

    assert (report.lines, report.missing, report.refused) == (2, 0, [])
    assert len(service.received) == 3360
    np.testing.assert_array_equal(service.received[:FRAME], SOUND)
    assert report.delay_s(1.0) < 5
    assert all("token=t" in path for path in service.paths)


async def test_what_a_service_loses_is_missing() -> None:
    report = await driven(Service(loses=1), length_s=0.21, senders=1, receivers=2)

    assert report.missing == 2


async def test_why_a_sender_was_refused_is_noted() -> None:
    report = await driven(Service(refuses=True), length_s=0.2, senders=1, receivers=1)

    assert (report.refused, report.lines) == (["overloaded"], 0)


async def test_a_service_that_is_not_there_is_a_refusal_and_no_failure() -> None:
    async with asyncio.timeout(10):
        report = await drive(["ws://127.0.0.1:1"], SOUND, length_s=0.2, senders=1, receivers=1, prefix="x")

    assert len(report.refused) == 1
    assert report.refused != [""]
