"""The diarization error rate, on cases that can be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.speakers.diarization_error import Errors, Segment, errors, read_rttm


class TestError:
    def test_the_truth_has_no_errors_whatever_the_speakers_are_called(self) -> None:
        truth = [Segment(0, 5, "A"), Segment(5, 9, "B"), Segment(8, 12, "A")]
        answer = [Segment(0, 5, 7), Segment(5, 9, 3), Segment(8, 12, 7)]
        assert errors(truth, answer, 12).rate == 0

    def test_one_speaker_for_two_confuses_the_one_who_spoke_less(self) -> None:
        found = errors([Segment(0, 6, "A"), Segment(6, 10, "B")], [Segment(0, 10, 1)], 10)
        self.assert_errors(found, confusion=4, speech=10)
        assert found.rate == pytest.approx(0.4)

    def test_speech_that_is_not_found_is_missed(self) -> None:
        self.assert_errors(errors([Segment(0, 4, "A")], [Segment(1, 3, 1)], 5), missed=2, speech=4)

    def test_noise_taken_for_speech_is_a_false_alarm(self) -> None:
        self.assert_errors(errors([Segment(0, 2, "A")], [Segment(0, 3.5, 1)], 5), false_alarm=1.5, speech=2)

    def test_where_two_speak_at_once_each_counts(self) -> None:
        truth = [Segment(0, 4, "A"), Segment(2, 4, "B")]
        self.assert_errors(errors(truth, [Segment(0, 4, 1)], 4), missed=2, speech=6)

    def test_segments_of_one_speaker_that_overlap_count_once(self) -> None:
        self.assert_errors(errors([Segment(0, 2, "A"), Segment(1, 3, "A")], [], 3), missed=3, speech=3)

    def test_no_answer_misses_everything(self) -> None:
        assert errors([Segment(0, 3, "A")], [], 10).rate == 1

    def test_errors_of_recordings_add_up_by_their_seconds(self) -> None:
        total = Errors(1, 0, 0, 2) + Errors(0, 0, 0, 8)
        assert total.rate == pytest.approx(0.1)

    @given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 10), st.sampled_from("ABC")), min_size=1))
    def test_a_new_speaker_per_segment_is_never_better_than_the_truth(self, rows: Any) -> None:
        truth = [Segment(start, start + length, who) for start, length, who in rows]
        each = [Segment(segment.start, segment.end, number) for number, segment in enumerate(truth)]
        assert errors(truth, each, 100).rate >= errors(truth, truth, 100).rate

    def assert_errors(self, found: Errors, **expected: float) -> None:
        for name in ("missed", "false_alarm", "confusion", "speech"):
            assert getattr(found, name) == pytest.approx(expected.get(name, 0.0), abs=5e-3), name


def test_rttm_files_tell_who_spoke_when_in_each_recording(tmp_path: Path) -> None:
    file = tmp_path / "meeting.rttm"
    file.write_text(
        "SPEAKER one 1 0.50 2.25 <NA> <NA> Ann <NA> <NA>\n\n"
        "SPEAKER two 1 3 1 <NA> <NA> Bob <NA> <NA>\n"
        "SPEAKER one 1 4 1 <NA> <NA> Bob <NA> <NA>\n"
    )
    assert read_rttm(file) == {
        "one": [Segment(0.5, 2.75, "Ann"), Segment(4, 5, "Bob")],
        "two": [Segment(3, 4, "Bob")],
    }


class TestLeniency:
    """A quarter of a second at boundaries and overlap may be left out, as published figures often do."""

    def test_a_boundary_that_is_a_little_off_is_no_error_within_the_collar(self) -> None:
        truth, answer = [Segment(1, 5, "A")], [Segment(1.2, 5.2, 1)]

        assert errors(truth, answer, 8).rate > 0
        assert errors(truth, answer, 8, collar_s=0.25).rate == 0

    def test_what_is_outside_the_collar_still_counts(self) -> None:
        found = errors([Segment(1, 5, "A")], [Segment(2, 5, 1)], 8, collar_s=0.25)

        assert found.missed == pytest.approx(0.75, abs=0.02)
        assert found.speech == pytest.approx(3.5, abs=0.02)

    def test_time_in_which_several_speak_may_be_left_out(self) -> None:
        truth = [Segment(0, 4, "A"), Segment(2, 6, "B")]

        found = errors(truth, [Segment(0, 3, 1), Segment(3, 6, 2)], 8, with_overlap=False)

        assert found.rate == 0
        assert found.speech == pytest.approx(4, abs=0.02)

    def test_one_who_goes_on_without_a_break_has_no_boundary_there(self) -> None:
        truth = [Segment(0, 2, "A"), Segment(2, 4, "A")]

        found = errors(truth, [], 4, collar_s=0.5)

        assert found.speech == pytest.approx(3.0, abs=0.02)

    def test_without_a_collar_everything_counts(self) -> None:
        truth = [Segment(0, 2, "A"), Segment(1, 4, "B")]

        assert errors(truth, [], 4, collar_s=0.0) == errors(truth, [], 4)

    def test_a_collar_at_either_end_of_a_recording_stays_in_it(self) -> None:
        assert errors([Segment(0, 4, "A")], [Segment(0, 4, 1)], 4, collar_s=1.0).rate == 0
