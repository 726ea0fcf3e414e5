"""How wrong an answer to "who spoke when" is: the diarization error rate, and RTTM files. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

STEP_S = 0.01


@dataclass(frozen=True, slots=True)
class Segment:
    """Somebody speaks from `start` to `end`, in seconds."""

    start: float
    end: float
    speaker: Hashable


@dataclass(frozen=True, slots=True)
class Errors:
    """Seconds of each kind of error, and of speech altogether; where two speak at once, each counts."""

    missed: float
    false_alarm: float
    confusion: float
    speech: float

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.missed + other.missed,
            self.false_alarm + other.false_alarm,
            self.confusion + other.confusion,
            self.speech + other.speech,
        )

    @property
    def rate(self) -> float:
        """The diarization error rate; may exceed 1."""
        return (self.missed + self.false_alarm + self.confusion) / self.speech


def errors(
    reference: Sequence[Segment],
    answer: Sequence[Segment],
    length_s: float,
    *,
    collar_s: float = 0.0,
    with_overlap: bool = True,
) -> Errors:
    """Compare an answer with the truth, speakers mapped so that it comes off best.

    Args:
        collar_s: Around each boundary of the truth, so much on each side does not count. Strict without.
        with_overlap: Whether time in which several speak counts.

    Source: NIST, "The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan".
    """
    truth, given = _activity(reference, length_s), _activity(answer, length_s)
    counts = ~_near_boundaries(truth, round(collar_s / STEP_S))
    if not with_overlap:
        counts &= truth.sum(axis=0) <= 1
    truth, given = truth[:, counts], given[:, counts]
    spoken, told = truth.sum(axis=0), given.sum(axis=0)  # (steps,)
    together = truth.astype(np.int64) @ given.T.astype(np.int64)  # (speakers, answers)
    rows, columns = linear_sum_assignment(-together)
    right = sum(
        (truth[row] & given[column]).astype(np.int64) for row, column in zip(rows, columns, strict=True)
    ) + np.zeros(len(spoken), np.int64)
    return Errors(
        missed=float(np.maximum(spoken - told, 0).sum()) * STEP_S,
        false_alarm=float(np.maximum(told - spoken, 0).sum()) * STEP_S,
        confusion=float((np.minimum(spoken, told) - right).sum()) * STEP_S,
        speech=float(spoken.sum()) * STEP_S,
    )


def read_rttm(path: Path) -> dict[str, list[Segment]]:
    """The segments of each recording that an RTTM file tells of."""
    found: defaultdict[str, list[Segment]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if fields and fields[0] == "SPEAKER":
            start, length = float(fields[3]), float(fields[4])
            found[fields[1]].append(Segment(start, start + length, fields[7]))
    return dict(found)


def _near_boundaries(truth: np.ndarray, steps: int) -> np.ndarray:
    """Which steps are within so many of somebody's beginning or end, bool, shape (steps,)."""
    is_near = np.zeros(truth.shape[1], bool)
    for row in truth.astype(np.int8):
        for boundary in np.flatnonzero(np.diff(row, prepend=0, append=0)).tolist():
            is_near[max(0, boundary - steps) : boundary + steps] = True
    return is_near


def _activity(segments: Iterable[Segment], length_s: float) -> np.ndarray:
    """Who speaks in which step, bool, shape (speakers, steps)."""
    segments = list(segments)
    speakers = {speaker: row for row, speaker in enumerate(dict.fromkeys(s.speaker for s in segments))}
    active = np.zeros((len(speakers), round(length_s / STEP_S)), bool)
    for segment in segments:
        active[speakers[segment.speaker], round(segment.start / STEP_S) : round(segment.end / STEP_S)] = True
    return active
