"""Counts the trigrams of what training lets people say, for the recognisers' language model.

Source:
    Interpolated absolute discounting: Ney, Essen and Kneser, "On Structuring Probabilistic Dependences in
    Stochastic Language Modelling", 1994. What is pruned is left to the shorter n-grams.
"""

from __future__ import annotations

import gzip
import io
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from recognition.evaluation.scoring import plain
from recognition.language_model import END, ORDER, START, UNKNOWN
from training import corpus

Gram = tuple[str, ...]

FILE = "language_model.arpa.gz"


@dataclass(frozen=True, slots=True)
class LanguageRecipe:
    texts: int = 600_000
    discount: float = 0.75
    least: tuple[int, ...] = (1, 2, 3)
    """How often an n-gram of each order must come up to be kept."""

    seed: int = 1


@dataclass(slots=True)
class Entry:
    """An n-gram's probability and what is left, after it, for what is not listed."""

    probability: float
    backoff: float = 1.0


def train(folder: Path, recipe: LanguageRecipe) -> list[int]:
    """Write the model of `recipe.texts` texts like those that the recogniser is trained on.

    Returns:
        How many n-grams of each order it has.
    """
    spoken = corpus.texts(Random(f"language model {recipe.seed}"))
    orders = estimate(map(plain, islice(spoken, recipe.texts)), recipe)
    write_arpa(folder / FILE, orders)
    return [len(entries) for entries in orders]


def estimate(texts: Iterable[str], recipe: LanguageRecipe) -> list[dict[Gram, Entry]]:
    """The n-grams of each order, every character a word.

    Raises:
        ValueError: If there is no text.
    """
    counts = _count(texts)
    if not counts[0]:
        raise ValueError("there is no text to count")
    orders = [_unigrams(counts[0], recipe.discount)]
    for order in range(2, ORDER + 1):
        orders.append(_longer(counts[order - 1], orders, recipe))
    return orders


def _count(texts: Iterable[str]) -> list[Counter[Gram]]:
    counts: list[Counter[Gram]] = [Counter() for _ in range(ORDER)]
    for text in texts:
        words = (START, *text, END)
        for order, own in enumerate(counts, start=1):
            own.update(words[at : at + order] for at in range(order == 1, len(words) - order + 1))
    return counts


def _unigrams(counts: Counter[Gram], discount: float) -> dict[Gram, Entry]:
    total = counts.total()
    left = discount * len(counts) / total
    each = left / (len(counts) + 1)
    found = {gram: Entry((count - discount) / total + each) for gram, count in counts.items()}
    return found | {(UNKNOWN,): Entry(each), (START,): Entry(0.0)}


def _longer(
    counts: Counter[Gram], orders: list[dict[Gram, Entry]], recipe: LanguageRecipe
) -> dict[Gram, Entry]:
    """The next order; sets the backoffs of the one before."""
    shorter, least = orders[-1], recipe.least[len(orders)]
    totals: Counter[Gram] = Counter()
    kept: defaultdict[Gram, float] = defaultdict(float)
    found = {}
    for gram, count in counts.items():
        totals[gram[:-1]] += count
        if count >= least and gram[:-1] in shorter:
            kept[gram[:-1]] += count - recipe.discount
            found[gram] = count - recipe.discount
    for context, mass in kept.items():
        shorter[context].backoff = 1 - mass / totals[context]
    return {
        gram: Entry(mass / totals[gram[:-1]] + shorter[gram[:-1]].backoff * _probability(gram[1:], orders))
        for gram, mass in found.items()
    }


def _probability(gram: Gram, orders: list[dict[Gram, Entry]]) -> float:
    if entry := orders[len(gram) - 1].get(gram):
        return entry.probability
    context = orders[len(gram) - 2].get(gram[:-1])
    return (context.backoff if context else 1.0) * _probability(gram[1:], orders)


def write_arpa(path: Path, orders: list[dict[Gram, Entry]]) -> None:
    """Write it in ARPA's format, packed; the same model gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", mtime=0, fileobj=file) as packed,
        io.TextIOWrapper(packed, encoding="utf-8") as lines,
    ):
        lines.writelines(f"{line}\n" for line in _arpa(orders))


def _arpa(orders: list[dict[Gram, Entry]]) -> Iterator[str]:
    yield "\\data\\"
    for order, entries in enumerate(orders, start=1):
        yield f"ngram {order}={len(entries)}"
    for order, entries in enumerate(orders, start=1):
        yield f"\n\\{order}-grams:"
        for gram, entry in sorted(entries.items()):
            backoff = "" if entry.backoff == 1.0 else f"\t{_log10(entry.backoff)}"
            yield f"{_log10(entry.probability)}\t{' '.join(gram)}{backoff}"
    yield "\n\\end\\"


def _log10(probability: float) -> str:
    return f"{math.log10(probability):.2f}" if probability > 0 else "-99"
