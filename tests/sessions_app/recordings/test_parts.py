"""Recordings divided and joined, and what a crash on the way leaves."""

from __future__ import annotations

import numpy as np
import pytest

from sessions_app.recordings import files, parts, peaks

WHOLE, REST = 1, 2
SAMPLES = np.arange(-3000, 3000, dtype=np.int16)
AT = 2500


pytestmark = pytest.mark.usefixtures("media")


def record(session_pk: int, samples: np.ndarray, *, as_flac: bool = True) -> None:
    journal = files.Journal(session_pk)
    journal.write(0, samples / np.float32(files.FULL_SCALE))
    journal.close()
    if as_flac:
        files.encode_flac(session_pk)


def heard(session_pk: int) -> list[int]:
    samples: list[int] = files.read(session_pk, 0, files.length(session_pk)).tolist()
    return samples


class TestDivide:
    @pytest.mark.parametrize("as_flac", [True, False], ids=["an encoded one", "a journal"])
    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_both_parts_have_their_own_samples_however_often_it_is_done(
        self, as_flac: bool, times: int
    ) -> None:
        record(WHOLE, SAMPLES, as_flac=as_flac)
        for _ in range(times):
            parts.divide(WHOLE, REST, AT)
        assert heard(WHOLE) == SAMPLES[:AT].tolist()
        assert heard(REST) == SAMPLES[AT:].tolist()

    def test_a_crash_before_the_first_part_is_cut_is_made_good(self) -> None:
        record(WHOLE, SAMPLES)
        record(REST, SAMPLES[AT:])
        parts.divide(WHOLE, REST, AT)
        assert heard(WHOLE) + heard(REST) == SAMPLES.tolist()
        assert files.length(WHOLE) == AT

    def test_pictures_of_the_sound_are_drawn_anew(self) -> None:
        record(WHOLE, SAMPLES)
        before = peaks.read(WHOLE, has_ended=True)
        parts.divide(WHOLE, REST, AT)
        assert len(peaks.read(WHOLE, has_ended=True)) < len(before)

    def test_what_was_never_recorded_has_no_parts(self) -> None:
        parts.divide(WHOLE, REST, AT)
        assert (files.length(WHOLE), files.length(REST)) == (0, 0)


class TestAppend:
    @pytest.mark.parametrize("times", [1, 2])
    def test_one_follows_the_other_however_often_it_is_done(self, times: int) -> None:
        record(WHOLE, SAMPLES[:AT])
        record(REST, SAMPLES[AT:], as_flac=False)
        for _ in range(times):
            parts.append(WHOLE, REST, AT)
        assert heard(WHOLE) == SAMPLES.tolist()
        assert files.length(REST) == 0

    def test_a_crash_before_the_other_is_deleted_is_made_good(self) -> None:
        record(WHOLE, SAMPLES)
        record(REST, SAMPLES[AT:])
        parts.append(WHOLE, REST, AT)
        assert heard(WHOLE) == SAMPLES.tolist()
        assert files.length(REST) == 0

    @pytest.mark.parametrize("known", [0, 1000])
    def test_silence_stands_for_what_the_first_lacks(self, known: int) -> None:
        if known:
            record(WHOLE, SAMPLES[:known])
        record(REST, SAMPLES[AT:])
        parts.append(WHOLE, REST, AT)
        assert heard(WHOLE) == [*SAMPLES[:known].tolist(), *[0] * (AT - known), *SAMPLES[AT:].tolist()]

    def test_a_meeting_without_recording_adds_nothing(self) -> None:
        record(WHOLE, SAMPLES[:AT])
        parts.append(WHOLE, REST, AT)
        assert heard(WHOLE) == SAMPLES[:AT].tolist()

    def test_dividing_takes_it_back(self) -> None:
        record(WHOLE, SAMPLES[:AT])
        record(REST, SAMPLES[AT:])
        parts.append(WHOLE, REST, AT)
        parts.divide(WHOLE, REST, AT)
        assert (heard(WHOLE), heard(REST)) == (SAMPLES[:AT].tolist(), SAMPLES[AT:].tolist())
