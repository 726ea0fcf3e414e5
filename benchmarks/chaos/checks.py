"""Is everything there, once, and in its place? Pure: what was sent, kept and told comes in as data."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recognition.fakes.checksum import checksum

from .audio import FRAME, Recording, frames_of

AFFECTED_S = 0.5
"""A fault shows within this time, or not at all: results come at least every 0.6 s."""

WINDOW_S = 20.0


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A line in the database; positions are samples."""

    seq: int
    start: int
    end: int
    text: str


@dataclass(slots=True)
class Verdict:
    """What is wrong; all zero if nothing is."""

    lost_samples: int = 0
    lost_lines: int = 0
    doubled_lines: int = 0
    wrong_lines: int = 0
    """Lines that were made from other audio than that of their place: damaged, or of another session."""

    notes: list[str] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        self.lost_samples += other.lost_samples
        self.lost_lines += other.lost_lines
        self.doubled_lines += other.doubled_lines
        self.wrong_lines += other.wrong_lines
        self.notes += other.notes

    @property
    def is_clean(self) -> bool:
        return not (self.lost_samples or self.lost_lines or self.doubled_lines or self.wrong_lines)


def check_audio(kept: np.ndarray, durable: int, recording: Recording) -> Verdict:
    """Whether a sender that can send again has all its audio on disk, and the database knows.

    Args:
        kept: The recording on disk, int16, shape (n,).
    """
    frames = frames_of(kept, recording)
    if frames == list(range(recording.frames)) and durable == recording.samples:
        return Verdict()
    right = sum(1 for at, number in enumerate(frames or []) if at == number)
    lost = max(1, recording.samples - min(right * FRAME, durable))
    return Verdict(lost_samples=lost, notes=[f"kept {len(kept)}, durable {durable}, of {recording.samples}"])


def missing_frames(kept: np.ndarray, recording: Recording) -> list[int] | None:
    """Which frames of a plain sender are not there; None if what is there is damaged or out of order."""
    frames = frames_of(kept, recording)
    if frames is None or frames != sorted(set(frames)):
        return None
    return sorted(set(range(recording.frames)) - set(frames))


def unexplained(missing: Sequence[int], breaks: Sequence[int], *, in_flight: int) -> list[int]:
    """Missing frames that were not on their way when a connection broke.

    Args:
        breaks: Number of the next frame at each break.
        in_flight: Frames that a break may cost.
    """
    return [number for number in missing if not any(at - in_flight <= number <= at for at in breaks)]


def check_lines(lines: Sequence[KeptLine], audio: np.ndarray, *, is_all_speech: bool) -> Verdict:
    """Whether the lines are numbered 1, 2, ..., each of its own audio, and none of audio that another has.

    Args:
        audio: The whole session, float32, shape (n,).
        is_all_speech: Whether every sample must be in a line.
    """
    verdict = Verdict()
    position = 0
    for expected, line in enumerate(lines, 1):
        if line.seq != expected:
            verdict.lost_lines += 1
            verdict.notes.append(f"line {line.seq} stands where {expected} should")
        if line.start < position:
            verdict.doubled_lines += 1
            verdict.notes.append(f"line {line.seq} begins at {line.start}, before {position}")
        if is_all_speech and line.start > position:
            verdict.lost_samples += line.start - position
            verdict.notes.append(f"no line has [{position}, {line.start})")
        if line.text != checksum(audio[line.start : line.end]):
            verdict.wrong_lines += 1
            verdict.notes.append(f"line {line.seq} is not of the audio in [{line.start}, {line.end})")
        position = line.end
    if is_all_speech and position < len(audio):
        verdict.lost_samples += len(audio) - position
        verdict.notes.append(f"no line has [{position}, {len(audio)})")
    return verdict


def check_transcript(told: Mapping[int, str], lines: Sequence[KeptLine], *, faults: int) -> Verdict:
    """Whether a receiver's messages, folded, are what the database has.

    Args:
        told: Text of each line by number.
        faults: Lines that it was told twice or out of order.
    """
    kept = {line.seq: line.text for line in lines}
    lost = [seq for seq in kept if seq not in told]
    wrong = [seq for seq, text in told.items() if kept.get(seq) != text]
    verdict = Verdict(lost_lines=len(lost), wrong_lines=len(wrong), doubled_lines=faults)
    if not verdict.is_clean:
        verdict.notes.append(f"a receiver lacks {lost}, has {wrong} otherwise, {faults} twice")
    return verdict


def recovery_s(heard_at: Sequence[float], *, began_at: float, over_at: float) -> float | None:
    """How long a receiver heard nothing because of a fault, from when the service could recover.

    The longest silence that a fault may have begun; None if it left no silence longer than usual.

    Args:
        heard_at: When results came, in order.
    """
    first = bisect.bisect_right(heard_at, began_at)
    silences = []
    for before, after in zip(heard_at[max(0, first - 1) :], heard_at[first:], strict=False):
        if before > over_at + AFFECTED_S or after > over_at + WINDOW_S:
            break
        silences.append((after - before, after))
    if not silences:
        return None
    length, ended_at = max(silences)
    return max(0.0, ended_at - over_at) if length > 2 * AFFECTED_S else None


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
