"""Work on one session after another, some of which make it fail."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from sessions_app.models import Session
from sessions_app.store.passing_over import or_pass_over

SESSION = Session(pk=7, key="weekly")


def fail_with(error: Exception) -> None:
    raise error


def test_what_can_be_done_is_done() -> None:
    seen: list[Session] = []
    failed: set[int] = set()
    or_pass_over(seen.append, SESSION, failed, name="minutes")
    assert (seen, failed) == ([SESSION], set())


def test_a_fault_is_logged_with_the_meeting_and_remembered(caplog: pytest.LogCaptureFixture) -> None:
    failed = {3}
    or_pass_over(lambda _: fail_with(ValueError("odd")), SESSION, failed, name="minutes")
    assert failed == {3, 7}
    assert "the minutes of meeting 'weekly' cannot be made" in caplog.text
    assert "ValueError: odd" in caplog.text


def test_a_database_that_is_away_is_no_fault_of_the_meeting() -> None:
    failed: set[int] = set()
    with pytest.raises(OperationalError):
        or_pass_over(lambda _: fail_with(OperationalError("away")), SESSION, failed, name="minutes")
    assert not failed


def test_who_remembers_nothing_has_the_fault() -> None:
    with pytest.raises(ValueError, match="odd"):
        or_pass_over(lambda _: fail_with(ValueError("odd")), SESSION, None, name="minutes")
