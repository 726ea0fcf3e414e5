"""Files by the API: the same as those of the pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from audit.models import Action, Entry
from sessions_app.api.files import Format
from sessions_app.models import Session
from sessions_app.transcripts import exports
from tests.sessions_app.meetings import make_lines, make_recording, make_session, make_user, make_voice, whole

from .clients import Program, by_password, by_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(tmp_path: Path, settings: Settings) -> User:
    settings.MEDIA_ROOT = tmp_path
    return make_user("owner", "transcriber")


@pytest.fixture
def program(owner: User) -> Program:
    return by_password(owner)


@pytest.fixture
def session(owner: User) -> Session:
    session = make_session(owner=owner, title="Budget")
    make_lines(session, voice=make_voice(session, "林静"))
    return session


def test_every_format_of_the_pages_is_offered() -> None:
    assert set(get_args(Format)) == set(exports.FORMATS)


@pytest.mark.parametrize("name", exports.FORMATS)
def test_a_transcript_is_sent_in_each_format(name: str, program: Program, session: Session) -> None:
    response = program.ask("get", f"sessions/{session.key}/export/{name}")
    assert response["Content-Type"] == exports.FORMATS[name].content_type
    assert f"Budget {session.created_at:%Y}" in response["Content-Disposition"]
    if name not in ("docx", "rttm", "ics"):
        assert "预算通过了吗" in response.content.decode()
    assert Entry.objects.get(action=Action.MEETING_EXPORTED).detail["format"] == name


def test_a_transcript_leaves_out_what_is_not_wanted(program: Program, session: Session) -> None:
    path = f"sessions/{session.key}/export/txt"
    assert "林静" in program.ask("get", path).content.decode()
    assert "林静" not in program.ask("get", f"{path}?speakers=0").content.decode()


@pytest.mark.parametrize("path", ["export/pdf", "export/txt?times=2", "audio?until=0", "audio?until=x"])
def test_what_makes_no_sense_is_refused(path: str, program: Program, session: Session) -> None:
    assert program.ask("get", f"sessions/{session.key}/{path}").status_code == 422


def test_words_are_in_the_json_file(program: Program, session: Session) -> None:
    file = json.loads(program.ask("get", f"sessions/{session.key}/export/json").content)
    assert file["lines"][1]["words"]


class TestSound:
    def test_is_sent_whole_and_in_parts(self, program: Program, session: Session) -> None:
        make_recording(session, np.linspace(-0.5, 0.5, 1600, dtype=np.float32), as_flac=False)
        file = whole(program.ask("get", f"sessions/{session.key}/audio"))
        assert (file[:4], len(file)) == (b"RIFF", 44 + 3200)
        part = program.ask("get", f"sessions/{session.key}/audio", headers={"range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, file[100:200])
        assert part["Content-Range"] == "bytes 100-199/3244"
        assert Entry.objects.get(action=Action.MEETING_HEARD).meeting == session.key

    def test_ends_where_it_is_wanted(self, program: Program, session: Session) -> None:
        make_recording(session, np.zeros(1600, np.float32), as_flac=False)
        assert len(whole(program.ask("get", f"sessions/{session.key}/audio?until=100"))) == 44 + 200

    def test_has_no_part_behind_its_end(self, program: Program, session: Session) -> None:
        make_recording(session, np.zeros(1600, np.float32), as_flac=False)
        part = program.ask("get", f"sessions/{session.key}/audio", headers={"range": "bytes=9999-"})
        assert (part.status_code, part["Content-Range"]) == (416, "bytes */3244")

    @pytest.mark.parametrize("path", ["audio", "recording"])
    def test_that_was_not_kept_is_told_so(self, path: str, program: Program, session: Session) -> None:
        response = program.ask("get", f"sessions/{session.key}/{path}")
        assert (response.status_code, response.json()["error"]) == (404, "This meeting has no recording.")

    @pytest.mark.parametrize(("as_flac", "magic"), [(True, b"fLaC"), (False, b"RIFF")])
    def test_to_keep_is_flac_once_there_is_one(
        self, as_flac: bool, magic: bytes, program: Program, session: Session
    ) -> None:
        make_recording(session, np.zeros(1600, np.float32), as_flac=as_flac)
        response = program.ask("get", f"sessions/{session.key}/recording")
        assert whole(response)[:4] == magic
        assert Entry.objects.filter(action=Action.MEETING_EXPORTED).exists()

    def test_is_listened_to_but_not_taken_away_with_a_token_that_takes_no_files(
        self, owner: User, session: Session
    ) -> None:
        make_recording(session, np.zeros(1600, np.float32), as_flac=True)
        reader = by_token(session_key=session.key, may_export=False)
        assert reader.ask("get", f"sessions/{session.key}/audio").status_code == 200
        assert reader.ask("get", f"sessions/{session.key}/recording").status_code == 403
