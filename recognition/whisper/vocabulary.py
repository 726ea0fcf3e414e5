"""From Whisper's tokens to what is written: Chinese characters in simplified script, and words.

A token is a run of bytes, and a character may be spread over several of them.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from tokenizers import Tokenizer

from recognition.core.text import is_chinese
from recognition.core.words import word_ends
from recognition.exceptions import ModelError
from recognition.interfaces import Span, Token
from recognition.scripts import simplified

CHINESE = "zh"

_CHINESE_MARKS = dict(zip("，。？！、,;；.…?!", "，。？！、，，，。。？！", strict=True))
_OTHER_MARKS = dict(zip("，。？！、,;；.…?!", ",.?!,,,,..?!", strict=True))
"""What marks become behind a word of Chinese, and of other scripts."""

_COMMON = 10_000
"""Tokens are numbered by how often they occur."""

_INSIDE_WORDS = "'’-"
"""Marks that belong to the word if letters follow."""


class Vocabulary:
    """The tokens of a multilingual Whisper.

    Raises:
        ModelError: If the file holds no such tokens.
    """

    def __init__(self, file: Path) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing more exact
            raise ModelError(f"{file} holds no tokens: {error}") from error
        self.file = file
        self.end = self._special("endoftext")
        self._start = self._special("startoftranscript")
        self._transcribe = self._special("transcribe")
        self._no_timestamps = self._special("notimestamps")

    def start(self, language: str) -> list[int]:
        """Return the tokens that text without times begins with.

        Raises:
            ModelError: If there is no such language.
        """
        return [self._start, self._special(language), self._transcribe, self._no_timestamps]

    def prompted(self, language: str, prompt: str) -> list[int]:
        """Return the tokens that text begins with as if the prompt had been said before."""
        text = self._tokenizer.encode(prompt, add_special_tokens=False).ids
        return [self._special("startofprev"), *text, *self.start(language)]

    @functools.cached_property
    def unlikely(self) -> frozenset[int]:
        """Tokens that are not looked for in Chinese speech.

        Those with a digit, for numbers are to be written as they are said; those of other scripts; and rare
        pieces of Latin words, which shorter ones make up. To score the others takes a fifth of the time.
        """
        return frozenset(number for number in range(self.end) if is_unlikely(number, self._bytes(number)))

    @functools.cached_property
    def marks(self) -> frozenset[int]:
        """Tokens that are one mark."""
        marks = {mark.encode() for mark in _CHINESE_MARKS}
        return frozenset(number for number in range(self.end) if self._bytes(number) in marks)

    def without_marks(self, ids: Sequence[int]) -> list[int]:
        """Return the tokens of a text without those that are a mark or a space."""
        return [number for number in ids if number not in self.marks and self._bytes(number).strip()]

    def lengths(self, ids: Iterable[int]) -> list[int]:
        """Return the bytes of each token."""
        return [len(self._bytes(number)) for number in ids]

    def word_ends(self, ids: Iterable[int]) -> list[bool]:
        """Return for each token whether a word may end with it."""
        pieces = self._pieces(ids)
        ends = iter(word_ends([character for piece in pieces for character in piece]))
        return [[next(ends) for _ in piece][-1] if piece else False for piece in pieces]

    def words(self, ids: Sequence[int], spans: Sequence[Span] | None = None) -> list[Token]:
        """Return what is written: each Chinese character, each word of other scripts, and the mark behind it.

        Args:
            ids: Tokens of a text.
            spans: When each was said; without, all words are said at 0.
        """
        spans = [(0, 0)] * len(ids) if spans is None else spans
        return _words(_simplified(_spread(self._pieces(ids), spans)))

    def _special(self, name: str) -> int:
        number = self._tokenizer.token_to_id(f"<|{name}|>")
        if number is None:
            raise ModelError(f"{self.file} has no token <|{name}|>; it is not a multilingual Whisper's")
        return int(number)

    def _pieces(self, ids: Iterable[int]) -> list[str]:
        """Return the characters that each token completes."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        return [decoder.decode(self._bytes(number)) for number in ids]

    def _bytes(self, number: int) -> bytes:
        token = self._tokenizer.id_to_token(number) or ""
        return bytes(_BYTES[character] for character in token if character in _BYTES)


@dataclass(frozen=True, slots=True)
class _Character:
    text: str
    start: int
    end: int


def _spread(pieces: Sequence[str], spans: Sequence[Span]) -> list[_Character]:
    """Return characters with their times: those that were completed together share the time evenly."""
    characters: list[_Character] = []
    begun: int | None = None
    for piece, (start, end) in zip(pieces, spans, strict=True):
        begun = start if begun is None else begun
        if not piece:
            continue
        said = max(1, len(piece.strip()))
        length, place = max(0, end - begun), 0
        for character in piece:
            until = begun + length * min(said, place + 1) // said
            characters.append(_Character(character, begun + length * min(said, place) // said, until))
            place += not character.isspace()
        begun = None
    return characters


def _simplified(characters: Sequence[_Character]) -> list[_Character]:
    """Return the characters in simplified script; what is right for one may depend on its neighbours."""
    before = "".join(character.text for character in characters)
    after = simplified(before)
    return [_Character(text, each.start, each.end) for text, each in zip(after, characters, strict=True)]


def _words(characters: Sequence[_Character]) -> list[Token]:
    words: list[Token] = []
    is_open = False  # the last word may go on
    held = ""  # a mark that belongs to it only if it does
    for character, following in pairwise([*characters, _Character("", 0, 0)]):
        text = character.text
        if is_open and text in _INSIDE_WORDS and not held:
            held = text
            continue
        if not text.isalnum():
            if words and not words[-1].mark:
                words[-1] = replace(words[-1], mark=_mark(text, words[-1].text, following.text))
            is_open, held = False, ""
            continue
        if is_open and not is_chinese(text):
            last = words.pop()
            words.append(Token(last.text + held + text, last.start, character.end))
        else:
            words.append(Token(text, character.start, character.end))
        is_open, held = not is_chinese(text), ""
    return words


def _mark(text: str, word: str, after: str) -> str:
    """Return the mark that a character is behind a word, in the word's script; none within a number."""
    if is_chinese(word[-1]):
        return _CHINESE_MARKS.get(text, "")
    is_within = after.isalnum() and not is_chinese(after)
    return "" if is_within else _OTHER_MARKS.get(text, "")


def is_unlikely(number: int, token: bytes) -> bool:
    """Tell whether a token is not looked for in Chinese speech (see `Vocabulary.unlikely`)."""
    try:
        text = token.decode()
    except UnicodeDecodeError:
        return False  # a part of a character
    if text.isascii():
        return number >= _COMMON or any(character.isdigit() for character in text)
    return any(character.isalpha() and not is_chinese(character) for character in text)


def _byte_characters() -> dict[str, int]:
    """Return the byte that each character of a token stands for, as GPT-2's tokens have them.

    Printable ones stand for themselves, the others for what follows the first 256 characters.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    themselves = {chr(byte): byte for byte in printable}
    return themselves | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTES = _byte_characters()
