"""Meetings as they are heard, followed and judged."""

from __future__ import annotations

import asyncio
import itertools

import numpy as np
import pytest

from benchmarks.speakers import meetings
from benchmarks.speakers.diarization_error import Segment
from benchmarks.speakers.meetings import Utterances
from recognition.audio import samples
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from speakers.voiceprints.overlaps import HeardLine
from tests.speakers.voices import People, gallery_of

from .made_voices import speech

GALLERY = gallery_of({})


@pytest.fixture
def people() -> People:
    return People()


def line(people: People, person: int, start_s: float, end_s: float, *, key: int) -> HeardLine:
    return HeardLine(
        key, people.line(person, end_s - start_s), end_s - start_s, samples(start_s), samples(end_s)
    )


def truth(*spoken: tuple[float, float, str]) -> list[Segment]:
    return [Segment(*each) for each in spoken]


class TestAnswers:
    def test_a_meeting_that_is_told_right_has_no_errors(self, people: People) -> None:
        heard = [[line(people, 1, 0, 3, key=0)], [line(people, 2, 3, 6, key=1)]]

        found = meetings.answers(heard, GALLERY, truth((0, 3, "A"), (3, 6, "B")), 6.0)

        assert (found.at_once.rate, found.revised.rate, found.easy.rate) == (0, 0, 0)
        assert found.one_speaker.rate == pytest.approx(0.5)
        assert found.new_speaker_each.rate == 0

    def test_speech_of_two_at_once_is_told_of_both(self, people: People) -> None:
        heard = [[line(people, 1, 0, 4, key=0), line(people, 2, 2, 4, key=-1)]]

        found = meetings.answers(heard, GALLERY, truth((0, 4, "A"), (2, 4, "B")), 4.0)

        assert found.revised.rate == 0
        assert found.overlap_s == pytest.approx(2.0, abs=0.02)

    def test_a_guess_is_an_error_at_once_and_none_once_it_is_corrected(self, people: People) -> None:
        heard: Utterances = [
            [line(people, 1, 0, 4, key=0)],
            [line(people, 2, 4, 5, key=1)],
            [line(people, 2, 5, 9, key=2)],
        ]

        found = meetings.answers(heard, GALLERY, truth((0, 4, "A"), (4, 9, "B")), 9.0)

        assert found.at_once.confusion == pytest.approx(1.0, abs=0.02)
        assert found.revised.rate == 0

    def test_answers_of_meetings_add_up(self, people: People) -> None:
        heard = [[line(people, 1, 0, 3, key=0)]]
        found = meetings.answers(heard, GALLERY, truth((0, 4, "A")), 4.0)

        both = found + found

        assert both.revised.missed == pytest.approx(2.0, abs=0.02)
        assert both.revised.rate == found.revised.rate

    def test_an_empty_meeting_misses_everything(self) -> None:
        assert meetings.answers([], GALLERY, truth((0, 4, "A")), 4.0).revised.rate == 1


class TestVoicesOf:
    def test_whoever_says_little_is_not_counted(self) -> None:
        spoken = truth((0, 3, "A"), (3, 4, "B"), (4, 6, "A"), (6, 11, "C"))

        assert meetings.voices_of(spoken, 5.0) == 2
        assert meetings.voices_of(spoken, 0.5) == 3

    def test_nobody_is_nobody(self) -> None:
        assert meetings.voices_of([], 1.0) == 0


def test_joined_turns_have_no_pauses_and_change_the_speaker_each_time() -> None:
    spoken = {f"P{number}": [speech(number, 14.0)] for number in range(4)}

    audio, told = meetings.joined(spoken, np.random.default_rng(0))

    assert told[0].start == 0
    assert all(one.end == other.start for one, other in itertools.pairwise(told))
    assert all(one.speaker != other.speaker for one, other in itertools.pairwise(told))
    assert told[-1].end == pytest.approx(len(audio) / 16_000)


def test_a_recording_is_heard_in_utterances_of_lines_with_voices() -> None:
    script = Script([ScriptedLine("你好。", 0, 2.0), ScriptedLine("再见。", 5, 2.0)])
    audio = np.concatenate([script.speak(0), np.zeros(samples(2.0), np.float32), script.speak(1)])

    heard = asyncio.run(meetings.hear(scripted_models(script), audio))

    assert [len(lines) for lines in heard] == [1, 1]
    assert [line.key for lines in heard for line in lines] == [0, 1]
    assert all(line.embedding is not None and line.end > line.start for lines in heard for line in lines)
