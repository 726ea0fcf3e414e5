"""Servers beside ours: what they tell is read by their protocols, and judged alike."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.peers import environments, page, playing
from benchmarks.peers.__main__ import LIBRARIES, SERVERS, ratios
from benchmarks.peers.interface import Reader, Running
from benchmarks.peers.judging import Update, Verdict, as_said, changes, ends_in, figures, judge, plain
from benchmarks.peers.meeting import PAUSE, Clip, clips, join
from benchmarks.peers.ours import OurReader, Ours
from benchmarks.peers.whisperlivekit import WhisperLiveKit, WhisperLiveKitReader
from recognition.audio import samples, seconds


def clip(text: str, length_s: float) -> Clip:
    return Clip(text, np.full(samples(length_s), 0.1, np.float32))


class TestAMeeting:
    def test_has_a_pause_around_each_clip_and_knows_when_each_ends(self) -> None:
        meeting = join([clip("一", 1.0), clip("二", 2.0)])
        pause = seconds(PAUSE)
        assert meeting.ends_s == [pause + 1.0, 2 * pause + 3.0]
        assert meeting.seconds == pytest.approx(3 * pause + 3.0)
        assert not meeting.audio[:PAUSE].any()
        assert meeting.audio[samples(meeting.ends_s[0]) - 1] and not meeting.audio[samples(meeting.ends_s[0])]

    def test_of_another_stream_begins_with_another_clip(self) -> None:
        meeting = join([clip("一", 1.0), clip("二", 2.0), clip("三", 1.0)], first=1)
        assert meeting.texts == ["二", "三", "一"]

    def test_has_as_many_clips_as_there_is_time_for_without_their_silence(self, tmp_path: Path) -> None:
        quiet, loud = np.zeros(samples(1.0), np.float32), np.full(samples(50.0), 0.5, np.float32)
        rows = []
        for number in range(5):
            soundfile.write(tmp_path / f"{number}.wav", np.concatenate([quiet, loud, quiet]), 16_000)
            rows.append({"file": f"{number}.wav", "speaker": str(number), "text": str(number)})
        (tmp_path / "manifest.json").write_text(json.dumps(rows))
        found = clips(tmp_path, folder="")
        assert [each.text for each in found] == ["0", "1", "2"]
        assert {len(each.audio) for each in found} == {samples(50.0)}


class TestTexts:
    @pytest.mark.parametrize(
        ("written", "said"),
        [
            ("305,334", "三十万五千三百三十四"),
            ("一名60岁左右的工人。", "一名六十岁左右的工人"),
            ("現在這個部門", "现在这个部门"),
            ("两、幺、〇", "二一零"),
            ("Loft 生活", "loft生活"),
        ],
    )
    def test_are_alike_however_they_are_written(self, written: str, said: str) -> None:
        assert as_said(written) == said

    def test_keep_their_digits_where_places_in_them_count(self) -> None:
        assert plain("現在，305,334！") == "现在305334"


class TestPlacesOfEnds:
    def test_are_found_though_words_are_wrong_missing_or_too_many(self) -> None:
        assert ends_in(["一二三", "四五六"], "一二三四五六") == [3, 6]
        assert ends_in(["一二三", "四五六"], "一八三四五六") == [3, 6]
        assert ends_in(["一二三", "四五六"], "一三四五六") == [2, 5]
        assert ends_in(["一二三", "四五六"], "一二三四五") == [3, 5]
        assert ends_in(["一二三", "四五六"], "") == [0, 0]


class TestChanges:
    def test_are_what_was_taken_away_again(self) -> None:
        assert changes(["一", "一二", "一二三"]) == (3, 0)
        assert changes(["一二", "一三四", "一三"]) == (4, 2)
        assert changes([]) == (0, 0)


class TestAVerdict:
    TEXTS, ENDS = ("你好世界", "再见"), (2.0, 4.0)

    def test_has_the_delay_of_each_clip_until_its_last_character_is_firm(self) -> None:
        updates = [
            Update(1.5, "", "你", "你好"),
            Update(3.0, "你好世界。", "你好世界。", "你好世界。"),
            Update(3.5, "你好世界。", "你好世界。", "你好世界。在"),
            Update(6.5, "你好世界。再见", "你好世界。再见", "你好世界。再见"),
        ]
        verdict = judge(self.TEXTS, self.ENDS, updates)
        assert verdict == Verdict(0, 6, [1.0, 2.5], 0, (6, 0), (7, 1))

    def test_counts_clips_that_never_became_firm(self) -> None:
        verdict = judge(self.TEXTS, self.ENDS, [Update(9.0, "", "", "你好世界再见")])
        assert verdict.edits == verdict.characters == 6

    def test_of_a_server_that_says_nothing_is_that_all_is_wrong(self) -> None:
        assert judge(self.TEXTS, self.ENDS, []).edits == 6

    def test_of_several_streams_is_that_of_all_their_characters(self) -> None:
        found = figures(
            [Verdict(1, 10, [1.0, 2.0], 0, (10, 0), (20, 5)), Verdict(2, 20, [3.0], 1, (10, 1), (20, 5))]
        )
        assert found == {
            "cer": 0.1,
            "final_delay_p50_s": 2.0,
            "final_delay_p95_s": 2.9,
            "clips_never_final": 1,
            "sure_taken_back": 0.05,
            "shown_taken_back": 0.25,
        }

    def test_has_no_delay_where_nothing_became_firm(self) -> None:
        assert figures([Verdict(6, 6, [], 2, (0, 0), (0, 0))])["final_delay_p50_s"] is None


class TestReaders:
    def test_ours_has_lines_by_number_and_a_partial_behind_them(self) -> None:
        reader = OurReader()
        for message in (
            {"asr": "", "event": {"type": "hello"}},
            {"asr": "大家", "final": False, "tail": "好吗"},
        ):
            reader.read(message)
        assert (reader.firm, reader.sure, reader.shown) == ("", "大家", "大家好吗")
        reader.read({"asr": "大家好。", "seq": 1, "final": True})
        reader.read({"asr": "开", "final": False})
        assert (reader.firm, reader.shown, reader.is_over) == ("大家好。", "大家好。开", False)
        reader.read({"asr": "", "event": {"type": "session_end"}})
        assert reader.is_over

    def test_whisperlivekits_has_all_of_it_each_time_without_silence(self) -> None:
        reader = WhisperLiveKitReader()
        reader.read({"type": "config"})
        lines = [{"speaker": 1, "text": "大家"}, {"speaker": -2, "text": ""}, {"speaker": 1, "text": "好"}]
        reader.read({"lines": lines, "buffer_transcription": "吗"})
        assert (reader.firm, reader.sure, reader.shown) == ("大家好", "大家好", "大家好吗")
        reader.read({"type": "ready_to_stop"})
        assert (reader.firm, reader.is_over) == ("大家好", True)


class TestFrames:
    AUDIO = np.array([0.0, 0.5, -1.5], np.float32)

    def test_of_ours_are_floats(self) -> None:
        np.testing.assert_array_equal(np.frombuffer(Ours().frame(self.AUDIO), "<f4"), self.AUDIO)

    def test_of_whisperlivekit_are_integers_that_do_not_wrap(self) -> None:
        frame = WhisperLiveKit("localagreement").frame(self.AUDIO)
        assert np.frombuffer(frame, "<i2").tolist() == [0, 16383, -32767]


class TestAnEnvironment:
    def test_is_made_once_for_what_it_shall_have(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commands: list[list[str]] = []
        monkeypatch.setattr(environments, "PEERS", tmp_path)
        monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
        (tmp_path / "one").mkdir()
        for requirements in (("a==1", "b==2"), ("a==1", "b==2"), ("a==2",)):
            assert environments.python("one", requirements) == tmp_path / "one" / "bin" / "python"
        assert [command[-2:] for command in commands if "pip" in command] == [
            ["a==1", "b==2"],
            ["--quiet", "a==2"],
        ]


class StandIn:
    """Says of each second of audio that somebody spoke, and is done when it is told that this is all."""

    name, title = "stand-in", "A stand-in"

    def install(self) -> None:
        pass

    @contextlib.contextmanager
    def serve(self) -> Iterator[Running]:
        yield Running(0, os.getpid())

    def address(self, port: int, stream: str) -> str:
        return f"ws://127.0.0.1:{port}/{stream}"

    def frame(self, audio: np.ndarray) -> bytes:
        return audio.astype("<f4").tobytes()

    def farewell(self) -> str:
        return "close"

    def reader(self) -> Reader:
        return OurReader()


async def answer(socket: ServerConnection) -> None:
    heard = said = 0
    async for message in socket:
        if message == "close":
            await socket.send(json.dumps({"asr": "", "event": {"type": "session_end"}}))
            return
        heard += len(message) // 4
        while heard >= (said + 1) * 16_000:
            said += 1
            await socket.send(json.dumps({"asr": "说", "seq": said, "final": True}))


class TestStreams:
    async def test_are_played_at_the_pace_of_speech_side_by_side(self) -> None:
        meeting = join([clip("说说", 0.9)])
        async with serve(answer, "127.0.0.1", 0) as server:
            running = Running(next(iter(server.sockets)).getsockname()[1], os.getpid())
            found = await playing._measured(StandIn(), running, [meeting, meeting])
        assert found["streams"] == 2
        assert (found["cer"], found["clips_never_final"]) == (0, 0)
        assert found["over_after_s"] >= 0

    async def test_are_not_waited_for_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def be_silent(socket: ServerConnection) -> None:
            await socket.wait_closed()

        monkeypatch.setattr(playing, "PATIENCE_S", 0.2)
        async with serve(be_silent, "127.0.0.1", 0) as server:
            running = Running(next(iter(server.sockets)).getsockname()[1], os.getpid())
            async with asyncio.timeout(20):
                found = await playing._measured(StandIn(), running, [join([clip("说", 0.2)])])
        assert (found["cer"], found["final_delay_p50_s"]) == (1.0, None)

    def test_a_server_gets_a_core_and_the_others_are_left_to_who_plays(self) -> None:
        mine = os.sched_getaffinity(0)
        with playing.on_core(max(mine)):
            assert os.sched_getaffinity(0) == {max(mine)}
        assert os.sched_getaffinity(0) == mine


RUN: dict[str, Any] = {
    "peer": "asrsite",
    "title": "asrsite",
    "streams": 1,
    "cer": 0.12,
    "final_delay_p50_s": 1.0,
    "final_delay_p95_s": 1.5,
    "clips_never_final": 0,
    "sure_taken_back": 0.01,
    "shown_taken_back": 0.05,
    "cpu_ms_per_s": 200,
    "over_after_s": 0.5,
    "rss_mib": 900,
    "load": 1.5,
}


def test_ratios_are_ours_over_the_better_of_theirs_with_the_fewest_streams() -> None:
    theirs = [{**RUN, "cer": 0.24, "final_delay_p50_s": 4.0}, {**RUN, "cer": 0.48, "final_delay_p50_s": None}]
    more = [{**RUN, "streams": 2, "cer": 0.9}] * 3
    assert ratios([RUN, *theirs, *more]) == {
        "people_final_delay_over_whisperlivekit": 0.25,
        "people_cer_over_whisperlivekit": 0.5,
    }


def test_the_page_has_a_row_for_each_run() -> None:
    rows = page.table([RUN, {**RUN, "final_delay_p50_s": None, "clips_never_final": 2}]).splitlines()
    assert rows[2] == "| asrsite | 1 | 12.0% | 1.0 / 1.5 | 1% / 5% | 200 | 0.5 | 900 |"
    assert "| - / 1.5; 2 never |" in rows[3]


def test_the_page_says_what_else_the_machine_had_to_do() -> None:
    assert (
        page.disturbance([RUN, {**RUN, "load": 3.0}]) == "Meanwhile 1.5 to 3.0 processes wanted to compute."
    )


def test_the_page_has_a_place_for_each_comparison() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    for name in (*SERVERS, LIBRARIES):
        assert f"<!-- {name} -->" in text
