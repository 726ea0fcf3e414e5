"""Speakers of windows that overlap, put together to tracks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.audio import samples, seconds
from recognition.core.segments import Segments
from recognition.core.tracks import STEP, Tracks, WindowLayout, stitch
from recognition.interfaces import Span

LAYOUT = WindowLayout(window=samples(10), frame=270, first=495)
ROWS = 589

Said = tuple[str, float, float]
"""Name, from, to in seconds."""


def activity(said: list[Said], window: Span, order: str, *, rows: int = ROWS) -> np.ndarray:
    """What a perfect segmenter answers that calls the speakers of a window in this order."""
    answer = np.zeros((rows, 3), np.float32)
    times = seconds(window[0]) + (np.arange(rows) * LAYOUT.frame + LAYOUT.first) / samples(1)
    for name, start, end in said:
        if name in order:
            answer[(times >= start) & (times < end), order.index(name)] = 1
    return answer


def stitched(said: list[Said], windows: list[tuple[float, float]], orders: list[str]) -> Tracks:
    spans = [(samples(start), samples(end)) for start, end in windows]
    return stitch(
        [(span, activity(said, span, order)) for span, order in zip(spans, orders, strict=True)], LAYOUT
    )


def spoken(tracks: Tracks) -> list[list[tuple[float, float]]]:
    """When each track that speaks at all does, in seconds."""
    found = []
    for row in tracks.active:
        edges = np.flatnonzero(np.diff(row.astype(int), prepend=0, append=0)) * STEP + tracks.start
        if len(edges):
            found.append([(seconds(a), seconds(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)])
    return found


def assert_spoken(tracks: Tracks, *expected: list[tuple[float, float]]) -> None:
    found = spoken(tracks)
    assert [len(each) for each in found] == [len(each) for each in expected]
    assert np.abs(np.concatenate(found) - np.concatenate(expected)).max() < 0.02


class TestStitching:
    def test_one_window_is_as_many_tracks_as_it_hears_speakers(self) -> None:
        tracks = stitched([("A", 1, 4), ("B", 3, 6)], [(0, 10)], ["ABC"])
        assert_spoken(tracks, [(1, 4)], [(3, 6)])

    @pytest.mark.parametrize("order", ["ABC", "BAC", "CBA", "BCA", "CAB", "ACB"])
    def test_a_speaker_keeps_the_track_whatever_the_next_window_calls_them(self, order: str) -> None:
        said = [("A", 1, 7), ("B", 7.5, 9), ("C", 9, 9.8), ("A", 11, 14)]
        tracks = stitched(said, [(0, 10), (5, 15)], ["ABC", order])
        assert_spoken(tracks, [(1, 7), (11, 14)], [(7.5, 9)], [(9, 9.8)])

    def test_a_speaker_who_begins_behind_the_shared_part_is_a_new_track(self) -> None:
        tracks = stitched([("A", 6, 9), ("B", 11, 14)], [(0, 10), (5, 15)], ["ABC", "BAC"])
        assert_spoken(tracks, [(6, 9)], [(11, 14)])

    def test_a_moment_at_the_same_time_makes_no_two_speakers_one(self) -> None:
        first, second = (0, samples(10)), (samples(5), samples(15))
        tracks = stitch(
            [
                (first, activity([("A", 1, 5.15)], first, "ABC")),
                (second, activity([("B", 5, 5.1), ("B", 8, 12)], second, "B")),
            ],
            LAYOUT,
        )
        assert_spoken(tracks, [(1, 5.15)], [(8, 12)])

    def test_from_the_middle_of_the_shared_part_the_later_window_counts(self) -> None:
        first, second = (0, samples(10)), (samples(5), samples(15))
        tracks = stitch(
            [
                (first, activity([("A", 4, 10)], first, "ABC")),
                (second, activity([("A", 5, 9)], second, "ABC")),
            ],
            LAYOUT,
        )
        assert_spoken(tracks, [(4, 9)])

    def test_three_windows_carry_a_voice_through(self) -> None:
        tracks = stitched([("A", 2, 18)], [(0, 10), (5, 15), (10, 20)], ["ABC", "BAC", "CBA"])
        assert_spoken(tracks, [(2, 18)])

    def test_nobody_speaks_outside_the_windows(self) -> None:
        tracks = stitched([("A", 0, 99)], [(3, 8)], ["ABC"])
        assert_spoken(tracks, [(3, 8)])

    def test_a_window_without_an_answer_has_no_speakers(self) -> None:
        tracks = stitch([((0, samples(10)), np.zeros((0, 0), np.float32))], LAYOUT)
        assert spoken(tracks) == []

    def test_positions_count_from_the_start_of_the_stream(self) -> None:
        tracks = stitched([("A", 101, 104)], [(98.5, 108.5)], ["ABC"])
        assert_spoken(tracks, [(101, 104)])

    @given(
        st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4),
        st.integers(0, 3),
        st.integers(0, ROWS),
        st.integers(1, 200_000),
    )
    def test_whatever_is_heard_there_are_never_more_at_once_than_one_window_tells(
        self, seeds: list[int], speakers: int, rows: int, start: int
    ) -> None:
        heard = [
            (
                (start + number * samples(5), start + number * samples(5) + samples(10)),
                np.random.default_rng(seed).random((rows, speakers), np.float32),
            )
            for number, seed in enumerate(seeds)
        ]
        tracks = stitch(heard, LAYOUT)
        assert tracks.start - STEP < start <= tracks.start
        assert tracks.active.sum(axis=0).max(initial=0) <= speakers
        assert heard[-1][0][1] - STEP < tracks.start + tracks.active.shape[1] * STEP <= heard[-1][0][1]


class TestPartOfTracks:
    tracks = Tracks(samples(10), np.eye(3, 300, dtype=bool))

    def test_it_begins_with_the_step_that_a_position_lies_in(self) -> None:
        part = self.tracks.within(samples(10) + STEP + 7, samples(11))
        assert part.start == samples(10) + STEP
        assert part.active[:, 0].tolist() == self.tracks.active[:, 1].tolist()

    def test_it_ends_with_the_last_whole_step(self) -> None:
        assert self.tracks.within(samples(10), samples(11) + STEP - 1).active.shape == (3, 100)

    def test_what_is_not_known_is_not_in_it(self) -> None:
        part = self.tracks.within(samples(1), samples(99))
        assert (part.start, part.active.shape) == (samples(10), (3, 300))

    def test_it_is_empty_where_nothing_is_known(self) -> None:
        assert self.tracks.within(samples(20), samples(30)).active.shape == (3, 0)
        assert self.tracks.within(samples(1), samples(2)).active.shape == (3, 0)

    def test_steps_have_positions(self) -> None:
        assert self.tracks.positions((0, 100)) == (samples(10), samples(11))


def asked(start: float, end: float, *, earliest: float = 0) -> list[tuple[float, float]]:
    segments = Segments(LAYOUT, earliest=samples(earliest))
    return [(seconds(a), seconds(b)) for a, b in segments.ask(samples(start), samples(end))]


class TestWindow:
    def test_a_short_utterance_is_heard_with_what_was_before_it(self) -> None:
        assert asked(20, 22) == [(12, 22)]

    def test_there_is_nothing_before_the_beginning(self) -> None:
        assert asked(1, 4) == [(0, 4)]
        assert asked(21, 24, earliest=20) == [(20, 24)]

    def test_a_long_utterance_takes_several_that_share_half_or_more(self) -> None:
        assert asked(20, 33) == [(20, 30), (23, 33)]
        assert asked(20, 37) == [(20, 30), (25, 35), (27, 37)]

    def test_an_utterance_of_just_one_window_takes_one(self) -> None:
        assert asked(20, 30) == [(20, 30)]

    @given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**6))
    def test_they_cover_the_utterance_and_each_shares_half_with_the_next(
        self, start: int, length: int, before: int
    ) -> None:
        earliest = max(0, start - before)
        windows = Segments(LAYOUT, earliest=earliest).ask(start, start + length)
        assert earliest <= windows[0][0] <= start
        assert windows[-1][1] == start + length
        assert all(end - since <= LAYOUT.window for since, end in windows)
        assert all(one[1] - other[0] >= LAYOUT.window // 2 for one, other in pairwise(windows))


class TestAskingEarly:
    def test_nothing_is_asked_before_a_window_is_full(self) -> None:
        segments = Segments(LAYOUT, earliest=0)
        assert segments.ask_early(samples(20), samples(29.9)) == []

    def test_each_is_asked_once_when_it_is_full(self) -> None:
        segments = Segments(LAYOUT, earliest=0)
        assert segments.ask_early(samples(20), samples(30)) == [(samples(20), samples(30))]
        assert segments.ask_early(samples(20), samples(34)) == []
        assert segments.ask_early(samples(20), samples(36)) == [(samples(25), samples(35))]

    @given(st.lists(st.integers(1, 80_000), max_size=8), st.integers(1, 400_000))
    def test_in_the_end_the_windows_are_the_same_however_the_audio_came(
        self, steps: list[int], length: int
    ) -> None:
        segments, heard = Segments(LAYOUT, earliest=0), 0
        early = set()
        for step in steps:
            heard = min(length, heard + step)
            early |= set(segments.ask_early(0, heard))
        late = segments.ask(0, length)
        assert early.isdisjoint(late)
        assert early | set(late) >= set(Segments(LAYOUT, earliest=0).ask(0, length))


class TestAnswer:
    def test_they_are_complete_when_all_that_were_asked_are_there(self) -> None:
        segments = Segments(LAYOUT, earliest=0)
        windows = segments.ask(samples(20), samples(33))
        assert not segments.is_complete
        for window in reversed(windows):
            assert not segments.is_complete
            segments.receive(window, activity([("A", 21, 32)], window, "ABC"))
        assert segments.is_complete
        assert_spoken(segments.tracks(), [(21, 32)])

    def test_early_answers_alone_are_not_complete(self) -> None:
        segments = Segments(LAYOUT, earliest=0)
        [window] = segments.ask_early(0, samples(11))
        segments.receive(window, activity([], window, "ABC"))
        assert not segments.is_complete

    def test_an_early_window_that_reaches_beyond_the_end_is_not_needed(self) -> None:
        segments = Segments(LAYOUT, earliest=0)
        [early] = segments.ask_early(0, samples(10))
        [window] = segments.ask(0, samples(9))
        segments.receive(window, activity([("A", 1, 8)], window, "ABC"))
        assert segments.is_complete
        assert early != window
        assert segments.start == 0
