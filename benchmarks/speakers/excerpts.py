"""Excerpts of real meetings: thirty seconds each from AMI, one microphone on the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .diarization_error import Segment, read_rttm
from .people import read

FOLDERS = ("speech/pyannote", "speech/ami")

HELD_OUT = ("tst00", "tst01", "sample", "EN2002a_30s")
"""Excerpts that nothing was tuned on; the others were at hand when the search for turns was made."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    name: str
    audio: np.ndarray
    truth: list[Segment]

    @property
    def is_held_out(self) -> bool:
        return self.name in HELD_OUT


def all_of(assets: Path) -> Iterator[Excerpt]:
    """Every excerpt whose truth is known."""
    for folder in FOLDERS:
        for file in sorted((assets / folder).glob("*.rttm")):
            for name, truth in read_rttm(file).items():
                recording = assets / folder / f"{name}.flac"
                if recording.exists():
                    yield Excerpt(name, read(recording), truth)
