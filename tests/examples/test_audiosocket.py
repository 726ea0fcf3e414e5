"""Telephone calls by AudioSocket, through the example, into a real server."""

from __future__ import annotations

import asyncio
import re
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
import soxr

from recognition.audio import SAMPLE_RATE
from tests.support.clients import MEETING, TEXTS
from tests.support.server import ROOT, Server

sys.path.insert(0, str(ROOT / "examples"))

import audiosocket

pytestmark = pytest.mark.slow(20)

FRAME_S = 0.02
CALL = uuid.UUID("4f1f1a5e-3c4b-4a43-9c62-5d9d8a4b1f10")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("calls")) as running:
        yield running


def frame(kind: int, payload: bytes = b"") -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


def spoken(kind: int) -> list[bytes]:
    """The meeting as Asterisk sends it: 20 ms a frame."""
    rate = audiosocket.RATES[kind]
    audio = soxr.resample(MEETING.audio(), SAMPLE_RATE, rate)
    data = np.rint(np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
    size = round(rate * FRAME_S) * 2
    return [frame(kind, data[at : at + size]) for at in range(0, len(data), size)]


@asynccontextmanager
async def bridge(server: Server) -> AsyncIterator[int]:
    """The example at work; where Asterisk finds it."""
    listening = await audiosocket.serve("127.0.0.1", 0, servers=[f"ws://127.0.0.1:{server.port}"])
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def ring(port: int, *frames: bytes, hangs_up: bool = True) -> None:
    """Make a call, and wait until the other side lets go of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for each in frames:
        writer.write(each)
        await writer.drain()
    if hangs_up:
        writer.write(frame(audiosocket.HANGUP))
    else:
        writer.write_eof()
    async with asyncio.timeout(120):
        assert await reader.read() == b""
    writer.close()


def lines(server: Server, call: uuid.UUID) -> list[str]:
    query = (
        "SELECT text FROM sessions_app_utterance u JOIN sessions_app_session s ON s.id = u.session_id"
        " WHERE s.key = ? ORDER BY u.start"
    )
    return [text for (text,) in server.query(query, f"call-{call}")]


@pytest.mark.parametrize("kind", [0x10, 0x12, 0x16])
async def test_a_call_is_a_meeting_with_every_line(
    kind: int, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    call = uuid.uuid4()
    async with bridge(server) as port:
        await ring(port, frame(audiosocket.ID, call.bytes), *spoken(kind))
    assert lines(server, call) == TEXTS
    said = re.findall(rf"call-{call}\t.+?: (.+)", capsys.readouterr().out)
    assert said == TEXTS
    assert server.session(f"call-{call}", "state, closed_by") == ("ended", "sender")


async def test_calls_go_on_side_by_side(server: Server) -> None:
    calls = [uuid.uuid4() for _ in range(3)]
    async with bridge(server) as port:
        await asyncio.gather(
            *(ring(port, frame(audiosocket.ID, call.bytes), *spoken(0x10)) for call in calls)
        )
    assert [lines(server, call) for call in calls] == [TEXTS] * 3


async def test_a_line_that_is_cut_ends_its_meeting(server: Server) -> None:
    call = uuid.uuid4()
    whole = spoken(0x10)
    async with bridge(server) as port:
        cut = frame(0x10, b"123456")[:5]
        await ring(port, frame(audiosocket.ID, call.bytes), *whole, cut, hangs_up=False)
    assert lines(server, call) == TEXTS


async def test_what_is_pressed_is_not_heard(server: Server) -> None:
    call = uuid.uuid4()
    digits = [frame(audiosocket.DIGIT, b"5"), frame(audiosocket.ERROR, b"\x01"), frame(0x77, b"xyz")]
    async with bridge(server) as port:
        await ring(port, frame(audiosocket.ID, call.bytes), *digits, *spoken(0x10), *digits)
    assert lines(server, call) == TEXTS


@pytest.mark.parametrize(
    "begins", [frame(0x10, bytes(320)), frame(audiosocket.ID, b"short"), b"GET / HTTP/1.1\r\n\r\n", b""]
)
async def test_who_is_no_asterisk_gets_no_meeting(
    begins: bytes, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    before = server.query("SELECT count(*) FROM sessions_app_session")
    async with bridge(server) as port:
        await ring(port, begins, hangs_up=False)
    assert server.query("SELECT count(*) FROM sessions_app_session") == before
    assert "a call was not taken" in capsys.readouterr().err


async def test_a_call_in_which_nothing_comes_leaves_no_meeting(server: Server) -> None:
    call = uuid.uuid4()
    async with bridge(server) as port:
        await ring(port, frame(audiosocket.ID, call.bytes))
    assert server.query("SELECT 1 FROM sessions_app_session WHERE key = ?", f"call-{call}") == []


class TestAudio:
    async def heard(self, *frames: audiosocket.Frame) -> np.ndarray:
        async def call() -> AsyncIterator[audiosocket.Frame]:
            for each in frames:
                yield each

        return np.frombuffer(b"".join([piece async for piece in audiosocket.audio(call())]), "<f4")

    @pytest.mark.parametrize("kind", list(audiosocket.RATES))
    async def test_keeps_its_length_at_any_rate(self, kind: int) -> None:
        rate = audiosocket.RATES[kind]
        tone = np.rint(8000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype("<i2").tobytes()
        size = rate // 50 * 2
        heard = await self.heard(*((kind, tone[at : at + size]) for at in range(0, len(tone), size)))
        assert abs(len(heard) - SAMPLE_RATE) <= 2
        middle = heard[4000:12000]
        assert float(np.sqrt(np.mean(middle**2))) == pytest.approx(8000 / 32768 / np.sqrt(2), rel=0.02)

    async def test_may_change_its_rate_within_a_call(self) -> None:
        heard = await self.heard((0x10, bytes(1600)), (0x12, bytes(3200)))
        assert 1600 <= len(heard) <= 3200 + 2
