"""People at the microphone, recognised by the set `people`: recordings of them, at the pace of speech."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright, expect

from recognition.audio import samples
from recognition.evaluation import recordings
from recognition.evaluation.scoring import character_error_rate
from tests.support.server import Server

from .browsing import Site, end_recording, launch, shown_lines, shown_speakers, write_wav
from .sample_site import READER

ASSETS = os.environ.get("ASR_ASSETS")

pytestmark = [
    pytest.mark.slow(120),
    pytest.mark.xdist_group("browser: people"),
    pytest.mark.skipif(not ASSETS, reason="ASR_ASSETS names no folder with recordings"),
]

SAYS = {
    "BAC009S0150W0131": READER,
    "SSB00180170": "Speaker 1",
    "BAC009S0150W0147": READER,
    "SSB00800191": "Speaker 2",
}
"""Recordings in the order in which they are played, and who the page says it is."""

PAUSE = np.zeros(samples(1.2), np.float32)


def said() -> dict[str, str]:
    """Return what was said in each recording."""
    entries = {entry.path.stem: entry for entry in recordings.listed(Path(ASSETS or ""))}
    return {name: entries[name].text or "" for name in SAYS}


def meeting() -> np.ndarray:
    """Return all recordings with a pause behind each, and some silence at the end."""
    entries = {entry.path.stem: entry.path for entry in recordings.listed(Path(ASSETS or ""))}
    lines = [recordings.trimmed(recordings.read(entries[name])) for name in SAYS]
    return np.concatenate([part for line in lines for part in (line, PAUSE)] + [PAUSE] * 3)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, people_models_dir: Path) -> Iterator[Site]:
    """Two sets, of which the one for people is not the default, and one person who is enrolled."""
    data_dir = tmp_path_factory.mktemp("people")
    (data_dir / "models").symlink_to(people_models_dir)
    with Server(data_dir, ASR_MODELS="embedded,people") as server:
        yield Site(server, fill="fill_with_a_reader_who_enrolls")


@pytest.fixture
def page(site: Site, playwright: Playwright, tmp_path: Path) -> Iterator[Page]:
    browser = launch(playwright, microphone=write_wav(tmp_path / "people.wav", meeting()))
    with site.context(browser) as context:
        yield context.new_page()
    browser.close()


def wait_until_the_reader_is_known(site: Site, page: Page) -> None:
    """Until the set `people` has an embedding of theirs as well."""
    query = (
        "SELECT count(*) FROM speakers_voiceprintembedding"
        " WHERE model_id LIKE 'campplus%' AND sealed_embedding IS NOT NULL"
    )
    while site.rows(query) != [(1,)]:
        page.wait_for_timeout(200)


def test_are_written_down_line_by_line_with_names_by_the_set_that_was_chosen(site: Site, page: Page) -> None:
    wait_until_the_reader_is_known(site, page)
    page.goto("/record/")
    choice = page.get_by_label("Recognised by")
    expect(choice).to_have_value("embedded")
    choice.select_option("people")
    page.get_by_role("button", name="Start recording").click()
    expect(page.locator("#recorder-word")).to_have_text("Recording")

    expect(page.locator("#partial .tail")).to_have_text(re.compile(r"[\u4e00-\u9fff]"))
    expect(page.locator("#lines .line")).to_have_count(len(SAYS))
    key = end_recording(page)

    assert site.rows("SELECT model_set FROM sessions_app_session WHERE key = ?", key) == [("people",)]
    assert shown_lines(page) == site.lines(key)
    assert character_error_rate(zip(said().values(), shown_lines(page), strict=True)) < 0.2
    assert shown_speakers(page) == list(SAYS.values())
