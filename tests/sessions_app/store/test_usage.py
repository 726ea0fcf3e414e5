"""What an account takes, and what it may take."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recognition.audio import samples
from sessions_app.access.quotas import Limits, Usage
from sessions_app.models import Quota, Session
from sessions_app.recordings import files
from sessions_app.store.usage import limits_of, quota_of, usage_of

from ..meetings import make_session, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(settings: Any, tmp_path: Path) -> User:
    settings.MEDIA_ROOT = tmp_path
    settings.QUOTA_SESSIONS, settings.QUOTA_MINUTES, settings.QUOTA_STORAGE_MB = 2, 60, 5
    return make_user("anna")


def recorded(owner: User, key: str, minutes: float, *, is_live: bool = False, days_ago: float = 0) -> Session:
    session = make_session(key, owner=owner, is_live=is_live)
    begun_at = timezone.now() - timedelta(days=days_ago)
    Session.objects.filter(pk=session.pk).update(durable=samples(minutes * 60), created_at=begun_at)
    return session


def test_counts_what_goes_on_and_the_minutes_of_the_last_days(anna: User) -> None:
    recorded(anna, "live", 10, is_live=True)
    recorded(anna, "over", 20)
    recorded(anna, "old", 40, days_ago=31)
    recorded(make_user("ben"), "other", 80, is_live=True)
    assert usage_of(anna.pk, Limits()) == Usage(sessions=1, minutes=30.0)


def test_counts_the_bytes_of_recordings_whichever_kind_they_are(anna: User) -> None:
    live, over = recorded(anna, "live", 1, is_live=True), recorded(anna, "over", 1)
    files.journal_path(live.pk).parent.mkdir()
    files.journal_path(live.pk).write_bytes(b"x" * 100)
    files.flac_path(over.pk).write_bytes(b"x" * 10)
    assert usage_of(anna.pk, Limits(storage_mb=1)).storage_bytes == 110


def test_an_account_has_the_limits_of_all_but_for_its_own(anna: User) -> None:
    assert limits_of(anna.pk) == Limits(sockets=100, sessions=2, minutes=60, storage_mb=5)
    Quota.objects.create(user=anna, sessions=7, minutes=0)
    assert limits_of(anna.pk) == Limits(sockets=100, sessions=7, minutes=0, storage_mb=5)


def test_who_begins_nothing_is_not_counted(anna: User) -> None:
    recorded(anna, "live", 10, is_live=True)
    assert quota_of(anna.pk, begins=False)[1] == Usage()
    assert quota_of(anna.pk, begins=True)[1].sessions == 1
