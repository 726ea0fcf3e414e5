"""`manage.py loadtest`: what it refuses before it opens a socket, and what it says of what it found."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.management import CommandError, call_command

from sessions_app.management.commands import loadtest
from sessions_app.management.load_generator import ReceivedLines, Report, SessionLoad


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("loadtest", *arguments, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    file = tmp_path / "audio.wav"
    soundfile.write(file, np.zeros(1600, np.float32), 16_000)
    return file


@pytest.mark.parametrize(
    "arguments",
    [
        ["--senders", "0"],
        ["--senders", "-3"],
        ["--receivers", "-1"],
        ["--seconds", "0"],
        ["--seconds", "-1"],
        ["--seconds", "nan"],
        ["--seconds", "inf"],
    ],
)
def test_load_that_cannot_be_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="there must be a sender, no fewer than 0 receivers"):
        run(*arguments)


class TestFile:
    def test_one_that_is_not_there_is_named(self) -> None:
        with pytest.raises(CommandError, match=r"nowhere\.wav cannot be read"):
            run("--file", "nowhere.wav")

    def test_one_that_is_no_audio_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "notes.wav").write_text("no audio")

        with pytest.raises(CommandError, match=r"notes\.wav cannot be read"):
            run("--file", str(tmp_path / "notes.wav"))

    @pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 1), (16_000, 2)])
    def test_one_in_another_format_is_named(self, tmp_path: Path, rate: int, channels: int) -> None:
        soundfile.write(tmp_path / "a.wav", np.zeros((100, channels), np.float32), rate)

        with pytest.raises(CommandError, match=rf"must be mono at 16000 Hz, not {rate} Hz"):
            run("--file", str(tmp_path / "a.wav"))

    def test_one_without_any_audio_is_named(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", np.zeros(0, np.float32), 16_000)

        with pytest.raises(CommandError, match="holds no audio"):
            run("--file", str(tmp_path / "a.wav"))


class TestReport:
    """What is said, whatever was found; the load itself is tested against a running service."""

    @pytest.fixture
    def found(self, monkeypatch: pytest.MonkeyPatch) -> list[SessionLoad]:
        loads: list[SessionLoad] = []
        self.asked: dict[str, Any] = {}

        async def drive(servers: list[str], recording: np.ndarray, **asked: Any) -> Report:
            self.asked = {"servers": servers, "samples": len(recording), **asked}
            return Report(loads)

        monkeypatch.setattr(loadtest, "drive", drive)
        return loads

    def heard(self, *delays: float, close_code: int = 1000, error: str = "") -> ReceivedLines:
        return ReceivedLines({n: (f"line {n}", s) for n, s in enumerate(delays, 1)}, close_code, error)

    def test_lines_that_all_came_are_counted_with_their_delays(
        self, found: list[SessionLoad], audio: Path
    ) -> None:
        found.append(SessionLoad(self.heard(0.5, 0.5), [self.heard(1.0, 2.0)]))

        said = run("--file", str(audio), "--senders", "1", "--receivers", "1")

        assert "1 sessions with 1 receivers each" in said
        assert "2 lines; from the end of what was said to its line: p50 1.00 s, p95 2.00 s" in said
        assert said.endswith("no line is missing\n")

    def test_a_line_that_is_missing_is_a_failure(self, found: list[SessionLoad], audio: Path) -> None:
        found.append(SessionLoad(self.heard(0.5, 0.5), [self.heard(1.0)]))

        with pytest.raises(CommandError, match="1 lines are missing at receivers"):
            run("--file", str(audio))

    def test_senders_that_were_refused_are_counted_by_reason(
        self, found: list[SessionLoad], audio: Path
    ) -> None:
        found += [SessionLoad(self.heard(close_code=4503, error="overloaded"), []) for _ in range(2)]

        assert "not taken to the end: overloaded 2\n" in run("--file", str(audio))

    def test_several_servers_and_a_token_are_passed_on(self, found: list[SessionLoad], audio: Path) -> None:
        run(
            "--file",
            str(audio),
            "--server",
            "ws://a",
            "--server",
            "ws://b",
            "--token",
            "t",
            "--seconds",
            "9.5",
        )

        assert self.asked["servers"] == ["ws://a", "ws://b"]
        assert (self.asked["token"], self.asked["length_s"], self.asked["samples"]) == ("t", 9.5, 1600)
        assert self.asked["prefix"].startswith("load-")

    def test_without_a_file_it_is_the_sample_meeting_on_this_server(
        self, found: list[SessionLoad], settings: Any
    ) -> None:
        run()

        assert self.asked["servers"] == [f"ws://{settings.HOST}:{settings.PORT}"]
        assert self.asked["samples"] > 16_000
