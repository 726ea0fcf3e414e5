"""The chaos run's own judgement: it must see each kind of damage. And a short run."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.chaos.__main__ import combined
from benchmarks.chaos.audio import FRAME, Recording, frames_of
from benchmarks.chaos.checks import (
    KeptLine,
    check_audio,
    check_lines,
    check_transcript,
    missing_frames,
    recovery_s,
    unexplained,
)
from benchmarks.chaos.run import Report, run_chaos
from deploy.local_servers import NotInstalled
from recognition.fakes.checksum import checksum

RECORDING = Recording(seed=1, frames=6, has_pauses=False)
AUDIO = RECORDING.whole()
ON_DISK = np.rint(AUDIO * 32768).astype(np.int16)


def lines(*ends: int) -> list[KeptLine]:
    starts = [0, *ends[:-1]]
    return [
        KeptLine(seq, start, end, checksum(AUDIO[start:end]))
        for seq, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    ]


class TestAudio:
    def test_each_frame_says_which_it_is(self) -> None:
        assert frames_of(ON_DISK, RECORDING) == [0, 1, 2, 3, 4, 5]

    def test_one_wrong_sample_is_seen(self) -> None:
        damaged = ON_DISK.copy()
        damaged[5000] ^= 1
        assert frames_of(damaged, RECORDING) is None

    def test_another_session_is_seen(self) -> None:
        assert frames_of(ON_DISK, Recording(seed=2, frames=6, has_pauses=False)) is None

    def test_everything_there_is_clean(self) -> None:
        assert check_audio(ON_DISK, len(AUDIO), RECORDING).is_clean

    @pytest.mark.parametrize(
        "kept",
        [ON_DISK[:-1], ON_DISK[:-FRAME], np.roll(ON_DISK, FRAME), np.concatenate([ON_DISK[:FRAME], ON_DISK])],
    )
    def test_a_lost_doubled_or_moved_piece_is_not(self, kept: np.ndarray) -> None:
        assert check_audio(kept, len(AUDIO), RECORDING).lost_samples > 0

    def test_audio_that_the_database_does_not_know_is_lost(self) -> None:
        assert check_audio(ON_DISK, len(AUDIO) - 100, RECORDING).lost_samples == 100

    def test_of_a_plain_sender_it_is_known_what_is_missing(self) -> None:
        kept = np.concatenate([ON_DISK[: 2 * FRAME], ON_DISK[4 * FRAME :]])
        assert missing_frames(kept, RECORDING) == [2, 3]
        assert unexplained([2, 3], [4], in_flight=2) == []
        assert unexplained([2, 3], [4], in_flight=1) == [2]
        assert unexplained([2, 3], [1], in_flight=2) == [2, 3]


class TestLines:
    def test_all_of_the_audio_in_order_is_clean(self) -> None:
        assert check_lines(lines(5000, 12_000, 19_200), AUDIO, is_all_speech=True).is_clean

    def test_a_hole_is_lost_audio(self) -> None:
        kept = lines(5000, 12_000, 19_200)
        shifted = [kept[0], KeptLine(2, 6000, 12_000, checksum(AUDIO[6000:12_000])), kept[2]]
        assert check_lines(shifted, AUDIO, is_all_speech=True).lost_samples == 1000
        assert check_lines(shifted, AUDIO, is_all_speech=False).is_clean

    def test_a_missing_end_is_lost_audio(self) -> None:
        assert check_lines(lines(5000, 12_000), AUDIO, is_all_speech=True).lost_samples == 7200

    def test_a_line_twice_is_doubled(self) -> None:
        first, second = lines(5000, 12_000)
        again = KeptLine(3, second.start, second.end, second.text)
        assert check_lines([first, second, again], AUDIO[:12_000], is_all_speech=True).doubled_lines == 1

    def test_a_missing_number_is_a_lost_line(self) -> None:
        first, _, third = lines(5000, 12_000, 19_200)
        assert check_lines([first, third], AUDIO, is_all_speech=False).lost_lines == 1

    def test_a_line_of_other_audio_is_wrong(self) -> None:
        other = Recording(seed=2, frames=6, has_pauses=False).whole()
        assert check_lines(lines(5000, 19_200), other, is_all_speech=True).wrong_lines == 2


class TestTranscripts:
    def test_what_the_database_has_is_clean(self) -> None:
        kept = lines(5000, 19_200)
        told = {line.seq: line.text for line in kept}
        assert check_transcript(told, kept, faults=0).is_clean

    def test_lost_wrong_and_doubled_lines_are_counted(self) -> None:
        kept = lines(5000, 12_000, 19_200)
        verdict = check_transcript({1: kept[0].text, 2: "other"}, kept, faults=1)
        assert (verdict.lost_lines, verdict.wrong_lines, verdict.doubled_lines) == (1, 1, 1)


class TestSeveralRuns:
    def test_what_was_lost_adds_up_and_the_worst_time_counts(self) -> None:
        one, two = Report(1, 1).figures, Report(2, 2).figures
        two |= {"lost_samples": 7, "faults": 3, "recovery_p95_s": 4.5}
        figures = combined([one | {"faults": 2}, two])
        assert (figures["faults"], figures["lost_samples"], figures["minutes"]) == (5, 7, 3)
        assert figures["recovery_p95_s"] == 4.5
        assert len(figures["runs"]) == 2


class TestRecovery:
    def test_is_from_the_fault_to_the_next_result(self) -> None:
        assert recovery_s([0.0, 0.6, 1.2, 3.7, 4.3], began_at=1.3, over_at=1.3) == pytest.approx(2.4)

    def test_results_that_were_on_their_way_do_not_count(self) -> None:
        assert recovery_s([0.0, 0.6, 1.2, 1.32, 3.7], began_at=1.3, over_at=1.3) == pytest.approx(2.4)

    def test_no_silence_is_no_recovery(self) -> None:
        assert recovery_s([0.0, 0.6, 1.2, 1.8, 2.4], began_at=1.3, over_at=1.3) is None

    def test_of_something_frozen_it_begins_with_its_return(self) -> None:
        assert recovery_s([0.0, 0.6, 5.9, 6.5], began_at=1.0, over_at=5.0) == pytest.approx(0.9)

    def test_a_session_that_had_ended_recovers_from_nothing(self) -> None:
        assert recovery_s([0.0, 0.6], began_at=1.0, over_at=1.0) is None


@pytest.mark.slow(60)
async def test_nothing_is_lost_in_half_a_minute_of_chaos() -> None:
    try:
        report = await run_chaos(0.5, seed=11, senders=4)
    except NotInstalled as error:
        pytest.skip(str(error))
    assert report.is_clean, report.summary
    assert report.faults
    assert report.meetings >= 4
