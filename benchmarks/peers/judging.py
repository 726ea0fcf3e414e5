"""What a server has told of a meeting, against what was said in it, and when. Pure.

Texts are compared in simplified characters, without marks and with numbers as they are said: servers write
them in different ways.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from opencc import OpenCC
from rapidfuzz.distance import Levenshtein

_ALIKE = str.maketrans("两〇幺", "二零一")


@dataclass(frozen=True, slots=True)
class Update:
    """The text after a message."""

    at_s: float
    """Since the first sample of the meeting was due."""

    firm: str
    sure: str
    shown: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one stream."""

    edits: int
    characters: int
    delays_s: list[float]
    """Of each clip: from its last word until the firm text had it."""

    never: int
    """Clips that the firm text never reached; they have no delay."""

    sure: tuple[int, int]
    shown: tuple[int, int]
    """Characters that were written, and those of them that were taken away again."""


def judge(texts: Sequence[str], ends_s: Sequence[float], updates: Sequence[Update]) -> Verdict:
    """Judge what came of the clips with these texts, whose last words were said at these times."""
    final = updates[-1].firm if updates else ""
    reference = "".join(as_said(text) for text in texts)
    firm = [(update.at_s, len(plain(update.firm))) for update in updates]
    delays = []
    for end_s, place in zip(ends_s, ends_in([plain(text) for text in texts], plain(final)), strict=True):
        reached = next((at_s for at_s, length in firm if length >= place), None)
        if reached is not None:
            delays.append(reached - end_s)
    return Verdict(
        Levenshtein.distance(reference, as_said(final)),
        len(reference),
        delays,
        len(texts) - len(delays),
        changes([plain(update.sure) for update in updates]),
        changes([plain(update.shown) for update in updates]),
    )


def figures(verdicts: Sequence[Verdict]) -> dict[str, float | int | None]:
    """Return error rate, delays and share of what was taken back, over all streams."""
    delays = [delay for verdict in verdicts for delay in verdict.delays_s]
    edits, characters = (sum(getattr(v, name) for v in verdicts) for name in ("edits", "characters"))
    return {
        "cer": round(edits / characters, 4),
        "final_delay_p50_s": _quantile(delays, 0.5),
        "final_delay_p95_s": _quantile(delays, 0.95),
        "clips_never_final": sum(verdict.never for verdict in verdicts),
        "sure_taken_back": _share(verdict.sure for verdict in verdicts),
        "shown_taken_back": _share(verdict.shown for verdict in verdicts),
    }


def changes(shown: Sequence[str]) -> tuple[int, int]:
    """Return how many characters were written in all, and how many of them were taken away again."""
    written = taken_back = 0
    before = ""
    for text in shown:
        kept = common(before, text)
        written += len(text) - kept
        taken_back += len(before) - kept
        before = text
    return written, taken_back


def common(one: str, other: str) -> int:
    """Return the length of what both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def ends_in(texts: Sequence[str], hypothesis: str) -> list[int]:
    """Return the place in the hypothesis behind the end of each text, by the fewest edits of all of them."""
    places, behind = [], np.cumsum([len(text) for text in texts])
    blocks = Levenshtein.opcodes("".join(texts), hypothesis)
    for end in map(int, behind):
        block = next((each for each in blocks if each.src_start < end <= each.src_end), None)
        inside = 0 if block is None else min(end - block.src_start, block.dest_end - block.dest_start)
        places.append(inside + (block.dest_start if block else 0))
    return places


def plain(text: str) -> str:
    """Return characters, letters and digits in simplified script."""
    return "".join(filter(str.isalnum, _simplify(text))).lower()


def as_said(text: str) -> str:
    """Return the Chinese characters and letters of a text, its numbers read out."""
    joined = re.sub(r"(?<=\d),(?=\d{3})", "", _simplify(text))
    spoken = _read_out()(joined) if re.search(r"\d", joined) else joined
    return "".join(filter(str.isalpha, spoken.translate(_ALIKE))).lower()


def _share(changed: Iterable[tuple[int, int]]) -> float:
    written, back = map(sum, zip(*changed, strict=True))
    return round(back / max(1, written), 4)


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 2) if values else None


@functools.cache
def _simplify(text: str) -> str:
    converted: str = _converter().convert(text)
    return converted


@functools.cache
def _converter() -> Any:
    return OpenCC("t2s")


@functools.cache
def _read_out() -> Callable[[str], str]:
    from wetext import Normalizer  # half a second, and only where there are digits

    normalize: Callable[[str], str] = Normalizer(lang="zh", operator="tn").normalize
    return normalize
