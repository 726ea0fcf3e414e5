"""The archive that pages are measured on."""

from __future__ import annotations

import pytest

from benchmarks.pages import archive
from sessions_app.models import Session, Utterance


@pytest.mark.django_db(transaction=True)
def test_rows_have_what_is_said_of_them_and_for_the_rest_the_defaults_of_today(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What makes haste would last as long as the connection, which is other tests' too.
    monkeypatch.setattr(archive, "_hurry", lambda _: None)

    archive.fill(4, 40)

    assert Session.objects.count() == 4
    assert Utterance.objects.count() == 40
    last = Session.objects.latest("created_at")
    assert (last.title, last.drawn_title, last.sender_resumes) == ("第4次周会", "", False)
    assert Utterance.objects.filter(text="海里有一条鲸鱼。").count() == 1
    assert Utterance.objects.filter(session=last).count() == 10
