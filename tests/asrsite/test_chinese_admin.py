"""No page of the admin says anything in English to who reads Chinese, but what people wrote, and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from speakers import jobs
from tests.support.admin_site import address_of, addresses, one_of_everything

pytestmark = pytest.mark.django_db

NAMES = """
    Earshot ID Webhook JSON ZIP WAV FLAC MP3 M4A WebM dB LDAP Control Mac Command get_absolute_url English
    make run ASR_MODELS ASR_MODELS=paraformer-zh ASR_MODELS=people
"""
"""Of things that have no other name in Chinese."""

WRITTEN = [
    "Alice", "Hello", "for a friend", "model-1", "root", "owner", "somebody", "test", "You may",
    "I agree that this installation keeps recordings of my voi",
    "embedded", "viewer", "transcriber", "editor", "enroller", "manager", "auditor",
]  # fmt: skip
"""By people, or by us where a database keeps it: what the pages of `one_of_everything` show."""

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_=-]+")


class Visible(HTMLParser):
    """Collects what a page says. Pictures' texts are left out: the admin's ticks have English ones."""

    SAID_BY = ("placeholder", "title", "aria-label", "data-choose", "data-not-selected")
    SILENT = ("script", "style")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self.SILENT
        found = dict(attrs)
        says = [*self.SAID_BY, *(["value"] if found.get("type") in ("submit", "button") else [])]
        self.texts += [text for name in says if (text := found.get(name))]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self.SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)


def english_in(page: str) -> Iterator[str]:
    for text in Visible(page).texts:
        if "roup-permission" in text:  # what goes with a group when it is deleted, Django names by its tables
            continue
        left = UUID.sub("", text)
        for written in WRITTEN:
            left = left.replace(written, "")
        if set(WORD.findall(left)) - set(NAMES.split()):
            yield " ".join(text.split())


@pytest.fixture
def reader() -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="zh-CN")
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def rows(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    ours = {name: kind for name, kind in jobs._kinds.items() if not kind.work.__module__.startswith("tests")}
    monkeypatch.setattr(jobs, "_kinds", ours)  # other tests have kinds of jobs of their own
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    return one_of_everything()


def test_every_page_is_in_chinese(reader: Client, rows: dict[str, Any]) -> None:
    found: dict[str, list[str]] = {}
    seen = 0
    for name in addresses():
        answer = reader.get(address_of(name, rows))
        if answer.get("Content-Type", "").startswith("text/html"):
            seen += 1
            texts = list(english_in(answer.content.decode()))
            found |= {name: texts} if texts else {}
    assert found == {}
    assert seen > 60


def test_what_an_action_asks_and_answers_is_in_chinese(reader: Client, rows: dict[str, Any]) -> None:
    found: dict[str, list[str]] = {}
    for table in rows:
        page = reader.get(reverse(f"admin:{table}_changelist"))
        form = page.context.get("action_form") if page.status_code == 200 else None
        for action, _label in form.fields["action"].choices if form else []:
            sent = {"action": action, "_selected_action": [rows[table].pk]}
            answer = reader.post(reverse(f"admin:{table}_changelist"), sent, follow=True)
            texts = list(english_in(answer.content.decode()))
            found |= {f"{table}:{action}": texts} if texts else {}
    assert found == {}


def test_english_would_be_seen() -> None:
    page = "<p>会议 Session</p><script>let x</script><input type=submit value='Save'><td>Alice, WAV</td>"
    assert list(english_in(page)) == ["会议 Session", "Save"]


def test_choosing_permissions_is_explained_in_chinese(reader: Client) -> None:
    said = reader.get(reverse("admin:jsi18n")).content.decode()
    for text in ("Choose all %s", "Remove all %s", "Choose selected %s", "Remove selected %s"):
        assert f'"{text}"' in said
    assert said.count("arrow button.") == 2
