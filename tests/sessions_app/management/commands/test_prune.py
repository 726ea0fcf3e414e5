"""`manage.py prune`: which days it takes, and what it says of what it did."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sessions_app.models import AccessToken, Session

from ...meetings import make_session

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    settings.KEEP_SESSIONS_DAYS = settings.KEEP_RECORDINGS_DAYS = 0
    return tmp_path


def prune(*arguments: str) -> str:
    out = io.StringIO()
    call_command("prune", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def old_session(key: str, days: float) -> Session:
    session = make_session(key)
    Session.objects.filter(pk=session.pk).update(ended_at=timezone.now() - timedelta(days=days))
    return session


def test_of_nothing_nothing_is_deleted() -> None:
    assert (
        prune()
        == "deleted: 0 sessions, 0 recordings, 0 expired tokens, 0 stray files, 0 entries of the audit log\n"
    )


def test_what_was_deleted_is_counted(media: Path) -> None:
    old_session("old", 31)
    old_session("young", 29)
    AccessToken.issue(name="over", role="receiver", expires_at=timezone.now() - timedelta(seconds=1))
    (media / "recordings").mkdir()
    (media / "recordings" / "999.flac").write_bytes(b"left by a crash")

    said = prune("--sessions-days", "30")

    assert (
        said
        == "deleted: 1 sessions, 0 recordings, 1 expired tokens, 1 stray files, 0 entries of the audit log\n"
    )
    assert [session.key for session in Session.objects.all()] == ["young"]
    assert not AccessToken.objects.exists()


def test_a_rehearsal_says_the_same_and_does_nothing() -> None:
    old_session("old", 31)

    said = prune("--sessions-days", "30", "--dry-run")

    assert said.startswith("would be deleted: 1 sessions")
    assert Session.objects.exists()


def test_half_a_day_is_a_time_too() -> None:
    old_session("old", 0.6)
    old_session("young", 0.4)

    prune("--sessions-days", "0.5")

    assert [session.key for session in Session.objects.all()] == ["young"]


def test_done_again_it_finds_nothing() -> None:
    old_session("old", 31)
    prune("--sessions-days", "30")

    assert prune("--sessions-days", "30").startswith("deleted: 0 sessions")


@pytest.mark.parametrize("option", ["--sessions-days", "--recordings-days"])
@pytest.mark.parametrize("days", ["-1", "nan", "inf", "1e12"])
def test_days_that_cannot_be_are_named_and_nothing_is_deleted(option: str, days: str) -> None:
    old_session("old", 40_000)

    with pytest.raises(CommandError, match=rf"{option} .*: use days from 0 to"):
        prune(option, days)

    assert Session.objects.exists()


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(CommandError, match="--sessions-days: invalid float value: 'a month'"):
        prune("--sessions-days", "a month")


def test_other_files_in_the_folder_are_nobodys_to_delete(media: Path) -> None:
    folder = media / "recordings"
    folder.mkdir()
    names = ["notes.txt", "²", "²²².pcm", "12a.flac", "-1.pcm", "README", "1" * 40 + ".pcm", "٣.pcm"]
    for name in names:
        (folder / name).write_text("mine")

    said = prune()

    assert said.endswith("0 stray files, 0 entries of the audit log\n")
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
