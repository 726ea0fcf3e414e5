"""Where one speaker's turn ends and another's begins, inside one utterance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.audio import samples
from recognition.core import turns
from recognition.core.turns import Turn
from recognition.interfaces import Samples, Span, Token
from tests.support.arrays import assert_close

DIMENSION = 32


def words(length: int, *, every: float = 0.25, said: float = 0.2) -> list[Token]:
    """One word after the other until the audio ends."""
    starts = range(0, length - samples(said), samples(every))
    return [Token("字", start, start + samples(said)) for start in starts]


class People:
    """Embeddings of people whose voices scatter as real ones do in a second and a half."""

    def __init__(self, *, agreement: float = 0.5, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._agreement = agreement  # mean cosine of two windows of one person
        self._voices: dict[str, np.ndarray] = {}

    def embedding(self, *shares: tuple[str, float]) -> np.ndarray:
        """Of a window in which each of these people speaks for a share of the time."""
        noise = self._random.standard_normal(DIMENSION)
        voice = sum(share * self._voice(name) for name, share in shares)
        mixed = self._agreement**0.5 * voice + (1 - self._agreement) ** 0.5 * noise / np.linalg.norm(noise)
        return np.asarray(mixed / np.linalg.norm(mixed), np.float32)

    def embeddings(self, windows: Any, said: list[tuple[str, float, float]]) -> np.ndarray:
        """One per window, when each (name, from, to) speaks in these seconds."""
        rows = []
        for start, end in windows:
            overlaps = [
                (name, max(0, min(end, samples(to)) - max(start, samples(since))) / (end - start))
                for name, since, to in said
            ]
            rows.append(self.embedding(*overlaps))
        return np.stack(rows)

    def _voice(self, name: str) -> np.ndarray:
        if name not in self._voices:
            voice = self._random.standard_normal(DIMENSION)
            self._voices[name] = voice / np.linalg.norm(voice)
        return self._voices[name]


def find(said: list[tuple[str, float, float]], *, people: People | None = None) -> list[float]:
    """Where the turns of such an utterance begin, in seconds."""
    length = samples(said[-1][2])
    tokens = words(length)
    windows = turns.windows(tokens, length)
    found = turns.turns(tokens, windows, (people or People()).embeddings(windows, said))
    return [tokens[turn.first_token].start / samples(1) for turn in found]


class TestWindow:
    def test_a_short_utterance_is_one_window(self) -> None:
        tokens = words(samples(2.9))
        assert turns.windows(tokens, samples(2.9)) == ((0, tokens[-1].end),)

    def test_an_utterance_of_one_short_word_is_taken_with_what_is_around_it(self) -> None:
        tokens = [Token("嗯", samples(0.3), samples(0.5))]
        assert turns.windows(tokens, samples(0.8)) == ((0, samples(0.8)),)

    def test_a_sound_of_a_quarter_of_a_second_tells_no_voice(self) -> None:
        tokens = [Token("嗯", 0, samples(0.2))]
        assert turns.windows(tokens, samples(0.25)) == ()

    def test_windows_reach_from_the_first_word_to_the_last(self) -> None:
        length = samples(11)
        tokens = words(length)[2:]
        windows = turns.windows(tokens, length)
        assert windows[0][0] == tokens[0].start
        assert tokens[-1].end - windows[-1][1] < samples(0.4)
        assert all(end - start == turns.WINDOW for start, end in windows)

    def test_no_window_reaches_beyond_the_audio(self) -> None:
        tokens = [Token("长", 0, samples(20))]
        assert turns.windows(tokens, samples(5))[-1][1] <= samples(5)

    def test_an_utterance_of_some_seconds_is_embedded_whole_as_well(self) -> None:
        windows = turns.parts(samples(0.5), samples(4.5))
        assert turns.spans(windows) == (*windows, (samples(0.5), windows[-1][1]))

    def test_what_is_one_window_is_embedded_once(self) -> None:
        assert turns.spans([(0, samples(2))]) == ((0, samples(2)),)

    def test_a_long_utterance_is_embedded_in_windows_only(self) -> None:
        windows = turns.parts(0, samples(6))
        assert turns.spans(windows) == windows


class TestTurn:
    @pytest.mark.parametrize("seed", range(20))
    def test_one_voice_is_one_turn_however_long_it_speaks(self, seed: int) -> None:
        assert find([("A", 0, 20)], people=People(seed=seed)) == [0]

    @pytest.mark.parametrize("seed", range(20))
    def test_a_change_of_voice_begins_a_turn_within_half_a_second(self, seed: int) -> None:
        starts = find([("A", 0, 6), ("B", 6, 12)], people=People(seed=seed))
        assert len(starts) == 2
        assert starts[1] == pytest.approx(6.0, abs=0.76)

    def test_quick_answers_are_told_apart(self) -> None:
        starts = find([("A", 0, 5), ("B", 5, 9), ("A", 9, 13), ("C", 13, 18)], people=People(agreement=0.7))
        assert len(starts) == 4

    def test_a_turn_begins_after_the_pause_that_is_nearest(self) -> None:
        length = samples(12)
        pause = samples(6.3)
        tokens = [
            token if token.start < pause else Token(token.text, token.start + 4800, token.end + 4800)
            for token in words(length - 4800)
        ]
        windows = turns.windows(tokens, length)
        rows = People(agreement=0.9).embeddings(windows, [("A", 0, 6.3), ("B", 6.3, 12)])
        [first, second] = turns.turns(tokens, windows, rows)
        assert tokens[first.last_token].end == tokens[second.first_token].start - 4800 - 800

    def test_a_turn_begins_with_a_word(self) -> None:
        length = samples(12)
        spoken = [
            replace(token, text=text) for token, text in zip(words(length), cycle("会议室"), strict=False)
        ]
        windows = turns.windows(spoken, length)
        rows = People(agreement=0.9).embeddings(windows, [("A", 0, 6.1), ("B", 6.1, 12)])
        [first, second] = turns.turns(spoken, windows, rows)
        assert spoken[first.last_token].text == "室"
        assert spoken[second.first_token].text == "会"

    def test_an_utterance_of_one_window_is_one_turn(self) -> None:
        assert find([("A", 0, 2)]) == [0]

    def test_what_was_embedded_whole_is_not_taken_for_a_turn(self) -> None:
        tokens = words(samples(4))
        windows = turns.windows(tokens, samples(4))
        rows = np.array([[1, 0]] * len(windows) + [[0, 1]], np.float32)
        assert turns.turns(tokens, windows, rows) == (Turn(0, len(tokens) - 1),)

    def test_one_word_cannot_be_split(self) -> None:
        tokens = [Token("长", 0, samples(8))]
        windows = turns.windows(tokens, samples(8))
        rows = People(agreement=0.9).embeddings(windows, [("A", 0, 4), ("B", 4, 8)])
        assert turns.turns(tokens, windows, rows) == (Turn(0, 0),)

    @given(
        count=st.integers(1, 60),
        seconds=st.floats(0.1, 25),
        seed=st.integers(0, 1000),
        agreement=st.floats(0, 1),
    )
    def test_turns_cover_every_word_once_and_in_order(
        self, count: int, seconds: float, seed: int, agreement: float
    ) -> None:
        length = samples(seconds)
        edges = np.linspace(0, length, count + 1).astype(int)
        tokens = [Token("字", int(a), int(b)) for a, b in pairwise(edges)]
        windows = turns.windows(tokens, length)
        rng = np.random.default_rng(seed)
        count = len(turns.spans(windows)) if windows else 0
        rows = rng.standard_normal((count, DIMENSION)) + 20 * agreement
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        found = turns.turns(tokens, windows, rows.astype(np.float32))
        covered = [i for turn in found for i in range(turn.first_token, turn.last_token + 1)]
        assert covered == list(range(len(tokens)))
        for turn in found:
            voice = turns.voice_of(turn, tokens, windows, rows.astype(np.float32))
            assert voice.samples <= length
            assert (voice.embedding is None) == (voice.samples == 0)


class TestVoice:
    def voice_of(self, turn: Turn, length: int, said: Sequence[tuple[str, float, float]]) -> turns.TurnVoice:
        """With embeddings that tell who speaks for how much of a window: one axis for each of A and B."""
        tokens = words(length)
        windows = turns.windows(tokens, length)
        rows = []
        for start, end in windows:
            shares = dict.fromkeys("AB", 0.0)
            for name, since, to in said:
                shares[name] += max(0, min(end, samples(to)) - max(start, samples(since)))
            rows.append(np.array(list(shares.values())) / np.linalg.norm(list(shares.values())))
        return turns.voice_of(turn, tokens, windows, np.array(rows, np.float32))

    def test_a_voice_is_that_of_the_windows_which_no_other_turn_reaches_into(self) -> None:
        said = [("A", 0.0, 5.0), ("B", 5.0, 10.0)]
        first = self.voice_of(Turn(0, 19), samples(10), said)
        second = self.voice_of(Turn(20, 38), samples(10), said)
        assert_close(first.embedding, [1, 0], atol=1e-6)
        assert_close(second.embedding, [0, 1], atol=1e-6)

    def test_a_turn_shorter_than_a_window_has_the_voice_of_the_window_that_holds_most_of_it(self) -> None:
        said = [("A", 0, 4.5), ("B", 4.5, 5.5), ("A", 5.5, 10)]
        voice = self.voice_of(Turn(18, 21), samples(10), said)
        assert voice.embedding is not None
        assert voice.embedding[1] > voice.embedding[0]

    def test_an_utterance_of_one_voice_is_half_its_windows_and_half_the_whole(self) -> None:
        tokens = words(samples(4))
        windows = turns.windows(tokens, samples(4))
        rows = np.array([[1, 0]] * len(windows) + [[0, 1]], np.float32)
        voice = turns.voice_of(Turn(0, len(tokens) - 1), tokens, windows, rows)
        assert_close(voice.embedding, [0.5**0.5, 0.5**0.5], atol=1e-6)

    def test_a_turn_of_several_has_nothing_of_the_whole(self) -> None:
        tokens = words(samples(4))
        windows = turns.windows(tokens, samples(4))
        rows = np.array([[1, 0]] * len(windows) + [[0, 1]], np.float32)
        voice = turns.voice_of(Turn(0, 7), tokens, windows, rows)
        assert_close(voice.embedding, [1, 0], atol=1e-6)

    @pytest.mark.parametrize("length", [1.2, 3.7, 8])
    def test_a_piece_of_speech_has_the_voice_of_a_line_that_is_as_long(self, length: float) -> None:
        class Embedder:
            """A span points where its middle and its length say."""

            dimension, model_id = 2, "middle and length"

            def embed(self, batch: Sequence[tuple[Samples, Sequence[Span]]]) -> list[np.ndarray]:
                [(_, spans)] = batch
                rows = [(start + end, 3 * (end - start)) for start, end in spans]
                return [np.array([np.array(row) / np.linalg.norm(row) for row in rows], np.float32)]

        speech = np.zeros(samples(length), np.float32)
        tokens = [Token("长", 0, len(speech))]
        windows = turns.windows(tokens, len(speech))
        [rows] = Embedder().embed([(speech, turns.spans(windows))])
        line = turns.voice_of(Turn(0, 0), tokens, windows, rows)
        piece = turns.voice_in(speech, Embedder())
        assert_close(piece, line.embedding, atol=1e-6)

    def test_it_tells_how_much_speech_it_is_of(self) -> None:
        voice = self.voice_of(Turn(20, 29), samples(10), [("A", 0, 10)])
        assert voice.samples == samples(9 * 0.25 + 0.2)

    def test_more_than_six_seconds_say_little_more(self) -> None:
        tokens = words(samples(20))
        voice = self.voice_of(Turn(0, len(tokens) - 1), samples(20), [("A", 0, 20)])
        assert voice.samples == turns.MAX_VOICE

    def test_a_short_word_between_others_has_no_voice_of_its_own(self) -> None:
        voice = self.voice_of(Turn(3, 3), samples(5), [("A", 0, 5)])
        assert (voice.embedding, voice.samples) == (None, 0)

    def test_the_mean_of_voices_has_unit_length(self) -> None:
        mean = turns.mean_voice(np.array([[1, 0], [0, 1]], np.float32))
        np.testing.assert_allclose(mean, [0.5**0.5, 0.5**0.5], atol=1e-6)
