"""This service among those that are compared: one process, and version 2 of its protocol."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.transport.service import embedded_process

from .interface import Reader, Running

MODELS_DIR = Path("var/models")


class OurReader:
    """Lines by their numbers, and what is being said behind them."""

    def __init__(self) -> None:
        self.is_over = False
        self._lines: dict[int, str] = {}
        self._partial = self._tail = ""

    @property
    def firm(self) -> str:
        return "".join(text for _, text in sorted(self._lines.items()))

    @property
    def sure(self) -> str:
        return self.firm + self._partial

    @property
    def shown(self) -> str:
        return self.sure + self._tail

    def read(self, message: dict[str, Any]) -> None:
        if message.get("final"):
            self._lines[message["seq"]] = message["asr"]
            self._partial = self._tail = ""
        elif message.get("final") is False:
            self._partial, self._tail = message["asr"], message.get("tail", "")
        self.is_over = message.get("event", {}).get("type") == "session_end"


class Ours:
    """The service with one set of models, at real sockets."""

    def __init__(self, models: str = "people") -> None:
        self.name, self._models = "asrsite", models
        self.title = f"asrsite, set `{models}`"

    def install(self) -> None:
        """It is here."""

    @contextlib.contextmanager
    def serve(self) -> Iterator[Running]:
        with tempfile.TemporaryDirectory(prefix="asrsite-peers-") as folder:
            (Path(folder) / "models").symlink_to(MODELS_DIR.resolve())
            # What it can take is to be seen, not to be refused.
            settings = {"ASR_CAPACITY": "100", "LOG_LEVEL": "WARNING"}
            with embedded_process(Path(folder), models=self._models, **settings) as web:
                yield Running(web.port, web.pid)

    def address(self, port: int, stream: str) -> str:
        return f"ws://127.0.0.1:{port}/ws/asr/{stream}?mode=sender&v=2&itn=0"

    def frame(self, audio: np.ndarray) -> bytes:
        return audio.astype("<f4").tobytes()

    def farewell(self) -> str:
        return "close"

    def reader(self) -> Reader:
        return OurReader()
