"""Options of endpointing: what goes together, and that whatever is allowed finds utterances."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recognition.audio import samples
from recognition.core.endpointing import (
    END_SILENCE_MS,
    Boundary,
    Endpointer,
    EndpointingOptions,
    SpeechEnd,
    SpeechStart,
)
from recognition.tables import Place, read_table

PLACE = Place("own.toml", "endpointing")
FRAMES = [160, 512]
"""Of our two detectors."""


def stream(frame: int, *runs: tuple[float, float]) -> np.ndarray:
    """Probabilities from (probability, seconds) runs."""
    return np.concatenate([np.full(samples(length_s) // frame, p, np.float32) for p, length_s in runs])


def boundaries(options: EndpointingOptions, frame: int, *runs: tuple[float, float]) -> list[Boundary]:
    endpointer = Endpointer(options, frame=frame)
    return endpointer.receive(stream(frame, *runs)) + endpointer.receive_end()


def allowed() -> st.SearchStrategy[EndpointingOptions]:
    """Whatever a set's file may say."""
    return st.builds(
        EndpointingOptions,
        threshold=st.floats(0, 1),
        window_ms=st.integers(40, 2000),
        speech_ms=st.integers(40, 2000),
        silence_ms=st.integers(0, 2000),
        pre_roll_ms=st.integers(0, 5000),
        post_roll_ms=st.integers(0, 5000),
        end_silence_ms=st.integers(50, 10_000),
        long_utterance_ms=st.integers(0, 60_000),
        long_end_silence_ms=st.none() | st.integers(50, 10_000),
        longest_utterance_ms=st.integers(1000, 60_000),
        cut_search_ms=st.integers(100, 60_000),
    ).filter(lambda options: not options.contradiction())


class TestRanges:
    @settings(max_examples=50)
    @given(allowed())
    def test_the_options_of_these_tests_are_those_that_a_file_may_have(
        self, options: EndpointingOptions
    ) -> None:
        table = {field.name: getattr(options, field.name) for field in fields(options)}
        if options.long_end_silence_ms is None:
            del table["long_end_silence_ms"]
        assert read_table(EndpointingOptions, table, PLACE) == options

    @pytest.mark.parametrize("frame", FRAMES)
    @given(
        allowed(), st.lists(st.tuples(st.sampled_from([0.0, 0.3, 0.6, 1.0]), st.floats(0.1, 8)), max_size=6)
    )
    def test_with_all_of_them_utterances_are_in_order_and_do_not_overlap(
        self, frame: int, options: Any, runs: Any
    ) -> None:
        found = boundaries(options, frame, *runs, (0.0, 0.1))
        assert [type(boundary) for boundary in found] == [SpeechStart, SpeechEnd] * (len(found) // 2)
        assert all(one.at <= other.at for one, other in pairwise(found))

    @pytest.mark.parametrize("frame", FRAMES)
    @given(allowed())
    def test_with_all_of_them_speech_that_lasts_is_found(
        self, frame: int, options: EndpointingOptions
    ) -> None:
        first, *_ = boundaries(options, frame, (0.0, 3.0), (1.0, 5.0), (0.0, 0.5))
        assert isinstance(first, SpeechStart)
        assert first.at <= samples(5.5)

    @pytest.mark.parametrize("frame", FRAMES)
    @given(allowed())
    def test_with_all_of_them_silence_ends_an_utterance_in_time(
        self, frame: int, options: EndpointingOptions
    ) -> None:
        assume(options.threshold > 0)
        endpointer = Endpointer(options, frame=frame)
        endpointer.receive(
            stream(frame, (1.0, 4.0), (0.0, 0.1 + (options.window_ms + options.end_silence_ms) / 1000))
        )
        assert endpointer.receive_end() == []

    @pytest.mark.parametrize("frame", FRAMES)
    @settings(max_examples=30)
    @given(allowed())
    def test_with_all_of_them_no_utterance_is_longer_than_the_longest(self, frame: int, options: Any) -> None:
        options = replace(options, longest_utterance_ms=min(options.longest_utterance_ms, 8000))
        assume(not options.contradiction())
        found = boundaries(options, frame, (1.0, 20.0))
        # It begins before it is found.
        most_ms = max(options.longest_utterance_ms, options.window_ms + options.pre_roll_ms)
        for start, end in zip(found[::2], found[1::2], strict=True):
            assert end.at - start.at <= samples(most_ms / 1000) + 2 * frame


class TestSilence:
    @pytest.mark.parametrize("end_silence_ms", [500, 800, 1200, 2000])
    @pytest.mark.parametrize("frame", FRAMES)
    def test_it_is_counted_until_speech_has_won_its_vote_again(self, frame: int, end_silence_ms: int) -> None:
        """FunASR's rule: speech must last before it counts as speech, so a shorter pause ends a line."""
        options = EndpointingOptions(end_silence_ms=end_silence_ms)
        needed_ms = end_silence_ms - options.speech_ms - options.silence_ms + 50
        for pause_ms, lines in ((needed_ms - 80, 1), (needed_ms + 80, 2)):
            found = boundaries(options, frame, (1.0, 2.0), (0.0, pause_ms / 1000), (1.0, 2.0), (0.0, 0.1))
            assert len(found) == 2 * lines, (end_silence_ms, pause_ms)

    @pytest.mark.parametrize("end_silence_ms", [200, 500, 800, 2000])
    @pytest.mark.parametrize("frame", FRAMES)
    def test_a_line_ends_when_nothing_follows_for_so_long(self, frame: int, end_silence_ms: int) -> None:
        endpointer = Endpointer(EndpointingOptions(end_silence_ms=end_silence_ms), frame=frame)
        endpointer.receive(stream(frame, (1.0, 2.0)))
        waited = 0.0
        while not endpointer.receive(np.zeros(1, np.float32)):
            waited += 1000 * frame / 16_000
        assert waited == pytest.approx(end_silence_ms - 100, abs=80)

    def test_by_default_half_of_it_ends_a_long_line(self) -> None:
        for end_silence_ms in (400, 800, 1000):
            assert EndpointingOptions(end_silence_ms=end_silence_ms).long_silence_ms == end_silence_ms // 2

    def test_what_is_said_of_long_lines_holds(self) -> None:
        assert EndpointingOptions(long_end_silence_ms=700).long_silence_ms == 700

    @pytest.mark.parametrize("end_silence_ms", [800, 1000, 1600])
    def test_in_a_long_line_the_shorter_pause_is_enough(self, end_silence_ms: int) -> None:
        options = EndpointingOptions(end_silence_ms=end_silence_ms, long_utterance_ms=5000)
        pause_s = end_silence_ms / 2 / 1000
        short = boundaries(options, 160, (1.0, 3.0), (0.0, pause_s), (1.0, 1.0))
        long = boundaries(options, 160, (1.0, 7.0), (0.0, pause_s), (1.0, 1.0))
        assert (len(short), len(long)) == (2, 4)


class TestAnotherEndSilence:
    def test_it_takes_the_place_of_the_old_one(self) -> None:
        options = EndpointingOptions(threshold=0.8).with_end_silence(600)
        assert options == EndpointingOptions(threshold=0.8, end_silence_ms=600)
        assert options.long_silence_ms == 300

    def test_what_was_said_of_long_lines_keeps_its_share(self) -> None:
        options = EndpointingOptions(end_silence_ms=800, long_end_silence_ms=600).with_end_silence(400)
        assert (options.end_silence_ms, options.long_end_silence_ms) == (400, 300)

    @given(allowed(), st.integers(50, 10_000))
    def test_it_never_makes_long_lines_wait_longer_than_short_ones(
        self, options: EndpointingOptions, ms: int
    ) -> None:
        changed = options.with_end_silence(ms)
        assert changed.end_silence_ms == ms
        assert changed.long_silence_ms <= ms
        assert replace(changed, end_silence_ms=0, long_end_silence_ms=0) == replace(
            options, end_silence_ms=0, long_end_silence_ms=0
        )

    def test_the_same_one_changes_nothing(self) -> None:
        options = EndpointingOptions(end_silence_ms=700, long_end_silence_ms=333)
        assert options.with_end_silence(700) == options

    def test_it_is_bounded_like_that_of_a_file(self) -> None:
        assert (END_SILENCE_MS.low, END_SILENCE_MS.high) == (50, 10_000)


class TestContradictions:
    def test_the_defaults_have_none(self) -> None:
        assert EndpointingOptions().contradiction() == ""

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            (
                EndpointingOptions(speech_ms=300),
                "speech_ms = 300 is refused; with this window_ms it takes 200 or less",
            ),
            (
                EndpointingOptions(silence_ms=160),
                "silence_ms = 160 is refused; with this speech_ms it takes 150 or less",
            ),
            (
                EndpointingOptions(window_ms=150),
                "silence_ms = 150 is refused; with this window_ms it takes 149 or less",
            ),
            (
                EndpointingOptions(end_silence_ms=300, long_end_silence_ms=400),
                "long_end_silence_ms = 400 is refused; with this end_silence_ms it takes 300 or less",
            ),
            (
                EndpointingOptions(end_silence_ms=6000, longest_utterance_ms=5000),
                "end_silence_ms = 6000 is refused; with this longest_utterance_ms it takes 5000 or less",
            ),
        ],
    )
    def test_what_does_not_go_together_is_named_with_what_would(
        self, options: EndpointingOptions, problem: str
    ) -> None:
        assert options.contradiction() == problem

    def test_they_matter(self) -> None:
        """With as much silence as the window holds, speech falls silent at every frame."""
        options = EndpointingOptions(window_ms=150, silence_ms=150, end_silence_ms=150)
        assert options.contradiction()
        assert len(boundaries(options, 160, (1.0, 5.0))) > 2
