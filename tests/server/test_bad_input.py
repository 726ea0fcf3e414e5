"""Everything a client can do wrong: it is told so, it disturbs nobody, and what was said before is kept."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
import struct
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from itertools import islice

import numpy as np
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from tests.support.clients import (
    MEETING,
    TEXTS,
    Told,
    listen,
    new_id,
    open_socket,
    send_audio,
    send_meeting,
)
from tests.support.server import Server

pytestmark = pytest.mark.slow

SPEECH = MEETING.speak(0)


async def refused(server: Server, session: str, query: str) -> Told:
    async with await open_socket(server, session, query) as socket:
        return await asyncio.wait_for(listen(socket), 10)


async def told_after(server: Server, *frames: bytes | str, first: np.ndarray | None = None) -> Told:
    """What a sender is told that sends good audio and then these frames."""
    async with await open_socket(server, new_id(), "mode=sender") as socket:
        listening = asyncio.create_task(listen(socket))
        if first is not None:
            await send_audio(socket, first)
        for frame in frames:
            await socket.send(frame)
        return await asyncio.wait_for(listening, 20)


@pytest.fixture(autouse=True)
async def bystander(server: Server) -> AsyncIterator[None]:
    """Another session goes on beside every test and loses nothing."""
    session = new_id()
    async with await open_socket(server, session, "mode=sender") as socket:
        listening = asyncio.create_task(listen(socket))
        await send_audio(socket, np.concatenate([MEETING.speak(0), MEETING.speak(1)]))
        alive = asyncio.create_task(keep_alive(socket))
        yield
        alive.cancel()
        await send_audio(socket, np.concatenate([MEETING.speak(2), MEETING.speak(3)]))
        await socket.send("close")
        told = await asyncio.wait_for(listening, 30)
    assert told.lines == TEXTS
    assert not told.errors


async def keep_alive(socket: ClientConnection) -> None:
    while True:
        await socket.send(b"")
        await asyncio.sleep(0.5)


@pytest.fixture(autouse=True)
def no_traceback(server: Server) -> Iterator[None]:
    """Nothing a client does is a surprise to the server."""
    before = len(server.log)
    yield
    assert "Traceback" not in server.log[before:]


class TestAddress:
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "mode=",
            "mode=listener",
            "mode=SENDER",
            "mode=sender&mode=receiver",
            "mode=receiver&mode=receiver",
        ],
    )
    async def test_a_wrong_mode(self, server: Server, query: str) -> None:
        told = await refused(server, new_id(), query)
        assert told.errors == ["bad_mode"]
        assert told.close_code == 4400

    @pytest.mark.parametrize(
        "session",
        ["", "x" * 65, "a%00b", "a%0d%0aX-Evil:%201", "a%20b", "%FF", "%E2%80%AE", "..", "a%5cb", "%20"],
    )
    async def test_a_wrong_session_id(self, server: Server, session: str) -> None:
        told = await refused(server, session, "mode=receiver")
        assert told.errors == ["bad_session_id"]
        assert told.close_code == 4400

    async def test_two_spellings_of_one_chinese_id_are_one_session(self, server: Server) -> None:
        name = f"caf\u00e9{new_id()}"
        await send_meeting(server, urllib.parse.quote(name), MEETING.speak(1))
        decomposed = urllib.parse.quote(name.replace("\u00e9", "e\u0301"))
        assert (await refused(server, decomposed, "mode=receiver")).lines == ["好的。"]

    @pytest.mark.parametrize(
        "query", ["mode=sender&v=3", "mode=receiver&since=x", "mode=receiver&v=2&revision=-1"]
    )
    async def test_a_wrong_parameter(self, server: Server, query: str) -> None:
        told = await refused(server, new_id(), query)
        assert told.errors == ["bad_parameter"]

    @pytest.mark.parametrize("path", ["/x", "/ws", "/ws/asr", "/ws/asr/a/b", "/ws/other/x", "/..%2f..%2fetc"])
    async def test_an_unknown_path_is_denied_without_a_traceback(self, server: Server, path: str) -> None:
        with pytest.raises(websockets.InvalidStatus) as denied:
            await websockets.connect(f"ws://127.0.0.1:{server.port}{path}?mode=sender", proxy=None)
        assert denied.value.response.status_code == 403


class TestOrigin:
    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
    async def test_a_foreign_page_gets_no_socket(self, server: Server, origin: str) -> None:
        with pytest.raises(websockets.InvalidStatus) as denied:
            await open_socket(server, new_id(), "mode=sender", origin=origin)
        assert denied.value.response.status_code == 403

    async def test_our_own_page_does(self, server: Server) -> None:
        origin = f"http://127.0.0.1:{server.port}"
        async with await open_socket(server, new_id(), "mode=receiver", origin=origin) as socket:
            await socket.close()

    async def test_a_proxy_on_this_machine_brings_strangers(self, server: Server) -> None:
        headers = {"X-Forwarded-For": "203.0.113.9"}
        async with await open_socket(server, new_id(), "mode=sender", additional_headers=headers) as socket:
            told = await listen(socket)
        assert told.errors == ["unauthorized"]
        assert told.close_code == 4401


class TestSecondSender:
    async def test_the_newcomer_is_refused_while_the_first_is_alive(self, server: Server) -> None:
        session = new_id()
        async with await open_socket(server, session, "mode=sender") as first:
            heard = Told()
            listening = asyncio.create_task(listen(first, heard))
            await send_audio(first, MEETING.speak(0))
            while not heard.lines:
                await asyncio.sleep(0.05)
            told = await refused(server, session, "mode=sender")
            assert told.errors == ["sender_conflict"]
            assert told.close_code == 4409
            await send_audio(first, MEETING.speak(1))
            await first.send("close")
            assert (await listening).lines == TEXTS[:2]

    async def test_of_many_at_once_exactly_one_wins(self, server: Server) -> None:
        session = new_id()
        sockets = await asyncio.gather(*(open_socket(server, session, "mode=sender") for _ in range(20)))
        listeners = [asyncio.create_task(listen(socket)) for socket in sockets]
        for refused_one in islice(asyncio.as_completed(listeners, timeout=30), len(sockets) - 1):
            assert (await refused_one).errors == ["sender_conflict"]
        [winner] = (task for task in listeners if not task.done())
        await asyncio.gather(*(socket.close() for socket in sockets))
        await winner

    async def test_an_ended_session_takes_no_sender(self, server: Server) -> None:
        session = new_id()
        await send_meeting(server, session, MEETING.speak(1))
        told = await refused(server, session, "mode=sender")
        assert told.errors == ["session_ended"]
        assert told.close_code == 4410


class TestText:
    async def test_a_word_that_is_no_command_is_answered_and_costs_nothing(self, server: Server) -> None:
        told = await told_after(server, "stop", "{", "close", first=SPEECH)
        assert told.errors == ["bad_command", "bad_command"]
        assert told.lines == TEXTS[:1]
        assert told.close_code == 1000

    async def test_ten_of_them_are_too_many_but_lose_no_audio(self, server: Server) -> None:
        session = new_id()
        receiver = asyncio.create_task(refused(server, session, "mode=receiver"))
        async with await open_socket(server, session, "mode=sender") as socket:
            listening = asyncio.create_task(listen(socket))
            await send_audio(socket, SPEECH)
            for _ in range(10):
                await socket.send("stop")
            told = await listening
        assert told.errors[-1] == "too_many_bad_commands"
        assert told.close_code == 4400
        assert (await asyncio.wait_for(receiver, 20)).lines == TEXTS[:1]

    async def test_close_twice_ends_once(self, server: Server) -> None:
        told = await told_after(server, "close", "close", first=SPEECH)
        assert len(told.events("session_end")) == 1
        assert told.close_code == 1000

    async def test_audio_after_close_is_ignored(self, server: Server) -> None:
        told = await told_after(server, "close", MEETING.speak(1).tobytes(), first=SPEECH)
        assert told.lines == TEXTS[:1]
        assert told.events("session_end")[0]["received_s"] == len(SPEECH) / 16_000
        assert told.close_code == 1000


class TestAudio:
    """What was said before the fault is transcribed and kept."""

    @pytest.mark.parametrize(
        ("frame", "code", "close"),
        [
            (bytes(1921), "misaligned_audio", 4422),
            (b"\x00", "misaligned_audio", 4422),
            (np.full(3200, np.nan, "<f4").tobytes(), "non_finite_audio", 4422),
            (np.full(3200, np.inf, "<f4").tobytes(), "non_finite_audio", 4422),
            (bytes(262_148), "frame_too_large", 4413),
        ],
    )
    async def test_a_bad_frame(self, server: Server, frame: bytes, code: str, close: int) -> None:
        session = new_id()
        receiver = asyncio.create_task(refused(server, session, "mode=receiver"))
        async with await open_socket(server, session, "mode=sender") as socket:
            listening = asyncio.create_task(listen(socket))
            await send_audio(socket, SPEECH)
            await socket.send(frame)
            told = await listening
        assert told.errors == [code]
        assert told.close_code == close
        kept = await asyncio.wait_for(receiver, 20)
        assert kept.lines == TEXTS[:1]
        assert kept.close_code == 1000

    @pytest.mark.parametrize(
        "data",
        [
            np.round(SPEECH[:6400] * 32767).astype("<i2").tobytes(),
            np.round(SPEECH[:3200] * 32767).astype("<f4").tobytes(),
            SPEECH[:3200].astype(">f4").tobytes(),
            SPEECH[:3200].astype("<f8").tobytes(),
        ],
        ids=["int16", "int16 as float", "big-endian", "float64"],
    )
    async def test_another_format(self, server: Server, data: bytes) -> None:
        told = await told_after(server, data)
        assert told.errors == ["wrong_format"]
        assert told.close_code == 4415

    async def test_one_nan_is_repaired(self, server: Server) -> None:
        audio = SPEECH.copy()
        audio[20_000] = np.nan
        told = await told_after(server, "close", first=audio)
        assert told.lines == TEXTS[:1]
        assert not told.errors

    async def test_loud_float32_is_no_other_format(self, server: Server) -> None:
        told = await told_after(server, "close", first=SPEECH * 4)
        assert told.lines == TEXTS[:1]

    async def test_empty_frames_are_fine(self, server: Server) -> None:
        told = await told_after(server, b"", b"", "close", first=SPEECH)
        assert told.lines == TEXTS[:1]
        assert not told.errors

    async def test_a_frame_beyond_what_the_server_reads_at_all_ends_the_socket(self, server: Server) -> None:
        async with await open_socket(server, new_id(), "mode=sender") as socket:
            listening = asyncio.create_task(listen(socket))
            with contextlib.suppress(websockets.ConnectionClosed):
                await socket.send(bytes(20_000_000))
            told = await asyncio.wait_for(listening, 10)
        assert told.close_code != 1000


class TestReceiver:
    async def test_one_that_sends_is_told_and_the_session_goes_on(self, server: Server) -> None:
        session = new_id()
        async with await open_socket(server, session, "mode=receiver") as meddler:
            told = asyncio.create_task(listen(meddler))
            await meddler.send("close")
            await meddler.send(bytes(12_800))
            sent = await send_meeting(server, session, MEETING.audio())
            heard = await told
        assert sent.lines == TEXTS
        assert heard.errors == ["not_sender", "not_sender"]
        assert heard.lines == TEXTS

    async def test_three_times_is_enough(self, server: Server) -> None:
        async with await open_socket(server, new_id(), "mode=receiver") as meddler:
            listening = asyncio.create_task(listen(meddler))
            for _ in range(3):
                await meddler.send("close")
            told = await listening
        assert told.errors == ["not_sender", "not_sender", "still_not_sender"]
        assert told.close_code == 4403


class TestVanishing:
    """A sender that is gone has a while to come back; then its session ends with all that was said."""

    async def test_what_was_said_is_kept(self, server: Server) -> None:
        session = new_id()
        receiver = asyncio.create_task(refused(server, session, "mode=receiver"))
        async with await open_socket(server, session, "mode=sender") as socket:
            await send_audio(socket, SPEECH)
        told = await asyncio.wait_for(receiver, 20)
        assert told.lines == TEXTS[:1]
        assert told.close_code == 1000

    async def test_a_connection_that_breaks_is_no_different(self, server: Server) -> None:
        session = new_id()
        receiver = asyncio.create_task(refused(server, session, "mode=receiver"))
        socket = await open_socket(server, session, "mode=sender")
        await send_audio(socket, SPEECH)
        await asyncio.sleep(0.5)
        reset(socket)
        assert (await asyncio.wait_for(receiver, 20)).lines == TEXTS[:1]

    async def test_one_that_comes_back_goes_on(self, server: Server) -> None:
        session = new_id()
        async with await open_socket(server, session, "mode=sender") as socket:
            await send_audio(socket, MEETING.speak(0))
        told = await send_meeting(server, session, MEETING.speak(1))
        assert told.lines == TEXTS[:2]
        assert told.events("session_end")[0]["received_s"] == 3.5 + 2.3

    async def test_one_that_says_nothing_for_long_is_let_go(self, server: Server) -> None:
        async with await open_socket(server, new_id(), "mode=sender") as socket:
            told = await asyncio.wait_for(listen(socket), 20)
        assert told.errors == ["idle_timeout"]
        assert told.close_code == 4408


def reset(socket: ClientConnection) -> None:
    """Cut the connection as a dead machine would: without a word."""
    raw = socket.transport.get_extra_info("socket")
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
    socket.transport.abort()
