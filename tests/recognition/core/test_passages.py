"""Runs, joined and cut by their voices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.audio import samples, seconds
from recognition.core.passages import Passage, find_passages
from recognition.core.runs import Listening, find_runs, listen
from recognition.core.tracks import Tracks
from recognition.core.turns import MAX_VOICE, TurnVoice
from tests.recognition.core.test_runs import Spoken, activities, tracks
from tests.support.arrays import assert_close

VOICES = {name: np.eye(1, 4, axis, dtype=np.float32)[0] for axis, name in enumerate("ABCD")}

Said = list[tuple[str, float, float]]


def embedded(listening: Listening, said: Said) -> np.ndarray:
    """What a perfect embedder answers where these people speak, the louder of two."""
    rows = []
    for start, end in listening.spans:
        places = np.array([listening.position(at) for at in range(start, end, 160)]) / samples(1)
        shares = {name: 0.0 for name, _, _ in said}
        for name, since, until in said:
            shares[name] += float(((places >= since) & (places < until)).sum())
        mixed = np.sum([share * VOICES[name] for name, share in shares.items()], axis=0)
        rows.append(mixed / max(float(np.linalg.norm(mixed)), 1e-9))
    return np.array(rows, np.float32).reshape(-1, 4)


def passages(
    known: Tracks, said: Said, *, start: float = 0, end: float = 20, penalty: float = 0.7
) -> tuple[list[Passage], list[TurnVoice]]:
    runs = find_runs(known, samples(start), samples(end))
    listening = listen(runs, known)
    return find_passages(runs, listening, embedded(listening, said), penalty=penalty)


def told(
    *spoken: Spoken, said: Said, start: float = 0, penalty: float = 0.7
) -> list[tuple[str, float, float]]:
    """Who speaks when by the passages."""
    found, voices = passages(tracks(*spoken), said, start=start, penalty=penalty)
    return [(name_of(voices[each.voice]), seconds(each.start), seconds(each.end)) for each in found]


def name_of(voice: TurnVoice) -> str:
    if voice.embedding is None:
        return "nobody"
    return max(VOICES, key=lambda name: float(VOICES[name] @ voice.embedding))


class TestVoice:
    def test_each_run_has_its_own(self) -> None:
        said = [("A", 1.0, 4.0), ("B", 4.5, 8.0)]
        assert told([(1, 4)], [(4.5, 8)], said=said) == said

    def test_two_tracks_that_sound_alike_are_one(self) -> None:
        found, _ = passages(tracks([(1, 4)], [(4.5, 8)]), [("A", 1, 8)])
        assert [each.voice for each in found] == [0, 0]

    def test_two_that_sound_at_once_are_two_however_alike(self) -> None:
        found, _ = passages(tracks([(1, 4)], [(3.5, 8)]), [("A", 1, 8)])
        assert found[0].voice != found[1].voice

    def test_a_moment_at_once_makes_no_two(self) -> None:
        found, _ = passages(tracks([(1, 4)], [(3.9, 8)]), [("A", 1, 8)])
        assert found[0].voice == found[1].voice

    def test_a_run_in_which_the_voice_changes_is_cut_there(self) -> None:
        found, voices = passages(tracks([(1, 11)]), [("A", 1, 6), ("B", 6, 11)])
        assert [name_of(voices[each.voice]) for each in found] == ["A", "B"]
        assert found[0].end == found[1].start
        assert seconds(found[1].start) == pytest.approx(6, abs=0.5)
        assert [each.is_cut for each in found] == [False, True]

    def test_a_change_counts_more_where_the_track_changes(self) -> None:
        said = [("A", 1.0, 4.0), ("B", 4.5, 6.0)]
        assert len({name for name, _, _ in told([(1, 4)], [(4.5, 6)], said=said, penalty=1.5)}) == 2
        assert len({name for name, _, _ in told([(1, 4), (4.5, 6)], said=said, penalty=1.5)}) == 1

    def test_it_is_made_of_speech_alone(self) -> None:
        _, voices = passages(tracks([(1, 6)], [(2, 4)]), [("A", 1, 2), ("B", 2, 4), ("A", 4, 6)])
        assert_close(voices[0].embedding, VOICES["A"], atol=1e-6)
        assert voices[0].samples == samples(3)

    def test_of_long_speech_no_more_counts_than_says_something(self) -> None:
        _, voices = passages(tracks([(1, 19)]), [("A", 1, 19)])
        assert voices[0].samples == MAX_VOICE

    def test_it_has_unit_length(self) -> None:
        _, voices = passages(tracks([(1, 5)], [(5, 9)]), [("A", 1, 4), ("B", 4, 9)])
        for voice in voices:
            assert voice.embedding is not None
            assert np.linalg.norm(voice.embedding) == pytest.approx(1)


class TestShortRun:
    def test_it_follows_the_nearest_run_of_its_track(self) -> None:
        said = [("A", 1.0, 4.0), ("B", 6.0, 9.0)]
        found = told([(1, 4), (4.5, 5), (6, 9)], [], said=said)
        assert [name for name, _, _ in found] == ["A", "A", "B"]

    def test_one_of_a_track_that_says_nothing_else_has_the_voice_of_it(self) -> None:
        said = [("A", 1.0, 6.0), ("B", 2.0, 2.5), ("B", 6.5, 7.0)]
        found = told([(1, 6)], [(2, 2.5), (6.5, 7.0)], said=said)
        assert found == [("A", 1, 6), ("B", 2, 2.5), ("B", 6.5, 7)]

    def test_what_its_track_said_before_the_utterance_tells_its_voice(self) -> None:
        said = [("B", 1.0, 4.0), ("A", 11.0, 15.0)]
        found = told([(11, 15)], [(1, 4), (12, 12.5)], said=said, start=10)
        assert found == [("A", 11, 15), ("B", 12, 12.5)]

    def test_a_voice_that_is_never_alone_is_half_as_certain(self) -> None:
        found, voices = passages(tracks([(1, 6)], [(2, 4)]), [("A", 1, 6)])
        assert voices[found[1].voice].samples == samples(1)

    def test_one_too_short_to_tell_has_a_voice_that_nobody_knows(self) -> None:
        assert told([(1, 4)], [(5, 5.2)], said=[("A", 1, 4)]) == [("A", 1, 4), ("nobody", 5, 5.2)]

    def test_runs_of_nothing_but_sounds_are_told_too(self) -> None:
        found, voices = passages(tracks([(1, 1.3)], [(2, 2.3)]), [])
        assert [each.voice for each in found] == [0, 1]
        assert [voice.embedding for voice in voices] == [None, None]


@given(activities, st.integers(0, 10**6), st.floats(0, 2))
def test_whoever_is_active_when_passages_cover_the_runs_and_no_more(
    active: np.ndarray, seed: int, penalty: float
) -> None:
    known = Tracks(0, active)
    runs = find_runs(known, samples(3), samples(17))
    listening = listen(runs, known)
    random = np.random.default_rng(seed).standard_normal((len(listening.spans), 4)).astype(np.float32)
    embeddings = random / np.linalg.norm(random, axis=1, keepdims=True)
    found, voices = find_passages(runs, listening, embeddings, penalty=penalty)
    assert found == sorted(found, key=lambda each: (each.start, -each.end))
    assert sum(each.end - each.start for each in found) == sum(run.end - run.start for run in runs)
    assert {each.voice for each in found} == set(range(len(voices)))
    assert all(each.start < each.end for each in found)
