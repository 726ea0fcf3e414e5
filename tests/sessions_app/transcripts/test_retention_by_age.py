"""What is old enough to be deleted, to the second; and what is never."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from pytest_django import Settings

from sessions_app.models import AccessToken, Session
from sessions_app.recordings import files
from sessions_app.transcripts import retention
from sessions_app.transcripts.retention import Pruned, prune

from ..meetings import make_recording, make_session

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 3, 31, 0, 30, tzinfo=timezone.get_fixed_timezone(60))
SECOND = timedelta(seconds=1)
MONTH = timedelta(days=30)


@pytest.fixture(autouse=True)
def _at(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    settings.MEDIA_ROOT = tmp_path


def ended(key: str, age: timedelta, **columns: Any) -> Session:
    session = make_session(key)
    Session.objects.filter(pk=session.pk).update(**{"ended_at": NOW - age} | columns)
    return session


def keys() -> set[str]:
    return set(Session.objects.values_list("key", flat=True))


@pytest.mark.parametrize(
    ("age", "is_there"), [(MONTH - SECOND, True), (MONTH, True), (MONTH + SECOND, False)]
)
def test_a_session_goes_after_its_days_and_not_before(age: timedelta, is_there: bool) -> None:
    ended("a", age)

    prune(sessions_days=30, recordings_days=0)

    assert ("a" in keys()) == is_there


def test_its_age_is_that_of_its_end() -> None:
    """A broadcast that went on for a month is not old when it ends."""
    ended("long", SECOND, created_at=NOW - 2 * MONTH)

    prune(sessions_days=30, recordings_days=30)

    assert keys() == {"long"}


@pytest.mark.parametrize("state", ["live", "paused", "draining"])
def test_what_goes_on_is_never_old(state: str) -> None:
    ended("a", 10 * MONTH, state=state)

    assert prune(sessions_days=1, recordings_days=1) == Pruned()
    assert keys() == {"a"}


def test_what_ended_without_a_time_is_left_alone() -> None:
    ended("a", MONTH, ended_at=None)

    assert prune(sessions_days=1, recordings_days=1).sessions == 0


def test_what_is_kept_for_good_keeps_its_recording_too() -> None:
    session = ended("a", 10 * MONTH, is_kept=True)
    make_recording(session, np.zeros(1600, np.float32), as_flac=True)

    assert prune(sessions_days=1, recordings_days=1) == Pruned()
    assert files.length(session.pk) == 1600


@pytest.mark.parametrize("as_flac", [True, False])
def test_recordings_may_go_earlier_than_what_was_said(as_flac: bool) -> None:
    session = ended("a", MONTH)
    make_recording(session, np.zeros(1600, np.float32), as_flac=as_flac)

    pruned = prune(sessions_days=60, recordings_days=7)

    assert (pruned.sessions, pruned.recordings) == (0, 1)
    assert files.length(session.pk) == 0
    assert keys() == {"a"}
    assert prune(sessions_days=60, recordings_days=7) == Pruned()


def test_a_session_without_a_recording_has_none_to_delete() -> None:
    ended("a", MONTH)

    assert prune(sessions_days=0, recordings_days=7).recordings == 0


@pytest.mark.parametrize(("left", "is_there"), [(SECOND, True), (timedelta(0), True), (-SECOND, False)])
def test_a_link_goes_when_it_has_run_out(left: timedelta, is_there: bool) -> None:
    AccessToken.issue(name="link", role="receiver", expires_at=NOW + left)
    AccessToken.issue(name="endless", role="receiver")

    prune(sessions_days=0, recordings_days=0)

    assert AccessToken.objects.filter(name="link").exists() == is_there
    assert AccessToken.objects.filter(name="endless").exists()


def test_a_session_that_is_deleted_takes_its_links_and_no_others() -> None:
    ended("a", MONTH)
    for key in ("a", "b", ""):
        AccessToken.issue(name=f"for {key}", role="receiver", session_key=key)

    prune(sessions_days=7, recordings_days=0)

    assert set(AccessToken.objects.values_list("name", flat=True)) == {"for b", "for "}


def test_somebody_who_deletes_the_same_is_no_trouble() -> None:
    """Two of them at once: by hand, and by the nightly rule."""
    session = ended("a", MONTH)
    retention.delete_session(session)

    retention.delete_session(session)
    retention.delete_sessions([session, ended("b", MONTH)])

    assert keys() == set()


def test_none_after_one_that_goes_on_is_deleted_by_hand() -> None:
    """What was deleted before it is gone, as the use case says; the rest can be tried again."""
    first, live, last = ended("a", MONTH), make_session("live", is_live=True), ended("b", MONTH)

    with pytest.raises(retention.StillLive):
        retention.delete_sessions([first, live, last])

    assert keys() == {"live", "b"}
