"""Runs of speech, and what is listened to for their voices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.audio import samples, seconds
from recognition.core.runs import MIN_ALONE, Listening, Look, Run, find_runs, listen
from recognition.core.tracks import STEP, Tracks
from recognition.core.turns import MAX_VOICE, MIN_VOICE

Spoken = list[tuple[float, float]]


def tracks(*spoken: Spoken, length_s: float = 20, start_s: float = 0) -> Tracks:
    """Tracks that speak at these times, in seconds."""
    active = np.zeros((len(spoken), round(length_s * 100)), bool)
    for row, spans in zip(active, spoken, strict=True):
        for start, end in spans:
            row[round((start - start_s) * 100) : round((end - start_s) * 100)] = True
    return Tracks(samples(start_s), active)


def found(*spoken: Spoken, start: float = 0, end: float = 20) -> list[tuple[int, float, float]]:
    runs = find_runs(tracks(*spoken), samples(start), samples(end))
    return [(run.track, seconds(run.start), seconds(run.end)) for run in runs]


class TestRun:
    def test_speech_without_a_pause_is_a_run(self) -> None:
        assert found([(1, 3), (5, 6)]) == [(0, 1, 3), (0, 5, 6)]

    def test_a_short_pause_is_part_of_it(self) -> None:
        assert found([(1, 3), (3.3, 4)]) == [(0, 1, 4)]
        assert found([(1, 3), (3.31, 4)]) == [(0, 1, 3), (0, 3.31, 4)]

    def test_a_pause_in_which_somebody_else_speaks_is_not(self) -> None:
        assert found([(1, 3), (3.2, 4)], [(3.1, 3.3)]) == [(0, 1, 3), (1, 3.1, 3.3), (0, 3.2, 4)]

    def test_several_short_pauses_join_one_after_the_other(self) -> None:
        assert found([(1, 2), (2.2, 3), (3.2, 4)]) == [(0, 1, 4)]

    def test_two_may_overlap(self) -> None:
        assert found([(1, 4)], [(3, 6)]) == [(0, 1, 4), (1, 3, 6)]

    def test_of_those_that_begin_together_the_longest_is_first(self) -> None:
        assert found([(1, 2)], [(1, 4)]) == [(1, 1, 4), (0, 1, 2)]

    def test_a_blip_is_none(self) -> None:
        assert found([(1, 1.09)]) == []
        assert found([(1, 1.1)]) == [(0, 1, 1.1)]

    def test_what_lies_outside_is_not_in_it(self) -> None:
        assert found([(1, 9)], start=2.005, end=4.005) == [(0, 2.005, 4)]
        assert found([(1, 2), (4, 5)], start=2, end=4) == []

    def test_it_says_alone_what_nobody_else_speaks_to(self) -> None:
        run, other = find_runs(tracks([(1, 6)], [(2, 3)]), 0, samples(20))
        assert run.alone == ((samples(1), samples(2)), (samples(3), samples(6)))
        assert run.alone_length == samples(4)
        assert other.alone == ()

    def test_silence_within_it_is_not_what_it_says(self) -> None:
        [run] = find_runs(tracks([(1, 2), (2.2, 3)]), 0, samples(20))
        assert run.alone == ((samples(1), samples(2)), (samples(2.2), samples(3)))

    def test_what_it_says_alone_ends_with_the_utterance_too(self) -> None:
        [run] = find_runs(tracks([(1, 9)]), samples(2.005), samples(4.005))
        assert run.alone == ((samples(2.005), samples(4)),)

    def test_nobody_makes_none(self) -> None:
        assert find_runs(tracks(), 0, samples(20)) == []
        assert find_runs(Tracks(0, np.zeros((3, 0), bool)), 0, samples(20)) == []


def heard(*spoken: Spoken, start: float = 0, end: float = 20) -> tuple[list[Run], Listening]:
    known = tracks(*spoken)
    runs = find_runs(known, samples(start), samples(end))
    return runs, listen(runs, known)


class TestListening:
    def test_a_run_with_enough_alone_is_looked_at_through_windows_and_whole(self) -> None:
        _, listening = heard([(1, 5)])
        assert listening.places == ((samples(1), samples(5)),)
        assert all(look.run == 0 for look in listening.looks)
        assert [look.is_whole for look in listening.looks] == [False] * (len(listening.looks) - 1) + [True]
        assert listening.spans[-1] == (0, listening.spans[-2][1])

    def test_what_others_speak_to_is_left_out(self) -> None:
        _, listening = heard([(1, 6)], [(2, 4)])
        assert listening.places[:2] == ((samples(1), samples(2)), (samples(4), samples(6)))

    def test_no_look_reaches_from_one_run_into_another(self) -> None:
        runs, listening = heard([(1, 4)], [(5, 9)])
        for look in listening.looks:
            assert look.run is not None
            run = runs[look.run]
            assert run.start <= listening.position(look.start)
            assert listening.position(look.end - 1) < run.end

    def test_a_short_run_of_a_track_that_is_known_is_not_looked_at(self) -> None:
        runs, listening = heard([(1, 4), (6, 6.5)])
        assert len(runs) == 2
        assert {look.run for look in listening.looks} == {0}

    def test_a_track_of_short_runs_is_looked_at_as_one(self) -> None:
        _, listening = heard([(1, 1.5), (3, 3.5), (5, 5.5)])
        [look] = listening.looks
        assert (look.track, look.is_alone, look.length) == (0, True, samples(1.5))

    def test_what_a_track_said_before_the_utterance_counts(self) -> None:
        _, listening = heard([(1, 4), (11, 11.3)], start=10)
        [look] = listening.looks
        assert look.length == samples(3.3)
        assert listening.places[0] == (samples(1), samples(4))

    def test_of_what_a_track_said_before_the_latest_is_enough(self) -> None:
        _, listening = heard([(1, 9), (11, 11.3)], start=10)
        assert listening.looks[0].length == MAX_VOICE
        assert listening.places[-1] == (samples(11), samples(11.3))

    def test_a_track_that_is_never_alone_is_heard_with_the_others(self) -> None:
        _, listening = heard([(1, 6)], [(2, 4)])
        [look] = [look for look in listening.looks if look.track == 1]
        assert not look.is_alone
        assert look.length == samples(2)

    def test_a_sound_that_tells_no_voice_is_not_looked_at(self) -> None:
        assert heard([(1, 1.3)])[1] == Listening()

    def test_the_recording_is_what_lies_at_the_places(self) -> None:
        audio = np.arange(samples(8), dtype=np.float32)
        _, listening = heard([(2, 4)], [(3, 6)])
        recording = listening.recording(audio, 0)
        for offset in (0, samples(1) - 1, samples(1), samples(3) - 1):
            assert recording[offset] == listening.position(offset)

    def test_audio_may_begin_anywhere_before(self) -> None:
        audio = np.arange(samples(8), dtype=np.float32)
        listening = Listening(((samples(2), samples(3)),), (Look(0, samples(1), run=0),))
        assert listening.recording(audio[samples(1) :], samples(1))[0] == samples(2)

    def test_behind_the_last_sample_lies_the_end_of_the_last_place(self) -> None:
        listening = Listening(((10, 20), (30, 40)))
        assert [listening.position(offset) for offset in (0, 9, 10, 20, 99)] == [10, 19, 30, 40, 40]


activities = st.integers(0, 2**32 - 1).map(
    lambda seed: np.repeat(np.random.default_rng(seed).random((3, 40)) < 0.5, 50, axis=1)
)


@given(activities, st.integers(0, samples(20)), st.integers(1, samples(20)), st.integers(1, 60))
def test_whoever_is_active_when_runs_and_looks_fit_together(
    active: np.ndarray, start: int, length: int, scale: int
) -> None:
    known = Tracks(0, active[:, : scale * 40])
    end = min(start + length, active.shape[1] * STEP)
    runs = find_runs(known, start, end)
    assert [run.start for run in runs] == sorted(run.start for run in runs)
    assert all(start <= run.start < run.end <= end for run in runs)
    assert all(run.start <= since < until <= run.end for run in runs for since, until in run.alone)
    listening = listen(runs, known)
    total = sum(until - since for since, until in listening.places)
    assert all(0 <= look.start < look.end <= total for look in listening.looks)
    assert all(look.length >= MIN_VOICE for look in listening.looks)
    assert {look.run for look in listening.looks if look.track is None} == {
        number for number, run in enumerate(runs) if run.alone_length >= MIN_ALONE
    }


@pytest.mark.parametrize("missing", [(), ((0, 10),)])
def test_no_speech_at_all_is_nothing_to_listen_to(missing: tuple[tuple[int, int], ...]) -> None:
    known = Tracks(0, np.zeros((3, 100), bool))
    assert listen(find_runs(known, 0, samples(1)), known).spans == ()
    assert Listening(missing).spans == ()
