"""Audio files from people: decoded in a process of its own, which may use little and be killed at any time.

A FLAC of 2 MB can hold ten hours of silence, headers lie, and decoders have had worse faults than that.
Nothing of it reaches the process that serves everybody.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from .exceptions import BadRecording

PROGRAM = Path(__file__).with_name("decoder_process.py")

MAX_FILE_BYTES = 50 * 2**20
MAX_RECORDING_S = 300.0
"""More than this of one voice is of no use."""

MEMORY = 2**30
CPU_S = 20
WALL_S = 60.0

VIEWS = frozenset({"enroll", "record-oneself", "api:enroll"})
"""Names of the views to which people send files. All others get small requests."""


def takes_recordings(path: str) -> bool:
    """Return whether files are sent to this address, as the path of its URL has it."""
    try:
        return resolve(path).view_name in VIEWS
    except Resolver404:
        return False


def decode(chunks: Iterable[bytes]) -> np.ndarray:
    """Decode the audio of a file.

    Args:
        chunks: Its bytes: WAV, FLAC, OGG, MP3, M4A or WebM, whatever its name says.

    Returns:
        Mono at 16 kHz in [-1, 1], float32, shape (n,).

    Raises:
        BadRecording: If it is none of these, damaged, too long, or a trap.
    """
    with tempfile.NamedTemporaryFile(prefix="recording-") as file:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise BadRecording(
                    _("The file is larger than %(limit)d MB.") % {"limit": MAX_FILE_BYTES >> 20}
                )
            file.write(chunk)
        file.flush()
        return _decode_file(Path(file.name))


def _decode_file(path: Path) -> np.ndarray:
    try:
        process = subprocess.run(  # noqa: S603 - our own program, and a path that we made
            [sys.executable, "-I", str(PROGRAM), str(path), str(MAX_RECORDING_S), str(MEMORY), str(CPU_S)],
            capture_output=True,
            timeout=WALL_S,
            env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BadRecording(_trap()) from None
    if process.returncode == 0:
        audio: np.ndarray = np.clip(np.frombuffer(process.stdout, "<f4"), -1.0, 1.0)
        return audio
    if process.returncode == 3:
        raise BadRecording(_reason(process.stderr.decode("ascii", "replace")))
    raise BadRecording(_trap())


def _trap() -> str:
    return _("This file takes more memory or time than a recording should. Save it again as WAV or MP3.")


def _reason(word: str) -> str:
    reasons = {
        "not_audio": _("This is not an audio file that can be read: use WAV, FLAC, MP3, M4A or WebM."),
        "empty": _("The file holds no audio."),
        "too_long": _("The recording is longer than %(minutes)d minutes: shorten it.")
        % {"minutes": MAX_RECORDING_S // 60},
        "bad_rate": _("The sample rate must be between 8 and 192 kHz."),
        "bad_channels": _("The file must have between 1 and 8 channels."),
        "not_finite": _("The recording contains values that are not numbers: it was not saved properly."),
    }
    return reasons.get(word, reasons["not_audio"])
