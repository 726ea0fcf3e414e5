"""Files: sent to the server and transcribed there, or played by the browser in the place of a microphone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from recognition.audio import SAMPLE_RATE

from .browsing import Site, shown_lines, write_wav
from .conftest import SPOKEN, TEXTS

pytestmark = [pytest.mark.slow(10), pytest.mark.xdist_group("browser: meetings")]


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


def test_every_sample_of_a_file_is_played_in_real_time(site: Site, page: Page, tmp_path: Path) -> None:
    audio = SPOKEN.audio(pause_s=1.2)
    choose(page, write_wav(tmp_path / "周会.wav", audio), pace="real")
    expect(page.locator("#title")).to_have_text("周会")
    expect(page.locator("#recorder-word")).to_have_text("Transcribing")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(1500)  # what would be lost if the file ran on
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#elapsed")).to_have_text(re.compile(r"0:0[1-9] / 0:\d\d"))
    expect(page.locator("#lag")).to_have_text("less than a minute left")
    check_meeting(site, page, len(audio))


def check_meeting(site: Site, page: Page, length: int) -> None:
    """Wait for the end of the meeting that the page shows, and compare."""
    expect(page.locator("#state")).to_have_text("ended", timeout=90_000)
    key = page.url.rstrip("/").rsplit("/", 1)[-1]
    assert shown_lines(page) == site.lines(key) == TEXTS
    assert site.rows("SELECT durable FROM sessions_app_session WHERE key = ?", key) == [(length,)]


def test_every_sample_of_a_file_is_transcribed_on_the_server(site: Site, page: Page, tmp_path: Path) -> None:
    audio = SPOKEN.audio(pause_s=1.2)
    choose(page, write_wav(tmp_path / "董事会.wav", audio), pace="fast")
    page.wait_for_url("**/sessions/**")  # a single file leads to its meeting
    expect(page.locator("#title")).to_have_text("董事会")
    check_meeting(site, page, len(audio))


def row_of(page: Page, name: str) -> Locator:
    return page.locator(".upload", has_text=name)


def test_several_files_of_every_usual_kind_at_once_and_the_page_closed_after(
    site: Site, anna: BrowserContext, page: Page, tmp_path: Path
) -> None:
    names = [f"kind.{ending}" for ending in ("flac", "mp3", "ogg", "m4a", "webm")]
    for name in names:
        write_compressed(tmp_path / name, SPOKEN.audio(pause_s=1.2))
    page.goto("/record/")
    page.get_by_role("radio", name="Audio file").check()
    page.locator("input[type=file]").set_input_files([tmp_path / name for name in names])
    page.get_by_role("button", name="Transcribe", exact=True).click()
    for name in names:
        expect(row_of(page, name)).to_contain_text(re.compile("Waiting|Transcrib"))
    page.close()

    later = anna.new_page()
    later.goto("/")
    for name in names:
        expect(row_of(later, name)).to_contain_text("Transcribed", timeout=90_000)
    row_of(later, "kind.mp3").get_by_role("link", name="Open").click()
    expect(later.locator("#title")).to_have_text("kind")
    assert shown_lines(later) == TEXTS


def test_progress_is_told_and_a_file_can_be_called_off(site: Site, page: Page, tmp_path: Path) -> None:
    long = np.concatenate([SPOKEN.audio(pause_s=1.2)] * 400)
    page.goto("/record/")
    page.get_by_role("radio", name="Audio file").check()
    files = [write_wav(tmp_path / name, long) for name in ("long one.wav", "long two.wav")]
    page.locator("input[type=file]").set_input_files(files)
    page.get_by_role("button", name="Transcribe", exact=True).click()
    first = row_of(page, "long one.wav")
    expect(first).to_contain_text(re.compile(r"Transcribing · \d+:\d\d / \d+:\d\d"), timeout=60_000)
    assert 0 <= float(first.locator("progress").get_attribute("value") or 0) < 1
    for name in ("long one.wav", "long two.wav"):
        row_of(page, name).get_by_role("button", name="Cancel").click()
        expect(row_of(page, name)).to_have_count(0)
    states = "SELECT DISTINCT state FROM sessions_app_upload WHERE name LIKE 'long%'"
    assert site.rows(states) == [("cancelled",)]


def test_a_file_that_broke_off_goes_on_where_the_server_has_it(
    site: Site, anna: BrowserContext, page: Page, tmp_path: Path
) -> None:
    audio = np.concatenate([SPOKEN.audio(pause_s=1.2)] * 15)  # some pieces
    file = write_wav(tmp_path / "broken.wav", audio)
    assert file.stat().st_size > 4 * 2**20
    asked: list[str] = []

    def let_one_through(route: Route) -> None:
        if asked.count("PATCH") and route.request.method == "PATCH":
            route.abort()
            return
        asked.append(route.request.method)
        route.continue_()

    page.route("**/api/uploads/*", let_one_through)
    page.goto("/record/")
    page.get_by_role("radio", name="Audio file").check()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(row_of(page, "broken.wav")).to_contain_text("The server cannot be reached; it goes on at")
    page.close(run_before_unload=False)

    again = anna.new_page()
    again.goto("/record/")
    expect(row_of(again, "broken.wav")).to_contain_text("choose the same file again")
    again.get_by_role("radio", name="Audio file").check()
    again.locator("input[type=file]").set_input_files(file)
    again.get_by_role("button", name="Transcribe", exact=True).click()
    again.wait_for_url("**/sessions/**")
    expect(again.locator("#state")).to_have_text("ended", timeout=90_000)
    rows = site.rows("SELECT size, received FROM sessions_app_upload WHERE name = 'broken.wav'")
    assert rows == [(file.stat().st_size, file.stat().st_size)]
    key = again.url.rstrip("/").rsplit("/", 1)[-1]
    assert site.rows("SELECT durable FROM sessions_app_session WHERE key = ?", key) == [(len(audio),)]


def test_a_file_without_audio_is_refused_with_its_name_and_a_reason(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "notes.mp3"
    file.write_text("no sound at all")
    choose(page, file, pace="fast")
    expect(row_of(page, "notes.mp3")).to_contain_text("It has no sound that can be read")
    row_of(page, "notes.mp3").get_by_role("button", name="Remove from this list").click()
    expect(row_of(page, "notes.mp3")).to_have_count(0)


def test_so_is_one_that_the_browser_cannot_play(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "notes.mp3"
    file.write_text("no sound at all")
    choose(page, file, pace="real")
    expect(page.get_by_role("alert")).to_contain_text(
        "notes.mp3 contains no audio that this browser can read"
    )
    expect(page.get_by_role("button", name="Transcribe", exact=True)).to_be_enabled()
