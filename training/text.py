"""What is said: meeting Mandarin from a grammar, and strings of words for everything else.

Two kinds of text are kept from training by their spelling alone, so that no list has to be carried
about: one sentence in sixteen (`is_held_out`), and the grammar's held-out family. The sentences of the
sample meeting are held out as well.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import jieba

from recognition.evaluation.scoring import is_chinese, plain
from training import numerals

GRAMMAR = Path(__file__).with_name("meeting.txt")
SAMPLE_MEETING = Path(__file__).with_name("sample_meeting.txt")
CHARACTERS = Path(__file__).with_name("characters.txt")
MARKS = "，。？、！；"

_HELD_OUT_SHARE = 16
_MIN_HELD_OUT = 6
"""Shorter sentences are the small change of every meeting ("好的"): there are too few to keep any back."""

_MIN_COUNT = 30
"""Of a word in the texts that jieba's dictionary counts; rarer ones are mostly names."""

Pattern = Sequence["str | Slot | Choice"]


@dataclass(frozen=True, slots=True)
class Slot:
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[Pattern, ...]


@dataclass(slots=True)
class Grammar:
    """The patterns of `meeting.txt`: families of sentences, and what their slots stand for."""

    families: dict[str, list[Pattern]] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    held_out: set[str] = field(default_factory=set)
    slots: dict[str, list[Pattern]] = field(default_factory=dict)

    def expand(self, pattern: Pattern, rng: Random, sentence: str = "") -> str:
        """One of the strings that `pattern` stands for; `{sentence}` is `sentence`."""
        words = []
        for part in pattern:
            match part:
                case str():
                    words.append(part)
                case Slot("sentence"):
                    words.append(sentence)
                case Slot(name) if name in numerals.SLOTS:
                    words.append(numerals.SLOTS[name](rng))
                case Slot(name):
                    words.append(self.expand(rng.choice(self.slots[name]), rng))
                case Choice(options):
                    words.append(self.expand(rng.choice(options), rng, sentence))
        return "".join(words)

    def sentence(self, rng: Random, family: str) -> str:
        """A sentence with its marks; it may hold more than one clause."""
        sentence = self.expand(rng.choice(self.families[family]), rng)
        return sentence + "。" if is_chinese(sentence[-1]) else sentence

    @property
    def trained_families(self) -> list[str]:
        return sorted(set(self.families) - self.held_out)

    def choose(self, families: Sequence[str], rng: Random) -> str:
        """One of `families`, as often as its weight says."""
        return rng.choices(families, weights=[self.weights[name] for name in families])[0]

    def characters(self, families: Sequence[str] | None = None) -> set[str]:
        """Every Chinese character that those families (all, if none are named) and the slots can write."""
        chosen = self.families.keys() if families is None else families
        patterns = [p for name in chosen for p in self.families[name]]
        patterns += itertools.chain.from_iterable(self.slots.values())
        return set(filter(is_chinese, "".join(map(_literals, patterns)))) | set(numerals.CHARACTERS)


def parse_grammar(text: str) -> Grammar:
    """Read the notation that the head of `meeting.txt` explains.

    Raises:
        ValueError: With the line, if it is not in that notation or names an unknown slot.
    """
    grammar = Grammar()
    patterns: list[Pattern] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            if not line.strip() or line.startswith("#"):
                continue
            if match := re.fullmatch(r"== (\w+)(?: x(\d+))?( \(held out\))?", line):
                patterns = grammar.families.setdefault(match[1], [])
                grammar.weights[match[1]] = int(match[2] or 1)
                if match[3]:
                    grammar.held_out.add(match[1])
            elif match := re.fullmatch(r"\+\+ (\w+)", line):
                patterns = grammar.slots.setdefault(match[1], [])
            elif match := re.fullmatch(r"(\w+): (.+)", line):
                grammar.slots[match[1]] = [[word] for word in match[2].split()]
            elif patterns is None:
                raise ValueError("a pattern before any family")
            else:
                patterns.append(parse_pattern(line))
        except ValueError as exc:
            raise ValueError(f"line {number} of the grammar, {line!r}: {exc}") from exc
    _check_slots(grammar)
    return grammar


def parse_pattern(text: str) -> Pattern:
    """`{slot}`, `(one|another|)` and literal text, nested as deep as wanted."""
    tokens = re.findall(r"\{\w+\}|[(|)]|[^(){}|]+|.", text)
    parts, rest = _parse_sequence(tokens)
    if rest:
        raise ValueError(f"unexpected {rest[0]!r}")
    return parts


def _parse_sequence(tokens: list[str]) -> tuple[Pattern, list[str]]:
    parts: list[str | Slot | Choice] = []
    while tokens and tokens[0] not in "|)":
        part, *tokens = tokens
        if part == "(":
            options = []
            while True:
                option, tokens = _parse_sequence(tokens)
                options.append(option)
                if not tokens:
                    raise ValueError("a bracket is not closed")
                closing, *tokens = tokens
                if closing == ")":
                    break
            parts.append(Choice(tuple(options)))
        elif part in ("{", "}"):
            raise ValueError(f"unexpected {part!r}")
        else:
            parts.append(Slot(part[1:-1]) if part[0] == "{" else part)
    return parts, tokens


def _check_slots(grammar: Grammar) -> None:
    known = grammar.slots.keys() | numerals.SLOTS.keys() | {"sentence"}
    for pattern in itertools.chain(*grammar.families.values(), *grammar.slots.values()):
        for name in _slot_names(pattern):
            if name not in known:
                raise ValueError(f"the grammar has no slot named {name!r}")


def _slot_names(pattern: Pattern) -> list[str]:
    names = [part.name for part in pattern if isinstance(part, Slot)]
    for part in pattern:
        if isinstance(part, Choice):
            names += itertools.chain.from_iterable(map(_slot_names, part.options))
    return names


def _literals(pattern: Pattern) -> str:
    texts = [part for part in pattern if isinstance(part, str)]
    for part in pattern:
        if isinstance(part, Choice):
            texts += map(_literals, part.options)
    return "".join(texts)


@functools.cache
def meeting_grammar() -> Grammar:
    return parse_grammar(GRAMMAR.read_text(encoding="utf-8"))


def sentences_of(text: str) -> list[str]:
    """The sentences of `text`, each with its final mark."""
    return re.findall(r"[^。？！；]+[。？！；]?", text)


def is_held_out(sentence: str) -> bool:
    """Whether training must never see this sentence: decided by its spelling, marks left aside."""
    characters = plain(sentence)
    if len(characters) < _MIN_HELD_OUT:
        return False
    return zlib.crc32(characters.encode()) % _HELD_OUT_SHARE == 0 or characters in _sample_sentences()


@functools.cache
def _sample_sentences() -> frozenset[str]:
    lines = SAMPLE_MEETING.read_text(encoding="utf-8").splitlines()
    spoken = [line.split("：", 1)[1] for line in lines if "：" in line]
    return frozenset(plain(sentence) for line in spoken for sentence in sentences_of(line))


class MeetingText:
    """A stream of what somebody says in a meeting: one sentence to three, with and without fillers.

    Args:
        rng: Where all choices come from.
        held_out: Whether to write held-out sentences, and nothing else, or none at all.
    """

    def __init__(self, rng: Random, *, held_out: bool = False) -> None:
        self.rng = rng
        self.held_out = held_out
        self.grammar = meeting_grammar()

    def sentence(self, family: str | None = None) -> str:
        """A sentence with its marks, of that family or any that may be used."""
        name = family or self.grammar.choose(self._families(), self.rng)
        while True:
            sentence = self.grammar.sentence(self.rng, name)
            kept_back = name in self.grammar.held_out or any(map(is_held_out, sentences_of(sentence)))
            if kept_back == self.held_out and len(plain(sentence)) <= 36:
                return sentence

    def turn(self) -> str:
        """What one person says before somebody else does."""
        while True:
            text = self._turn()
            # A filler or a cut can make a held-out sentence of one that is not.
            if self.held_out or not any(map(is_held_out, sentences_of(text))):
                return text

    def _turn(self) -> str:
        count = self.rng.choices((1, 2, 3), weights=(70, 22, 8))[0]
        text = "".join(self._with_filler(self.sentence()) for _ in range(count))
        if self.rng.random() < 0.08:
            text = self._fragment(text)
        return text

    def _families(self) -> list[str]:
        return sorted(self.grammar.families) if self.held_out else self.grammar.trained_families

    def _with_filler(self, sentence: str) -> str:
        if self.rng.random() > 0.2:
            return sentence
        return self.grammar.expand(self.rng.choice(self.grammar.slots["filler"]), self.rng, sentence)

    def _fragment(self, text: str) -> str:
        """A clause of it: a pause in the middle of a sentence ends an utterance too."""
        clauses = re.findall(r"[^，。？、]+[，。？、]", text)
        return self.rng.choice(clauses) if clauses else text


class WordStrings:
    """Words in likely orders without sense: the way to every character of the vocabulary.

    Words and their frequencies are those of jieba's dictionary, the orders are patterns of word classes.

    Args:
        rng: Where all choices come from.
        characters: The vocabulary; words with any other character are left out.
        held_out: Whether to write held-out strings, and nothing else, or none at all.
    """

    _ORDERS = (
        *(
            "n v n",
            "r v n",
            "n d v",
            "r d v n",
            "t n v n",
            "a n v",
            "n v v n",
            "r v n v n",
            "d v n",
            "n n",
            "v n",
        ),
        *(
            "n a",
            "r a",
            "m q n",
            "n v a n",
            "c r d v",
            "s v n",
            "n v n n",
            "t r v n",
            "r p n v",
            "n d a",
            "v r n",
        ),
        *("a n d v n", "n v n c n v n", "* *", "* * *", "* * * *"),
    )

    def __init__(self, rng: Random, characters: set[str], *, held_out: bool = False) -> None:
        self.rng = rng
        self.held_out = held_out
        self._words = _words_by_class(frozenset(characters))
        self._orders = [order.split() for order in self._ORDERS]

    def string(self) -> str:
        """Two to sixteen characters without marks."""
        while True:
            text = "".join(map(self._word, self.rng.choice(self._orders)))
            if 2 <= len(text) <= 16 and is_held_out(text) == self.held_out:
                return text

    def _word(self, tag: str) -> str:
        words, cumulated = self._words[tag]
        return words[bisect.bisect(cumulated, self.rng.random() * cumulated[-1])]


@functools.cache
def vocabulary() -> tuple[str, ...]:
    """The characters that a recogniser learns: the grammar's, and the commonest of written Mandarin besides.

    They stand in a file because a network's weights belong to them: changing them means training anew.
    """
    return tuple("".join(CHARACTERS.read_text(encoding="utf-8").split()))


@functools.cache
def _words_by_class(characters: frozenset[str]) -> dict[str, tuple[list[str], list[float]]]:
    """Return the words of those characters, and how often they come up, cumulated; `*` is every class."""
    classes: dict[str, list[tuple[str, float]]] = {}
    for word, count, tag in _common_words():
        if characters.issuperset(word) and tag[:2] not in ("nr", "zg"):
            weight = count**0.4 * (1.0 if len(word) > 1 else 0.3)
            classes.setdefault(tag[0], []).append((word, weight))
    classes["*"] = list(itertools.chain.from_iterable(classes.values()))
    return {
        tag: ([word for word, _ in pairs], list(itertools.accumulate(weight for _, weight in pairs)))
        for tag, pairs in classes.items()
    }


def _common_words() -> list[tuple[str, int, str]]:
    """jieba's short words that are not rare, with frequency and word class."""
    path = Path(jieba.__file__).with_name("dict.txt")
    rows = re.findall(r"^(\S{1,4}) (\d{2,}) (\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    common = [(word, int(count), tag) for word, count, tag in rows if int(count) >= _MIN_COUNT]
    return [row for row in common if all(map(is_chinese, row[0]))]
