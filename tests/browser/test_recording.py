"""A meeting at the microphone, from the button to the last line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from recognition.evaluation.scoring import character_error_rate
from recognition.model_sets.reading import read_model_set
from tests.support.server import Server

from .browsing import (
    Network,
    Site,
    end_recording,
    launch,
    shown_lines,
    shown_speakers,
    start_recording,
    wait_for,
    write_wav,
)
from .conftest import SPOKEN, TEXTS
from .sample_meeting import PEOPLE, SAMPLE, as_written, reference

pytestmark = [pytest.mark.slow(10), pytest.mark.xdist_group("browser: meetings")]

SPEAKERS = [[*PEOPLE[:2], "Speaker 1"][line.voice] for line in SPOKEN.lines]

OUTAGE_MS = 10_000
SAMPLE_IS_OVER = "1:58"
"""On the clock of whoever records the sample meeting."""


def speakers(site: Site, key: str) -> list[str]:
    """Who says each line, as the database has it."""
    query = (
        "SELECT coalesce(p.name, 'Speaker ' || v.number) FROM sessions_app_utterance u"
        " JOIN sessions_app_session s ON s.id = u.session_id JOIN sessions_app_voice v ON v.id = u.voice_id"
        " LEFT JOIN speakers_speaker p ON p.id = v.speaker_id"
        " WHERE s.key = ? AND NOT u.is_removed ORDER BY u.start, u.id"
    )
    return [name for (name,) in site.rows(query, key)]


def turns(names: Sequence[str]) -> list[str]:
    """Who speaks after whom, however many lines each takes."""
    return [name for name, _ in groupby(names)]


class TestTheMicrophone:
    def test_is_transcribed_line_by_line_with_a_name_for_each(self, site: Site, page: Page) -> None:
        start_recording(page)
        expect(page.locator("#partial")).to_be_visible()
        expect(page.locator("#partial .tail")).to_have_text(re.compile(".{1,3}"))
        wait_for(page, "document.getElementById('level').value > 0.3")
        expect(page.locator("#lines .line")).to_have_count(len(TEXTS))
        expect(page.locator("#lag")).to_contain_text("s behind")
        key = end_recording(page)
        assert shown_lines(page) == site.lines(key) == TEXTS
        assert shown_speakers(page) == speakers(site, key) == SPEAKERS

    def test_is_not_heard_while_paused(self, site: Site, page: Page) -> None:
        start_recording(page)
        expect(page.locator("#lines .line")).to_have_count(1)
        page.locator("#lines .line .text").first.click()
        expect(page.get_by_role("status")).to_contain_text(["its microphone would hear what is played"])
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(page.locator("#recorder-word")).to_have_text("Paused")
        page.locator("#lines .line .text").first.click()
        expect(page.locator("#play")).to_have_attribute("data-playing", "true")
        elapsed = page.locator("#elapsed").text_content()
        page.wait_for_timeout(4000)  # while the meeting goes on
        expect(page.locator("#elapsed")).to_have_text(elapsed or "")
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#play")).to_have_attribute("data-playing", "false")
        expect(page.locator("#lines .line .text").last).to_have_text(TEXTS[-1])
        key = end_recording(page)
        assert shown_lines(page) == site.lines(key)
        assert len(site.lines(key)) < len(TEXTS)
        lengths = "() => ['length', 'duration'].map((id) => document.getElementById(id).textContent)"
        page.wait_for_function(f"() => new Set(({lengths})()).size === 1")
        expect(page.locator("#started")).to_have_text(re.compile(r"\d{4}"))
        page.get_by_role("button", name="More", exact=True).first.click()
        page.get_by_role("menuitem", name="Delete…").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page).to_have_url(site.url + "/")


@pytest.mark.parametrize("size", [(390, 844), (1280, 720)])
def test_the_button_to_begin_is_in_sight_and_what_few_need_is_folded_away(
    site: Site, browser: Browser, size: tuple[int, int]
) -> None:
    with site.context(browser, viewport={"width": size[0], "height": size[1]}) as context:
        page = context.new_page()
        page.goto("/record/")
        expect(page.get_by_role("button", name="Start recording")).to_be_in_viewport(ratio=1)
        expect(page.get_by_label("Hotwords")).to_be_hidden()
        page.get_by_text("More: speakers, hotwords, language").click()
        for label in ("Expected speakers", "Hotwords", "Chinese characters", "Meeting ID"):
            expect(page.get_by_label(label, exact=False).first).to_be_visible()


class TestWhatTheComputerPlays:
    """Chromium's own, which beeps: it is shared without anybody being asked."""

    def test_is_heard_beside_the_microphone_each_with_its_level(self, page: Page) -> None:
        page.goto("/record/")
        page.get_by_label("Also what this computer plays").check()
        page.get_by_role("button", name="Start recording").click()
        expect(page.locator("#computer")).to_be_visible()
        for level in ("computer-level", "level"):
            wait_for(page, f"document.getElementById('{level}').value > 0.3")
        end_recording(page)

    def test_can_be_left_out_and_taken_in_while_the_recording_goes_on(self, page: Page) -> None:
        start_recording(page)
        expect(page.locator("#computer")).to_be_hidden()
        button = page.get_by_role("button", name="Record what this computer plays as well")
        for is_heard in (True, False, True):
            button.click()
            expect(page.locator("#computer")).to_be_visible(visible=is_heard)
            expect(button).to_have_attribute("aria-pressed", str(is_heard).lower())
        expect(page.locator("#recorder-word")).to_have_text("Recording")
        end_recording(page)

    def test_that_nobody_shares_begins_no_meeting_and_says_why(self, page: Page) -> None:
        page.add_init_script(
            "navigator.mediaDevices.getDisplayMedia = async () => {"
            " throw new DOMException('no', 'NotAllowedError'); }"
        )
        page.goto("/record/")
        page.get_by_label("Also what this computer plays").check()
        page.get_by_role("button", name="Start recording").click()
        expect(page.locator("#impossible")).to_contain_text("Nothing was shared")
        expect(page).to_have_url(re.compile("/record/$"))
        page.get_by_label("Also what this computer plays").uncheck()
        page.get_by_role("button", name="Start recording").click()
        expect(page.locator("#recorder-word")).to_have_text("Recording")
        end_recording(page)

    def test_is_not_offered_where_the_browser_shares_no_sound(self, page: Page) -> None:
        page.add_init_script("navigator.mediaDevices.getSupportedConstraints = () => ({});")
        page.goto("/record/")
        expect(page.get_by_role("button", name="Start recording")).to_be_enabled()
        expect(page.locator("#setup-computer")).to_be_hidden()


class TestANetworkThatGoesAway:
    @pytest.fixture
    def network(self, site: Site) -> Iterator[Network]:
        with Network(site.server) as network:
            yield network

    @pytest.fixture
    def far(self, site: Site, browser: Browser, network: Network) -> Iterator[BrowserContext]:
        with site.context(browser, "anna", base=network.url) as context:
            yield context

    def test_for_ten_seconds_loses_no_word_of_the_sender(
        self, site: Site, far: BrowserContext, network: Network
    ) -> None:
        page = far.new_page()
        start_recording(page)
        expect(page.locator("#lines .line")).to_have_count(1)
        note = page.locator("#connection")
        expect(note).to_be_hidden()
        network.fail()
        expect(note).to_contain_text("Connection lost; reconnecting.")
        expect(note).to_contain_text("of your recording are kept on this page and will be sent.")
        page.wait_for_timeout(OUTAGE_MS)
        assert len(shown_lines(page)) < len(TEXTS) == 5
        network.recover()
        expect(note).to_be_hidden()
        expect(page.locator("#lines .line")).to_have_count(len(TEXTS))
        key = end_recording(page)
        assert shown_lines(page) == site.lines(key) == TEXTS
        assert shown_speakers(page) == speakers(site, key) == SPEAKERS

    def test_for_too_long_makes_the_recording_go_on_in_another_meeting(
        self, site: Site, page: Page, far: BrowserContext, network: Network
    ) -> None:
        recorder, reader = far.new_page(), page
        start_recording(recorder)
        expect(recorder.locator("#lines .line")).to_have_count(1)
        reader.goto(recorder.evaluate("location.pathname"))
        key = reader.url.rstrip("/").rsplit("/", 1)[-1]
        network.fail()
        expect(reader.locator("#state")).to_have_text(
            re.compile(r"waiting for the microphone until \d\d:\d\d")
        )
        site.change("UPDATE sessions_app_session SET sender_resumes = 0 WHERE key = ?", key)  # it cannot wait
        expect(reader.locator("#state")).to_have_text("ended")
        expect(reader.locator("#closed-by")).to_have_text("its microphone was away for too long")
        network.recover()
        moved = recorder.locator("#moved")
        expect(moved).to_contain_text("The recording goes on without a gap in another one")
        expect(moved.get_by_role("link")).to_have_text(f"{key}-2")
        expect(recorder.locator("#recorder-word")).to_have_text("Recording")
        link = reader.get_by_role("link", name=f"{key}-2")
        for _ in range(60):  # "Recording" is said before the server knows of the other one
            reader.reload()
            if link.is_visible():
                break
            reader.wait_for_timeout(500)
        link.click()
        expect(reader.locator("#lines .line .text").last).to_have_text(TEXTS[-1])
        recorder.get_by_role("button", name="End", exact=True).click()
        recorder.get_by_role("dialog").get_by_role("button", name="End").click()
        expect(reader.locator("#state")).to_have_text("ended")
        expect(recorder.locator("#left-over")).to_be_hidden()
        said = [*site.lines(key), *site.lines(f"{key}-2")]
        assert said[0] == TEXTS[0]
        assert said[-2:] == TEXTS[-2:]

    def test_keeps_no_line_from_a_reader(
        self, site: Site, page: Page, far: BrowserContext, network: Network
    ) -> None:
        start_recording(page)
        expect(page.locator("#lines .line")).to_have_count(1)
        reader = far.new_page()
        reader.goto(page.evaluate("location.pathname"))
        expect(reader.locator("#lines .line").first).to_be_attached()
        network.fail()
        expect(reader.locator("#connection")).to_contain_text("reconnecting. Nothing will be missing.")
        expect(page.locator("#lines .line")).to_have_count(len(TEXTS))
        assert len(shown_lines(reader)) < len(TEXTS)
        network.recover()
        expect(reader.locator("#connection")).to_be_hidden()
        expect(reader.locator("#lines .line")).to_have_count(len(TEXTS))
        key = end_recording(page)
        expect(reader.locator("#state")).to_have_text("ended")
        assert shown_lines(reader) == shown_lines(page) == site.lines(key) == TEXTS


@pytest.mark.slow(180)
@pytest.mark.xdist_group("the sample meeting")
class TestTheSampleMeeting:
    """Its real recording, by the embedded models."""

    @pytest.fixture
    def meeting(self, tmp_path: Path) -> Iterator[Site]:
        if read_model_set("embedded").missing(Path("var/models")):
            pytest.skip("the weights of the embedded models are not in this checkout")
        with Server(tmp_path / "data", ASR_MODELS="embedded") as server:
            yield Site(server, fill="fill_with_people_who_enroll")

    def test_reads_as_the_database_has_it_with_the_speakers_of_the_reference(
        self, meeting: Site, playwright: Playwright, tmp_path: Path
    ) -> None:
        audio, _rate = soundfile.read(SAMPLE / "meeting.flac", dtype="float32")
        spoken = write_wav(tmp_path / "meeting.wav", audio)
        browser = launch(playwright, microphone=spoken)
        with meeting.context(browser) as context:
            page = context.new_page()
            while meeting.rows("SELECT count(*) FROM speakers_voiceprint") != [(2,)]:
                page.wait_for_timeout(200)
            start_recording(page)
            wait_for(
                page, f"document.getElementById('elapsed').textContent >= '{SAMPLE_IS_OVER}'", timeout_s=300
            )
            key = end_recording(page)
            assert shown_lines(page) == meeting.lines(key)
            assert shown_speakers(page) == speakers(meeting, key)
            said = "".join(as_written(line["text"]) for line in reference())
            assert character_error_rate([(said, "".join(shown_lines(page)))]) < 0.15
            stranger = {PEOPLE[2]: "Speaker 1"}
            expected = [stranger.get(line["speaker"], line["speaker"]) for line in reference()]
            assert turns(shown_speakers(page)) == turns(expected)
        browser.close()
