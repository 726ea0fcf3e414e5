"""Lines of an utterance in which several people speak, perhaps at once: who said which words. Pure.

A word belongs to the passage that it lies in; where two sound at once to the one that began earlier and goes
on. So each passage that goes on longer than all before it has its words in turn, and what lies within
another is speech beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from recognition.audio import samples
from recognition.interfaces import Span, Token

from .passages import MIN_OVERLAP, Passage
from .turns import TurnVoice, first_tokens, nearest_gap

MAX_SILENCE = samples(0.8)
"""Silence behind a line that belongs to it, if another follows."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Speech beside that of a line, without words of its own."""

    start: int
    end: int
    voice: TurnVoice


@dataclass(frozen=True, slots=True)
class Line:
    """Words of one speaker, as the tokens in them; positions in the stream."""

    first_token: int
    last_token: int
    start: int
    end: int
    voice: TurnVoice
    beside: tuple[Beside, ...] = ()


@dataclass(frozen=True, slots=True)
class _Said:
    """A passage and its tokens, `[first, behind)`."""

    passage: Passage
    first: int
    behind: int


def find_lines(
    tokens: Sequence[Token],
    passages: Sequence[Passage],
    voices: Sequence[TurnVoice],
    *,
    start: int,
    end: int,
) -> list[Line]:
    """Tell who said which words of an utterance, and who spoke beside them.

    Args:
        tokens: What was said, in order, with positions in the stream; not empty.
        passages: In order, not empty.
        voices: That the passages number.
        start, end: Of the utterance.

    Returns:
        Lines in order that cover all tokens.
    """
    main, beside = _in_turn(passages)
    said = _words_of(main, tokens)
    beside += [each.passage for each in said if each.first == each.behind]
    groups = _by_voice([each for each in said if each.first < each.behind])
    borders = [_border(one, other, tokens) for one, other in pairwise(groups)]
    first, last = groups[0][0], groups[-1][-1]
    starts = [min(first.passage.start, tokens[0].start), *(begin for _, begin in borders)]
    starts = [*accumulate(starts, max)]  # also where a word goes on beyond the next
    ends = [*(stop for stop, _ in borders), max(last.passage.end, tokens[-1].end)]
    lines = [
        Line(
            group[0].first,
            group[-1].behind - 1,
            max(since, start),
            min(until, end),
            voices[group[0].passage.voice],
        )
        for group, since, until in zip(groups, starts, ends, strict=True)
    ]
    chosen = [group[0].passage.voice for group in groups]
    return _with_what_is_beside(lines, chosen, beside, voices)


def _in_turn(passages: Sequence[Passage]) -> tuple[list[Passage], list[Passage]]:
    """Return the passages that go on longer than all before, and those that lie within others."""
    main: list[Passage] = []
    beside: list[Passage] = []
    for passage in passages:
        goes_on = not main or passage.end > main[-1].end
        (main if goes_on else beside).append(passage)
    return main, beside


def _words_of(main: Sequence[Passage], tokens: Sequence[Token]) -> list[_Said]:
    """Give each token to one of the passages."""
    count = len(tokens)
    starts = first_tokens(tokens) if len(main) > 1 else ()
    firsts = [0]
    for before, after in pairwise(main):
        at = before.end if after.start < before.end else (before.end + after.start) // 2
        first = nearest_gap(tokens, starts, at) if after.is_cut else _gap_at(tokens, (0, *starts, count), at)
        firsts.append(max(first, firsts[-1]))
    return [
        _Said(passage, first, behind)
        for passage, first, behind in zip(main, firsts, [*firsts[1:], count], strict=True)
    ]


def _gap_at(tokens: Sequence[Token], candidates: Sequence[int], at: int) -> int:
    """Return the token whose beginning is nearest: the pause before it may reach there."""

    def distance(index: int) -> int:
        behind = at - tokens[index].start if index < len(tokens) else 0
        before = tokens[index - 1].end - at if index > 0 else 0
        return max(behind, before, 0)

    return min(candidates, key=distance)


def _by_voice(said: Sequence[_Said]) -> list[list[_Said]]:
    """Group what the same voice says without another's words between."""
    groups: list[list[_Said]] = []
    for each in said:
        if groups and groups[-1][-1].passage.voice == each.passage.voice:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _border(one: Sequence[_Said], other: Sequence[_Said], tokens: Sequence[Token]) -> Span:
    """Return where a line ends and the next begins: where its passages do, and around its words.

    Words move the border of passages that do not overlap; silence in between belongs to the one before.
    """
    before, after = one[-1].passage.end, other[0].passage.start
    last, first = tokens[one[-1].behind - 1].end, tokens[other[0].first].start
    end, start = max(before, last), min(after, first)
    if before <= after:
        end, start = min(end, max(first, last)), max(start, last)
    return max(end, min(start, end + MAX_SILENCE)), start


def _with_what_is_beside(
    lines: Sequence[Line], chosen: Sequence[int], beside: Sequence[Passage], voices: Sequence[TurnVoice]
) -> list[Line]:
    """Tell each passage beside the lines with that which it overlaps most, unless it is of its voice."""
    found: list[list[Beside]] = [[] for _ in lines]
    for passage in beside:
        shared = [min(line.end, passage.end) - max(line.start, passage.start) for line in lines]
        most = max(range(len(lines)), key=shared.__getitem__)
        if shared[most] >= MIN_OVERLAP and chosen[most] != passage.voice:
            found[most].append(Beside(passage.start, passage.end, voices[passage.voice]))
    return [replace(line, beside=tuple(each)) for line, each in zip(lines, found, strict=True)]
