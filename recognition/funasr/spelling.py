"""Spelling of words in a recogniser's tokens: Chinese characters, and words of letters in pieces."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from recognition.hotwords import units

CONTINUES = "@@"
"""Ends a piece of a word that goes on."""

UNWRITTEN = frozenset({"<blank>", "<s>", "</s>", "<unk>", "<OOV>", "<sil>"})

FILES = ("tokens.json", "tokens.txt")

_MAX_SPELLINGS = 8


class Spelling:
    """Ways to write words in tokens.

    Args:
        tokens: Text of each token; "" for those that are never written.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self._numbers = {token: number for number, token in enumerate(tokens) if token}

    def spell(self, word: str) -> list[tuple[int, ...]]:
        """Return the ways to write a word, those of the fewest tokens first; none if it lacks some of it."""
        found: list[tuple[int, ...]] = [()]
        for unit in units(word):
            ways = self._unit(unit)
            found = [(*before, *way) for before in found for way in ways][:_MAX_SPELLINGS]
        return found if found != [()] else []

    def lacking(self, word: str) -> list[str]:
        """Return those characters and words of letters of a word that no tokens write."""
        return [unit for unit in units(word) if not self._unit(unit)]

    def _unit(self, unit: str) -> list[tuple[int, ...]]:
        if unit in self._numbers:
            return [(self._numbers[unit],)]
        return self._pieces(unit.lower())

    def _pieces(self, word: str) -> list[tuple[int, ...]]:
        """Return the shortest ways to write a word of letters, by those for its ends."""
        ways: dict[int, list[tuple[int, ...]]] = {}
        for begin in range(len(word) - 1, -1, -1):
            whole = self._numbers.get(word[begin:])
            found: list[tuple[int, ...]] = [] if whole is None else [(whole,)]
            for end in range(begin + 1, len(word)):
                piece = self._numbers.get(word[begin:end] + CONTINUES)
                found += [(piece, *rest) for rest in ways[end]] if piece is not None else []
            ways[begin] = sorted(found, key=lambda way: (len(way), way))[:_MAX_SPELLINGS]
        return ways[0]


def written(tokens: Iterable[str]) -> list[str]:
    """Return what each token writes: "" for the special ones."""
    return ["" if token in UNWRITTEN else token for token in tokens]


def read_spelling(directory: Path) -> Spelling | None:
    """Read the tokens of a model's directory; None if there are none that can be read."""
    for path in (*_named(directory), *(directory / name for name in FILES)):
        try:
            text = path.read_text(encoding="utf-8")
            tokens = json.loads(text) if path.suffix == ".json" else text.splitlines()
        except (OSError, ValueError):
            continue
        return Spelling(written(map(str, tokens)))
    return None


def _named(directory: Path) -> list[Path]:
    """Return the file that the hub's description of the model names."""
    try:
        metas = json.loads((directory / "configuration.json").read_text(encoding="utf-8"))["file_path_metas"]
        return [directory / metas["tokenizer_conf"]["token_list"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []
