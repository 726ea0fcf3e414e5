"""A foreign dialect on a running server, ours and another: from its first message to its last word."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from recognition.fakes.scripted import Script, ScriptedLine
from tests.support.server import Server

LINE = Script([ScriptedLine("大家好，我们开始开会。", voice=0, seconds=2.0)])


def address(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/foreign"


def telephone(audio: np.ndarray) -> bytes:
    """The audio at 8 kHz, 16 bits; its tones lie below 4 kHz but that of the voice, which is lost."""
    return bytes(np.rint(audio[::2] * 32767).astype("<i2"))


async def say(socket: ClientConnection, kind: str, **more: Any) -> None:
    await socket.send(json.dumps({"type": kind, **more}))


async def told(socket: ClientConnection) -> Any:
    return json.loads(await socket.recv())


async def rest(socket: ClientConnection) -> tuple[list[Any], int]:
    """All that follows, and the code of the close."""
    messages: list[Any] = []
    try:
        while True:
            messages.append(await told(socket))
    except ConnectionClosed as closed:
        assert closed.rcvd
        return messages, closed.rcvd.code


@pytest.mark.parametrize("is_text", [False, True], ids=["binary", "text"])
async def test_it_is_heard_and_answered_in_its_words(server: Server, is_text: bool) -> None:
    async with connect(address(server), subprotocols=[Subprotocol("binary")]) as socket:
        assert socket.subprotocol == "binary"
        await say(socket, "begin", rate=8_000, text=is_text)
        key = (await told(socket))["request_id"]
        audio = telephone(LINE.speak(0, pause_s=0.0))
        for start in range(0, len(audio), 1601):
            if is_text:
                await say(socket, "audio", data=base64.b64encode(audio[start : start + 1601]).decode())
            else:
                await socket.send(audio[start : start + 1601])
        await say(socket, "Finalize")
        assert await told(socket) == {"transcript": "大家好，我们开始开会。"}
        assert 31_990 <= (await told(socket))["from_finalize"] <= 32_010
        await say(socket, "CloseStream")
        messages, close = await rest(socket)
        assert [message.keys() for message in messages] == [{"duration"}]
        assert close == 1000
    assert server.session(key, "state, last_seq") == ("ended", 1)


async def test_a_whole_recording_may_come_in_one_message(server: Server) -> None:
    minute = np.concatenate([LINE.speak(0), np.zeros(16_000 * 40, np.float32), LINE.speak(0)])
    async with connect(address(server)) as socket:
        await say(socket, "begin")
        await told(socket)
        await socket.send(np.rint(minute * 32767).astype("<i2").tobytes())
        await say(socket, "CloseStream")
        messages, close = await rest(socket)
    assert [message.get("transcript") for message in messages] == ["大家好，我们开始开会。"] * 2 + [None]
    assert messages[-1] == {"duration": len(minute) / 16_000}
    assert close == 1000


async def test_who_may_not_is_told_in_its_words(server: Server) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9"}
    async with connect(address(server), additional_headers=headers) as socket:
        await say(socket, "begin", name="foreign")
        assert await rest(socket) == ([{"Error": "unauthorized"}], 1011)
