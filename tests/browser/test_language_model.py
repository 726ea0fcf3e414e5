"""A language model beside a meeting: translation, answers, notes and e-mail, once one has read where to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.mail_server import MailServer, mail_server
from tests.support.server import Server

from .browsing import PATIENCE_MS, Site
from .language_model import ENGLISH, serving

pytestmark = [pytest.mark.slow(5), pytest.mark.xdist_group("browser: language model")]


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory, mailboxes: MailServer) -> Iterator[Site]:
    with serving() as model:
        server = Server(
            tmp_path_factory.mktemp("model"),
            LLM_URL=model.url,
            LLM_MODEL="small",
            DEFAULT_FROM_EMAIL="minutes@example.com",
            EMAIL_URL=f"smtp://127.0.0.1:{mailboxes.port}",
        )
        with server:
            yield Site(server)


@pytest.fixture
def meeting(own_site: Site, browser: Browser) -> Iterator[Page]:
    with own_site.context(browser, "anna") as context:
        page = context.new_page()
        page.goto("/sessions/sample-meeting/")
        yield page


def open_minutes(page: Page) -> None:
    """Open them once a worker has made them."""
    while not page.get_by_role("button", name="Minutes", exact=True).is_visible():
        page.wait_for_timeout(500)
        page.reload()
        page.wait_for_load_state("networkidle")
    if not page.locator("#minutes").is_visible():
        page.get_by_role("button", name="Minutes", exact=True).click()


def test_lines_are_translated_below_what_was_said_and_can_be_hidden(meeting: Page) -> None:
    meeting.get_by_label("Translate into").select_option("en")
    dialog = meeting.get_by_role("dialog", name="Have a language model translate this meeting?")
    expect(dialog).to_contain_text("goes to the model small on 127.0.0.1")
    dialog.get_by_role("button", name="Translate").click()

    first = meeting.locator("#lines .line").first
    expect(first.locator(".translation")).to_have_text(ENGLISH[0], timeout=PATIENCE_MS)
    meeting.get_by_role("checkbox", name="Show the translation").uncheck()
    expect(first.locator(".translation")).to_be_hidden()

    meeting.reload()
    expect(first.locator(".translation")).to_have_text(ENGLISH[0])
    meeting.get_by_role("button", name="Export").click()
    meeting.get_by_label("Text .txt").check()
    meeting.get_by_role("checkbox", name="Translation", exact=True).check()
    with meeting.expect_download() as download:
        meeting.get_by_role("button", name="Download").click()
    assert ENGLISH[0] in download.value.path().read_text()

    meeting.goto("/sessions/sample-meeting/captions/?lines=12")
    expect(meeting.locator(".caption .translation").last).to_be_visible()
    meeting.goto("/sessions/sample-meeting/captions/?translation=0")
    expect(meeting.locator(".caption").last).to_be_visible()
    expect(meeting.locator(".caption .translation")).to_have_count(0)


def test_a_question_is_answered_once_one_has_read_what_is_sent(meeting: Page) -> None:
    open_minutes(meeting)
    meeting.get_by_role("searchbox", name="Ask this meeting").fill("测试报告什么时候发？")
    meeting.keyboard.press("Enter")
    found = meeting.locator("#ask-found")
    expect(found.locator(".ask-offer")).to_contain_text("to the model small on 127.0.0.1")
    found.get_by_role("button", name="Answer with the language model").click()
    expect(found.get_by_role("heading", name="By the language model")).to_be_visible(timeout=PATIENCE_MS)
    answer = found.locator(".statement").first
    expect(answer).to_contain_text("我明天上午把测试报告发给大家")
    answer.get_by_role("button", name=re.compile("^Hear it at")).click()
    expect(meeting.locator("#lines .line.is-linked")).to_contain_text("测试报告")


def test_minutes_are_written_and_sent_to_whom_one_chooses(
    meeting: Page, own_site: Site, mailboxes: MailServer
) -> None:
    own_site.change("UPDATE auth_user SET email = 'anna@example.com' WHERE username = 'anna'")
    open_minutes(meeting)
    minutes = meeting.get_by_role("region", name="Minutes")
    minutes.get_by_role("button", name="Write with a language model…").click()
    meeting.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(minutes.locator("[data-section=summary] .statement")).to_contain_text(
        "by the language model", timeout=PATIENCE_MS
    )

    minutes.get_by_role("button", name="Send by e-mail…").click()
    dialog = meeting.get_by_role("dialog", name="Send these minutes by e-mail")
    expect(dialog).to_contain_text("anna@example.com")
    dialog.get_by_role("button", name="Send").click()
    expect(meeting.locator(".toast")).to_contain_text("Sent to one person.")
    [(to, message)] = mailboxes.taken
    assert to == "anna@example.com"
    assert "项目周例会" in str(message["Subject"])


def test_notes_on_a_meeting_that_goes_on_are_shown_to_who_comes_late(meeting: Page, own_site: Site) -> None:
    own_site.change(
        "UPDATE sessions_app_session SET state = 'live', ended_at = NULL, created_at = '2026-01-01'"
        " WHERE \"key\" = 'budget'"
    )
    own_site.change(
        "DELETE FROM sessions_app_minutesitem WHERE session_id = "
        "(SELECT id FROM sessions_app_session WHERE \"key\" = 'budget')"
    )
    own_site.change(
        "DELETE FROM sessions_app_minutes WHERE session_id = "
        "(SELECT id FROM sessions_app_session WHERE \"key\" = 'budget')"
    )
    meeting.goto("/sessions/budget/")
    open_minutes(meeting)
    minutes = meeting.locator("#minutes")
    expect(minutes.get_by_role("heading", name="So far")).to_be_visible()
    minutes.get_by_role("button", name="Let a language model take notes…").click()
    meeting.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(minutes).to_contain_text("small takes notes every few minutes.")
    # It is looked for more every three quarters of a minute.
    expect(minutes.locator("[data-section=summary] .statement")).to_contain_text(
        "by the language model", timeout=PATIENCE_MS
    )
