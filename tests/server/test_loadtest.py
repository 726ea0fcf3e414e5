"""`manage.py loadtest` against a running service."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sessions_app.management.load_generator import Playing, ReceivedLines, Report, SessionLoad, counted
from tests.support.clients import MEETING
from tests.support.server import Server


@pytest.mark.slow
def test_says_how_late_lines_come_and_that_none_is_missing(server: Server, tmp_path: Path) -> None:
    audio = tmp_path / "meeting.wav"
    soundfile.write(audio, MEETING.audio(), 16_000)
    said = server.manage(
        *("loadtest", "--senders", "2", "--receivers", "2", "--seconds", "11.3"),
        *("--server", f"ws://127.0.0.1:{server.port}", "--file", str(audio)),
    )
    assert "8 lines" in said
    assert "no line is missing" in said


@pytest.mark.slow
def test_says_so_when_there_is_no_service(server: Server) -> None:
    said = server.manage("loadtest", "--senders", "1", "--seconds", "1", "--server", "ws://127.0.0.1:1")
    assert "0 lines" in said
    assert "not taken to the end" in said


def heard(*texts: str, late_s: float = 0.5, close_code: int | None = 1000, error: str = "") -> ReceivedLines:
    return ReceivedLines({seq: (text, late_s) for seq, text in enumerate(texts, 1)}, close_code, error)


class TestReport:
    def test_a_receiver_with_the_senders_lines_misses_nothing(self) -> None:
        assert SessionLoad(heard("a", "b"), [heard("a", "b")]).missing == 0

    def test_lines_that_lack_or_differ_or_are_too_many_are_missing(self) -> None:
        receivers = [heard("a"), heard("a", "x"), heard("a", "b", "c")]
        assert SessionLoad(heard("a", "b"), receivers).missing == 3

    def test_a_sender_that_was_not_taken_to_the_end_is_counted(self) -> None:
        refused = [
            SessionLoad(heard(close_code=4503, error="overloaded"), []),
            SessionLoad(heard("a", close_code=None), []),
        ]
        report = Report([SessionLoad(heard("a"), []), *refused])
        assert counted(report.refused) == "cut off 1, overloaded 1"

    def test_delays_are_those_of_all_who_listen(self) -> None:
        report = Report([SessionLoad(heard("a", late_s=0.2), [heard("a", late_s=1.0)])])
        assert (report.delay_s(0.0), report.delay_s(0.99)) == (0.2, 1.0)


class TestPlaying:
    def test_a_recording_is_played_again_and_again_from_any_place_on(self) -> None:
        recording = np.arange(4000, dtype=np.float32)

        frames = list(Playing(recording, begins_at=1000, length=9000).frames())

        assert [len(frame) for frame in frames] == [3200, 3200, 2600]
        assert np.concatenate(frames).tolist() == np.tile(recording, 3)[1000:10_000].tolist()
