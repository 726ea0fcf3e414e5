from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.utils import timezone

from audit import log
from audit.exceptions import AppendOnlyError
from audit.models import Action, Entry
from audit.origin import Origin

pytestmark = pytest.mark.django_db


def make_old(entry: Entry, days: float) -> None:
    """An entry of some days ago; nothing in the product can write one."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Entry._meta.db_table} SET at = %s WHERE id = %s",  # noqa: S608
            [timezone.now() - timedelta(days=days), entry.pk],
        )


def actions() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("action", flat=True))


class TestOnlyEverAddedTo:
    def test_an_entry_is_not_changed(self) -> None:
        log.record(Action.MEETING_READ, meeting="weekly")
        entry = Entry.objects.get()
        entry.meeting = "another"
        with pytest.raises(AppendOnlyError):
            entry.save()
        with pytest.raises(AppendOnlyError):
            Entry.objects.update(meeting="another")
        with pytest.raises(AppendOnlyError):
            Entry.objects.bulk_update([entry], ["meeting"])
        assert Entry.objects.get().meeting == "weekly"

    def test_an_entry_is_not_deleted(self) -> None:
        log.record(Action.MEETING_READ, meeting="weekly")
        with pytest.raises(AppendOnlyError, match="only ever added to"):
            Entry.objects.get().delete()
        with pytest.raises(AppendOnlyError):
            Entry.objects.all().delete()
        assert Entry.objects.count() == 1

    def test_it_outlives_the_account_and_keeps_its_name(self) -> None:
        anna = User.objects.create_user("anna")
        log.record(Action.MEETING_READ, by=anna, meeting="weekly")
        anna.delete()
        entry = Entry.objects.get()
        assert (entry.actor, entry.actor_name) == (None, "anna")


class TestWhoAndWhence:
    def test_a_visitor_by_link_is_known_by_the_link(self) -> None:
        log.record(Action.MEETING_READ, whence=Origin(None, "203.0.113.7", 7), meeting="weekly")
        entry = Entry.objects.get()
        assert (entry.actor_name, entry.address, entry.detail) == ("", "203.0.113.7", {"token": 7})

    def test_the_service_itself_has_neither_name_nor_address(self) -> None:
        log.record(Action.MEETING_DELETED, meeting="weekly")
        entry = Entry.objects.get()
        assert (entry.actor, entry.actor_name, entry.address, entry.detail) == (None, "", None, {})


class TestSeldom:
    def test_reading_on_is_one_entry_and_another_reader_another(self) -> None:
        anna = User.objects.create_user("anna")
        for by in (anna, anna, None, None):
            log.record_seldom(Action.MEETING_READ, by=by, meeting="weekly")
        log.record_seldom(Action.MEETING_HEARD, by=anna, meeting="weekly")
        assert [entry.actor_name for entry in Entry.objects.order_by("pk")] == ["anna", "", "anna"]

    def test_the_next_entry_says_how_often_it_was_not_told(self) -> None:
        for every_s in (60.0, 60.0, 60.0, 0.0):
            log.record_seldom(Action.MEETING_READ, every_s=every_s, meeting="weekly")
        assert [entry.detail for entry in Entry.objects.order_by("pk")] == [{}, {"more": 2}]

    def test_what_could_not_be_written_is_written_when_it_happens_next(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise DatabaseError("no")

        with monkeypatch.context() as broken:
            broken.setattr(Entry, "save", fail)
            with pytest.raises(DatabaseError):
                log.record_seldom(Action.MEETING_READ, meeting="weekly")
        log.record_seldom(Action.MEETING_READ, meeting="weekly")
        assert actions() == ["meeting-read"]


class TestRetention:
    @pytest.fixture
    def old_and_new(self) -> None:
        log.record(Action.MEETING_READ, meeting="old")
        log.record(Action.MEETING_READ, meeting="new")
        make_old(Entry.objects.get(meeting="old"), days=100)

    @pytest.mark.usefixtures("old_and_new")
    def test_old_entries_go_and_that_is_on_record(self) -> None:
        assert log.prune(90) == 1
        assert actions() == ["meeting-read", "audit-prune"]
        assert Entry.objects.get(action="audit-prune").detail == {"entries": 1}
        assert not Entry.objects.filter(meeting="old").exists()

    @pytest.mark.usefixtures("old_and_new")
    def test_without_a_rule_all_are_kept(self) -> None:
        assert log.prune(0) == 0
        assert Entry.objects.count() == 2

    @pytest.mark.usefixtures("old_and_new")
    def test_a_rehearsal_only_counts(self) -> None:
        assert log.prune(90, is_rehearsal=True) == 1
        assert Entry.objects.count() == 2

    def test_nothing_old_leaves_no_trace(self) -> None:
        log.record(Action.MEETING_READ, meeting="new")
        assert log.prune(90) == 0
        assert actions() == ["meeting-read"]


class TestReaders:
    def test_who_keeps_voices_reads_of_voices_alone(self) -> None:
        log.record(Action.ENROLLED)
        log.record(Action.MEETING_READ, meeting="weekly")
        log.record(Action.LOGGED_IN)
        enroller = User.objects.create_user("enroller")
        root = User.objects.create_superuser("root")
        assert Entry.objects.readable_by(enroller).count() == 1
        assert Entry.objects.readable_by(root).count() == 3
