"""CPU time per second of a stream, of everything but the models.

Stand-ins compute checksums instead. What they use is in what is measured and is not taken off; see
`stand_ins_cpu_ms` for how little it is.
"""

from __future__ import annotations

import asyncio
import time

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from recognition.audio import samples
from recognition.fakes.checksum import checksum_models

from .processes import cpu_s
from .service import Service

FRAME, FRAME_S = 3200, 0.2
WARM_UP_S = 5.0


async def cpu_ms_per_stream_second(service: Service, *, streams: int, seconds: float) -> dict[str, float]:
    """Of each process, with so many senders at real time and a receiver of version 2 for each."""
    stop = asyncio.Event()
    loads = [_Stream() for _ in range(streams)]
    tasks = [asyncio.create_task(load.run(service, number, stop)) for number, load in enumerate(loads)]
    await asyncio.sleep(WARM_UP_S)
    before = {name: cpu_s([pid]) for name, pid in service.pids.items()}
    sent_before = sum(load.sent for load in loads)
    await asyncio.sleep(seconds)
    # By what was sent: on a busy machine the senders themselves may lag.
    stream_seconds = FRAME_S * (sum(load.sent for load in loads) - sent_before)
    used = {name: cpu_s([pid]) - before[name] for name, pid in service.pids.items()}
    stop.set()
    await asyncio.gather(*tasks)
    return {name: round(1000 * cpu / stream_seconds, 2) for name, cpu in used.items()}


def stand_ins_cpu_ms(*, seconds: int = 6, rounds: int = 50) -> float:
    """Of the models' stand-ins by themselves, per second of a stream that is one utterance after another.

    With caches that are warm, so a lower bound.
    """
    models = checksum_models()
    assert models.streaming
    assert models.punctuator
    assert models.embedder
    audio = np.random.default_rng(0).uniform(-0.3, 0.3, samples(seconds)).astype(np.float32)
    begun = time.thread_time()
    for _ in range(rounds):
        for at in range(0, len(audio), models.vad.window):
            models.vad.detect([(None, audio[at : at + models.vad.window])])
        for at in range(0, len(audio), models.streaming.chunk):
            models.streaming.decode([(None, audio[at : at + models.streaming.chunk])])
        [tokens] = models.offline.recognize([audio])
        models.punctuator.punctuate([[token.text for token in tokens]])
        models.embedder.embed([(audio, [(0, len(audio))])])
    return round(1000 * (time.thread_time() - begun) / (rounds * seconds), 2)


class _Stream:
    """One session: a sender at real time and a receiver."""

    sent = 0  # frames

    async def run(self, service: Service, number: int, stop: asyncio.Event) -> None:
        key = f"cpu-{number}"
        rng = np.random.default_rng(number)
        frames = [rng.uniform(-0.3, 0.3, FRAME).astype("<f4").tobytes() for _ in range(16)]
        async with (
            connect(service.web.socket(key, "mode=receiver&v=2"), proxy=None, ping_interval=None) as receiver,
            connect(service.web.socket(key, "mode=sender"), proxy=None, ping_interval=None) as sender,
        ):
            reading = [asyncio.create_task(_read(socket)) for socket in (receiver, sender)]
            begun = time.monotonic() + rng.uniform(0, FRAME_S)
            while not stop.is_set():
                await sender.send(frames[self.sent % len(frames)])
                self.sent += 1
                await asyncio.sleep(max(0.0, begun + self.sent * FRAME_S - time.monotonic()))
            await sender.send("close")
            await asyncio.gather(*reading)


async def _read(socket: ClientConnection) -> None:
    async for _ in socket:
        pass
