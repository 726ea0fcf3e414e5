"""Deletion leaves nothing, and follows the rules; that no byte stays on disk is tested with a real server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from sessions_app.models import AccessToken, Folder, Session, Tag, Utterance, Voice
from sessions_app.recordings import files, peaks
from sessions_app.transcripts import editing, retention
from sessions_app.transcripts.edit_requests import ChangeText, Seen
from sessions_app.transcripts.retention import Pruned, StillLive
from tests.sessions_app.meetings import (
    make_lines,
    make_recording,
    make_session,
    make_user,
    make_voice,
    owner_of,
)

# What follows a commit really follows one.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def make_full_session(key: str = "secret", *, days_ago: float = 0) -> Session:
    """A session with everything that a session can have."""
    editor = make_user(f"editor of {key}", "editor")
    session = make_session(key, owner=editor, title=f"title of {key}")
    lines = make_lines(session, voice=make_voice(session))
    make_recording(session, np.full(3200, 0.1, np.float32), as_flac=True)
    peaks.read(session.pk, has_ended=True)
    editing.apply(
        session, ChangeText(seen=Seen(line=lines[0].pk, revision=0), text="改过的机密。"), by=editor
    )
    AccessToken.issue(name="link", role="receiver", session_key=key)
    session.tags.create(name=f"tag of {key}")
    Folder.objects.create(name=f"folder of {key}").sessions.add(session)
    for row in (session, lines[0]):
        kind = ContentType.objects.get_for_model(row)
        LogEntry.objects.create(
            user=editor, content_type=kind, object_id=str(row.pk), object_repr=str(row), action_flag=CHANGE
        )
    Session.objects.filter(pk=session.pk).update(ended_at=timezone.now() - timedelta(days=days_ago))
    session.refresh_from_db()
    return session


def left() -> dict[str, int]:
    rows = (Session, Utterance, Voice, AccessToken, Tag, Folder, LogEntry, Utterance.history.model)
    return {model.__name__: model.objects.count() for model in rows}


class TestDelete:
    def test_nothing_is_left(self, media: Path) -> None:
        session = make_full_session()
        retention.delete_session(session)
        assert set(left().values()) == {0}
        assert list((media / "recordings").iterdir()) == []

    def test_other_sessions_keep_everything(self, media: Path) -> None:
        make_full_session("other")
        before = left()
        doomed = make_full_session("doomed")
        retention.delete_session(doomed)
        assert left() == before
        assert len(list((media / "recordings").iterdir())) == 2

    def test_a_session_that_goes_on_is_not_deleted(self) -> None:
        session = make_session(is_live=True)
        with pytest.raises(StillLive):
            retention.delete_session(session)
        assert Session.objects.exists()

    def test_only_the_recording_can_go(self) -> None:
        session = make_full_session()
        retention.delete_recording(session)
        assert files.length(session.pk) == 0
        assert session.utterances.count() == 4


class TestPage:
    def delete(self, session: Session, user: User) -> Any:
        client = Client()
        client.force_login(user)
        return client.post(reverse("delete", args=[session.key]), follow=True)

    def test_the_owner_deletes_and_is_told_where_it_is(self) -> None:
        session = make_full_session()
        response = self.delete(session, owner_of(session))
        assert "“title of secret” is in the trash." in response.content.decode()
        assert not Session.objects.filter(trashed_at=None).exists()

    def test_while_it_goes_on_the_owner_is_told_to_end_it_first(self) -> None:
        session = make_session(is_live=True, owner=make_user("owner", "transcriber"))
        response = self.delete(session, owner_of(session))
        assert "End it first" in response.content.decode()
        assert Session.objects.exists()

    def test_a_viewer_cannot(self) -> None:
        session = make_full_session()
        assert self.delete(session, make_user("viewer", "viewer")).status_code == 403
        assert Session.objects.exists()


class TestPrune:
    def test_by_age(self) -> None:
        for key, days in (("new", 1), ("old", 40), ("ancient", 400)):
            make_full_session(key, days_ago=days)
        make_session("live", is_live=True)
        assert retention.prune(sessions_days=365, recordings_days=30) == Pruned(sessions=1, recordings=2)
        assert set(Session.objects.values_list("key", flat=True)) == {"new", "old", "live"}
        assert files.length(Session.objects.get(key="old").pk) == 0
        assert files.length(Session.objects.get(key="new").pk) > 0

    def test_what_is_to_be_kept_stays(self) -> None:
        Session.objects.filter(pk=make_full_session(days_ago=400).pk).update(is_kept=True)
        assert retention.prune(sessions_days=1, recordings_days=1) == Pruned()

    def test_without_rules_nothing_is_old(self) -> None:
        make_full_session(days_ago=4000)
        assert retention.prune(sessions_days=0, recordings_days=0) == Pruned()

    def test_expired_links_and_stray_files_go(self, media: Path) -> None:
        session = make_full_session()
        AccessToken.issue(name="a", role="receiver", expires_at=timezone.now() - timedelta(seconds=1))
        stray = media / "recordings" / "987654.flac"
        stray.write_bytes(b"x")
        (media / "recordings" / "notes.txt").write_text("not ours")
        assert retention.prune(sessions_days=0, recordings_days=0) == Pruned(tokens=1, files=1)
        assert not stray.exists()
        assert files.length(session.pk) > 0
        assert (media / "recordings" / "notes.txt").exists()

    def test_a_rehearsal_only_counts(self, capsys: pytest.CaptureFixture[str]) -> None:
        make_full_session(days_ago=400)
        call_command("prune", "--sessions-days", "30", "--dry-run")
        assert capsys.readouterr().out == (
            "would be deleted: 1 sessions, 0 recordings, 0 expired tokens, 0 stray files, "
            "0 entries of the audit log\n"
        )
        assert Session.objects.exists()

    def test_by_the_settings(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        settings.KEEP_SESSIONS_DAYS = 30
        make_full_session(days_ago=31)
        call_command("prune")
        assert capsys.readouterr().out.startswith("deleted: 1 sessions")
        assert not Session.objects.exists()

    def test_negative_days_are_an_error(self) -> None:
        with pytest.raises(CommandError, match="--sessions-days -1: use days from 0"):
            call_command("prune", "--sessions-days", "-1")
