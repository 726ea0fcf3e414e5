"""Lines of an utterance in which several people speak."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recognition.audio import samples, seconds
from recognition.core.passages import Passage
from recognition.core.speaking import Line, find_lines
from recognition.core.turns import TurnVoice
from recognition.interfaces import Token

VOICES = [TurnVoice(np.eye(1, 4, axis, dtype=np.float32)[0], 16_000 + axis) for axis in range(4)]

Word = tuple[str, float, float]


def words(*said: Word) -> list[Token]:
    return [Token(text, samples(start), samples(end)) for text, start, end in said]


def steadily(start: float, end: float, *, every: float = 0.25) -> list[Token]:
    """A word of a letter each quarter of a second."""
    starts = np.arange(samples(start), samples(end), samples(every)).tolist()
    return [Token("x", at, at + samples(0.2)) for at in starts]


def spoken(*said: tuple[int, float, float]) -> list[Passage]:
    """Passages of these voices, in seconds."""
    found = [Passage(samples(start), samples(end), voice) for voice, start, end in said]
    return sorted(found, key=lambda each: (each.start, -each.end))


def lines(
    tokens: Sequence[Token], passages: Sequence[Passage], *, start: float = 0, end: float = 20
) -> list[Line]:
    return find_lines(tokens, passages, VOICES, start=samples(start), end=samples(end))


def texts(tokens: Sequence[Token], found: Sequence[Line]) -> list[tuple[int, str]]:
    """The voice and the words of each line."""
    return [
        (line.voice.samples - 16_000, "".join(t.text for t in tokens[line.first_token : line.last_token + 1]))
        for line in found
    ]


def times(found: Sequence[Line]) -> list[tuple[float, float]]:
    return [(seconds(line.start), seconds(line.end)) for line in found]


class TestWords:
    def test_each_belongs_to_the_passage_that_it_lies_in(self) -> None:
        tokens = words(("a", 1, 2), ("b", 2, 3), ("c", 4, 5), ("d", 5, 6))
        assert texts(tokens, lines(tokens, spoken((0, 1, 3), (1, 4, 6)))) == [(0, "ab"), (1, "cd")]

    @pytest.mark.parametrize(("change", "expected"), [(2.4, "a"), (2.6, "ab")])
    def test_one_across_a_change_belongs_to_the_passage_of_most_of_it(
        self, change: float, expected: str
    ) -> None:
        tokens = words(("a", 1, 2), ("b", 2, 3), ("c", 3, 4))
        found = lines(tokens, spoken((0, 1, change), (1, change, 4)))
        assert texts(tokens, found)[0] == (0, expected)

    def test_where_two_speak_at_once_the_one_that_began_earlier_goes_on(self) -> None:
        tokens = words(("a", 1, 2), ("b", 2, 3), ("c", 3, 4), ("d", 4, 5))
        assert texts(tokens, lines(tokens, spoken((0, 1, 3), (1, 2, 5)))) == [(0, "ab"), (1, "cd")]

    def test_whoever_speaks_within_anothers_passage_has_none(self) -> None:
        tokens = steadily(1, 6)
        [line] = lines(tokens, spoken((0, 1, 6), (1, 2, 3)))
        assert (line.first_token, line.last_token) == (0, len(tokens) - 1)

    def test_one_in_silence_belongs_to_what_is_nearest(self) -> None:
        tokens = words(("a", 1, 2), ("b", 2.1, 2.3), ("c", 4, 5))
        assert texts(tokens, lines(tokens, spoken((0, 1, 2), (1, 4, 5)))) == [(0, "ab"), (1, "c")]

    def test_those_outside_all_passages_belong_to_the_first_and_the_last(self) -> None:
        tokens = words(("a", 0, 1), ("b", 3, 4), ("c", 6, 7), ("d", 9, 10))
        found = lines(tokens, spoken((0, 3, 4), (1, 6, 7)))
        assert texts(tokens, found) == [(0, "ab"), (1, "cd")]

    def test_nobody_stops_within_a_word_of_the_dictionary(self) -> None:
        tokens = words(("今", 1, 2), ("天", 2, 3), ("好", 3, 4))
        found = lines(tokens, spoken((0, 1, 1.9), (1, 1.9, 4)))
        assert [text for _, text in texts(tokens, found)] in (["今天", "好"], ["今天好"])

    def test_where_a_voice_changes_within_a_run_a_pause_nearby_decides(self) -> None:
        tokens = words(("a", 1, 2), ("b", 2, 3), ("c", 3.6, 4.2), ("d", 4.2, 5))
        cut = [Passage(samples(1), samples(3.7), 0), Passage(samples(3.7), samples(5), 1, is_cut=True)]
        assert texts(tokens, lines(tokens, cut)) == [(0, "ab"), (1, "cd")]


class TestLine:
    def test_what_one_voice_says_is_one_line_across_its_pauses(self) -> None:
        tokens = steadily(1, 6)
        [line] = lines(tokens, spoken((0, 1, 3), (0, 3.5, 6)))
        assert times([line]) == [(1, 6)]

    def test_it_goes_on_behind_a_sound_of_somebody_else_without_words(self) -> None:
        tokens = words(("a", 1, 2), ("b", 3, 4))
        found = lines(tokens, spoken((0, 1, 2.2), (1, 2.1, 2.8), (0, 2.9, 4)))
        assert texts(tokens, found) == [(0, "ab")]

    def test_two_may_overlap(self) -> None:
        found = lines(steadily(1, 6), spoken((0, 1, 4), (1, 3, 6)))
        assert times(found) == [(1, 4), (3, 6)]

    def test_silence_behind_it_belongs_to_it(self) -> None:
        tokens = [*steadily(1, 3), *steadily(3.75, 6)]
        assert times(lines(tokens, spoken((0, 1, 3), (1, 3.7, 6)))) == [(1, 3.7), (3.7, 6)]

    def test_long_silence_belongs_to_nobody(self) -> None:
        tokens = [*steadily(1, 3), *steadily(4.5, 6)]
        assert times(lines(tokens, spoken((0, 1, 3), (1, 4.5, 6)))) == [(1, 3.8), (4.5, 6)]

    def test_silence_at_the_end_of_the_utterance_belongs_to_nobody(self) -> None:
        assert times(lines(steadily(1, 3), spoken((0, 1, 3)))) == [(1, 3)]

    def test_it_reaches_around_its_words(self) -> None:
        assert times(lines(words(("a", 0.5, 5)), spoken((0, 1, 3)))) == [(0.5, 5)]

    def test_it_never_leaves_the_utterance(self) -> None:
        assert times(lines(words(("a", 0.5, 5)), spoken((0, 1, 3)), start=0.7, end=4)) == [(0.7, 4)]

    @pytest.mark.parametrize(("change", "border"), [(2.7, 3), (3.2, 3), (2.3, 2)])
    def test_a_word_across_the_border_moves_it(self, change: float, border: float) -> None:
        tokens = words(("a", 1, 2), ("b", 2, 3), ("c", 3, 4))
        found = lines(tokens, spoken((0, 1, change), (1, change, 4)))
        assert times(found) == [(1, border), (border, 4)]

    def test_where_a_run_was_cut_the_border_lies_between_words(self) -> None:
        tokens = steadily(1, 6)
        cut = [Passage(samples(1), samples(3.4), 0), Passage(samples(3.4), samples(6), 1, is_cut=True)]
        first, second = lines(tokens, cut)
        assert tokens[first.last_token].end <= first.end == second.start
        assert second.start <= tokens[second.first_token].start

    def test_it_has_its_voice(self) -> None:
        assert [line.voice for line in lines(steadily(1, 6), spoken((2, 1, 3), (3, 3, 6)))] == VOICES[2:]


def beside(found: Sequence[Line]) -> list[list[tuple[float, float]]]:
    return [[(seconds(each.start), seconds(each.end)) for each in line.beside] for line in found]


class TestBeside:
    def test_whoever_speaks_within_a_line_is_told_with_it(self) -> None:
        found = lines(steadily(1, 6), spoken((0, 1, 6), (1, 2, 3), (2, 4, 5)))
        assert beside(found) == [[(2, 3), (4, 5)]]
        assert [each.voice for each in found[0].beside] == VOICES[1:3]

    def test_it_is_told_with_the_line_that_it_overlaps_most(self) -> None:
        tokens = steadily(1, 9)
        found = lines(tokens, spoken((0, 1, 5), (2, 4.5, 7), (1, 4.8, 9)))
        assert beside(found)[0] == []

    def test_a_passage_that_goes_on_but_has_no_words_is_told(self) -> None:
        tokens = words(("a", 1, 2), ("b", 2, 3))
        assert beside(lines(tokens, spoken((0, 1, 3), (1, 2.5, 4)))) == [[(2.5, 4)]]

    def test_sounds_beside_no_line_are_not_told(self) -> None:
        tokens = words(("a", 1, 2), ("b", 2, 3))
        assert beside(lines(tokens, spoken((0, 1, 3), (1, 4, 5)))) == [[]]

    def test_a_moment_at_once_is_not_told(self) -> None:
        assert beside(lines(steadily(1, 6), spoken((0, 1, 6), (1, 2, 2.1)))) == [[]]

    def test_the_voice_of_the_line_does_not_speak_beside_itself(self) -> None:
        assert beside(lines(steadily(1, 6), spoken((0, 1, 6), (0, 2, 3)))) == [[]]


edges = st.tuples(st.integers(0, samples(20)), st.integers(1, samples(5)))


@example([((0, 1), 0, False), ((1, 1), 1, True), ((2, 1), 0, False)], [(0, 3), (0, 1), (24_007, 1)], 0)
@given(
    st.lists(st.tuples(edges, st.integers(0, 3), st.booleans()), min_size=1, max_size=12),
    st.lists(edges, min_size=1, max_size=30),
    st.integers(0, samples(3)),
)
def test_whatever_is_said_each_word_is_in_one_line_and_lines_are_in_order(
    passages: list[tuple[tuple[int, int], int, bool]], said: list[tuple[int, int]], start: int
) -> None:
    found = [Passage(at, at + length, voice, is_cut) for (at, length), voice, is_cut in passages]
    tokens = sorted((Token("x", at, at + length) for at, length in said), key=lambda token: token.start)
    end = max(start + 1, *(each.end for each in found), *(token.end for token in tokens))
    told = find_lines(
        tokens, sorted(found, key=lambda each: (each.start, -each.end)), VOICES, start=start, end=end
    )
    assert [line.first_token for line in told] == [0, *(line.last_token + 1 for line in told[:-1])]
    assert told[-1].last_token == len(tokens) - 1
    assert all(line.first_token <= line.last_token for line in told)
    starts = [line.start for line in told]
    assert starts == sorted(starts)
    assert all(start <= line.start and line.end <= end for line in told)
