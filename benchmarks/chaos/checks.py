"""Is everything there, once, and in its place? Pure: what was sent, kept and told comes in as data."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from recognition.fakes.checksum import checksum

from .audio import FRAME, Recording, frames_of, whole_frames

AFFECTED_S = 0.5
"""A fault shows within this time, or not at all: results come at least every 0.6 s."""

SLACK = 1600
"""Samples at either end of a stretch of speech that may be in no line: a vote decides where speech begins."""

PLAIN_LOSS_S = 0.5
"""Audio that a connection which breaks may cost a plain sender: what its socket held."""


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
    """Which frames of a plain sender are not whole; None if what is there is damaged or out of order."""
    frames = whole_frames(kept, recording)
    if frames is None or frames != sorted(set(frames)):
        return None
    return sorted(set(range(recording.frames)) - set(frames))


@dataclass(frozen=True, slots=True)
class Hush:
    """A time in which bytes went nowhere and nobody was told: something was frozen, or a network away."""

    began_at: float
    over_at: float
    needs_break: bool = True
    """Whether only a connection that broke in the end has lost anything; else it was lost behind it."""

    def has(self, at: float) -> bool:
        return self.began_at <= at <= self.over_at + AFFECTED_S


def unexplained(
    missing: Sequence[int],
    breaks: Sequence[int],
    *,
    in_flight: int,
    sent_at: Sequence[float] = (),
    hushes: Sequence[Hush] = (),
) -> list[int]:
    """Missing frames of a plain sender that were not on their way when a connection broke.

    Args:
        breaks: Number of the next frame at each break.
        in_flight: Frames that a break may cost, and the beginning of a hush, which finds them on their way.
        sent_at: When each frame was sent.
        hushes: What was sent meanwhile is lost as well, if the connection broke in the end.
    """
    lost = []
    for number in missing:
        before = [at - number for at in breaks if at >= number]
        is_close = any(distance <= in_flight for distance in before)
        hushed = [
            hush for frame in (number, number + in_flight) for hush in hushes_of(frame, sent_at, hushes)
        ]
        if not is_close and not any(before or not hush.needs_break for hush in hushed):
            lost.append(number)
    return lost


def hushes_of(number: int, sent_at: Sequence[float], hushes: Sequence[Hush]) -> list[Hush]:
    """Return those in which a frame was sent; none if it was not sent at all."""
    return [hush for hush in hushes if number < len(sent_at) and hush.has(sent_at[number])]


def check_lines(
    lines: Sequence[KeptLine], audio: np.ndarray, *, speech: Sequence[tuple[int, int]], slack: int = 0
) -> Verdict:
    """Whether the lines are numbered 1, 2, ..., each of its own audio, and all speech in one.

    Args:
        audio: The whole session, float32, shape (n,).
        speech: Stretches in which somebody speaks, as (start, end) in samples.
        slack: Samples at either end of each that may be in no line.
    """
    verdict = _check_order(lines, audio)
    for start, end in speech:
        for hole_start, hole_end in holes(lines, start + slack, end - slack):
            verdict.lost_samples += hole_end - hole_start
            verdict.notes.append(f"no line has [{hole_start}, {hole_end})")
    return verdict


def holes(lines: Sequence[KeptLine], start: int, end: int) -> list[tuple[int, int]]:
    """Return what of a stretch is in no line."""
    found, position = [], start
    for line in sorted(lines, key=lambda line: line.start):
        if line.end <= position or line.start >= end:
            continue
        if line.start > position:
            found.append((position, line.start))
        position = max(position, line.end)
    return [*found, (position, end)] if position < end else found


def _check_order(lines: Sequence[KeptLine], audio: np.ndarray) -> Verdict:
    verdict = Verdict()
    position = 0
    for expected, line in enumerate(lines, 1):
        if line.seq != expected:
            verdict.lost_lines += 1
            verdict.notes.append(f"line {line.seq} stands where {expected} should")
        if line.start < position:
            verdict.doubled_lines += 1
            verdict.notes.append(f"line {line.seq} begins at {line.start}, before {position}")
        if line.text != checksum(audio[line.start : line.end]):
            verdict.wrong_lines += 1
            verdict.notes.append(f"line {line.seq} is not of the audio in [{line.start}, {line.end})")
        position = line.end
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


@dataclass(frozen=True, slots=True)
class Course:
    """How a run went, besides what was lost in it."""

    faults: int
    meetings: int
    lines: int
    unfinished: int = 0
    never_back: Sequence[str] = ()
    """Names of processes that do not answer at the end."""

    tracebacks: Sequence[str] = ()
    nemesis_died: str = ""
    """Of what; empty if it lived to the end."""

    plain_loss_s: float = 0.0
    """The most that a connection of a plain sender which broke has cost, but for hushes."""


def wrong_with(course: Course, verdict: Verdict) -> list[str]:
    """What of a run must not be, in words; empty if it is clean. One that could have seen nothing is not."""
    wrong = {
        "samples, lines or places are lost, doubled or wrong": not verdict.is_clean,
        "no meeting was held": not course.meetings,
        "no line was recognised": not course.lines,
        "nothing failed": not course.faults,
        f"{course.unfinished} meetings did not end": bool(course.unfinished),
        f"what breaks things died: {course.nemesis_died}": bool(course.nemesis_died),
        f"never came back: {', '.join(course.never_back)}": bool(course.never_back),
        f"{len(course.tracebacks)} tracebacks in the logs": bool(course.tracebacks),
        f"a plain sender lost {course.plain_loss_s:.1f} s at once": course.plain_loss_s > PLAIN_LOSS_S,
    }
    return [what for what, is_so in wrong.items() if is_so]


class Happened(Protocol):
    """A fault, as far as silences go."""

    @property
    def kind(self) -> str: ...
    @property
    def began_at(self) -> float: ...
    @property
    def over_at(self) -> float:
        """From when on the service can be expected to recover."""


def recoveries(heard_at: Sequence[float], faults: Sequence[Happened]) -> list[tuple[str, float]]:
    """How long a receiver heard nothing because of faults, in which the service could have recovered.

    Several faults leave one silence: it counts from the first of them, without the time in which one lasted,
    and as of the kind that was over last.

    Args:
        heard_at: When results came, in order.

    Returns:
        (kind of fault, seconds) of each silence longer than usual that has to do with one.
    """
    found = []
    for before, after in itertools.pairwise(heard_at):
        if after - before <= 2 * AFFECTED_S:
            continue
        causes = [fault for fault in faults if fault.began_at < after and fault.over_at + AFFECTED_S > before]
        if causes:
            last = max(causes, key=lambda fault: fault.over_at)
            found.append((last.kind, _free_s(before, after, causes)))
    return found


def _free_s(start: float, end: float, faults: Sequence[Happened]) -> float:
    """Return how much of a time is behind the beginning of the first fault and in none."""
    ordered = sorted(faults, key=lambda fault: fault.began_at)
    free_s, position = 0.0, max(start, ordered[0].began_at)
    for fault in ordered:
        free_s += max(0.0, fault.began_at - position)
        position = max(position, fault.over_at)
    return free_s + max(0.0, end - position)


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
