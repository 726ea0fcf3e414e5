"""The recordings of many people, one after the other, as one stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recognition.audio import samples, seconds
from recognition.evaluation import recordings

PAUSE = samples(0.8)
LENGTH = samples(120)


@dataclass(frozen=True, slots=True)
class Clip:
    """What one of them says."""

    text: str
    audio: np.ndarray


@dataclass(frozen=True, slots=True)
class Meeting:
    """Clips with pauses between them."""

    audio: np.ndarray
    texts: list[str]
    ends_s: list[float]
    """When each of them has said the last word."""

    @property
    def seconds(self) -> float:
        return seconds(len(self.audio))


def clips(assets: Path, folder: str = "speech/aishell3/") -> list[Clip]:
    """Read recordings without the silence at their ends, as many as are said in `LENGTH`."""
    found: list[Clip] = []
    length = PAUSE
    for entry in recordings.listed(assets, under=folder):
        if length > LENGTH:
            break
        found.append(Clip(entry.text or "", recordings.trimmed(recordings.read(entry.path), keep_s=0.0)))
        length += len(found[-1].audio) + PAUSE
    return found


def join(clips: Sequence[Clip], *, first: int = 0) -> Meeting:
    """Return the meeting that begins with this clip; those before it come last."""
    order = [*clips[first:], *clips[:first]]
    silence = np.zeros(PAUSE, np.float32)
    parts, ends, at = [silence], list[float](), PAUSE
    for clip in order:
        parts += [clip.audio, silence]
        ends.append(seconds(at + len(clip.audio)))
        at += len(clip.audio) + PAUSE
    return Meeting(np.concatenate(parts), [clip.text for clip in order], ends)
