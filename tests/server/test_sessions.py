"""Whole sessions over real sockets: one sender, any number of receivers, every line once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from recognition.audio import samples
from tests.support.clients import (
    MEETING,
    TEXTS,
    Told,
    listen,
    new_id,
    open_socket,
    recording_file,
    send_audio,
    send_meeting,
)
from tests.support.server import Server

pytestmark = pytest.mark.slow


async def receive(server: Server, session: str, query: str = "mode=receiver") -> Any:
    async with await open_socket(server, session, query) as socket:
        return await asyncio.wait_for(listen(socket), 60)


async def test_each_receiver_gets_every_line_once_in_order_and_1000(server: Server) -> None:
    session = new_id()
    receivers = [asyncio.create_task(receive(server, session)) for _ in range(3)]
    sender = await send_meeting(server, session, MEETING.audio())
    for told in await asyncio.gather(*receivers):
        assert told.lines == TEXTS
        assert told.seqs == [1, 2, 3, 4]
        assert told.close_code == 1000
        assert not told.events("session_end")
    assert sender.lines == TEXTS
    assert sender.close_code == 1000


async def test_the_sender_gets_one_confirmation_after_the_last_line(server: Server) -> None:
    told = await send_meeting(server, new_id(), MEETING.audio())
    end = told.messages[-1]["event"]
    assert end == {"type": "session_end", "seq": 4, "received_s": 11.3, "recognised_s": 11.3}


async def test_the_database_has_the_same_lines(server: Server) -> None:
    session = new_id()
    told = await send_meeting(server, session, MEETING.audio())
    pk, *kept = server.session(session, "id, state, durable")
    assert kept == ["ended", len(MEETING.audio())]
    lines = server.query("SELECT seq, text FROM sessions_app_utterance WHERE session_id = ? ORDER BY seq", pk)
    assert lines == list(zip(told.seqs, told.lines, strict=True))


async def test_the_recording_has_every_sample(server: Server) -> None:
    session = new_id()
    audio = np.rint(MEETING.audio() * 32767).astype("<i2")
    await send_meeting(server, session, audio / np.float32(32768))
    kept, rate = soundfile.read(await recording_file(server, session), dtype="int16")
    assert rate == 16_000
    np.testing.assert_array_equal(kept, audio)


async def test_a_session_id_may_be_chinese(server: Server) -> None:
    session = f"周会-{new_id()}"
    receiver = asyncio.create_task(receive(server, session))
    await send_meeting(server, session, MEETING.speak(1))
    assert (await receiver).lines == ["好的。"]


async def test_silence_has_no_lines_but_a_confirmation(server: Server) -> None:
    told = await send_meeting(server, new_id(), np.zeros(samples(3), np.float32))
    assert told.lines == []
    assert told.messages[-1]["event"]["received_s"] == 3.0
    assert told.close_code == 1000


async def test_a_sender_without_any_audio_is_confirmed_too(server: Server) -> None:
    told = await send_meeting(server, new_id(), np.zeros(0, np.float32))
    assert [event["seq"] for event in told.events("session_end")] == [0]
    assert told.close_code == 1000


async def test_a_late_receiver_gets_the_history_and_then_the_rest(server: Server) -> None:
    session = new_id()
    async with await open_socket(server, session, "mode=sender") as socket:
        sender = asyncio.create_task(listen(socket))
        await send_audio(socket, np.concatenate([MEETING.speak(0), MEETING.speak(1)]))
        while len((await receive_some(server, session)).lines) < 2:
            pass
        late = asyncio.create_task(receive(server, session))
        await send_audio(socket, np.concatenate([MEETING.speak(2), MEETING.speak(3)]))
        await socket.send("close")
        assert (await late).lines == TEXTS
        await sender


async def receive_some(server: Server, session: str) -> Any:
    """What a receiver is told within a moment."""
    async with await open_socket(server, session, "mode=receiver") as socket:
        listening = asyncio.create_task(listen(socket))
        await asyncio.sleep(0.3)
        await socket.close()
        return await listening


async def test_a_receiver_after_the_end_gets_everything_and_1000(server: Server) -> None:
    session = new_id()
    await send_meeting(server, session, MEETING.audio())
    told = await receive(server, session)
    assert told.lines == TEXTS
    assert told.close_code == 1000


async def test_version_two_tells_partials_and_states_and_the_end(server: Server) -> None:
    session = new_id()
    receiver = asyncio.create_task(receive(server, session, "mode=receiver&v=2"))
    async with await open_socket(server, session, "mode=sender&v=2") as socket:
        sender = asyncio.create_task(listen(socket))
        await send_audio(socket, MEETING.speak(0), pace=0.1)
        await socket.send("close")
        sent = await sender
    told = await receiver
    assert told.messages[0]["event"]["type"] == "hello"
    partials = [message["asr"] for message in told.messages if message.get("final") is False]
    assert partials
    assert all("大家好我们开始开会".startswith(text) for text in partials)
    assert told.lines == [TEXTS[0]]
    assert "live" in [event["state"] for event in told.events("session")]
    assert told.events("session_end")
    assert sent.events("ack")[-1]["durable"] == len(MEETING.speak(0))


async def test_a_line_is_final_as_soon_as_its_sender_says_that_it_is_over(server: Server) -> None:
    async with await open_socket(server, new_id(), "mode=sender&v=2") as socket:
        told = Told()
        listening = asyncio.create_task(listen(socket, told))
        for index in range(len(TEXTS)):
            await send_audio(socket, MEETING.speak(index, pause_s=0))
            await socket.send('{"command": "flush"}')
            async with asyncio.timeout(30):
                while len(told.events("flushed")) <= index:
                    await asyncio.sleep(0.02)
            assert told.lines == TEXTS[: index + 1]
            assert told.events("flushed")[-1]["seq"] == index + 1
        await socket.send("close")
        assert (await asyncio.wait_for(listening, 30)).lines == TEXTS


async def test_the_first_version_has_no_such_command(server: Server) -> None:
    async with await open_socket(server, new_id(), "mode=sender") as socket:
        await socket.send('{"command": "flush"}')
        await socket.send("close")
        assert (await asyncio.wait_for(listen(socket), 30)).errors == ["bad_command"]


@pytest.mark.skipif("ASR_CLIENTS" not in os.environ, reason="no folder of foreign clients in ASR_CLIENTS")
@pytest.mark.parametrize("length", ["whole", "silent end", "silent"])
async def test_clients_written_for_the_first_server_work_unchanged(
    server: Server, tmp_path: Path, length: str
) -> None:
    """They send at twice real time, read nothing meanwhile, and hang up after one message."""
    clients = Path(os.environ["ASR_CLIENTS"])
    audio = {
        "whole": MEETING.audio(pause_s=1.2),
        "silent end": np.concatenate([MEETING.audio(pause_s=1.2), np.zeros(samples(3), np.float32)]),
        "silent": np.zeros(samples(2), np.float32),
    }[length]
    noise = np.random.default_rng(0).integers(-2, 3, len(audio)) / np.float32(32768)
    file = tmp_path / "meeting.wav"
    # The client stops at the first frame of digital zeros: real microphones have none.
    soundfile.write(file, audio if length == "silent" else audio + noise, 16_000, subtype="PCM_16")
    session = new_id()

    receivers = [start(clients / "receiver.py", session, str(server.port)) for _ in range(2)]
    await asyncio.sleep(2)
    sender = start(clients / "sender.py", str(file), session, str(server.port))

    said = (await asyncio.to_thread(sender.communicate, timeout=60))[0]
    assert said.count("收到服务器最终响应: {") == 1
    expected = [] if length == "silent" else TEXTS
    for receiver in receivers:
        heard = (await asyncio.to_thread(receiver.communicate, timeout=60))[0]
        assert heard.count("收到结果: ") == len(expected)
        assert [heard.find(text) for text in expected] == sorted(heard.find(text) for text in expected)
        assert "连接已关闭: 1000" in heard


def start(script: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", str(script), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
