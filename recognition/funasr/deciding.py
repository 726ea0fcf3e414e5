"""Decision on tokens: what was heard, how people talk, and the session's hotwords. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from recognition.hotwords import Hotwords
from recognition.interfaces import SessionContext
from recognition.language_model import Choices, LanguageModel

from .hotword_lattice import HotwordLattice
from .spelling import CONTINUES, Spelling
from .vocabulary import Vocabulary


class TokenDecider:
    """Chooses tokens for all sessions of a recogniser; of its thread.

    Args:
        language_model: What people are likely to say, if that is known.
    """

    def __init__(self, vocabulary: Vocabulary, language_model: LanguageModel | None) -> None:
        self.search = vocabulary.search(language_model)
        self._spelling = Spelling(vocabulary.tokens)
        self._is_written = np.array([bool(token) for token in vocabulary.tokens])
        self._continues = np.array([token.endswith(CONTINUES) for token in vocabulary.tokens])
        self._compiled: WeakKeyDictionary[Hotwords, HotwordLattice] = WeakKeyDictionary()

    def choose(
        self,
        choices: Choices,
        context: SessionContext | None,
        before: Sequence[int] = (),
        *,
        is_end: bool = False,
    ) -> list[int]:
        """Return the token of each place; see `TokenSearch.choose`."""
        chosen = self.search.choose(choices, before, is_end=is_end)
        hotwords = context.hotwords if context else None
        if not hotwords or not len(chosen):
            return chosen
        lattice = self.lattice(hotwords)
        return lattice.choose(choices, chosen, before, search=self.search, is_end=is_end)

    def lattice(self, hotwords: Hotwords) -> HotwordLattice:
        """Return hotwords as tokens, compiled at the first time."""
        if hotwords not in self._compiled:
            words = [
                (tokens, word.bonus) for word in hotwords.words for tokens in self._spelling.spell(word.text)
            ]
            self._compiled[hotwords] = HotwordLattice(words, self._is_written, self._continues)
        return self._compiled[hotwords]
