"""The audio of a file as a worker reads it, in the place of a sender's log: decoded in a process of its own.

The file lies on the disk until its meeting has ended, so nothing is lost with a process: whoever goes on
decodes from the position that is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from recognition.audio import SAMPLE_RATE
from sessions_app.exceptions import SessionsError
from sessions_app.transport.interface import SAMPLE_BYTES, AudioChunk
from speakers.decoding import PROGRAM

PIECE_BYTES = SAMPLE_RATE * SAMPLE_BYTES

MEMORY = 3 * 2**29
CPU_S = 3600
"""Of decoding, in all: a minute for some hours of audio."""

FACTS_S = 120.0
STALLED_S = 120.0
"""Without a sample from a decoder that is waited for."""

ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Unreadable(SessionsError):
    """A file that is no recording; `reason` is a word of `reasons`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Facts:
    """Length and date of a file, as it tells them itself."""

    samples: int
    """0 if that is not known."""

    recorded_at: str


async def read_facts(path: Path) -> Facts:
    """Look into a file, and hear its beginning.

    Raises:
        Unreadable: If it is no recording.
    """
    process = await _start(path, "facts")
    assert process.stdout
    try:
        async with asyncio.timeout(FACTS_S):
            told = await process.stdout.read()
            await _check(process)
    except TimeoutError:
        raise Unreadable("stalled") from None
    finally:
        await _kill(process)
    facts = json.loads(told)
    return Facts(round((facts.get("seconds") or 0) * SAMPLE_RATE), str(facts.get("recorded_at") or ""))


class FileLog:
    """Implements `AudioLog` for one session.

    Args:
        path: Of the file; without one, the audio is over at once.
        max_samples: A session's longest.
    """

    keeps_audio = True

    def __init__(self, path: Path | None, *, max_samples: int) -> None:
        self._path = path
        self._max_samples = max_samples
        self._process: asyncio.subprocess.Process | None = None
        self._position = -1
        self._heard_at = 0.0
        self.fault = ""
        """Why the audio ended before the file did; a word of `reasons`."""

    async def read(
        self, session_pk: int, position: int, *, timeout_s: float, after_flush: bool = False
    ) -> AudioChunk:
        if self._path is None or position >= self._max_samples:
            self.fault = "too_long" if self._path else ""
            return AudioChunk(position, b"", is_end=True)
        if position != self._position:
            await self._open(self._path, position)
        assert self._process
        assert self._process.stdout
        audio, is_end = b"", False
        try:
            async with asyncio.timeout(timeout_s):
                audio = await self._process.stdout.readexactly(PIECE_BYTES)
        except TimeoutError:
            is_end = self._has_stalled()
        except asyncio.IncompleteReadError as rest:
            audio = rest.partial[: len(rest.partial) // SAMPLE_BYTES * SAMPLE_BYTES]
            is_end = True
            await self._note_fault()
        if audio:
            self._heard_at = time.monotonic()
        self._position = position + len(audio) // SAMPLE_BYTES
        return AudioChunk(position, audio, is_end=is_end)

    async def report(self, session_pk: int, *, processed: int, durable: int) -> None:
        """Do nothing: the decoder waits by itself while nobody reads."""

    async def sender_gone_s(self, session_pk: int) -> float:
        return 0.0

    async def release(self, session_pk: int) -> None:
        await self.aclose()

    async def give_up(self, session_pk: int) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the decoder. Idempotent."""
        process, self._process = self._process, None
        self._position = -1
        if process:
            await _kill(process)

    async def _open(self, path: Path, position: int) -> None:
        await self.aclose()
        self._process = await _start(path, "any", str(position))
        self._position = position
        self._heard_at = time.monotonic()

    def _has_stalled(self) -> bool:
        if time.monotonic() - self._heard_at <= STALLED_S:
            return False
        self.fault = "stalled"
        return True

    async def _note_fault(self) -> None:
        assert self._process
        try:
            await _check(self._process)
        except Unreadable as error:
            self.fault = error.reason


async def _start(path: Path, *what: str) -> asyncio.subprocess.Process:
    limits = (str(10**9), str(MEMORY), str(CPU_S))
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(PROGRAM), str(path), *limits, *what,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=ENVIRONMENT,
    )  # fmt: skip


async def _check(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a decoder; raise `Unreadable` unless it has decoded all."""
    assert process.stderr
    said = (await process.stderr.read()).decode("ascii", "replace")
    status = await process.wait()
    if status:
        raise Unreadable(said if status == 3 else "trap")


async def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()  # what nobody has read keeps its pipe open, and `wait` waiting
