"""Search for the tokens of a text: several texts followed side by side, or a draft that is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Ranked = Sequence[tuple[int, float]]
"""Tokens that may come next and their log probabilities, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A text as far as it goes."""

    ids: tuple[int, ...] = ()
    total: float = 0.0
    """Log probability of all its tokens."""

    path: tuple[int, ...] = ()
    """The node of each token that was read, those before the text included."""


@dataclass(slots=True)
class Beam:
    """Texts of one utterance that are followed side by side.

    Args:
        size: How many.
        end: The token that ends a text.
        max_tokens: Of a text.
    """

    size: int
    end: int
    max_tokens: int
    done: list[Branch] = field(default_factory=list)

    def follow(self, ranked: Sequence[tuple[Branch, Ranked]]) -> list[Branch]:
        """Return the texts to go on with, none when the search is over.

        Args:
            ranked: The live texts, and for each at least `2 * size` tokens.
        """
        followed = sorted(
            ((branch.total + score, branch, token) for branch, tokens in ranked for token, score in tokens),
            key=lambda each: -each[0],
        )[: 2 * self.size]
        live: list[Branch] = []
        for place, (total, branch, token) in enumerate(followed):
            if token == self.end:
                if place < self.size:
                    self.done.append(Branch(branch.ids, total, branch.path))
            elif len(live) < self.size:
                live.append(Branch((*branch.ids, token), total, branch.path))
        if len(self.done) >= self.size or not live:
            return []
        if len(live[0].ids) >= self.max_tokens:
            self.done += live
            return []
        return live

    def ranked(self) -> list[Branch]:
        """Return the texts that have ended, first the one whose tokens are the likeliest on average."""
        return sorted(self.done, key=mean, reverse=True)


def mean(branch: Branch) -> float:
    """Return the log probability of a text and its end, by the number of its tokens."""
    return branch.total / max(1, len(branch.ids))


def agreed(draft: Sequence[int], chosen: Sequence[int]) -> int:
    """Return how many tokens of a draft are those that are chosen.

    Args:
        chosen: What comes where each token of the draft stands.
    """
    count = 0
    for drafted, wanted in zip(draft, chosen, strict=False):
        if drafted != wanted:
            break
        count += 1
    return count


MAX_TRUSTED = 12
"""Tokens of a draft that are checked in one step: each costs a little, right or wrong."""


def trusted(right: int) -> int:
    """Return how many tokens of a draft to check, after so many of it were right."""
    return min(MAX_TRUSTED, 2 * right + 2)


_LOOKED_AT = 3
"""Tokens of a draft within which one that was chosen is looked for."""


def rest_of(draft: Sequence[int], chosen: int) -> Sequence[int]:
    """Return what a draft may still be good for, when something else comes instead of its first token.

    That is something in between where the draft does not have it: marks are set between its words.
    """
    for place, token in enumerate(draft[:_LOOKED_AT]):
        if token == chosen:
            return draft[place + 1 :]
    return draft
