"""Hotwords in the lattice of likely tokens: a word that was nearly heard is taken as heard. Pure.

Where each of a hotword's tokens is among the likeliest of its place, the word may be what was said: it is, if
its bonus outweighs what the tokens that were chosen are likelier. A word is taken whole or not at all, and
nothing is written that the recogniser itself did not hold for likely.

Source:
    A bonus for phrases: Hall et al., "Composition-based on-the-fly rescoring for salient n-gram biasing",
    Interspeech 2015. That it counts for whole words alone, and the limit to each token, are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from recognition.language_model import Choices, TokenSearch, Told

FURTHEST = 1.75
"""So many bonuses may a token be less likely than the likeliest: noise has others nearer."""

_LANGUAGE = 0.5
"""Of what the language model says against a hotword: it has not heard of it."""


@dataclass(slots=True)
class _Node:
    following: dict[int, _Node] = field(default_factory=dict)
    bonus: float = 0.0
    """Of each token of the word that ends here; 0 if none does."""


class _Match(NamedTuple):
    begin: int
    tokens: tuple[int, ...]
    loss: float
    bonus: float

    @property
    def end(self) -> int:
        return self.begin + len(self.tokens)


class HotwordLattice:
    """Hotwords as a recogniser's tokens.

    Args:
        words: Tokens of each, and the bonus of each token.
        is_written: Of each token of the vocabulary, whether it writes anything, bool, shape (tokens,).
        continues: Whether the next one belongs to the same word, bool, shape (tokens,).
    """

    def __init__(
        self, words: Iterable[tuple[Sequence[int], float]], is_written: np.ndarray, continues: np.ndarray
    ) -> None:
        self._root = _Node()
        self._is_written, self._continues = is_written, continues
        self._begins = np.zeros(len(is_written), bool)
        self._furthest, self._longest = 0.0, 0
        for tokens, bonus in words:
            self._add(tokens, bonus)

    def _add(self, tokens: Sequence[int], bonus: float) -> None:
        node = self._root
        for token in tokens:
            node = node.following.setdefault(token, _Node())
        node.bonus = max(node.bonus, bonus)
        self._begins[tokens[0]] = True
        self._furthest = max(self._furthest, FURTHEST * bonus)
        self._longest = max(self._longest, len(tokens))

    def choose(
        self,
        choices: Choices,
        chosen: Sequence[int],
        before: Sequence[int] = (),
        *,
        search: TokenSearch,
        is_end: bool = False,
    ) -> list[int]:
        """Return the tokens of each place, with the hotwords that were heard.

        Args:
            chosen: The token of each place, as `search` has chosen it.
            before: Tokens that were chosen earlier in the utterance; they stay.
            is_end: Whether nothing follows.
        """
        begun = self._begun(before)
        if not begun and not self._may_begin(choices):
            return list(chosen)
        places = np.flatnonzero(self._is_written[np.asarray(chosen, np.int64)]).tolist()
        said = [*begun, *(chosen[place] for place in places)]
        likely = [{token: 0.0} for token in begun] + self._likely(choices, places)
        matches = [match for match in self._matches(likely, said) if match.end > len(begun)]
        result = list(chosen)
        for match in self._best(matches, said, search, is_end=is_end):
            for number, token in enumerate(match.tokens, start=match.begin - len(begun)):
                if number >= 0:
                    result[places[number]] = token
        return result

    def _begun(self, before: Sequence[int]) -> list[int]:
        """Return the last written tokens from the first on that begins a word."""
        last = [token for token in before if self._is_written[token]][1 - self._longest :]
        start = next((number for number, token in enumerate(last) if self._begins[token]), len(last))
        return last[start:] if self._longest > 1 else []

    def _may_begin(self, choices: Choices) -> bool:
        near = choices.scores >= choices.scores[:, :1] - self._furthest
        return bool((self._begins[choices.ids] & near).any())

    def _likely(self, choices: Choices, places: Sequence[int]) -> list[dict[int, float]]:
        """Return by how much each likely token of these places is behind the likeliest."""
        scores = choices.scores[np.asarray(places, np.int64)]
        behind = (scores.max(1, initial=-np.inf, keepdims=True) - scores).tolist()
        return [
            dict(zip(ids, own, strict=True))
            for ids, own in zip(choices.ids[np.asarray(places, np.int64)].tolist(), behind, strict=True)
        ]

    def _matches(self, likely: Sequence[dict[int, float]], said: Sequence[int]) -> Iterator[_Match]:
        for begin, place in enumerate(likely):
            if begin and self._continues[said[begin - 1]]:
                continue  # inside a word
            for token, behind in place.items():
                node = self._root.following.get(token) if behind <= self._furthest else None
                if node:
                    yield from self._from(node, begin, (token,), behind, likely, said)

    def _from(
        self,
        node: _Node,
        begin: int,
        tokens: tuple[int, ...],
        furthest: float,
        likely: Sequence[dict[int, float]],
        said: Sequence[int],
    ) -> Iterator[_Match]:
        end = begin + len(tokens)
        if node.bonus and furthest <= FURTHEST * node.bonus:
            is_whole = tokens[-1] == said[end - 1] or not self._continues[said[end - 1]]
            loss = sum(
                likely[place][token] - likely[place][said[place]]
                for place, token in enumerate(tokens, start=begin)
            )
            if is_whole and loss <= node.bonus * len(tokens):
                yield _Match(begin, tokens, loss, node.bonus * len(tokens))
        if end == len(likely):
            return
        for token, behind in likely[end].items():
            following = node.following.get(token) if behind <= self._furthest else None
            if following:
                further = max(furthest, behind)
                yield from self._from(following, begin, (*tokens, token), further, likely, said)

    def _best(
        self, matches: Sequence[_Match], said: Sequence[int], search: TokenSearch, *, is_end: bool
    ) -> list[_Match]:
        """Return the matches that gain the most, of those that overlap."""
        taken: set[int] = set()
        best: list[_Match] = []
        gains = self._gains(matches, said, search, is_end=is_end)
        for gain, match in sorted(zip(gains, matches, strict=True), key=lambda each: -each[0]):
            places = range(match.begin, match.end)
            if gain > 0 and taken.isdisjoint(places):
                taken.update(places)
                best.append(match)
        return best

    def _gains(
        self, matches: Sequence[_Match], said: Sequence[int], search: TokenSearch, *, is_end: bool
    ) -> list[float]:
        texts: list[Told] = []
        for match in matches:
            after = said[match.end : match.end + 2]
            ends = is_end and match.end + 2 > len(said)
            before = said[max(0, match.begin - 2) : match.begin]
            for tokens in (match.tokens, said[match.begin : match.end]):
                texts.append(Told(before, [*tokens, *after], ends))
        usual = search.log_probabilities(texts)
        return [
            match.bonus - match.loss - _LANGUAGE * (usual[2 * number + 1] - usual[2 * number])
            for number, match in enumerate(matches)
        ]
