"""Files at a real server: killed in the middle, it goes on where it was."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from recognition.audio import SAMPLE_RATE
from tests.support.clients import MEETING, TEXTS
from tests.support.server import Server

pytestmark = pytest.mark.slow(40)

MINUTES = 25
PIECE_BYTES = 8 * 2**20
TUS = {"Tus-Resumable": "1.0.0"}

LINES = """
    SELECT text FROM sessions_app_utterance AS line JOIN sessions_app_session AS session
    ON session.id = line.session_id WHERE session.key = ? ORDER BY seq
"""


def ask(server: Server, method: str, path: str, data: bytes | None = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(server.http + path, data, TUS | named, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return answer.headers["Location"] if method == "POST" else answer.read()


def upload(server: Server, data: bytes) -> str:
    address: str = ask(server, "POST", "/api/uploads/", b"", Upload_Length=str(len(data)))
    for offset in range(0, len(data), PIECE_BYTES):
        piece = data[offset : offset + PIECE_BYTES]
        kind = "application/offset+octet-stream"
        ask(server, "PATCH", address, piece, Upload_Offset=str(offset), Content_Type=kind)
    return address


def until(server: Server, address: str, condition: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 240
    while not condition(told := json.loads(ask(server, "GET", address))):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return told


def test_a_killed_server_goes_on_with_a_file_where_it_was(tmp_path: Path) -> None:
    times = MINUTES * 60 * SAMPLE_RATE // len(MEETING.audio())
    audio = np.tile(MEETING.audio(), times)
    soundfile.write(tmp_path / "long.wav", audio, SAMPLE_RATE, subtype="PCM_16")
    with Server(tmp_path / "data") as server:
        address = upload(server, (tmp_path / "long.wav").read_bytes())
        told = until(server, address, lambda told: told["done_ms"] > 30_000)
        server.stop(9)
        [(before, seq)] = server.query(
            "SELECT durable, last_seq FROM sessions_app_session WHERE key = ?", told["session"]
        )
        assert 0 < before < len(audio)
        server.start()
        told = until(server, address, lambda told: told["state"] not in ("waiting", "running"))
        assert (told["state"], told["error"]) == ("done", "")
        assert [text for (text,) in server.query(LINES, told["session"])] == TEXTS * times
        assert server.session(told["session"], "state, durable, epoch") == ("ended", len(audio), 2)
        resumed = [line for line in server.log.splitlines() if "recognising from" in line]
        assert f"recognising from {before} " in resumed[-1]
        assert seq > 0
        assert not list((tmp_path / "data/media/uploads").iterdir())
