"""FunASR's own server under load: a server in its place is started and spoken to as the real one is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from benchmarks import peer
from benchmarks.peer import Load, figures, measure

OFFLINE = Path("recognition/model_sets/embedded/paraformer/offline").resolve()
AUDIO = np.linspace(-0.5, 0.5, 16_000, dtype=np.float32)

STAND_IN = """
import argparse, asyncio, json, websockets
from funasr import AutoModel

parser = argparse.ArgumentParser()
for name in ("host", "port", "certfile", "keyfile", "ngpu", "device", "ncpu"):
    parser.add_argument("--" + name)
options = parser.parse_args()
assert (options.device, options.ngpu, options.certfile) == ("cpu", "0", "")

async def serve(socket):
    heard = 0
    async for message in socket:
        if isinstance(message, bytes):
            heard += len(message)
            continue
        settings = json.loads(message)
        if settings["is_speaking"]:
            assert settings["mode"] == "2pass" and settings["chunk_size"] == [5, 10, 5]
            continue
        await socket.send(json.dumps({"mode": "2pass-online", "text": "one"}))
        for _ in range(heard // 32_000):  # a line a second
            await socket.send(json.dumps({"mode": "2pass-offline", "text": "one"}))
        await socket.send(json.dumps({"mode": "2pass", "is_final": True, "is_end": True}))

async def main():
    async with websockets.serve(serve, options.host, int(options.port), subprotocols=["binary"]):
        print("WS server started")
        await asyncio.Future()

asyncio.run(main())
"""


LOADING = """
model = AutoModel(model="paraformer-zh", model_revision="v2.0.4", device="cpu", ngpu=0)
assert type(model.model).__name__ == "Paraformer"
"""


def checkout_with(folder: Path, script: str) -> Path:
    (folder / peer.SERVER).parent.mkdir(parents=True)
    (folder / peer.SERVER).write_text(script)
    return folder


def test_a_load_is_streams_at_once_each_with_its_lines_of_local_models_by_the_names_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "MAX_BEHIND_S", -1.0)  # so that it stops after the first
    checkout = checkout_with(tmp_path, STAND_IN.replace("parser =", LOADING + "parser =", 1))

    [load] = measure(checkout, {"offline": OFFLINE}, AUDIO, seconds=2)

    assert (load.streams, load.lines) == (1, 2)
    assert load.cpu_ms_per_s > 0


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    script = 'from funasr import AutoModel\nAutoModel(model="paraformer-zh")\n'
    with pytest.raises(RuntimeError, match=r"(?s)stopped.*KeyError: 'offline'"):
        measure(checkout_with(tmp_path, script), {}, AUDIO)


async def test_a_server_that_hangs_up_before_the_end_is_an_error() -> None:
    async def hang_up(socket: ServerConnection) -> None:
        async for message in socket:
            if isinstance(message, str) and not json.loads(message)["is_speaking"]:
                return

    async with serve(hang_up, "127.0.0.1", 0, subprotocols=[Subprotocol("binary")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(ExceptionGroup) as caught:
            await peer._play(port, os.getpid(), AUDIO, streams=1, seconds=1)
    assert caught.group_contains(RuntimeError, match="before it was done")


def test_a_folder_without_the_server_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="takes a checkout of FunASR"):
        measure(tmp_path, {}, AUDIO)


def test_what_it_holds_is_the_most_streams_that_ended_in_time() -> None:
    loads = [Load(1, 640.4, 0.81, 9), Load(2, 655.0, 1.9, 18), Load(3, 650.0, 14.42, 20)]

    found = figures(loads)

    assert found["streams"] == 2
    assert found["loads"][2] == {"streams": 3, "cpu_ms_per_s": 650, "behind_s": 14.4, "lines": 20}


def test_a_server_that_is_late_with_one_stream_holds_none() -> None:
    assert figures([Load(1, 1216.0, 3.7, 1)])["streams"] == 0
