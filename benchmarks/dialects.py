"""`python -m benchmarks.dialects`: CPU time of a stream of other services' clients, beside one of our own.

First what each dialect takes by itself: to understand a second of audio, to convert it, and to say what is in
it. That is the least of many times, so it can be measured on a busy machine as well. Then all of the service:
clients send the same audio at real time and read what they are told, in turns, several times over; this needs
a machine that does nothing else. Stand-ins compute checksums in place of recognition.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.module_loading import import_string
from websockets.asyncio.client import ClientConnection, connect

from recognition.audio import SAMPLE_RATE
from sessions_app.wire.dialects import DIALECTS, Audio, Dialect, Handshake, Join
from sessions_app.wire.pcm import PcmConverter
from sessions_app.wire.protocol import Hello, Line, Mode, PartialLine, SpeakerRef, Word
from sessions_app.wire.word_places import word_places

from . import results
from .transport.processes import cpu_s
from .transport.service import Service, embedded_service

FRAME_S = 0.1
FRAME = round(FRAME_S * SAMPLE_RATE)

STREAMS = 8
WARM_UP_S = 5.0
APART_S = 0.25
"""Between the beginnings of two streams, which the database has to take in."""

SECONDS = 20.0
ROUNDS = 3

GOAL_MS = 0.3
"""More than our own protocol at most."""

OWN = "own, v2"

SENTENCE = "原因是服务器的内存不够，我们还需要申请五台机器吗？"
SENTENCE_S = 6
PARTIALS = 10
"""Of each sentence."""

Told = dict[str, Any]


def pcm(audio: np.ndarray) -> bytes:
    """Audio as 16-bit integers."""
    return bytes(np.rint(audio * 32767).astype("<i2").tobytes())


def appended(audio: np.ndarray) -> str:
    """Audio as an event of OpenAI's, base64."""
    return json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm(audio)).decode()})


@dataclass(frozen=True)
class Client:
    """How one kind of client opens its socket, what it says first, and what its audio looks like."""

    path: str
    hello: Sequence[Told] = ()
    audio: Callable[[np.ndarray], str | bytes] = pcm


CLIENTS = {
    OWN: Client("ws/asr/dialects-{}?mode=sender&v=2", audio=lambda audio: audio.astype("<f4").tobytes()),
    "FunASR": Client("", [{"mode": "2pass", "wav_name": "x", "is_speaking": True}]),
    "DashScope": Client(
        "api-ws/v1/inference",
        [
            {
                "header": {"action": "run-task", "task_id": "x", "streaming": "duplex"},
                "payload": {
                    "model": "paraformer-realtime-v2",
                    "parameters": {"sample_rate": SAMPLE_RATE, "format": "pcm"},
                },
            }
        ],
    ),
    "Deepgram": Client(
        f"v1/listen?encoding=linear16&sample_rate={SAMPLE_RATE}&interim_results=true&diarize=true"
        "&vad_events=true&utterance_end_ms=1000"
    ),
    "OpenAI Realtime": Client(
        "v1/realtime?intent=transcription",
        [
            {
                "type": "session.update",
                "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": SAMPLE_RATE}}}},
            }
        ],
        appended,
    ),
}


class Conversation:
    """One client's side of a session with its dialect, without a socket."""

    def __init__(self, client: Client) -> None:
        path, _, query = client.path.format(1).partition("?")
        kinds = {pattern: import_string(dotted) for pattern, dotted in DIALECTS.items()}
        found = next(match for pattern in kinds if (match := re.match(pattern, path)))
        self.dialect: Dialect = kinds[found.re.pattern]()
        session_id = found.groupdict().get("session_id", "")
        self.dialect.open(Handshake(session_id=session_id, query=query))
        self._converter: PcmConverter | None = None
        for message in client.hello:
            self.dialect.receive(json.dumps(message), None)

    def hear(self, audio: str | bytes) -> int:
        """Let the dialect understand a message, and return how many samples it brought."""
        text, data = (audio, None) if isinstance(audio, str) else (None, audio)
        count = 0
        for command in self.dialect.receive(text, data):
            match command:
                case Join(_, capabilities):
                    self._converter = PcmConverter(capabilities.pcm) if capabilities.pcm else None
                    self.dialect.encode(Hello("m", Mode.SENDER, 1, "live", 0, 0))
                case Audio(found) if self._converter:
                    count += len(self._converter.convert(found))
                case Audio(found):
                    count += len(found) // 4
        return count

    def tell(self, step: int) -> None:
        """Say what is recognised after so many messages with audio."""
        number, at = divmod(step, round(SENTENCE_S / FRAME_S))
        each = round(SENTENCE_S / FRAME_S / PARTIALS)
        if at % each == each - 1:
            part = len(SENTENCE) * (at + 1) // (each * PARTIALS)
            self.dialect.encode(PartialLine(number * SENTENCE_S * 1000, SENTENCE[:part]))
        if at == each * PARTIALS - 1:
            self.dialect.encode(_line(number))


def _line(number: int) -> Line:
    start_ms = number * SENTENCE_S * 1000
    places = word_places(SENTENCE)
    step_ms = SENTENCE_S * 1000 // len(places)
    words = tuple(
        Word(*place, start_ms + at * step_ms, start_ms + (at + 1) * step_ms)
        for at, place in enumerate(places)
    )
    speaker = SpeakerRef("a", "林静", 0.9, is_enrolled=True)
    end_ms = start_ms + SENTENCE_S * 1000
    return Line(number + 1, number + 1, start_ms, end_ms, SENTENCE, speaker, words=words)


def dialect_ms(client: Client, *, seconds: int = 30, times: int = 40) -> float:
    """Return what the dialect takes for a second of audio and what is said in it, by itself."""
    rng = np.random.default_rng(0)
    frames = [client.audio(rng.uniform(-0.3, 0.3, FRAME).astype(np.float32)) for _ in range(16)]
    taken: list[float] = []
    for _ in range(times):
        conversation = Conversation(client)
        begun = time.thread_time()
        for step in range(round(seconds / FRAME_S)):
            conversation.hear(frames[step % len(frames)])
            conversation.tell(step)
        taken.append(1000 * (time.thread_time() - begun) / seconds)
    return min(taken)


class Stream:
    """One client that sends at real time until it is told to stop."""

    sent_s = 0.0

    def __init__(self, client: Client, number: int) -> None:
        rng = np.random.default_rng(number)
        self._client = client
        self._path = client.path.format(number)
        self._frames = [client.audio(rng.uniform(-0.3, 0.3, FRAME).astype(np.float32)) for _ in range(16)]
        self._begins_s = number % STREAMS * APART_S + float(rng.uniform(0, FRAME_S))

    async def run(self, service: Service, stop: asyncio.Event) -> None:
        await asyncio.sleep(self._begins_s)
        url = f"ws://127.0.0.1:{service.web.port}/{self._path}"
        async with connect(url, proxy=None, ping_interval=None) as socket:
            reading = asyncio.create_task(_read(socket))
            for message in self._client.hello:
                await socket.send(json.dumps(message))
            begun, count = time.monotonic(), 0
            while not stop.is_set():
                await socket.send(self._frames[count % len(self._frames)])
                count += 1
                self.sent_s = count * FRAME_S
                await asyncio.sleep(max(0.0, begun + self.sent_s - time.monotonic()))
        await reading


async def _read(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def cpu_ms(service: Service, name: str, turn: int, *, seconds: float) -> float:
    """Return the CPU time of the service for a second of such a stream."""
    stop = asyncio.Event()
    streams = [Stream(CLIENTS[name], turn * STREAMS + number) for number in range(STREAMS)]
    tasks = [asyncio.create_task(stream.run(service, stop)) for stream in streams]
    await asyncio.sleep(WARM_UP_S)
    pids = list(service.pids.values())
    cpu_before, sent_before = cpu_s(pids), sum(stream.sent_s for stream in streams)
    await asyncio.sleep(seconds)
    used, sent = cpu_s(pids) - cpu_before, sum(stream.sent_s for stream in streams) - sent_before
    stop.set()
    await asyncio.gather(*tasks)
    return 1000 * used / sent


def measure(*, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return what each took, turn by turn."""
    found: dict[str, list[float]] = {name: [] for name in CLIENTS} if rounds else {}
    if not rounds:
        return found
    with embedded_service() as service:
        for turn in range(rounds):
            for name in CLIENTS:
                found[name].append(asyncio.run(cpu_ms(service, name, turn, seconds=seconds)))
                print(turn, name, round(found[name][-1], 2), flush=True)
    return found


def figures_of(found: Mapping[str, Sequence[float]], alone: Mapping[str, float]) -> dict[str, Any]:
    """Return the least of each, and how much more than our own protocol that is.

    Args:
        found: Of all of the service, by turns; none if that was not measured.
        alone: Of the dialects by themselves.
    """
    figures: dict[str, Any] = {
        "dialect_ms": {name: round(taken, 3) for name, taken in alone.items()},
        "dialect_over_v2_ms": {
            name: round(taken - alone[OWN], 3) for name, taken in alone.items() if name != OWN
        },
    }
    if not found:
        return figures
    least = {name: min(taken) for name, taken in found.items()}
    return figures | {
        "cpu_ms": {name: round(taken, 2) for name, taken in least.items()},
        "over_v2_ms": {name: round(taken - least[OWN], 2) for name, taken in least.items() if name != OWN},
        "turns_ms": {name: [round(each, 2) for each in taken] for name, taken in found.items()},
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What other services' clients cost besides our own.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of all of the service; 0: none")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each turn")
    options = parser.parse_args()
    alone = {name: dialect_ms(client) for name, client in CLIENTS.items()}
    figures = figures_of(measure(rounds=options.rounds, seconds=options.seconds), alone)
    results.write("dialects", figures)
    print("dialects: CPU ms per stream second over v2, goal at most", GOAL_MS)
    for what in ("dialect_over_v2_ms", "over_v2_ms"):
        if what in figures:
            print(what, ", ".join(f"{name} {more:+.2f}" for name, more in figures[what].items()))


if __name__ == "__main__":
    main()
