"""FunASR's own WebSocket server under the same load, from a checkout of FunASR.

Its server is run as it is, with the same directories of models in place of those of the hub, on one core;
clients speak its protocol and send the same recording at real time. It has no limit: too many streams are
accepted, and fall further behind with every second.
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from deploy.local_servers import LocalProcess, free_port, wait_until
from recognition.audio import SAMPLE_RATE

from .transport.processes import cpu_s

SERVER = Path("runtime/python/websocket/funasr_wss_server.py")
"""In a checkout of https://github.com/modelscope/FunASR."""

PACKET = SAMPLE_RATE * 60 // 1000

MAX_BEHIND_S = 2.0
"""How late the last of a stream may be done: what is said last takes a second pass by itself."""

_ROLES = {
    "paraformer-zh": "offline",
    "iic/speech_paraformer-large_asr_nat-zh-cn-16k-common-vocab8404-online": "streaming",
    "iic/speech_fsmn_vad_zh-cn-16k-common-pytorch": "vad",
    "iic/punc_ct-transformer_zh-cn-common-vad_realtime-vocab272727": "punctuation",
    "iic/speech_campplus_sv_zh-cn_16k-common": "speaker",
}
"""By the names that the server asks the hub for."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many streams at once."""

    streams: int
    cpu_ms_per_s: float
    """Of the server, per second of audio of a stream."""

    behind_s: float
    """From the end of the latest stream's audio until the server is done with it."""

    lines: int

    @property
    def keeps_up(self) -> bool:
        return self.behind_s <= MAX_BEHIND_S


def measure(
    checkout: Path, directories: Mapping[str, Path], recording: np.ndarray, *, seconds: int = 40
) -> list[Load]:
    """One stream, two, and so on, until the server does not keep up.

    Args:
        checkout: Of FunASR.
        directories: Of models, by role.
        recording: float32, shape (n,), at 16 kHz.

    Raises:
        FileNotFoundError: If the checkout has no such server.
        RuntimeError: If it does not start.
    """
    if not (checkout / SERVER).is_file():
        raise FileNotFoundError(f"{checkout} has no {SERVER}: --peer takes a checkout of FunASR")
    port, loads = free_port(), list[Load]()
    with tempfile.TemporaryDirectory(prefix="asrsite-peer-") as folder:
        log = Path(folder) / "server.log"
        roles = json.dumps({role: str(directory) for role, directory in directories.items()})
        command = [sys.executable, "-m", "benchmarks.peer", str(checkout.resolve()), str(port), roles]
        with LocalProcess("FunASR's server", command, log=log) as server:
            _wait_for(server, log)
            asyncio.run(_play(port, server.pid, recording, streams=1, seconds=10))  # its first is the slowest
            while not loads or loads[-1].keeps_up:
                streams = len(loads) + 1
                loads.append(
                    asyncio.run(_play(port, server.pid, recording, streams=streams, seconds=seconds))
                )
    return loads


def figures(loads: Sequence[Load]) -> dict[str, Any]:
    return {
        "streams": max((load.streams for load in loads if load.keeps_up), default=0),
        "loads": [
            {
                "streams": load.streams,
                "cpu_ms_per_s": round(load.cpu_ms_per_s),
                "behind_s": round(load.behind_s, 1),
                "lines": load.lines,
            }
            for load in loads
        ],
    }


def _wait_for(server: LocalProcess, log: Path) -> None:
    def is_up() -> bool:
        if not server.is_running:
            raise RuntimeError(f"{server.name} stopped:\n{log.read_text(errors='replace')[-2000:]}")
        return "WS server started" in log.read_text(errors="replace")

    wait_until(is_up, f"{server.name} does not start", timeout_s=600)


async def _play(port: int, pid: int, recording: np.ndarray, *, streams: int, seconds: int) -> Load:
    pcm = (recording * 32767).astype("<i2")
    before, begun = cpu_s([pid]), time.monotonic()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_stream(port, np.roll(pcm, -n * len(pcm) // streams), seconds, begun))
            for n in range(streams)
        ]
    found = [task.result() for task in tasks]
    return Load(
        streams=streams,
        cpu_ms_per_s=1e3 * (cpu_s([pid]) - before) / (streams * seconds),
        behind_s=max(behind for behind, _ in found),
        lines=sum(lines for _, lines in found),
    )


async def _stream(port: int, pcm: np.ndarray, seconds: int, begun: float) -> tuple[float, int]:
    """How late it was done, and how many lines it gave."""
    url = f"ws://127.0.0.1:{port}"
    async with connect(url, subprotocols=[Subprotocol("binary")], ping_interval=None, proxy=None) as socket:
        reading = asyncio.create_task(_lines(socket))
        start = {"mode": "2pass", "chunk_size": [5, 10, 5], "chunk_interval": 10, "wav_name": "stream"}
        await socket.send(json.dumps({**start, "is_speaking": True}))
        for at in range(0, seconds * SAMPLE_RATE, PACKET):
            await asyncio.sleep(max(0.0, begun + (at + PACKET) / SAMPLE_RATE - time.monotonic()))
            await socket.send(np.take(pcm, range(at, at + PACKET), mode="wrap").tobytes())
        await socket.send(json.dumps({"is_speaking": False, "is_end": True}))
        lines = await reading
        return time.monotonic() - begun - seconds, lines


async def _lines(socket: ClientConnection) -> int:
    lines = 0
    async for message in socket:
        answer = json.loads(message)
        if answer.get("is_end"):
            return lines
        lines += answer["mode"] == "2pass-offline"
    raise RuntimeError("FunASR's server closed the socket before it was done; its log says why")


def _serve(checkout: Path, port: int, roles: Mapping[str, str]) -> None:
    """Run the server in this process, with local models in place of those of the hub."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import funasr

    class LocalModel(funasr.AutoModel):  # type: ignore[misc]
        def __init__(self, model: str, **options: Any) -> None:
            options.pop("model_revision", None)
            super().__init__(model=roles[_ROLES[model]], disable_update=True, **options)

    funasr.AutoModel = LocalModel
    script = str(checkout / SERVER)
    sys.argv = [
        script, "--host", "127.0.0.1", "--port", str(port), "--certfile", "", "--keyfile", "",
        "--ngpu", "0", "--device", "cpu", "--ncpu", "1",
    ]  # fmt: skip
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
