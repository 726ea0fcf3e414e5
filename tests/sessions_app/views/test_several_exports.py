"""Transcripts on paper, and several of them in one file."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from sessions_app.models import Session
from sessions_app.transcripts import notes
from sessions_app.transcripts.note_requests import AddNote
from tests.sessions_app.meetings import LINES, make_lines, make_session, make_user, make_voice, whole

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client() -> Client:
    client = Client(REMOTE_ADDR="203.0.113.9", headers={"accept-language": "en"})
    client.force_login(make_user("anna", "transcriber"))
    return client


def own(key: str, title: str = "") -> Session:
    session = make_session(key, owner=anna(), title=title)
    make_lines(session, voice=make_voice(session, "林静"))
    return session


def anna() -> User:
    return User.objects.get(username="anna")


class TestSeveral:
    def get(self, client: Client, *keys: str, **query: str) -> Any:
        return client.get(reverse("export-several"), {"key": keys, **query})

    def test_come_as_one_file_each_and_without_those_of_others(self, client: Client) -> None:
        for key in ("a", "b"):
            own(key, "Budget")
        make_session("foreign", owner=make_user("boris", "transcriber"))
        response = self.get(client, "a", "b", "foreign", "nothing", format="md")
        files = zipfile.ZipFile(io.BytesIO(whole(response)))
        day = f"{timezone.localtime():%Y-%m-%d}"
        assert files.namelist() == [f"Budget {day}.md", f"Budget {day} (2).md"]
        assert LINES[0] in files.read(files.namelist()[1]).decode()
        assert response.headers["Content-Disposition"] == f'attachment; filename="Meetings {day}.zip"'

    def test_are_nothing_if_one_may_export_none(self, client: Client) -> None:
        make_session("foreign", owner=make_user("boris", "transcriber"))
        assert self.get(client, "foreign").status_code == 404
        assert self.get(client).status_code == 404

    def test_a_format_that_is_none_is_said_to_be_none(self, client: Client) -> None:
        own("a")
        response = self.get(client, "a", format="exe")
        assert response.status_code == 404
        assert "txt, md, srt" in response.content.decode()


class TestPaper:
    def get(self, client: Client, session: Session, **query: str) -> str:
        return client.get(reverse("paper", args=[session.key]), query).content.decode()

    def test_has_title_date_length_attendees_lines_and_notes(self, client: Client) -> None:
        session = own("a", "Budget <2027>")
        notes.apply(session, AddNote(at_ms=2000, text="check"), by=anna())
        page = self.get(client, session)
        assert "<h1>Budget &lt;2027&gt;</h1>" in page
        assert "<dd>0:08</dd>" in page
        assert "<dd>林静 (0:08)</dd>" in page
        assert all(line in page for line in LINES)
        assert "<strong>anna</strong> check" in page

    def test_has_the_companys_own_logo(self, client: Client, settings: Settings, tmp_path: Path) -> None:
        settings.PAPER_LOGO = str(tmp_path / "logo.svg")
        Path(settings.PAPER_LOGO).write_text("<svg/>")
        page = self.get(client, own("a"))
        assert f'<img src="data:image/svg+xml;base64,{base64.b64encode(b"<svg/>").decode()}"' in page
        assert "brand-mark" not in page

    def test_leaves_out_what_is_not_wanted(self, client: Client) -> None:
        page = self.get(client, own("a"), times="0", speakers="0", notes="0")
        assert "林静" not in page
        assert "<h2>" not in page
        assert all(line in page for line in LINES)
