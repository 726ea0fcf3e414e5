"""The chaos run's own judgement: it must see each kind of damage. And a short run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.chaos import run
from benchmarks.chaos.__main__ import combined
from benchmarks.chaos.audio import FRAME, SAMPLE_RATE, Recording, frames_of
from benchmarks.chaos.checks import (
    Course,
    Hush,
    KeptLine,
    Verdict,
    check_audio,
    check_lines,
    check_transcript,
    holes,
    missing_frames,
    recoveries,
    unexplained,
    wrong_with,
)
from benchmarks.chaos.clients import SESSION_ENDED, PlainSender
from benchmarks.chaos.installation import KeptSession
from benchmarks.chaos.memory_limit import MemoryLimit, memory_limit
from benchmarks.chaos.nemesis import Fault
from benchmarks.chaos.run import IN_FLIGHT, Report, check_recording, run_chaos, tracebacks
from deploy.local_servers import LocalProcess, NotInstalled
from recognition.fakes.checksum import LOUD, checksum

RECORDING = Recording(seed=1, frames=6, has_pauses=False)
AUDIO = RECORDING.whole()
ALL = [(0, len(AUDIO))]
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

    def test_of_a_frame_that_redis_lost_the_end_of_the_beginning_may_be_there(self) -> None:
        kept = np.concatenate([ON_DISK[: 2 * FRAME + 160], ON_DISK[4 * FRAME :]])
        assert missing_frames(kept, RECORDING) == [2, 3]
        assert frames_of(kept, RECORDING) is None
        assert missing_frames(kept[: 2 * FRAME + 160], RECORDING) == [2, 3, 4, 5]

    def test_but_not_the_end_of_one_alone(self) -> None:
        kept = np.concatenate([ON_DISK[: 2 * FRAME], ON_DISK[3 * FRAME + 160 :]])
        assert missing_frames(kept, RECORDING) is None


class TestLines:
    def test_all_of_the_audio_in_order_is_clean(self) -> None:
        assert check_lines(lines(5000, 12_000, 19_200), AUDIO, speech=ALL).is_clean

    def test_a_hole_is_lost_audio(self) -> None:
        kept = lines(5000, 12_000, 19_200)
        shifted = [kept[0], KeptLine(2, 6000, 12_000, checksum(AUDIO[6000:12_000])), kept[2]]
        assert check_lines(shifted, AUDIO, speech=ALL).lost_samples == 1000
        assert check_lines(shifted, AUDIO, speech=[]).is_clean

    def test_a_missing_end_is_lost_audio(self) -> None:
        assert check_lines(lines(5000, 12_000), AUDIO, speech=ALL).lost_samples == 7200

    def test_a_line_twice_is_doubled(self) -> None:
        first, second = lines(5000, 12_000)
        again = KeptLine(3, second.start, second.end, second.text)
        assert check_lines([first, second, again], AUDIO[:12_000], speech=[(0, 12_000)]).doubled_lines == 1

    def test_a_missing_number_is_a_lost_line(self) -> None:
        first, _, third = lines(5000, 12_000, 19_200)
        assert check_lines([first, third], AUDIO, speech=[]).lost_lines == 1

    def test_a_line_of_other_audio_is_wrong(self) -> None:
        other = Recording(seed=2, frames=6, has_pauses=False).whole()
        assert check_lines(lines(5000, 19_200), other, speech=ALL).wrong_lines == 2


class TestPauses:
    """Of a recording with pauses it is known where somebody speaks: each such place must be in a line."""

    PAUSES = Recording(seed=3, frames=70, has_pauses=True)

    def test_its_speech_is_where_it_is_loud_and_only_there(self) -> None:
        audio = self.PAUSES.whole()
        speech = np.zeros(len(audio), bool)
        for start, end in self.PAUSES.stretches():
            speech[start:end] = True
        loud = np.abs(audio).reshape(-1, 160).max(axis=1) > LOUD
        np.testing.assert_array_equal(loud, speech.reshape(-1, 160).all(axis=1))

    @pytest.mark.parametrize("number", [0, 299, 300, 20_000])
    def test_a_frame_of_silence_is_silent_however_late_it_comes_and_still_known(self, number: int) -> None:
        at = number - number % 32 + 31
        recording = Recording(seed=3, frames=at + 1, has_pauses=True)
        frame = recording.frame(at)
        assert np.abs(frame).max() < LOUD
        assert frames_of(np.rint(frame * 32768).astype(np.int16), recording) == [at]

    def test_speech_covered_by_lines_is_clean_also_a_little_beside_them(self) -> None:
        audio, slack = self.PAUSES.whole(), 1600
        kept = [
            KeptLine(seq, start + slack, end, checksum(audio[start + slack : end]))
            for seq, (start, end) in enumerate(self.PAUSES.stretches(), 1)
        ]
        assert check_lines(kept, audio, speech=self.PAUSES.stretches(), slack=slack).is_clean
        assert not check_lines(kept, audio, speech=self.PAUSES.stretches(), slack=slack - 1).is_clean

    def test_no_line_at_all_is_not(self) -> None:
        audio, stretches = self.PAUSES.whole(), self.PAUSES.stretches()
        spoken = sum(end - start for start, end in stretches)
        assert check_lines([], audio, speech=stretches).lost_samples == spoken

    @pytest.mark.parametrize("missing", [0, 1, 2])
    def test_nor_is_one_stretch_without_a_line_wherever_it_is(self, missing: int) -> None:
        audio, stretches = self.PAUSES.whole(), self.PAUSES.stretches()
        there = [each for number, each in enumerate(stretches) if number != missing]
        kept = [KeptLine(seq, a, b, checksum(audio[a:b])) for seq, (a, b) in enumerate(there, 1)]
        start, end = stretches[missing]
        assert check_lines(kept, audio, speech=stretches).lost_samples == end - start

    def test_nor_is_a_line_that_stops_in_the_middle(self) -> None:
        assert holes([KeptLine(1, 0, 10, ""), KeptLine(2, 10, 20, ""), KeptLine(3, 30, 40, "")], 5, 50) == [
            (20, 30),
            (40, 50),
        ]


def kept_session(recording: Recording, start: int, end: int, *, pk: int = 1) -> KeptSession:
    """A session with these samples of a recording, in one line."""
    audio = recording.whole()[start:end]
    return KeptSession(pk, end - start, "sender", [KeptLine(1, 0, end - start, checksum(audio))])


class TestSeveralSessions:
    """A sender that was away for too long goes on in another session: together they have it all."""

    CUT = 2 * FRAME

    def test_the_recording_in_two_parts_is_clean(self) -> None:
        sessions = [kept_session(RECORDING, 0, self.CUT), kept_session(RECORDING, self.CUT, len(AUDIO), pk=2)]
        assert check_recording(sessions, [ON_DISK[: self.CUT], ON_DISK[self.CUT :]], RECORDING).is_clean

    def test_a_gap_between_them_is_lost_and_so_is_a_second_part_without_lines(self) -> None:
        first, second = kept_session(RECORDING, 0, self.CUT), kept_session(RECORDING, self.CUT, len(AUDIO))
        gap = [ON_DISK[: self.CUT], ON_DISK[self.CUT + FRAME :]]
        assert not check_recording([first, second], gap, RECORDING).is_clean
        mute = replace(second, lines=[])
        verdict = check_recording([first, mute], [ON_DISK[: self.CUT], ON_DISK[self.CUT :]], RECORDING)
        assert verdict.lost_samples == len(AUDIO) - self.CUT

    def test_an_end_that_nobody_went_on_from_is_lost(self) -> None:
        first = kept_session(RECORDING, 0, self.CUT)
        assert check_recording([first], [ON_DISK[: self.CUT]], RECORDING).lost_samples > 0


class TestPlainSenders:
    SENT_AT = (9.6, 9.8, 10.0, 10.2, 10.4, 10.6, 10.8, 11.0)

    def lost(self, missing: list[int], *hushes: Hush, breaks: tuple[int, ...] = (8,)) -> list[int]:
        return unexplained(missing, breaks, in_flight=2, sent_at=self.SENT_AT, hushes=hushes)

    def test_a_break_explains_half_a_second_and_no_more(self) -> None:
        assert self.lost([3, 4, 5, 6, 7]) == [3, 4, 5]
        assert IN_FLIGHT * FRAME / SAMPLE_RATE <= 0.5

    def test_what_was_sent_into_nothing_is_explained_if_the_connection_broke_of_it(self) -> None:
        hush = Hush(10.3, 10.5)
        assert self.lost([4, 5, 6], hush) == []
        assert self.lost([4, 5, 6], hush, breaks=()) == [4, 5, 6]

    def test_so_is_what_was_on_its_way_when_that_began_and_nothing_before(self) -> None:
        assert self.lost([0, 1, 2, 3, 4], Hush(10.3, 10.5)) == [0, 1]
        assert self.lost([0, 1, 2, 3], Hush(10.3, 10.5), breaks=()) == [0, 1, 2, 3]

    def test_what_was_lost_behind_a_connection_is_explained_though_it_did_not_break(self) -> None:
        loss = Hush(10.3, 10.5, needs_break=False)
        assert self.lost([0, 1, 2, 3, 4, 5, 6], loss, breaks=()) == [0, 1]


async def sent_to_a_server_that_closes(*codes: int) -> PlainSender:
    """A plain sender whose connections end so, one after the other, behind its first frame."""
    endings = iter(codes)

    async def end(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(next(endings), "odd")

    async with serve(end, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        sender = PlainSender([f"ws://127.0.0.1:{port}"], "x", Recording(1, 8, has_pauses=False))
        await asyncio.wait_for(sender.run(), 10)
    assert next(endings, None) is None
    return sender


@pytest.mark.parametrize(("code", "told_at"), [(SESSION_ENDED, 1), (1000, None)])
def test_a_plain_sender_hears_while_it_sends_that_the_session_has_ended(
    code: int, told_at: int | None
) -> None:
    sender = asyncio.run(sent_to_a_server_that_closes(code))

    assert (sender.was_told_at, sender.breaks) == (told_at, [told_at] if told_at else [])


def test_a_plain_sender_goes_on_after_any_other_end_and_keeps_how_it_was() -> None:
    sender = asyncio.run(sent_to_a_server_that_closes(1011, 4409, 1000))

    assert sender.breaks == [1, 2]
    assert [ending.split()[1] for ending in sender.endings] == ["1011", "4409"]


GOOD = Course(faults=3, meetings=5, lines=20)


class TestRuns:
    """Each thing that must not be makes a run unclean, also that it could not have seen anything."""

    def test_one_in_which_things_failed_and_nothing_was_lost_is_clean(self) -> None:
        assert wrong_with(GOOD, Verdict()) == []

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"faults": 0}, "nothing failed"),
            ({"meetings": 0}, "no meeting was held"),
            ({"lines": 0}, "no line was recognised"),
            ({"unfinished": 2}, "2 meetings did not end"),
            ({"never_back": ["web-1", "worker-2"]}, "never came back: web-1, worker-2"),
            ({"tracebacks": ["web-1: KeyError"]}, "1 tracebacks in the logs"),
            ({"nemesis_died": "OSError()"}, "what breaks things died: OSError()"),
            ({"plain_loss_s": 0.6}, "a plain sender lost 0.6 s at once"),
        ],
    )
    def test_each_of_these_is_told(self, change: dict[str, Any], said: str) -> None:
        assert wrong_with(replace(GOOD, **change), Verdict()) == [said]

    @pytest.mark.parametrize(
        "verdict",
        [Verdict(lost_samples=1), Verdict(lost_lines=1), Verdict(doubled_lines=1), Verdict(wrong_lines=1)],
    )
    def test_so_is_everything_that_was_lost(self, verdict: Verdict) -> None:
        assert wrong_with(GOOD, verdict) == ["samples, lines or places are lost, doubled or wrong"]

    def test_a_report_of_nothing_is_not_clean(self) -> None:
        assert not Report(1, 1).is_clean

    def test_a_traceback_in_a_log_is_found_with_its_error(self) -> None:
        log = (
            "2026 INFO fine\nTraceback (most recent call last):\n"
            '  File "x.py", line 1, in f\n    x()\nKeyError: 1\n'
        )
        assert tracebacks("web-1", log + "more\n" + log) == ["web-1: KeyError: 1"] * 2

    async def test_what_breaks_things_is_seen_to_have_died(self) -> None:
        async def die() -> None:
            raise OSError("no more")

        raging = asyncio.create_task(die())
        await asyncio.sleep(0)
        assert await run._end_of(raging) == "OSError('no more')"
        assert await run._end_of(asyncio.create_task(asyncio.sleep(60))) == ""


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
        two |= {"lost_samples": 7, "faults": 3, "recovery_p95_s": 4.5, "faults_by_kind": {"cut": 3}}
        figures = combined([one | {"faults": 2, "faults_by_kind": {"cut": 1, "kill": 1}}, two])
        assert (figures["faults"], figures["lost_samples"], figures["minutes"]) == (5, 7, 3)
        assert figures["recovery_p95_s"] == 4.5
        assert figures["faults_by_kind"] == {"cut": 4, "kill": 1}
        assert len(figures["runs"]) == 2


HUNGRY = """
import time
taken = []
while True:
    taken.append(bytearray(100_000))
    time.sleep(0.01)
"""


class TestMemoryLimit:
    @pytest.fixture
    def limit(self) -> Iterator[MemoryLimit]:
        with memory_limit() as limit:
            if limit is None:
                pytest.skip("no group of processes may be made here")
            yield limit

    def test_who_takes_more_is_killed_and_others_are_not(self, limit: MemoryLimit, tmp_path: Path) -> None:
        command = [sys.executable, "-c", HUNGRY]
        first, second = (LocalProcess(name, command, log=tmp_path / name) for name in ("first", "second"))
        with first, second:
            limit.starve(first)
            assert not first.is_running
            assert second.is_running


def fault(kind: str, began_at: float, over_at: float | None = None) -> Fault:
    return Fault(kind, began_at, began_at if over_at is None else over_at)


class TestRecovery:
    def test_is_from_the_fault_to_the_next_result(self) -> None:
        [(kind, lasted_s)] = recoveries([0.0, 0.6, 1.2, 3.7, 4.3], [fault("kill web", 1.3)])
        assert kind == "kill web"
        assert lasted_s == pytest.approx(2.4)

    def test_results_that_were_on_their_way_do_not_count(self) -> None:
        [(_, lasted_s)] = recoveries([0.0, 0.6, 1.2, 1.32, 3.7], [fault("kill web", 1.3)])
        assert lasted_s == pytest.approx(2.38)

    def test_no_silence_is_no_recovery(self) -> None:
        assert recoveries([0.0, 0.6, 1.2, 1.8, 2.4], [fault("kill web", 1.3)]) == []

    def test_of_something_frozen_it_begins_with_its_return(self) -> None:
        [(_, lasted_s)] = recoveries([0.0, 0.6, 5.9, 6.5], [fault("freeze web", 1.0, 5.0)])
        assert lasted_s == pytest.approx(0.9)

    def test_the_time_in_which_another_lasts_does_not_count(self) -> None:
        faults = [fault("lose network", 1.0, 9.0), fault("kill worker", 3.0), fault("kill web", 30.0)]
        [(kind, lasted_s)] = recoveries([0.0, 0.6, 10.5, 11.0], faults)
        assert kind == "lose network"
        assert lasted_s == pytest.approx(1.5)

    def test_that_between_two_does(self) -> None:
        faults = [fault("kill worker", 1.0), fault("freeze redis", 4.0, 6.0), fault("cut sockets", 6.5)]
        [(kind, lasted_s)] = recoveries([0.0, 0.6, 7.0, 7.6], faults)
        assert kind == "cut sockets"
        assert lasted_s == pytest.approx(3.0 + 1.0)

    def test_one_that_was_over_before_has_nothing_to_do_with_it(self) -> None:
        faults = [fault("kill worker", 1.3), fault("kill web", 5.1)]
        found = recoveries([0.0, 0.6, 1.2, 3.0, 3.5, 4.0, 5.0, 9.0], faults)
        assert [kind for kind, _ in found] == ["kill worker", "kill web"]
        assert [lasted_s for _, lasted_s in found] == [pytest.approx(1.7), pytest.approx(3.9)]

    def test_a_silence_without_any_fault_is_none_of_them(self) -> None:
        assert recoveries([0.0, 0.6, 9.0], [fault("kill web", 20.0)]) == []

    def test_a_session_that_had_ended_recovers_from_nothing(self) -> None:
        assert recoveries([0.0, 0.6], [fault("kill web", 1.0)]) == []


@pytest.mark.slow(60)
async def test_nothing_is_lost_in_half_a_minute_of_chaos() -> None:
    try:
        # Without a plain sender: what its sockets hold on a busy machine is more than on an idle one.
        report = await run_chaos(0.5, seed=11, senders=3)
    except NotInstalled as error:
        pytest.skip(str(error))
    assert report.is_clean, report.summary
    assert report.faults
    assert report.meetings >= 3
