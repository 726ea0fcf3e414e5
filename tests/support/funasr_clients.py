"""FunASR's clients, as they speak: the messages of each in its order, and when it hangs up.

Their sources are `runtime/python/websocket/funasr_wss_client.py`, `runtime/html5/static/`,
`runtime/websocket/bin/funasr-wss-client-2pass.cpp`, `runtime/java/FunasrWsClient.java` and
`fun_asr_nano/client_python.py` of FunASR's repository, and `core/providers/asr/fun_server.py` of
xiaozhi-esp32-server. What they sleep is left out: whoever sends faster asks more of the server.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Told = dict[str, Any]

RESULT_S = 60.0


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def wav_header(length: int, rate: int = 16_000) -> bytes:
    """44 bytes, as recorders write them."""
    return (
        b"RIFF"
        + struct.pack("<I", 36 + length)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
        + b"data"
        + struct.pack("<I", length)
    )


def text_of(fields: Told) -> str:
    return json.dumps(fields, ensure_ascii=False)


@asynccontextmanager
async def opened(
    url: str, headers: dict[str, str] | None = None, *, binary: bool = False
) -> AsyncIterator[ClientConnection]:
    offered = [Subprotocol("binary")] if binary else None
    async with connect(
        url,
        subprotocols=offered,
        additional_headers=headers or {},
        ping_interval=None,
        max_size=None,
        proxy=None,
    ) as socket:
        yield socket


async def rest(socket: ClientConnection) -> list[Told]:
    """All that is told until the server closes."""
    told: list[Told] = []
    try:
        while True:
            told.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        return told


async def until(socket: ClientConnection, key: str) -> list[Told]:
    """All that is told up to the first message in which this is true."""
    told: list[Told] = []
    async with asyncio.timeout(RESULT_S):
        while not (told and told[-1].get(key)):
            told.append(json.loads(await socket.recv()))
    return told


async def python_client(
    url: str, recordings: dict[str, bytes], *, mode: str = "2pass", rate: int = 16_000
) -> list[Told]:
    """Sends files one after the other over one socket, and waits for the acknowledgement of each."""
    told: list[Told] = []
    async with opened(url, binary=True) as socket:
        for wav_name, audio in recordings.items():
            hello = {
                "mode": mode,
                "chunk_size": [5, 10, 5],
                "chunk_interval": 10,
                "encoder_chunk_look_back": 4,
                "decoder_chunk_look_back": 0,
                "audio_fs": rate,
                "wav_name": wav_name,
                "wav_format": "pcm",
                "is_speaking": True,
                "hotwords": "阿里巴巴,达摩院",
                "itn": True,
            }
            await socket.send(text_of(hello))
            listening = asyncio.create_task(until(socket, "is_end"))
            for piece in pieces(audio, 60 * rate * 2 // 1000):
                await socket.send(piece)
            await socket.send(text_of({"is_speaking": False, "is_end": True}))
            told += await listening
    return told


async def html5_microphone(url: str, audio: bytes, *, mode: str = "2pass") -> list[Told]:
    """Connects long before it records, sends the rest and the end, and hangs up after a while."""
    async with opened(url) as socket:
        common = {"chunk_size": [5, 10, 5], "wav_name": "h5"}
        hotwords = text_of({"阿里巴巴": 20, "hello world": 40})
        more = {"is_speaking": True, "chunk_interval": 10, "itn": False, "mode": mode, "hotwords": hotwords}
        await socket.send(text_of(common | more))
        listening = asyncio.create_task(until(socket, "is_final"))
        for piece in pieces(audio, 1920):
            await socket.send(piece)
        await socket.send(text_of(common | {"is_speaking": False, "chunk_interval": 10, "mode": mode}))
        return await listening


async def html5_file(url: str, audio: bytes, *, rate: int = 16_000) -> list[Told]:
    """Sends the bytes of the file, header and all, and calls them PCM."""
    async with opened(url) as socket:
        common = {"chunk_size": [5, 10, 5], "wav_name": "h5"}
        more: Told = {"is_speaking": True, "chunk_interval": 10, "itn": False, "mode": "offline"}
        await socket.send(text_of(common | more | {"wav_format": "PCM", "audio_fs": rate}))
        listening = asyncio.create_task(until(socket, "is_final"))
        for piece in pieces(wav_header(len(audio), rate) + audio, 960):
            await socket.send(piece)
        end = {"is_speaking": False, "chunk_interval": 10, "mode": "offline"}
        await socket.send(text_of(common | end))
        return await listening


async def cpp_client(url: str, audio: bytes, *, mode: str = "2pass") -> list[Told]:
    """Sends large blocks, and hangs up at the first message that is final."""
    async with opened(url) as socket:
        hello: Told = {
            "audio_fs": 16000.0,
            "chunk_size": [5, 10, 5],
            "hotwords": '{"阿里巴巴":20}',
            "is_speaking": True,
            "itn": True,
            "mode": mode,
            "wav_format": "pcm",
            "wav_name": "wav_default_id",
        }
        await socket.send(text_of(hello))
        listening = asyncio.create_task(until(socket, "is_final"))
        for piece in pieces(audio, 2 * 102_400):
            await socket.send(piece)
        await socket.send(text_of({"is_speaking": False}))
        return await listening


async def java_client(url: str, audio: bytes, *, mode: str = "offline") -> list[Told]:
    """Skips the header of its file by itself, and says no rate."""
    async with opened(url) as socket:
        hello: Told = {
            "mode": mode,
            "chunk_size": [5, 10, 5],
            "chunk_interval": 10,
            "wav_name": "javatest",
            "hotwords": "阿里巴巴 达摩院",
            "wav_format": "pcm",
            "is_speaking": True,
        }
        await socket.send(text_of(hello))
        listening = asyncio.create_task(until(socket, "is_final"))
        for piece in pieces(audio, 1920):
            await socket.send(piece)
        await socket.send(text_of({"is_speaking": False}))
        return await listening


async def xiaozhi(url: str, audio: bytes, *, key: str = "none") -> str:
    """Sends a whole utterance in one message; takes the first message that is final for the last."""
    async with opened(url, {"Authorization": f"Bearer; {key}"}, binary=True) as socket:
        hello: Told = {
            "mode": "offline",
            "chunk_size": [5, 10, 5],
            "chunk_interval": 10,
            "wav_name": "a1b2c3",
            "is_speaking": True,
            "itn": False,
        }
        await socket.send(text_of(hello))
        await socket.send(audio)
        await socket.send(text_of({"is_speaking": False}))
        text = ""
        while True:
            told = json.loads(await asyncio.wait_for(socket.recv(), RESULT_S))
            text += str(told.get("text", ""))
            if told.get("is_final", True):
                return text


async def nano_client(url: str, audio: bytes) -> list[Told]:
    """The client of FunASR's realtime server."""
    async with opened(url) as socket:
        await socket.send("HOTWORDS:阿里巴巴,达摩院")
        await socket.send("LANGUAGE:中文")
        await socket.send("START")
        for piece in pieces(audio, 8192):
            await socket.send(piece)
        await socket.send("STOP")
        told: list[Told] = []
        async with asyncio.timeout(RESULT_S):
            while not told or told[-1].get("event") != "stopped":
                told.append(json.loads(await socket.recv()))
        return told
