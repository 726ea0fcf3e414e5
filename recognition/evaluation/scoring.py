"""Error rates: of characters, of speakers, of marks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein


def is_chinese(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def plain(text: str) -> str:
    """Return `text` as a recogniser writes it: characters only, no marks."""
    return "".join(filter(is_chinese, text))


def character_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Return the edits per reference character over all (reference, hypothesis) pairs; marks do not count.

    Raises:
        ValueError: If there is no reference character at all.
    """
    errors = characters = 0
    for reference, hypothesis in pairs:
        reference = plain(reference)
        errors += Levenshtein.distance(reference, plain(hypothesis))
        characters += len(reference)
    if not characters:
        raise ValueError("no reference characters to compare with")
    return errors / characters


def equal_error_rate(same: np.ndarray, different: np.ndarray) -> tuple[float, float]:
    """Return the rate at which as many true pairs are refused as false ones are accepted.

    Args:
        same: Scores of pairs of one speaker, shape (n,).
        different: Scores of pairs of two speakers, shape (m,).

    Returns:
        The rate, and the score at which it is reached.
    """
    thresholds = np.unique(np.concatenate([same, different]))
    refused = np.searchsorted(np.sort(same), thresholds, side="left") / len(same)
    accepted = 1 - np.searchsorted(np.sort(different), thresholds, side="left") / len(different)
    best = int(np.argmin(np.abs(refused - accepted)))
    return float(refused[best] + accepted[best]) / 2, float(thresholds[best])


def threshold_at(different: np.ndarray, false_accepts: float) -> float:
    """Return the score that no more than that share of pairs of two speakers reaches."""
    return float(np.quantile(different, 1 - false_accepts))


def mark_f1(pairs: Iterable[tuple[Sequence[str], Sequence[str]]], marks: str) -> float:
    """Return the F1 of places with one of `marks`, counted by kind, over (reference, hypothesis) rows.

    Each row is the mark after each token, "" for none.
    """
    hits = wanted = found = 0
    for reference, hypothesis in pairs:
        for expected, given in zip(reference, hypothesis, strict=True):
            hits += expected == given and given in marks and given != ""
            wanted += expected != "" and expected in marks
            found += given != "" and given in marks
    return 2 * hits / (wanted + found) if wanted + found else 1.0
