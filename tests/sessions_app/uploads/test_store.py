"""Uploads in the database: grown piece by piece, claimed by one worker, called off, done with."""

from __future__ import annotations

import datetime as dt
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from recognition.audio import samples
from sessions_app.access.resuming import token_for
from sessions_app.models import Session, Upload
from sessions_app.store import queries, translations
from sessions_app.store.usage import limits_of, usage_of
from sessions_app.uploads import queue, store
from sessions_app.uploads.file_log import Facts
from sessions_app.uploads.tus import Announcement, UploadError
from tests.sessions_app.meetings import make_session, make_user

pytestmark = pytest.mark.django_db

State = Upload.State


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MODEL_SETS = ["embedded"]


@pytest.fixture
def anna() -> User:
    return make_user("anna", "transcriber")


def begin(size: int = 10, *, owner: User | None = None, name: str = "周会.mp3", **more: Any) -> Upload:
    return store.begin(Announcement(size, name, **more), owner=owner, token=None)


def sent(*, owner: User | None = None, **more: Any) -> Upload:
    return store.append(begin(3, owner=owner, **more), 0, b"abc")


def lapse(upload: Upload) -> None:
    """Let the worker that has it be gone."""
    Upload.objects.filter(pk=upload.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def claimed(worker: str = "w") -> Upload:
    upload = store.claim(worker, ["embedded"])
    assert upload
    return upload


class TestPieces:
    def test_a_file_grows_to_its_end_and_waits_then(self) -> None:
        upload = store.append(begin(6), 0, b"abc")
        assert (upload.state, upload.received) == (State.RECEIVING, 3)
        upload = store.append(upload, 3, b"def")
        assert (upload.state, upload.received) == (State.WAITING, 6)
        assert store.path_of(upload).read_bytes() == b"abcdef"

    def test_the_workers_are_told_of_the_last_piece(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        upload = begin(2)
        with django_capture_on_commit_callbacks() as told:
            upload = store.append(upload, 0, b"a")
        assert not told
        with django_capture_on_commit_callbacks() as told:
            store.append(upload, 1, b"b")
        assert len(told) == 1

    def test_a_piece_of_another_place_is_told_where_to_go_on(self) -> None:
        upload = store.append(begin(6), 0, b"abc")
        for offset in (0, 4):
            with pytest.raises(UploadError, match="byte 3") as refused:
                store.append(upload, offset, b"x")
            assert refused.value.status == 409

    def test_of_two_that_send_the_same_piece_at_once_one_counts(self) -> None:
        upload = begin(6)
        other = Upload.objects.get(pk=upload.pk)
        store.append(upload, 0, b"abc")
        with pytest.raises(UploadError) as refused:
            store.append(other, 0, b"abc")
        assert refused.value.status == 409
        assert Upload.objects.get(pk=upload.pk).received == 3

    def test_more_than_was_announced_is_refused_and_not_written(self) -> None:
        upload = begin(2)
        with pytest.raises(UploadError):
            store.append(upload, 0, b"abc")
        assert store.path_of(upload).stat().st_size == 0

    def test_only_we_read_what_people_send(self) -> None:
        umask = os.umask(0o022)
        try:
            upload = begin()
        finally:
            os.umask(umask)
        assert store.path_of(upload).stat().st_mode & 0o777 == 0o640
        assert store.folder().stat().st_mode & 0o777 == 0o750

    def test_a_file_that_is_gone_must_be_sent_anew(self) -> None:
        upload = begin()
        store.path_of(upload).unlink()
        with pytest.raises(UploadError) as refused:
            store.append(upload, 0, b"a")
        assert refused.value.status == 410


class TestRoom:
    def test_a_file_over_the_limit_is_refused_before_it_comes(self, settings: Any) -> None:
        settings.MAX_UPLOAD_MB = 1
        begin(2**20)
        with pytest.raises(UploadError, match="1 MB") as refused:
            begin(2**20 + 1)
        assert refused.value.status == 413

    def test_the_disk_is_not_filled_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(queue, "FREE_BYTES", 2**60)
        with pytest.raises(UploadError) as refused:
            begin()
        assert refused.value.status == 507

    def test_nobody_lines_up_without_end(self, anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(queue, "MAX_UNFINISHED", 2)
        begin(owner=anna)
        begin(owner=anna)
        with pytest.raises(UploadError) as refused:
            begin(owner=anna)
        assert refused.value.status == 429
        begin()  # of somebody else


class TestClaims:
    def test_one_worker_has_it(self) -> None:
        upload = sent()
        taken = claimed()
        assert (taken.pk, taken.state, taken.worker) == (upload.pk, State.RUNNING, "w")
        assert store.claim("other", ["embedded"]) is None

    def test_what_is_not_all_here_is_not_begun(self) -> None:
        begin()
        assert store.claim("w", ["embedded"]) is None

    def test_another_goes_on_when_the_lease_is_over(self) -> None:
        upload = sent()
        claimed()
        lapse(upload)
        taken = claimed("other")
        assert (taken.worker, taken.attempts) == ("other", 2)

    def test_attempts_are_counted_anew_when_it_got_further(self) -> None:
        upload = claimed_of(sent())
        session_pk = store.open_session(upload, Facts(0, ""))
        for durable, attempts in ((0, 2), (100, 1), (100, 2), (200, 1)):
            Session.objects.filter(pk=session_pk).update(durable=durable)
            lapse(upload)
            assert claimed().attempts == attempts

    def test_a_worker_without_its_models_leaves_it(self) -> None:
        sent()
        assert store.claim("w", ["another set"]) is None
        assert store.claim("w", ["embedded"])

    def test_models_that_are_served_no_more_keep_no_file_waiting(self) -> None:
        upload = sent()
        Upload.objects.update(model_set="forgotten")
        assert claimed().pk == upload.pk

    def test_everybody_has_a_turn(self, anna: User) -> None:
        of_anna = [sent(owner=anna) for _ in range(3)]
        other = sent()
        assert [claimed().pk for _ in range(4)] == [of_anna[0].pk, other.pk, of_anna[1].pk, of_anna[2].pk]

    def test_who_lost_it_is_told(self) -> None:
        upload = claimed_of(sent())
        assert store.prolong(upload)
        lapse(upload)
        claimed("other")
        assert not store.prolong(upload)

    def test_given_back_it_may_be_taken_at_once(self) -> None:
        store.give_back(claimed_of(sent()))
        assert claimed("other").attempts == 1


def claimed_of(upload: Upload) -> Upload:
    taken = claimed()
    assert taken.pk == upload.pk
    return taken


class TestMeetings:
    def test_it_is_called_like_the_file_and_was_when_that_was_recorded(self, anna: User) -> None:
        ended = dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)
        upload = claimed_of(sent(owner=anna, changed_at=ended))
        session = Session.objects.get(pk=store.open_session(upload, Facts(samples(3600), "")))
        assert (session.title, session.owner) == ("周会", anna)
        assert session.created_at == ended - timedelta(hours=1)
        upload.refresh_from_db()
        assert (upload.session, upload.samples) == (session, samples(3600))

    def test_it_has_the_id_that_was_asked_for_unless_another_was_faster(self) -> None:
        first, second = sent(session_key="weekly"), sent(session_key="weekly")
        for upload in (first, second):
            store.open_session(upload, Facts(0, ""))
        keys = list(Session.objects.order_by("pk").values_list("key", flat=True))
        assert keys[0] == "weekly"
        assert keys[1].startswith("weekly-")

    @pytest.mark.parametrize(("wish", "itn"), [(None, True), (True, True), (False, False)])
    def test_its_numbers_and_translation_are_as_asked_for(self, wish: bool | None, itn: bool) -> None:
        session_pk = store.open_session(sent(itn=wish, translate="en"), Facts(0, ""))
        assert Session.objects.get(pk=session_pk).itn is itn
        assert translations.language_of(session_pk) == "en"

    def test_it_goes_on_with_an_earlier_one(self) -> None:
        earlier = make_session("earlier", title="周会一")
        upload = sent(continues=token_for("earlier"))
        session = Session.objects.get(pk=store.open_session(upload, Facts(0, "")))
        assert session.continues == earlier

    def test_but_not_with_one_that_somebody_made_up(self) -> None:
        make_session("earlier")
        upload = sent(continues="earlier:forged")
        assert Session.objects.get(pk=store.open_session(upload, Facts(0, ""))).continues is None

    def test_workers_are_not_offered_it_as_one_that_somebody_speaks_in(self) -> None:
        spoken = make_session("spoken", is_live=True)
        session_pk = store.open_session(sent(), Facts(0, ""))
        assert [pk for pk, _, _ in queries.unfinished_sessions()] == [spoken.pk]
        assert queries.is_from_file(session_pk)
        assert not queries.is_from_file(spoken.pk)


class TestEnds:
    def end(self, upload: Upload, fault: str = "", **columns: Any) -> Upload:
        session_pk = store.open_session(upload, Facts(0, ""))
        Session.objects.filter(pk=session_pk).update(state=Session.State.ENDED, **columns)
        store.settle(upload, fault)
        upload.refresh_from_db()
        return upload

    def test_a_file_is_done_and_gone_when_its_meeting_has_ended(self) -> None:
        upload = self.end(claimed_of(sent()))
        assert (upload.state, upload.error, upload.lease_until) == (State.DONE, "", None)
        assert upload.finished_at
        assert not store.path_of(upload).exists()

    def test_a_damaged_end_is_told(self) -> None:
        upload = self.end(claimed_of(sent()), "cut_off")
        assert (upload.state, upload.error) == (State.FAILED, "cut_off")

    def test_so_is_recognition_that_could_not_cope(self) -> None:
        assert self.end(claimed_of(sent()), failures=8).error == "recognition"

    def test_while_its_meeting_goes_on_it_waits_for_a_worker_with_its_file(self) -> None:
        upload = claimed_of(sent())
        store.open_session(upload, Facts(0, ""))
        assert store.settle(upload, "") == State.WAITING
        assert store.path_of(upload).exists()
        assert store.claim("w", ["embedded"]) is None  # not at once
        lapse(upload)
        assert claimed("other").pk == upload.pk

    def test_who_lost_it_settles_nothing(self) -> None:
        upload = claimed_of(sent())
        lapse(upload)
        claimed("other")
        assert store.settle(upload, "") == ""
        assert Upload.objects.get().state == State.RUNNING
        assert store.path_of(upload).exists()

    def test_no_recording_no_meeting(self) -> None:
        upload = claimed_of(sent())
        store.fail(upload, "not_audio")
        upload.refresh_from_db()
        assert (upload.state, upload.error) == (State.FAILED, "not_audio")
        assert not store.path_of(upload).exists()
        assert not Session.objects.exists()


class TestCallingOff:
    @pytest.mark.parametrize("is_here", [False, True])
    def test_what_no_worker_has_is_gone_at_once(self, is_here: bool) -> None:
        upload = store.cancel(sent() if is_here else begin())
        assert upload.state == State.CANCELLED
        assert not store.path_of(upload).exists()
        assert store.claim("w", ["embedded"]) is None

    def test_a_worker_that_has_it_is_told_and_removes_the_file(self) -> None:
        upload = claimed_of(sent())
        store.open_session(upload, Facts(0, ""))
        store.cancel(Upload.objects.get())
        assert store.path_of(upload).exists()  # it reads it
        assert not store.prolong(upload)
        store.settle(upload, "")
        assert not store.path_of(upload).exists()
        assert Upload.objects.get().state == State.CANCELLED

    def test_the_meeting_of_a_worker_that_is_gone_is_ended_by_another(self) -> None:
        upload = claimed_of(sent())
        session_pk = store.open_session(upload, Facts(0, ""))
        store.cancel(Upload.objects.get())
        assert store.claim("other", ["embedded"]) is None
        lapse(upload)
        taken = claimed("other")
        assert (taken.state, taken.session_id) == (State.CANCELLED, session_pk)

    def test_what_is_over_is_forgotten_and_its_meeting_stays(self) -> None:
        upload = claimed_of(sent())
        session_pk = store.open_session(upload, Facts(0, ""))
        Session.objects.update(state=Session.State.ENDED)
        store.settle(upload, "")
        store.cancel(Upload.objects.get())
        assert not Upload.objects.exists()
        assert Session.objects.filter(pk=session_pk).exists()


class TestSweeping:
    def age(self, **columns: Any) -> None:
        Upload.objects.update(
            **dict.fromkeys(columns, timezone.now() - store.REMEMBERED - timedelta(hours=1))
        )

    def test_a_file_of_which_the_rest_never_came_is_deleted(self) -> None:
        upload = begin()
        store.sweep()
        assert Upload.objects.exists()
        self.age(changed_at=True)
        os.utime(store.path_of(upload), (0, 0))
        store.sweep()
        assert not Upload.objects.exists()
        assert not store.path_of(upload).exists()

    def test_one_that_waits_stays_however_long(self) -> None:
        upload = sent()
        self.age(changed_at=True, created_at=True)
        os.utime(store.path_of(upload), (0, 0))
        store.sweep()
        assert store.path_of(upload).exists()
        assert claimed().pk == upload.pk

    def test_news_are_forgotten_after_a_week(self) -> None:
        store.fail(claimed_of(sent()), "empty")
        store.sweep()
        assert Upload.objects.exists()
        self.age(finished_at=True)
        store.sweep()
        assert not Upload.objects.exists()


class TestQuotas:
    def test_a_file_is_no_meeting_that_goes_on(self, anna: User, settings: Any) -> None:
        settings.QUOTA_SESSIONS = 1
        store.open_session(sent(owner=anna), Facts(0, ""))
        assert usage_of(anna.pk, limits_of(anna.pk)).sessions == 0

    def test_an_old_recording_counts_from_when_it_was_sent(self, anna: User) -> None:
        session_pk = store.open_session(
            sent(owner=anna, changed_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)), Facts(0, "")
        )
        Session.objects.filter(pk=session_pk).update(durable=samples(120))
        assert usage_of(anna.pk, limits_of(anna.pk)).minutes == 2.0

    def test_what_is_still_to_come_takes_room_already(self, anna: User, settings: Any) -> None:
        settings.QUOTA_STORAGE_MB = 1
        begin(1000, owner=anna)
        sent(owner=anna)
        assert usage_of(anna.pk, limits_of(anna.pk)).storage_bytes == 1003
