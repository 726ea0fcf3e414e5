"""Language model: trigrams of written units, weighed against what was heard. Pure.

A Paraformer decides on every character by itself. Where characters sound alike, those around them tell
which was meant: of the likeliest characters of each place, the search takes those that together are the
likeliest, by the recogniser's scores and the language model's.

Source:
    Backing off: Katz, "Estimation of Probabilities from Sparse Data for the Language Model Component of a
    Speech Recognizer", 1987. The search is Viterbi's, 1967, and exact for the given choices.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from .exceptions import ModelError

START, END, UNKNOWN = "<s>", "</s>", "<unk>"

ORDER = 3

CHOICES = 8
"""Tokens of each place that are weighed; the right one is hardly ever further down."""

_LEAST = -99.0
"""Log10 of a probability of nothing, as ARPA files write it."""


class Choices(NamedTuple):
    """Tokens that a recogniser takes for likely at each place of an utterance."""

    ids: np.ndarray
    """Tokens, the likeliest first, int64, shape (places, choices)."""

    scores: np.ndarray
    """Their log probabilities, up to a number for each place, float32, shape (places, choices)."""


@dataclass(frozen=True, slots=True)
class Ngrams:
    """All n-grams of one order.

    A key is the n-gram's words as the digits of a number.
    """

    keys: np.ndarray
    """int64, ascending, shape (n,)."""

    probabilities: np.ndarray
    """Natural logarithms, float32, shape (n,)."""

    backoffs: np.ndarray
    """Of what follows and is not listed; natural logarithms, float32, shape (n,)."""

    def find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return whether these are listed, and at which place; both of the shape of `keys`."""
        places = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return self.keys[places] == keys, places


class LanguageModel:
    """A backing-off trigram model.

    Args:
        words: All that it knows; the number of a word is its place.
        ngrams: Of order 1, 2 and 3. Every word is a 1-gram.
        weight: Of its log probabilities beside the recogniser's.
    """

    def __init__(self, words: Sequence[str], ngrams: Sequence[Ngrams], weight: float = 1.0) -> None:
        self.weight = weight
        self.words = {word: number for number, word in enumerate(words)}
        self._unigrams, self._bigrams, self._trigrams = ngrams

    @property
    def start(self) -> int:
        return self.words[START]

    @property
    def end(self) -> int:
        return self.words[END]

    def number(self, word: str) -> int:
        """The word's number, or that of all unknown words."""
        return self.words.get(word, self.words[UNKNOWN])

    def log_probabilities(self, first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
        """Return the probability of the third word after the other two; natural logarithms.

        Args:
            first, second, third: Numbers of words, int64, of shapes that go together.
        """
        size = len(self.words)
        is_pair, pair = self._bigrams.find(second * size + third)
        shorter = np.where(
            is_pair,
            self._bigrams.probabilities[pair],
            self._unigrams.backoffs[second] + self._unigrams.probabilities[third],
        )
        context = first * size + second
        has_context, place = self._bigrams.find(context)
        backed_off = np.where(has_context, self._bigrams.backoffs[place], 0) + shorter
        is_listed, triple = self._trigrams.find(context * size + third)
        found: np.ndarray = np.where(is_listed, self._trigrams.probabilities[triple], backed_off)
        return found


class TokenSearch(Protocol):
    """Decides which tokens were said."""

    def choose(self, choices: Choices, before: Sequence[int] = (), *, is_end: bool = False) -> list[int]:
        """The token of each place.

        Args:
            before: Tokens that were chosen earlier in the utterance.
            is_end: Whether nothing follows.
        """
        ...

    def log_probabilities(self, texts: Sequence[Told]) -> list[float]:
        """Return how likely people are to say each text, as the language model counts here."""
        ...


class Told(NamedTuple):
    """A piece of a text, in tokens that are written."""

    before: Sequence[int]
    """The last two tokens before it; fewer where the text begins."""

    tokens: Sequence[int]
    is_end: bool = False


class GreedySearch:
    """The likeliest token of each place."""

    def choose(self, choices: Choices, before: Sequence[int] = (), *, is_end: bool = False) -> list[int]:
        found: list[int] = choices.ids[:, 0].tolist()
        return found

    def log_probabilities(self, texts: Sequence[Told]) -> list[float]:
        return [0.0] * len(texts)


class TrigramSearch:
    """The tokens that together are the likeliest.

    Where the recogniser would write nothing, nothing is written, and what is around that stands together.

    Args:
        tokens: What each of the recogniser's tokens writes; "" for those that write nothing.
    """

    def __init__(self, model: LanguageModel, tokens: Sequence[str]) -> None:
        self._model = model
        self._words = np.array([model.number(token) for token in tokens])
        self._is_written = np.array([bool(token) for token in tokens])

    def choose(self, choices: Choices, before: Sequence[int] = (), *, is_end: bool = False) -> list[int]:
        chosen = choices.ids[:, 0].copy()
        is_written = self._is_written[chosen]
        if is_written.any():
            written = Choices(choices.ids[is_written], choices.scores[is_written])
            chosen[is_written] = self._best_path(written, before, is_end=is_end)
        tokens: list[int] = chosen.tolist()
        return tokens

    def _best_path(self, choices: Choices, before: Sequence[int], *, is_end: bool) -> list[int]:
        ids = choices.ids
        scores = np.where(self._is_written[ids], choices.scores, -np.inf)
        places, count = ids.shape
        words = np.concatenate([self._history(before)[:, None].repeat(count, 1), self._words[ids]])
        following = self._model.weight * self._model.log_probabilities(
            words[:-2, :, None, None], words[1:-1, None, :, None], words[2:, None, None, :]
        )
        # Of the best path to each pair of choices at two places: its score, and the choice before them.
        best = np.full((count, count), -np.inf)
        best[0, 0] = 0
        came_from = np.empty((places, count, count), np.int64)
        for place in range(places):
            paths = best[:, :, None] + following[place]
            came_from[place] = paths.argmax(0)
            best = paths.max(0) + scores[place]
        if is_end:
            end = np.array(self._model.end)
            best += self._model.weight * self._model.log_probabilities(
                words[-2][:, None], words[-1][None], end
            )
        return _trace(ids, came_from, *divmod(int(best.argmax()), count))

    def log_probabilities(self, texts: Sequence[Told]) -> list[float]:
        if not texts:
            return []
        words = [self._written(text) for text in texts]
        triples = np.concatenate([np.lib.stride_tricks.sliding_window_view(own, 3) for own in words])
        found = self._model.weight * self._model.log_probabilities(*triples.T)
        ends = np.cumsum([len(own) - 2 for own in words])
        sums: list[float] = np.add.reduceat(found, np.concatenate([[0], ends[:-1]])).tolist()
        return sums

    def _written(self, text: Told) -> np.ndarray:
        """Return the words of a text with the two before it, int64; it has one at least."""
        end = [self._model.end] if text.is_end else []
        return np.concatenate([self._history(text.before), self._words[list(text.tokens)], end]).astype(
            np.int64
        )

    def _history(self, before: Sequence[int]) -> np.ndarray:
        known = [int(self._words[token]) for token in before if self._is_written[token]][-2:]
        return np.array([self._model.start] * (2 - len(known)) + known)


def _trace(ids: np.ndarray, came_from: np.ndarray, last_but_one: int, last: int) -> list[int]:
    chosen = []
    for place in range(len(ids) - 1, -1, -1):
        chosen.append(int(ids[place, last]))
        last_but_one, last = int(came_from[place, last_but_one, last]), last_but_one
    return chosen[::-1]


def find_file(directory: Path) -> Path:
    """The model's file in its directory.

    Raises:
        ModelError: If there is none, or more than one.
    """
    found = sorted([*directory.glob("*.arpa"), *directory.glob("*.arpa.gz")])
    if len(found) != 1:
        raise ModelError(
            f"{directory} must hold one language model, *.arpa or *.arpa.gz; it has {len(found)}"
        )
    return found[0]


def read_language_model(path: Path, *, weight: float = 1.0) -> LanguageModel:
    """A model from a file in ARPA's format, as KenLM and SRILM write it; `.gz` is unpacked.

    Args:
        weight: See `LanguageModel`.

    Raises:
        ModelError: If it cannot be read, or has longer n-grams than trigrams.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        return _parse(text.splitlines(), weight)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, ValueError) as exc:
        raise ModelError(f"{path} is no language model in ARPA's format: {exc}") from exc


def _parse(lines: Sequence[str], weight: float) -> LanguageModel:
    heads = [number for number, line in enumerate(lines) if line.startswith("\\")]
    if not heads or lines[heads[-1]].rstrip() != "\\end\\":
        raise ValueError("it has no end")
    sections = [
        [line for line in lines[head + 1 : end] if line and not line.isspace()]
        for head, end in pairwise(heads)
        if lines[head].rstrip().endswith("-grams:")
    ]
    if not 1 <= len(sections) <= ORDER:
        raise ValueError(f"it has n-grams of {len(sections)} lengths; 1 to {ORDER} are supported")
    known = set(map(_word, sections[0]))
    sections[0] += [f"{_LEAST}\t{word}" for word in (START, END, UNKNOWN) if word not in known]
    sections += [[]] * (ORDER - len(sections))
    numbers = {_word(line): number for number, line in enumerate(sections[0])}
    ngrams = [_ngrams(section, order, numbers) for order, section in enumerate(sections, start=1)]
    return LanguageModel(list(numbers), ngrams, weight)


def _word(line: str) -> str:
    columns = line.split("\t")
    if len(columns) < 2:
        raise ValueError(f"{line!r} is no 1-gram")
    return columns[1].strip()


def _ngrams(lines: Sequence[str], order: int, numbers: dict[str, int]) -> Ngrams:
    if not lines:  # one that nobody asks for, so that there is something to find
        return Ngrams(np.array([-1]), np.array([_LEAST], np.float32), np.zeros(1, np.float32))
    # Not line by line, for there may be a million.
    bare, with_backoff = ([line for line in lines if line.count("\t") == tabs] for tabs in (1, 2))
    if odd := len(lines) - len(bare) - len(with_backoff):
        raise ValueError(f"{odd} of its {order}-grams have not two or three columns")
    fields = "\t0\n".join([*bare, ""]).split() + "\n".join(with_backoff).split()
    width = order + 2
    if len(fields) != width * len(lines):
        raise ValueError(f"some of its {order}-grams have not {order} words")
    keys = np.zeros(len(lines), np.int64)
    for column in range(1, order + 1):
        words = np.array([numbers.get(word, -1) for word in fields[column::width]], np.int64)
        if (words < 0).any():
            unknown = fields[column::width][int(words.argmin())]
            raise ValueError(f"{unknown!r} is in a {order}-gram but no 1-gram")
        keys = keys * len(numbers) + words
    ascending = np.argsort(keys)
    to_natural = np.float32(math.log(10))
    return Ngrams(
        keys[ascending],
        np.array(fields[::width], np.float32)[ascending] * to_natural,
        np.array(fields[width - 1 :: width], np.float32)[ascending] * to_natural,
    )
