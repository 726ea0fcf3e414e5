"""Write along telephone calls: Asterisk sends them here by AudioSocket, each call becomes a meeting.

    python examples/audiosocket.py --port 9019 --server ws://localhost:8000

In Asterisk's extensions.conf, where whoever calls dictates; a conference is joined by a channel of this kind:

    exten => 100,1,Answer()
     same => n,AudioSocket(${UUID()},127.0.0.1:9019)

Needs `websockets` and `soxr`. AudioSocket knows no passwords: listen only where Asterisk alone can connect.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import soxr
from resuming import SAMPLE_RATE, Message, Refused, ResumingSender, say_trouble

HANGUP, ID, DIGIT, ERROR = 0x00, 0x01, 0x03, 0xFF

RATES = {
    0x10: 8_000, 0x11: 12_000, 0x12: 16_000, 0x13: 24_000, 0x14: 32_000,
    0x15: 44_100, 0x16: 48_000, 0x17: 96_000, 0x18: 192_000,
}  # fmt: skip
"""Kinds of frames with audio, and their sample rates; Asterisk's AudioSocket() sends the first."""

FIRST_S = 10.0
"""So long the id of a call is waited for: what connects and says nothing is no Asterisk."""


class NotAsterisk(Exception):
    """Something that does not speak AudioSocket."""


Frame = tuple[int, bytes]


async def frames(reader: asyncio.StreamReader) -> AsyncIterator[Frame]:
    """Yield kind and payload of each frame, until one side hangs up."""
    while True:
        try:
            head = await reader.readexactly(3)
            payload = await reader.readexactly(int.from_bytes(head[1:], "big"))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        if head[0] == HANGUP:
            return
        yield head[0], payload


async def first_id(call: AsyncIterator[Frame]) -> uuid.UUID:
    """Return the id that a call begins with.

    Raises:
        NotAsterisk: If it begins with anything else.
    """
    try:
        kind, payload = await asyncio.wait_for(anext(call), FIRST_S)
    except (StopAsyncIteration, TimeoutError):
        raise NotAsterisk("it said nothing") from None
    if kind != ID or len(payload) != 16:
        raise NotAsterisk(f"it began with a frame of kind {kind:#04x} and {len(payload)} bytes")
    return uuid.UUID(bytes=payload)


async def audio(call: AsyncIterator[Frame]) -> AsyncIterator[bytes]:
    """Yield what is said in a call, as our protocol has it: float32 at 16 kHz."""
    rate = 0
    resampler: soxr.ResampleStream | None = None
    async for kind, payload in call:
        if kind == ERROR:
            print(f"(Asterisk reports the error {payload.hex()})", file=sys.stderr)
        if kind not in RATES:
            continue
        if RATES[kind] != rate:
            rate = RATES[kind]
            resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        samples = np.frombuffer(payload[: len(payload) // 2 * 2], "<i2").astype(np.float32) / 32768
        if len(heard := resampled(resampler, samples)):
            yield heard
    if len(rest := resampled(resampler, np.empty(0, np.float32), is_last=True)):
        yield rest


def resampled(resampler: soxr.ResampleStream | None, samples: np.ndarray, *, is_last: bool = False) -> bytes:
    if resampler is None:
        return b""
    heard = resampler.resample_chunk(samples, last=is_last)
    return bytes(np.clip(heard, -1, 1).astype("<f4").tobytes())


async def led_by(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def show(session: str, message: Message) -> None:
    if message.get("final"):
        print(f"{session}\t{message['spk']['speaker_name']}: {message['asr']}", flush=True)
    elif error := message.get("error"):
        print(f"{session}\t({error['message']})", file=sys.stderr, flush=True)


async def take(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, servers: Sequence[str], token: str
) -> None:
    """Write along one call, until its end."""
    call = frames(reader)
    try:
        session = f"call-{await first_id(call)}"
        said = audio(call)
        if not (first := await anext(said, b"")):
            return  # nobody spoke: no meeting shall remain
        parameters: dict[str, Any] = {"token": token} if token else {}
        sender = ResumingSender(
            servers,
            session,
            led_by(first, said),
            on_message=partial(show, session),
            on_trouble=say_trouble,
            **parameters,
        )
        print(f"{session}\t(begins)", flush=True)
        await sender.run()
        print(f"{session}\t(is over)", flush=True)
    except (NotAsterisk, Refused) as error:
        print(f"(a call was not taken: {error})", file=sys.stderr, flush=True)
    finally:
        writer.close()


async def serve(host: str, port: int, *, servers: Sequence[str], token: str = "") -> asyncio.Server:
    """Begin to listen for calls, any number at a time."""
    return await asyncio.start_server(partial(take, servers=servers, token=token), host, port)


async def run(host: str, port: int, servers: Sequence[str], token: str) -> None:
    server = await serve(host, port, servers=servers, token=token)
    print(f"waiting for calls at {host}:{port}", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="where Asterisk finds this")
    parser.add_argument("--port", type=int, default=9019)
    parser.add_argument("--server", action="append", help="ws://localhost:8000; several may be given")
    parser.add_argument("--token", default=os.environ.get("ASR_TOKEN", ""))
    asked = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(asked.host, asked.port, asked.server or ["ws://localhost:8000"], asked.token))


if __name__ == "__main__":
    main()
