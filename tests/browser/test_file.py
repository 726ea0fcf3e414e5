"""A file in the place of the microphone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .browsing import Site, shown_lines, write_wav
from .conftest import SPOKEN

pytestmark = pytest.mark.slow

TEXTS = [line.text for line in SPOKEN.lines]


def choose(page: Page, file: Path, *, pace: str) -> None:
    page.goto("/record/")
    page.get_by_role("radio", name="Audio file").check()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_label("Pace").select_option(pace)
    page.get_by_role("button", name="Transcribe").click()


@pytest.mark.parametrize("pace", ["fast", "real"])
def test_every_sample_of_a_file_is_transcribed(site: Site, page: Page, tmp_path: Path, pace: str):
    audio = SPOKEN.audio(pause_s=1.2)
    choose(page, write_wav(tmp_path / f"周会 {pace}.wav", audio), pace=pace)
    expect(page.locator("#title")).to_have_text(f"周会 {pace}")
    if pace == "real":
        expect(page.locator("#recorder-word")).to_have_text("Transcribing")
        page.get_by_role("button", name="Pause").click()
        page.wait_for_timeout(1500)  # what would be lost if the file ran on
        page.get_by_role("button", name="Go on").click()
    expect(page.locator("#state")).to_have_text("ended", timeout=90_000)
    key = page.url.rstrip("/").rsplit("/", 1)[-1]
    assert shown_lines(page) == site.lines(key) == TEXTS
    assert site.rows("SELECT durable FROM sessions_app_session WHERE key = ?", key) == [(len(audio),)]


def test_a_file_without_audio_is_refused_with_a_reason(page: Page, tmp_path: Path):
    file = tmp_path / "notes.mp3"
    file.write_text("no sound at all")
    choose(page, file, pace="fast")
    expect(page.get_by_role("alert")).to_contain_text("notes.mp3 holds no audio that this browser can read")
    expect(page.get_by_role("button", name="Transcribe")).to_be_enabled()
