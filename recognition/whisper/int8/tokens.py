"""The tokens that a text may have, and how likely each is to come next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recognition.int8.products import Rows

from . import kernels
from .decoder import Decoder
from .search import Ranked


class Tokens:
    """The tokens that texts of one kind may have.

    Args:
        numbers: The last one ends a text.
        hidden_at_first: Those that a text does not begin with.
    """

    def __init__(self, decoder: Decoder, numbers: np.ndarray, hidden_at_first: Sequence[int]) -> None:
        self.numbers = numbers
        self.columns = {int(number): column for column, number in enumerate(numbers)}
        self.hidden_at_first = np.array(
            [self.columns[number] for number in hidden_at_first if number in self.columns], np.int64
        )
        self._project = decoder.project(numbers)

    @property
    def end(self) -> int:
        """The token that ends a text."""
        return int(self.numbers[-1])

    def rank(
        self, rows: Rows, said: Sequence[Sequence[int]], penalty: float, *, count: int, is_first: bool = False
    ) -> list[Ranked]:
        """Return the likeliest tokens of each row.

        Args:
            said: Tokens of each row's text.
            penalty: By so much less likely are these.
            count: How many tokens to return.
        """
        ids = np.zeros((len(said), count), np.int64)
        scores = np.full((len(said), count), -np.inf, np.float32)
        hidden = self.hidden_at_first if is_first else self.hidden_at_first[:0]
        kernels.rank(self._project(rows), hidden, self._columns(said), np.float32(penalty), ids, scores)
        return [
            list(zip(numbers.tolist(), own.tolist(), strict=True))
            for numbers, own in zip(self.numbers[ids], scores, strict=True)
        ]

    def _columns(self, said: Sequence[Sequence[int]]) -> np.ndarray:
        longest = max(map(len, said))
        columns = np.full((len(said), longest), -1, np.int64)
        for row, ids in enumerate(said):
            own = {self.columns[number] for number in ids if number in self.columns}
            columns[row, : len(own)] = list(own)
        return columns
