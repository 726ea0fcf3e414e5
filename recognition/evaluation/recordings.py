"""Recordings of people to measure or to train with: folders with a `manifest.json`.

The manifest is a list of objects with `file` (a path in the folder), `speaker`, and where it is known
`text` and `licence`. The recordings stay where they are; nothing of them is kept but what a model learns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from recognition.audio import SAMPLE_RATE
from recognition.exceptions import RecordingsError


@dataclass(frozen=True, slots=True)
class Recorded:
    """One entry of a manifest, not read yet."""

    path: Path
    speaker: str
    text: str | None
    licence: str


def listed(folder: Path, *, under: str = "") -> list[Recorded]:
    """List the recordings of a folder whose path begins with `under` and that name a speaker.

    Raises:
        RecordingsError: If the folder has no manifest, or one of another form.
    """
    file = folder / "manifest.json"
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return [
            Recorded(folder / row["file"], row["speaker"], row.get("text"), row.get("licence", ""))
            for row in rows
            if row["file"].startswith(under)
            and row["file"].endswith((".flac", ".wav", ".ogg"))
            and row.get("speaker")
        ]
    except FileNotFoundError as error:
        raise RecordingsError(f"{folder} has no manifest.json") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RecordingsError(f"{file} is no list of objects with `file` and `speaker`: {error!r}") from error


def read(path: Path) -> np.ndarray:
    """Read audio: float32 in [-1, 1] at 16 kHz, shape (n,); channels are averaged.

    Raises:
        RecordingsError: If it is missing or no audio.
    """
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise RecordingsError(f"{path} cannot be read: {error.error_string}") from error
    mono = audio.mean(axis=1)
    resampled: np.ndarray = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    return resampled.astype(np.float32)


def trimmed(audio: np.ndarray, *, keep_s: float = 0.1) -> np.ndarray:
    """Cut off silence at the ends of audio: what lies beyond the last 20 ms within 35 dB of the loudest."""
    frame = SAMPLE_RATE // 50
    powers = np.mean(audio[: len(audio) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    if not len(powers) or powers.max() <= 0:
        return audio
    loud = np.flatnonzero(powers > powers.max() * 10**-3.5)
    margin = int(keep_s * SAMPLE_RATE)
    return audio[max(0, loud[0] * frame - margin) : (loud[-1] + 1) * frame + margin]


def by_speaker(recordings: Sequence[Recorded]) -> dict[str, list[Path]]:
    speakers: dict[str, list[Path]] = {}
    for recorded in recordings:
        speakers.setdefault(recorded.speaker, []).append(recorded.path)
    return speakers
