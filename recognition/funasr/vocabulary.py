"""From token ids to what is written: Chinese characters, and English words put together from their pieces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recognition.interfaces import Token
from recognition.language_model import GreedySearch, LanguageModel, TokenSearch, TrigramSearch

from .spelling import CONTINUES, written


class Vocabulary:
    """The tokens of a recogniser.

    Args:
        tokens: Token of each id; a piece of a word that goes on ends in "@@".
        silent: Ids that are never written, besides the special tokens.
    """

    def __init__(self, tokens: Sequence[str], silent: Iterable[int] = ()) -> None:
        self.tokens = written(tokens)
        for number in silent:
            self.tokens[number] = ""

    def search(self, model: LanguageModel | None) -> TokenSearch:
        """Search for the most likely tokens, with what is known of the language."""
        return TrigramSearch(model, self.tokens) if model else GreedySearch()

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The token of each id, "" for those that are not written."""
        return [self.tokens[number] for number in ids]


class WordJoiner:
    """Puts words together from pieces as they come in; holds back a word that has only begun."""

    def __init__(self) -> None:
        self._begun = ""

    def receive(self, pieces: Iterable[str]) -> list[str]:
        """The words and characters that these pieces complete."""
        words = []
        for piece in pieces:
            if not piece:
                continue
            if self._begun and not _is_latin(piece):
                words.append(self._begun)
                self._begun = ""
            if piece.endswith(CONTINUES):
                self._begun += piece.removesuffix(CONTINUES)
            else:
                words.append(self._begun + piece)
                self._begun = ""
        return words

    def finish(self) -> list[str]:
        """The word that was begun and will not be completed."""
        begun, self._begun = self._begun, ""
        return [begun] if begun else []


def join_words(pieces: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[Token]:
    """Words with their times; letters spelt out one by one become one abbreviation.

    Args:
        pieces: Tokens of a whole utterance, "" for those that are not written.
        spans: Start and end of each, in samples.

    Raises:
        ValueError: If there are not as many spans as pieces.
    """
    if len(pieces) != len(spans):
        raise ValueError(f"{len(spans)} spans for {len(pieces)} pieces")
    words: list[Token] = []
    begun: Token | None = None
    for piece, (start, end) in zip(pieces, spans, strict=True):
        if not piece:
            continue
        if begun and not _is_latin(piece):
            words.append(begun)
            begun = None
        text = (begun.text if begun else "") + piece.removesuffix(CONTINUES)
        word = Token(text, begun.start if begun else start, end)
        if piece.endswith(CONTINUES):
            begun = word
        else:
            words.append(word)
            begun = None
    return _spell_out([*words, begun] if begun else words)


def _spell_out(words: list[Token]) -> list[Token]:
    """ "a s r", said letter by letter, is written "ASR"."""
    result: list[Token] = []
    letters: list[Token] = []
    for word in [*words, None]:
        if word and len(word.text) == 1 and _is_latin(word.text):
            letters.append(word)
            continue
        if len(letters) > 1:
            text = "".join(letter.text for letter in letters).upper()
            result.append(Token(text, letters[0].start, letters[-1].end))
        else:
            result += letters
        letters = []
        if word:
            result.append(word)
    return result


def _is_latin(piece: str) -> bool:
    return piece[0] == "'" or (piece[0].isascii() and piece[0].isalpha())
