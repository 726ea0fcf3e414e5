"""WhisperLiveKit by its own server and its own protocol, with the weights of the set `people`.

Its back-end is faster-whisper, under both of its policies: LocalAgreement, and SimulStreaming, whose decoder
is a module of torch and reads the weights in OpenAI's form.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from deploy.local_servers import LocalProcess, free_port, wait_until
from recognition.model_sets.reading import read_model_set

from . import environments
from .interface import Reader, Running
from .openai_weights import write_checkpoint

REQUIREMENTS = ("whisperlivekit==0.2.26", "faster-whisper==1.2.1", "ctranslate2==4.8.5", "torch==2.13.0")

POLICIES = {"localagreement": "LocalAgreement", "simulstreaming": "SimulStreaming"}

_SILENCE = -2
"""The speaker of lines in which nobody speaks."""

_HEADS = "from whisperlivekit.whisper import _ALIGNMENT_HEADS as heads; print(heads['base'].decode())"


class WhisperLiveKitReader:
    """The whole text with every message."""

    def __init__(self) -> None:
        self.is_over = False
        self.firm = self.sure = self.shown = ""

    def read(self, message: dict[str, Any]) -> None:
        self.is_over = message.get("type") == "ready_to_stop"
        if "lines" in message:
            lines = [line for line in message["lines"] if line["speaker"] != _SILENCE]
            self.firm = self.sure = "".join(line["text"] or "" for line in lines)
            self.shown = self.firm + (message.get("buffer_transcription") or "")


class WhisperLiveKit:
    """Its server under one of its policies."""

    def __init__(self, policy: str) -> None:
        self._policy = policy
        self.name = f"whisperlivekit-{policy}"
        self.title = f"WhisperLiveKit 0.2.26, {POLICIES[policy]}"

    def install(self) -> None:
        self._python = environments.python("whisperlivekit", REQUIREMENTS)
        folder = environments.PEERS / "whisperlivekit"
        self._checkpoint = folder / "base.pt"
        if not self._checkpoint.is_file():
            write_checkpoint(_weights() / "model.bin", self._checkpoint)

    @contextlib.contextmanager
    def serve(self) -> Iterator[Running]:
        port = free_port()
        with tempfile.TemporaryDirectory(prefix="asrsite-peers-") as folder:
            log = Path(folder) / "server.log"
            # It asks a hub for what it has, and OpenMP for all cores, unless it is told.
            settings = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            environment = {**os.environ, **settings, "HOME": folder}
            command = [str(self._python), "-m", "whisperlivekit.basic_server", *self._arguments(port)]
            with LocalProcess(self.title, command, log=log, environment=environment) as server:
                _wait_for(server, port)
                yield Running(port, server.pid)

    def address(self, port: int, stream: str) -> str:
        return f"ws://127.0.0.1:{port}/asr"

    def frame(self, audio: np.ndarray) -> bytes:
        return (audio.clip(-1, 1) * 32767).astype("<i2").tobytes()

    def farewell(self) -> bytes:
        return b""

    def reader(self) -> Reader:
        return WhisperLiveKitReader()

    def _arguments(self, port: int) -> list[str]:
        return [
            *("--host", "127.0.0.1", "--port", str(port), "--lan", "zh", "--pcm-input", "--warmup-file", ""),
            *("--backend", "faster-whisper", "--backend-policy", self._policy, *self._models()),
        ]

    def _models(self) -> list[str]:
        if self._policy == "localagreement":
            return ["--model_dir", str(_weights())]
        heads = subprocess.run(
            [str(self._python), "-c", _HEADS], capture_output=True, text=True, check=True
        ).stdout.strip()
        return [
            *("--encoder-model-path", str(_weights()), "--decoder-model-path", str(self._checkpoint)),
            *("--custom-alignment-heads", heads),
        ]


def _weights() -> Path:
    directory = read_model_set("people").sources["offline"].directory(Path("var/models"))
    if directory is None:
        raise FileNotFoundError("The set people is not there: python manage.py models pull people")
    return directory.resolve()


def _wait_for(server: LocalProcess, port: int) -> None:
    def is_ready() -> bool:
        if not server.is_running:
            raise RuntimeError(f"{server.name} stopped:\n{server.log.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                return b'"ready":true' in answer.read()
        return False

    wait_until(is_ready, f"{server.name} does not start", timeout_s=600)
