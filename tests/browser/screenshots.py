"""Pictures of every page, in both languages, light and dark, into docs/screenshots/: `make screenshots`."""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from recognition.audio import SAMPLE_RATE
from tests.support.server import ROOT, Server

from .browsing import CHINESE, ENGLISH, PATIENCE_MS, Site, launch, wait_for, write_wav
from .sample_meeting import meeting_script, script_file

FOLDER = ROOT / "docs" / "screenshots"
LANGUAGES = {"en": ENGLISH, "zh": CHINESE}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {"": (1280, 800), "phone-": (390, 844)}
QUALITY = 82

MEETING = "/sessions/sample-meeting/"
LIVE_LINES = 7

Act = Callable[[Page], None]


def nothing(page: Page) -> None:
    page.wait_for_load_state("networkidle")


def play(page: Page) -> None:
    nothing(page)
    page.locator("#lines .line .text").nth(4).click(position={"x": 30, "y": 12})
    wait_for(page, "CSS.highlights.get('spoken').size > 0")
    page.locator("#play").click()
    page.mouse.move(5, 300)


def edit(page: Page) -> None:
    nothing(page)
    page.locator("#lines .line").nth(4).focus()
    page.keyboard.press("Enter")


def find(page: Page) -> None:
    nothing(page)
    page.locator("#find-open").click()
    page.locator("#find-text").fill("预算")
    page.locator("#find-replacement").fill("经费")
    expect(page.locator("#find-list li")).not_to_have_count(0)


def name_speaker(page: Page) -> None:
    nothing(page)
    page.locator("#lines .line").nth(7).focus()
    page.keyboard.press("s")
    expect(page.locator(".speaker-menu .choices button")).not_to_have_count(0)


def open_by(button: str) -> Act:
    def act(page: Page) -> None:
        nothing(page)
        page.locator(button).first.click()
        expect(page.locator("dialog[open]")).to_be_visible()

    return act


def open_keyboard_map(page: Page) -> None:
    nothing(page)
    page.locator("#lines .line").first.focus()
    page.keyboard.press("Shift+Slash")
    expect(page.locator("dialog[open]")).to_be_visible()


def open_enrollment(page: Page) -> None:
    page.locator(".person-row h2 a").first.click()
    page.locator("a[href*=enroll]").first.click()
    nothing(page)


# Name of the picture: who looks at which address, and what they do there.
PAGES: dict[str, tuple[str | None, str, Act]] = {
    "list": ("anna", "/", nothing),
    "search": ("anna", "/?q=预算", nothing),
    "record": ("anna", "/record/", nothing),
    "meeting": ("anna", MEETING, play),
    "edit": ("anna", MEETING, edit),
    "find": ("anna", MEETING, find),
    "speaker": ("anna", MEETING, name_speaker),
    "person": ("anna", MEETING, open_by(".person")),
    "export": ("anna", MEETING, open_by("#export-open")),
    "share": ("anna", MEETING, open_by("#share-open")),
    "keyboard": ("anna", MEETING, open_keyboard_map),
    "captions": ("anna", f"{MEETING}captions/", nothing),
    "login": (None, "/login/", nothing),
    "nothing-there": ("anna", "/no/such/page", nothing),
    "admin": ("admin", "/admin/", nothing),
    "admin-sessions": ("admin", "/admin/sessions_app/session/", nothing),
    "admin-utterances": ("admin", "/admin/sessions_app/utterance/", nothing),
    "admin-speakers": ("admin", "/admin/speakers/speaker/", nothing),
    "admin-speaker": ("admin", "/admin/speakers/speaker/1/change/", nothing),
    "admin-enroll": ("admin", "/people/", open_enrollment),
}
ON_PHONES = ("list", "record", "meeting", "edit", "find", "share")


def speech_like(audio: np.ndarray) -> np.ndarray:
    """The tones of a scripted meeting, as loud and soft as syllables are."""
    random = np.random.default_rng(7)
    steps = len(audio) * 5 // SAMPLE_RATE + 2
    envelope = np.interp(
        np.arange(len(audio)), np.arange(steps) * SAMPLE_RATE / 5, random.uniform(0.35, 1.0, steps)
    )
    return (audio * envelope).astype(np.float32)


def take(page: Page, name: str) -> None:
    devtools = page.context.new_cdp_session(page)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(250)
        shot = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
        path = FOLDER / f"{name}-{scheme}.webp"
        path.write_bytes(base64.b64decode(shot["data"]))
        print(path.relative_to(ROOT), path.stat().st_size // 1024, "kB", flush=True)  # noqa: T201
    devtools.detach()


def take_live(context: BrowserContext, language: str) -> None:
    """A meeting while it is recorded, and the list that has it on top."""
    page = context.new_page()
    page.goto("/record/")
    page.get_by_role("textbox").first.fill({"en": "Weekly project meeting", "zh": "项目周例会"}[language])
    page.locator("#start").click()
    expect(page.locator("#lines .line")).to_have_count(LIVE_LINES)
    expect(page.locator("#partial")).to_be_visible()
    page.mouse.move(5, 300)
    take(page, f"live-{language}")
    listing = context.new_page()
    listing.goto("/")
    take(listing, f"list-live-{language}")
    page.locator("#end").click()
    page.locator("#end-dialog button[value=end]").click()
    expect(page.locator("#state")).to_have_class("state state-ended")
    delete(page)


def delete(page: Page) -> None:
    """So that pictures in the next language have the same sessions."""
    page.reload()
    page.locator("#more-open").click()
    page.locator(".menu .is-dangerous").click()
    page.locator("#delete-dialog .danger").click()
    page.wait_for_url("**/")


@contextmanager
def sample_site() -> Iterator[tuple[Site, Browser]]:
    with tempfile.TemporaryDirectory(prefix="asrsite-pictures-") as folder, sync_playwright() as playwright:
        script = meeting_script()
        models = Path(folder) / "meeting.toml"
        models.write_text(script_file(script))
        microphone = write_wav(Path(folder) / "meeting.wav", speech_like(script.audio(pause_s=1.0)))
        with Server(Path(folder) / "data", ASR_MODELS=str(models)) as server:
            browser = launch(playwright, microphone=microphone)
            yield Site(server), browser
            browser.close()


def main(wanted: list[str]) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sample_site() as (site, browser):
        for language, locale in LANGUAGES.items():
            for prefix, (width, height) in SIZES.items():
                for name, (user, address, act) in PAGES.items():
                    if (prefix and name not in ON_PHONES) or (wanted and prefix + name not in wanted):
                        continue
                    viewport = {"width": width, "height": height}
                    with site.context(browser, user, language=locale, viewport=viewport) as context:
                        page = context.new_page()
                        page.goto(address)
                        act(page)
                        take(page, f"{prefix}{name}-{language}")
            if not wanted or "live" in wanted:
                with site.context(
                    browser, "anna", language=locale, viewport={"width": 1280, "height": 800}
                ) as context:
                    take_live(context, language)


if __name__ == "__main__":
    main(sys.argv[1:])
