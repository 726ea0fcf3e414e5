"""Recordings of people: a folder with a `manifest.json`, a list of `{"file", "speaker"}`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from recognition.audio import SAMPLE_RATE, samples
from speakers.listening import Recording

TEST_PEOPLE = "speech/librispeech_test_other/"
"""Ten people, ten recordings each; `training` leaves them out."""

COHORT = ("speech/librispeech_train100_1utt/", "speech/aishell3/")
"""Other people, one recording each: they show what voices have in common."""


async def recordings(assets: Path, *under: str) -> AsyncIterator[Recording]:
    """All recordings below these folders whose speaker is known."""
    for row in listed(assets, *under):
        yield row["speaker"], row["file"], read(assets / row["file"])


def by_person(assets: Path, under: str) -> dict[str, list[np.ndarray]]:
    people: defaultdict[str, list[np.ndarray]] = defaultdict(list)
    for row in listed(assets, under):
        people[row["speaker"]].append(read(assets / row["file"]))
    return dict(people)


def listed(assets: Path, *under: str) -> Sequence[dict[str, str]]:
    rows = json.loads((assets / "manifest.json").read_text(encoding="utf-8"))
    return [
        row
        for row in rows
        if row.get("speaker") and row["file"].startswith(under) and row["file"].endswith((".flac", ".wav"))
    ]


def read(file: Path) -> np.ndarray:
    """float32 at 16 kHz, shape (n,)."""
    audio, rate = soundfile.read(file, dtype="float32", always_2d=True)
    mono = audio.mean(axis=1)
    found: np.ndarray = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    return found.astype(np.float32)


def trimmed(audio: np.ndarray) -> np.ndarray:
    """Without the silence at both ends: from the first to the last 20 ms within 35 dB of the loudest."""
    frame = samples(0.02)
    power = np.mean(audio[: len(audio) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10**-3.5)
    return audio[loud[0] * frame : (loud[-1] + 1) * frame]
