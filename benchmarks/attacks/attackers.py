"""The attacks of a review, each for some seconds and so many times at most, against a server of this machine.

    python -m benchmarks.attacks.attackers NAME PORT SECONDS

Prints what came back, as JSON. Strangers are made by the header that a proxy adds: they have no rights.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import struct
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import soundfile
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException

HOST = "127.0.0.1"
SAMPLE = "sessions_app/sample/meeting.flac"
CHUNK = 1024 * 1024
UPGRADE = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
]

Answers = Counter[str]
"""How often what came back."""

Attack = Callable[[int, float], Awaitable[Answers]]
"""Takes a port and the end, on the monotonic clock."""

ATTACKS: dict[str, Attack] = {}


def attack(work: Attack) -> Attack:
    ATTACKS[work.__name__] = work
    return work


def stranger(number: int) -> str:
    """Return the address of one of many strangers."""
    return f"198.18.{number // 250 % 250}.{number % 250 + 1}"


def is_over(until: float) -> bool:
    return time.monotonic() >= until


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()


def request(method: str, path: str, number: int, *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"X-Forwarded-For: {stranger(number)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def status(reader: asyncio.StreamReader) -> str:
    """Return the status of an answer; how it ended where there is none."""
    try:
        async with asyncio.timeout(10):
            line = await reader.readline()
    except (OSError, TimeoutError) as error:
        return type(error).__name__
    return line.split(b" ")[1].decode() if line.count(b" ") > 1 else "closed"


async def get(port: int, path: str, number: int, *headers: str) -> str:
    """Ask for a page, and return the status of the answer."""
    async with connection(port) as (reader, writer):
        writer.write(request("GET", path, number, *headers))
        return await status(reader)


async def many(count: int, work: Callable[[int], Awaitable[str]], until: float, *, most: int) -> Answers:
    """Do something again and again, so many at a time, until it is over or was done so often."""
    answers: Answers = Counter()
    numbers = iter(range(most))

    async def worker() -> None:
        for number in numbers:
            if is_over(until):
                return
            try:
                answers[await work(number)] += 1
            except (OSError, WebSocketException, TimeoutError) as error:
                answers[type(error).__name__] += 1

    await asyncio.gather(*(worker() for _ in range(count)))
    return answers


@attack
async def wrong_passwords(port: int, until: float) -> Answers:
    """Guess the password of the account that every installation has, from many addresses."""

    async def guess(number: int) -> str:
        return await get(port, "/api/speakers", number, "Authorization: Basic YWRtaW46d3Jvbmc=")

    return await many(40, guess, until, most=20_000)


@attack
async def large_bodies(port: int, until: float) -> Answers:
    """Send bodies of a gigabyte, announced and not."""

    async def send(number: int) -> str:
        length = "Transfer-Encoding: chunked" if number % 2 else f"Content-Length: {1 << 30}"
        piece = b"%x\r\n%s\r\n" % (CHUNK, b"x" * CHUNK) if number % 2 else b"x" * CHUNK
        async with connection(port) as (reader, writer):
            writer.write(request("POST", "/login/", number, length))
            with contextlib.suppress(OSError):  # a refusal closes it
                for _ in range(1024):
                    writer.write(piece)
                    await writer.drain()
                    if reader.at_eof() or is_over(until):
                        break
            return await status(reader)

    return await many(4, send, until, most=200)


@attack
async def faster_than_real_time(port: int, until: float) -> Answers:
    """Send eight meetings as fast as they are taken."""
    audio = soundfile.read(SAMPLE, dtype="float32")[0].astype("<f4").tobytes()

    async def send(number: int) -> str:
        async with connect(f"ws://{HOST}:{port}/ws/asr/fast-{number}-{os.getpid()}?mode=sender") as socket:
            for at in range(0, len(audio), 12_800):
                if is_over(until):
                    return "stopped"
                await socket.send(audio[at : at + 12_800])
            return "sent"

    return await many(8, send, until, most=64)


@attack
async def small_texts(port: int, until: float) -> Answers:
    """Send thousands of messages of one byte at once, as a reader who may."""

    async def flood(number: int) -> str:
        async with connect(f"ws://{HOST}:{port}/ws/asr/texts-{number}?mode=receiver&v=2") as socket:
            return await _pour(socket, masked(0x1, b"x") * 9_000)

    return await many(3, flood, until, most=200)


@attack
async def pings(port: int, until: float) -> Answers:
    """Ping without end."""

    async def flood(number: int) -> str:
        async with connect(f"ws://{HOST}:{port}/ws/asr/pings-{number}?mode=receiver&v=2&stay=1") as socket:
            for _ in range(100):
                if is_over(until):
                    return "stopped"
                if (ended := await _pour(socket, masked(0x9, b"") * 3_000, linger_s=0.0)) != "taken":
                    return ended
            return "taken"

    return await many(1, flood, until, most=100)


@attack
async def deep_json(port: int, until: float) -> Answers:
    """Send text that nests a hundred thousand times, as a sender."""

    async def nest(number: int) -> str:
        async with connect(f"ws://{HOST}:{port}/ws/asr/deep-{number}?mode=sender&v=2") as socket:
            await socket.send("[" * 100_000)
            return await _goodbye(socket)

    return await many(4, nest, until, most=400)


@attack
async def broken_frames(port: int, until: float) -> Answers:
    """Send what no client may: reserved bits and opcodes, unmasked, oversized, random bytes."""
    dice = random.Random(42)

    async def send(number: int) -> str:
        kinds = [
            masked(0x3, b"x"), masked(0x71, b"x"), b"\x81\x01x", masked(0x0, b"x"), masked(0x9, b"x" * 126),
            struct.pack(">BBQ", 0x82, 0xFF, 2**63 - 1), struct.pack(">BBQ", 0x82, 0xFF, 1 << 30),
            masked(0x1, b"\xff\xfe"), masked(0x8, b"\x00\x01"), dice.randbytes(2_000),
        ]  # fmt: skip
        mode = dice.choice(["sender", "receiver"])
        async with connect(f"ws://{HOST}:{port}/ws/asr/broken-{number}?mode={mode}&v=2") as socket:
            return await _pour(socket, kinds[number % len(kinds)])

    return await many(4, send, until, most=1_000)


@attack
async def odd_addresses(port: int, until: float) -> Answers:
    """Ask for sessions and pages by names that make no sense, as a stranger."""
    names = ["..%2F..", "a%00b", "%0A", "%E2%80%AEgnp", "x" * 15_000, "%ED%A0%80", "<script>", "%25"]
    queries = ["since=999999999999", "v=-1", "stay=%F0", "mode=%00", "token=" + "t" * 5_000, "title=a%00b"]

    async def ask(number: int) -> str:
        name, query = names[number % len(names)], queries[number % len(queries)]
        path = f"/ws/asr/{name}?{query}" if number % 2 else f"/sessions/{name}/?{query}"
        return await get(port, path, number, *(UPGRADE if number % 2 else ["Connection: close"]))

    return await many(8, ask, until, most=20_000)


@attack
async def guessed_tokens(port: int, until: float) -> Answers:
    """Try links at random."""

    async def guess(number: int) -> str:
        path = f"/sessions/attacks-alone/?token={random.randbytes(12).hex()}"
        return await get(port, path, number, "Connection: close")

    return await many(8, guess, until, most=20_000)


@attack
async def slow_handshakes(port: int, until: float) -> Answers:
    """Hold a thousand connections that never finish their first line, and as many that say nothing."""
    return await _hold(port, until, 1_000, [b"GET /healthz HT", b""])


@attack
async def readers_that_do_not_read(port: int, until: float) -> Answers:
    """Follow the good meeting five hundred times, and read nothing."""
    path = "/ws/asr/attacks-beside-readers_that_do_not_read?mode=receiver"
    head = "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {HOST}", *UPGRADE]) + "\r\n\r\n"
    return await _hold(port, until, 500, [head.encode()])


@attack
async def senders_that_vanish(port: int, until: float) -> Answers:
    """Begin sixty meetings and drop them."""

    async def begin(number: int) -> str:
        address = f"ws://{HOST}:{port}/ws/asr/gone-{number}?mode=sender"
        async with connect(address) as socket:
            await socket.send(np.full(3_200, 0.01, "<f4").tobytes())
            socket.transport.abort()
        return "dropped"

    return await many(10, begin, until, most=60)


def masked(opcode: int, content: bytes) -> bytes:
    """Return a frame as clients send them, its mask being zero; lengths below 64 KiB."""
    size = len(content)
    length = bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0x80 | 126, size)
    return bytes([0x80 | opcode]) + length + bytes(4) + content


async def _pour(socket: ClientConnection, frames: bytes, *, linger_s: float = 5.0) -> str:
    """Send bytes past the library, and tell how the server took it."""
    socket.transport.write(frames)
    if linger_s == 0.0:
        await asyncio.sleep(0)
        return "closed" if socket.transport.is_closing() else "taken"
    return await _goodbye(socket, linger_s)


async def _goodbye(socket: ClientConnection, patience_s: float = 5.0) -> str:
    """Read until the server closes, and return its code."""
    try:
        async with asyncio.timeout(patience_s):
            async for _ in socket:
                pass
    except ConnectionClosed:
        pass
    except TimeoutError:
        return "open"
    return str(socket.close_code)


async def _hold(port: int, until: float, count: int, beginnings: list[bytes]) -> Answers:
    """Open connections and hold them to the end."""
    answers: Answers = Counter()
    held = []
    for number in range(count * len(beginnings)):
        if is_over(until):
            break
        try:
            _reader, writer = await asyncio.open_connection(HOST, port)
        except OSError as error:
            answers[type(error).__name__] += 1
            continue
        writer.write(beginnings[number % len(beginnings)])
        held.append(writer)
        await asyncio.sleep(0.001)
    answers["held"] = len(held)
    await asyncio.sleep(max(0.0, until - time.monotonic()))
    answers["closed by the server"] = sum(writer.transport.is_closing() for writer in held)
    for writer in held:
        writer.close()
    return answers


async def run(name: str, port: int, seconds: float) -> Answers:
    """Do one attack for so long; what is under way then is broken off."""
    until = time.monotonic() + seconds
    try:
        async with asyncio.timeout(seconds + 15.0):
            return await ATTACKS[name](port, until)
    except (TimeoutError, InvalidHandshake) as error:
        return Counter({type(error).__name__: 1})


if __name__ == "__main__":
    _program, chosen, to_port, for_seconds = sys.argv
    print(json.dumps(asyncio.run(run(chosen, int(to_port), float(for_seconds)))))
