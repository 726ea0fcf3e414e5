"""A file in the place of the microphone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from recognition.audio import SAMPLE_RATE

from .browsing import Site, shown_lines, write_wav
from .conftest import SPOKEN

pytestmark = [pytest.mark.slow(10), pytest.mark.xdist_group("browser: meetings")]

TEXTS = [line.text for line in SPOKEN.lines]


def choose(page: Page, file: Path, *, pace: str) -> None:
    page.goto("/record/")
    page.get_by_role("radio", name="Audio file").check()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_label("Pace").select_option(pace)
    page.get_by_role("button", name="Transcribe", exact=True).click()


def write_compressed(path: Path, audio: np.ndarray) -> None:
    """Audio, float32, 16 kHz, in the format that the ending of its name says."""
    av = pytest.importorskip("av")
    codecs = {".m4a": "aac", ".webm": "libopus", ".ogg": "libopus", ".mp3": "mp3", ".flac": "flac"}
    rate = 48_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codecs[path.suffix], rate=rate, layout="mono")
        samples = np.repeat((audio * 32_767).astype(np.int16), rate // SAMPLE_RATE)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.frame_size or 960)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("pace", ["fast", "real"])
def test_every_sample_of_a_file_is_transcribed(site: Site, page: Page, tmp_path: Path, pace: str) -> None:
    audio = SPOKEN.audio(pause_s=1.2)
    choose(page, write_wav(tmp_path / f"周会 {pace}.wav", audio), pace=pace)
    expect(page.locator("#title")).to_have_text(f"周会 {pace}")
    if pace == "real":
        expect(page.locator("#recorder-word")).to_have_text("Transcribing")
        page.get_by_role("button", name="Pause").click()
        page.wait_for_timeout(1500)  # what would be lost if the file ran on
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#elapsed")).to_have_text(re.compile(r"0:0[1-9] / 0:\d\d"))
        expect(page.locator("#lag")).to_have_text("less than a minute left")
    expect(page.locator("#state")).to_have_text("ended", timeout=90_000)
    key = page.url.rstrip("/").rsplit("/", 1)[-1]
    assert shown_lines(page) == site.lines(key) == TEXTS
    assert site.rows("SELECT durable FROM sessions_app_session WHERE key = ?", key) == [(len(audio),)]


@pytest.mark.parametrize("ending", ["flac", "mp3", "ogg", "m4a", "webm"])
def test_files_of_every_usual_kind_are_transcribed(
    site: Site, page: Page, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"meeting.{ending}"
    write_compressed(file, SPOKEN.audio(pause_s=1.2))
    choose(page, file, pace="fast")
    expect(page.locator("#state")).to_have_text("ended", timeout=90_000)
    key = page.url.rstrip("/").rsplit("/", 1)[-1]
    assert shown_lines(page) == site.lines(key) == TEXTS


def test_a_file_without_audio_is_refused_with_a_reason(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "notes.mp3"
    file.write_text("no sound at all")
    choose(page, file, pace="fast")
    expect(page.get_by_role("alert")).to_contain_text(
        "notes.mp3 contains no audio that this browser can read"
    )
    expect(page.get_by_role("button", name="Transcribe", exact=True)).to_be_enabled()
