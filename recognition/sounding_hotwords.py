"""Hotwords by their sound: what sounds like one, and is no usual word, is written as one. Pure.

Whisper writes Chinese names with characters that sound right. How a word sounds is known without its network,
so this costs no second look; where a usual word was written, it stays. pypinyin is loaded at the first use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from weakref import WeakKeyDictionary

from recognition.core import words as dictionary
from recognition.core.text import is_chinese
from recognition.hotwords import Hotword, Hotwords
from recognition.interfaces import Token

_USUAL = -12.5
"""Log probability of words that stay, though a hotword sounds like them."""

_PER_WEIGHT = 0.15
"""So much less usual may a hotword be for each of its characters behind the first: chance has others."""

_AROUND = 2
"""Characters before and behind a hotword that are looked at."""

_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"))
_ENDS_ALIKE = (("ing", "in"), ("eng", "en"))
"""Sounds that many speakers do not tell apart."""

Sound = tuple[str, ...]


class SoundingHotwords:
    """Hotwords by how they sound, those of letters by how they are spelt."""

    def __init__(self, hotwords: Hotwords) -> None:
        chinese = [word for word in hotwords.words if all(map(is_chinese, word.text))]
        self._by_sound = {sound(word.text): word for word in reversed(chinese)}
        self._lengths = sorted({len(word.text) for word in chinese}, reverse=True)
        self._chinese = frozenset(word.text for word in chinese)
        others = [word.text for word in reversed(hotwords.words) if word.text not in self._chinese]
        self._letters = {text.casefold(): text for text in others}

    def written(self, words: Sequence[Token]) -> list[Token]:
        """Return words, with hotwords in the place of what sounds like them; times and marks stay."""
        found = [replace(word, text=self._letters.get(word.text.casefold(), word.text)) for word in words]
        for begin, hotword in self._places([word.text for word in words]):
            for place, character in enumerate(hotword, start=begin):
                found[place] = replace(found[place], text=character)
        return found

    def _places(self, texts: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield where hotwords were said, the longer ones first; none within another."""
        taken: set[int] = set()
        usual: set[int] | None = None
        for begin, hotword in self._sounding(texts):
            places = range(begin, begin + len(hotword.text))
            if not taken.isdisjoint(places):
                continue
            taken.update(places)
            usual = _usual(texts) if usual is None else usual
            is_there = "".join(texts[begin : places.stop]) in self._chinese
            if not is_there and usual.isdisjoint(places) and _is_likely(texts, begin, hotword):
                yield begin, hotword.text

    def _sounding(self, texts: Sequence[str]) -> Iterator[tuple[int, Hotword]]:
        sounds = [_syllable(text) if len(text) == 1 and is_chinese(text) else "" for text in texts]
        for length in self._lengths:
            for begin in range(len(texts) - length + 1):
                if hotword := self._by_sound.get(tuple(sounds[begin : begin + length])):
                    yield begin, hotword


class Compiled:
    """Hotwords of sessions by their sound, each list made once."""

    def __init__(self) -> None:
        self._compiled: WeakKeyDictionary[Hotwords, SoundingHotwords] = WeakKeyDictionary()

    def written(self, words: list[Token], hotwords: Hotwords | None) -> list[Token]:
        """Return words as a session's hotwords write them."""
        if not hotwords or not words:
            return words
        if hotwords not in self._compiled:
            self._compiled[hotwords] = SoundingHotwords(hotwords)
        return self._compiled[hotwords].written(words)


def sound(word: str) -> Sound:
    """Return the syllables of a Chinese word, without tones and without what many do not tell apart."""
    return tuple(map(_syllable, word))


@cache
def _syllable(character: str) -> str:
    import pypinyin  # its tables are 20 MB

    syllable = str(pypinyin.lazy_pinyin(character)[0])
    for one, other in _ALIKE:
        syllable = other + syllable.removeprefix(one) if syllable.startswith(one) else syllable
    for one, other in _ENDS_ALIKE:
        syllable = syllable.removesuffix(one) + other if syllable.endswith(one) else syllable
    return syllable


def _is_likely(texts: Sequence[str], begin: int, hotword: Hotword) -> bool:
    """Tell whether a hotword makes what is around it not much less usual, by its weight and length."""
    end = begin + len(hotword.text)
    before, after = texts[max(0, begin - _AROUND) : begin], texts[end : end + _AROUND]
    loss = dictionary.log_probability([*before, *texts[begin:end], *after])
    loss -= dictionary.log_probability([*before, *hotword.text, *after])
    return loss <= _PER_WEIGHT * hotword.weight * (len(hotword.text) - 1)


def _usual(texts: Sequence[str]) -> set[int]:
    """Return the places of usual words of more than one character."""
    places: set[int] = set()
    begin = 0
    for word, length in dictionary.words(texts):
        if length > 1 and dictionary.load().log_probability(word) > _USUAL:
            places.update(range(begin, begin + length))
        begin += length
    return places
