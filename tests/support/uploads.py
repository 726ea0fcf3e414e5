"""Files sent to a running server, as programs send them: by tus, in pieces."""

from __future__ import annotations

import io
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import numpy as np
import soundfile

from recognition.audio import SAMPLE_RATE

PIECE_BYTES = 8 * 2**20
TUS = {"Tus-Resumable": "1.0.0"}
PATIENCE_S = 240


def ask(http: str, method: str, path: str, data: bytes | None = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(http + path, data, TUS | named, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return answer.headers["Location"] if method == "POST" else answer.read()


def upload(http: str, data: bytes) -> str:
    """Send a whole file; its address."""
    address: str = ask(http, "POST", "/api/uploads/", b"", Upload_Length=str(len(data)))
    for offset in range(0, len(data), PIECE_BYTES):
        piece = data[offset : offset + PIECE_BYTES]
        kind = "application/offset+octet-stream"
        ask(http, "PATCH", address, piece, Upload_Offset=str(offset), Content_Type=kind)
    return address


def until(http: str, address: str, condition: Callable[[Any], bool]) -> Any:
    """Wait until this is true of what is told of a file, and return that."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition(told := json.loads(ask(http, "GET", address))):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return told


def is_over(told: Any) -> bool:
    return told["state"] not in ("receiving", "waiting", "running")


def wav(audio: np.ndarray) -> bytes:
    """Audio, float32, 16 kHz, as a file."""
    file = io.BytesIO()
    soundfile.write(file, audio, SAMPLE_RATE, subtype="PCM_16", format="WAV")
    return file.getvalue()
