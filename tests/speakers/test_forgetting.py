"""Deleting is forgetting, whatever deletes: every path to the end of a voice, and what is gone after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Action, Entry
from speakers import calibration, enrollment, followers, lifecycle, secure_erase
from speakers.gallery import GalleryReader
from speakers.gallery_changes import CALIBRATION, gallery_changed
from speakers.models import (
    Calibration,
    Consent,
    Enrollment,
    GalleryChange,
    Job,
    Speaker,
    Voiceprint,
)

from .people import MODEL, enroll, expire_drafts, make_speaker

pytestmark = pytest.mark.django_db(transaction=True)

VOICE = np.eye(4, dtype=np.float32)[0]
UPLOAD = Voiceprint.Source.UPLOAD


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password="boss")


@pytest.fixture
def page(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


@pytest.fixture
def alice() -> Speaker:
    """Enrolled with a recording."""
    return make_speaker("Alice", VOICE, audio=b"her voice")


class Recorder:
    """A follower that writes down what it is told, and who was still there then."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def renamed(self, speaker: Speaker) -> None:
        self.told.append(("renamed", Speaker.objects.get(pk=speaker.pk).name))

    def merged(self, kept: Speaker, gone: Speaker) -> None:
        self.told.append(("merged", kept.name, Speaker.objects.get(pk=gone.pk).name))

    def forgotten(self, speaker: Speaker) -> None:
        self.told.append(("forgotten", Speaker.objects.get(pk=speaker.pk).name))


@pytest.fixture
def follower() -> Iterator[Recorder]:
    recorder = Recorder()
    followers.register(recorder)
    yield recorder
    followers.unregister(recorder)


def recordings(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def known(reader: GalleryReader) -> list[int]:
    reader.refresh()
    speakers: list[int] = reader.gallery.speakers.tolist()
    return speakers


def delete_in_list(page: Client, speaker: Speaker) -> None:
    page.post(
        reverse("admin:speakers_speaker_changelist"),
        {"action": "delete_selected", "_selected_action": [speaker.pk], "post": "yes"},
    )


def delete_on_page(page: Client, speaker: Speaker) -> None:
    page.post(reverse("admin:speakers_speaker_delete", args=[speaker.pk]), {"post": "yes"})


def delete_over_api(page: Client, speaker: Speaker) -> None:
    answer = page.delete(f"/api/speakers/{speaker.uuid}", headers={"Authorization": "Basic Ym9zczpib3Nz"})
    assert answer.status_code == 204


SPEAKER_PATHS: dict[str, Callable[[Client, Speaker], object]] = {
    "use case": lambda page, speaker: lifecycle.forget(speaker, by=None),
    "several": lambda page, speaker: lifecycle.forget_all(Speaker.objects.all(), by=None),
    "page": delete_on_page,
    "list": delete_in_list,
    "API": delete_over_api,
    "shell, one row": lambda page, speaker: speaker.delete(),
    "shell, rows": lambda page, speaker: Speaker.objects.filter(pk=speaker.pk).delete(),
}


@pytest.mark.parametrize("path", SPEAKER_PATHS)
def test_a_speaker_is_forgotten_by_every_path(
    path: str, page: Client, boss: User, alice: Speaker, follower: Recorder, media: Path
) -> None:
    enrollment.begin(np.zeros(1600, np.float32), source=UPLOAD, by=boss, speaker=alice)
    reader = GalleryReader(MODEL, 4)
    assert known(reader) == [alice.pk]
    assert len(recordings(media)) == 2
    LogEntry.objects.create(
        user=boss,
        content_type=ContentType.objects.get_for_model(Speaker),
        object_id=str(alice.pk),
        object_repr="Alice",
        action_flag=CHANGE,
    )

    SPEAKER_PATHS[path](page, alice)

    assert not Speaker.objects.exists()
    assert not Voiceprint.objects.exists()
    assert not Consent.objects.exists()
    assert not Enrollment.objects.exists()
    assert recordings(media) == []
    assert known(reader) == []
    assert follower.told == [("forgotten", "Alice")]
    assert not LogEntry.objects.filter(object_repr="Alice").exists()
    assert not Speaker.history.exists()
    assert Job.objects.filter(kind=secure_erase.WIPE).count() == 1


def delete_inline(page: Client, speaker: Speaker, prefix: str, row: Voiceprint | Consent) -> None:
    forms: dict[str, Any] = {}
    for name, rows in (("voiceprints", speaker.voiceprints), ("consents", speaker.consents)):
        keys = list(rows.values_list("pk", flat=True))
        forms |= {f"{name}-TOTAL_FORMS": len(keys), f"{name}-INITIAL_FORMS": len(keys)}
        for at, key in enumerate(keys):
            forms |= {f"{name}-{at}-id": key, f"{name}-{at}-speaker": speaker.pk}
            if name == prefix and key == row.pk:
                forms[f"{name}-{at}-DELETE"] = "on"
    address = reverse("admin:speakers_speaker_change", args=[speaker.pk])
    assert page.post(address, {"name": speaker.name, "note": "", **forms}).status_code == 302


def run_out(consent: Consent) -> None:
    Consent.objects.filter(pk=consent.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    lifecycle.expire()


VOICEPRINT_PATHS: dict[str, Callable[[Client, Speaker], object]] = {
    "use case": lambda page, who: lifecycle.forget_voiceprint(who.voiceprints.get(), by=None),
    "page": lambda page, who: delete_inline(page, who, "voiceprints", who.voiceprints.get()),
    "API": lambda page, who: page.delete(
        f"/api/voiceprints/{who.voiceprints.get().uuid}", headers={"Authorization": "Basic Ym9zczpib3Nz"}
    ),
    "shell": lambda page, who: who.voiceprints.all().delete(),
    "its consent is withdrawn": lambda page, who: lifecycle.withdraw(who.consents.get(), by=None),
    "its consent is deleted on a page": lambda page, who: delete_inline(
        page, who, "consents", who.consents.get()
    ),
    "its consent is withdrawn over the API": lambda page, who: page.delete(
        f"/api/consents/{who.consents.get().pk}", headers={"Authorization": "Basic Ym9zczpib3Nz"}
    ),
    "its consent is deleted in a shell": lambda page, who: who.consents.all().delete(),
    "its consent runs out": lambda page, who: run_out(who.consents.get()),
}


@pytest.mark.parametrize("path", VOICEPRINT_PATHS)
def test_a_voiceprint_is_forgotten_by_every_path(
    path: str, page: Client, alice: Speaker, follower: Recorder, media: Path
) -> None:
    reader = GalleryReader(MODEL, 4)
    assert known(reader) == [alice.pk]

    VOICEPRINT_PATHS[path](page, alice)

    assert Speaker.objects.get() == alice
    assert not Voiceprint.objects.exists()
    assert recordings(media) == []
    assert known(reader) == []
    assert ("forgotten", "Alice") not in follower.told
    assert Job.objects.filter(kind=secure_erase.WIPE).count() == 1


DRAFT_PATHS: dict[str, Callable[[Client, Enrollment], object]] = {
    "use case": lambda page, draft: lifecycle.discard(draft),
    "page": lambda page, draft: page.post(reverse("enrollment", args=[draft.uuid]), {"discard": "1"}),
    "API": lambda page, draft: page.delete(
        f"/api/enrollments/{draft.uuid}", headers={"Authorization": "Basic Ym9zczpib3Nz"}
    ),
    "shell": lambda page, draft: draft.delete(),
    "its author is deleted": lambda page, draft: draft.created_by.delete(),
    "nobody decides": lambda page, draft: expire_drafts(),
}


@pytest.mark.parametrize("path", DRAFT_PATHS)
def test_a_recording_that_waits_is_gone_by_every_path(
    path: str, page: Client, boss: User, media: Path
) -> None:
    draft = enrollment.begin(np.zeros(1600, np.float32), source=UPLOAD, by=boss)
    assert len(recordings(media)) == 1

    DRAFT_PATHS[path](page, draft)

    assert not Enrollment.objects.exists()
    assert recordings(media) == []


def test_a_deletion_that_is_taken_back_takes_nothing_with_it(
    alice: Speaker, follower: Recorder, media: Path
) -> None:
    reader = GalleryReader(MODEL, 4)
    assert known(reader) == [alice.pk]

    with transaction.atomic():
        lifecycle.forget(alice, by=None)
        transaction.set_rollback(True)

    assert Speaker.objects.get().name == "Alice"
    assert len(recordings(media)) == 1
    assert known(reader) == [Speaker.objects.get().pk]
    assert not Entry.objects.filter(action=Action.FORGOTTEN).exists()


def test_a_row_without_a_recording_can_be_deleted_too(media: Path) -> None:
    bob = make_speaker("Bob", VOICE)

    lifecycle.forget_voiceprint(bob.voiceprints.get(), by=None)

    assert not bob.voiceprints.exists()


def test_a_recording_that_is_gone_already_stops_no_deletion(alice: Speaker, media: Path) -> None:
    for file in recordings(media):
        file.unlink()

    lifecycle.forget(alice, by=None)

    assert not Speaker.objects.exists()


class TestFollowers:
    """Who refers to speakers is told of each change, by page and API alike."""

    def test_a_new_name_is_told_by_the_use_case(self, alice: Speaker, follower: Recorder) -> None:
        lifecycle.rename(alice, name="Alicia", note="", by=None)

        assert follower.told == [("renamed", "Alicia")]

    def test_a_new_name_is_told_by_the_page(self, page: Client, alice: Speaker, follower: Recorder) -> None:
        alice.voiceprints.all().delete()
        alice.consents.all().delete()
        forms = {
            f"{name}-{total}_FORMS": 0
            for name in ("voiceprints", "consents")
            for total in ("TOTAL", "INITIAL")
        }
        address = reverse("admin:speakers_speaker_change", args=[alice.pk])

        page.post(address, {"name": "Alicia", "note": "", **forms})

        assert follower.told == [("renamed", "Alicia")]
        assert alice.history.latest().history_user.get_username() == "boss"

    def test_a_new_name_is_told_by_the_api(self, page: Client, alice: Speaker, follower: Recorder) -> None:
        page.patch(
            f"/api/speakers/{alice.uuid}",
            {"name": " Alicia "},
            content_type="application/json",
            headers={"Authorization": "Basic Ym9zczpib3Nz"},
        )

        assert follower.told == [("renamed", "Alicia")]
        assert alice.history.latest().history_user.get_username() == "boss"

    def test_somebody_new_is_nobody_renamed(self, page: Client, boss: User, follower: Recorder) -> None:
        page.post(reverse("admin:speakers_speaker_add"), {"name": "Bob", "note": ""})

        assert Speaker.objects.get().name == "Bob"
        assert follower.told == []

    def test_a_merge_is_told_before_the_row_goes(self, alice: Speaker, follower: Recorder) -> None:
        lifecycle.merge(alice, make_speaker("Alicia"), by=None)

        assert follower.told == [("merged", "Alice", "Alicia"), ("forgotten", "Alicia")]

    def test_a_follower_that_fails_stops_the_change(self, alice: Speaker) -> None:
        class Failing(Recorder):
            def renamed(self, speaker: Speaker) -> None:
                raise OSError("the disk is full")

        failing = Failing()
        followers.register(failing)
        try:
            with pytest.raises(OSError, match="full"):
                lifecycle.rename(alice, name="Alicia", note="", by=None)
        finally:
            followers.unregister(failing)

        assert Speaker.objects.get().name == "Alice"

    def test_who_is_no_follower_any_more_is_told_nothing(self, alice: Speaker) -> None:
        recorder = Recorder()
        followers.register(recorder)
        followers.unregister(recorder)

        lifecycle.forget(alice, by=None)

        assert recorder.told == []


class TestSeveral:
    def test_several_are_merged_or_none(self, alice: Speaker) -> None:
        bob = make_speaker("Bob")

        with pytest.raises(ValueError, match="with itself"):
            lifecycle.merge_all(alice, [bob, alice], by=None)

        assert Speaker.objects.count() == 2
        assert not Entry.objects.filter(action=Action.MERGED).exists()

    def test_several_voices_become_one(self, alice: Speaker) -> None:
        others = [make_speaker(name, VOICE) for name in ("Alicia", "Ally")]

        lifecycle.merge_all(alice, others, by=None)

        assert alice.voiceprints.count() == 3
        assert Speaker.objects.get() == alice


class TestGallery:
    """The workers are told by whoever changes a voice, in the same transaction."""

    def changes(self) -> list[int]:
        return list(GalleryChange.objects.order_by("pk").values_list("speaker", flat=True))

    def test_a_change_is_noted_only_if_it_is_committed(self) -> None:
        with transaction.atomic():
            gallery_changed(7)
            transaction.set_rollback(True)

        assert self.changes() == []

    def test_a_consent_alone_changes_no_voice(self) -> None:
        make_speaker("Bob")

        assert self.changes() == []

    def test_a_merge_changes_both(self, alice: Speaker) -> None:
        bob = make_speaker("Bob", VOICE)
        both = [alice.pk, bob.pk]
        GalleryChange.objects.all().delete()

        lifecycle.merge(alice, bob, by=None)

        assert self.changes() == both

    def test_a_new_name_changes_no_voice(self, alice: Speaker) -> None:
        GalleryChange.objects.all().delete()

        lifecycle.rename(alice, name="Alicia", note="", by=None)

        assert self.changes() == []

    def test_a_calibration_that_a_person_changes_is_taken_over(self, page: Client) -> None:
        form = {"model_id": MODEL, "threshold": "0.9", "margin": "1", "shortest_speech_s": "1"}
        page.post(reverse("admin:speakers_calibration_add"), form)
        row = Calibration.objects.get()
        page.post(reverse("admin:speakers_calibration_change", args=[row.pk]), form | {"threshold": "0.95"})

        assert Calibration.objects.get().threshold == 0.95
        assert self.changes() == [CALIBRATION, CALIBRATION]

    def test_a_calibration_that_is_deleted_counts_no_more(self, page: Client) -> None:
        row = Calibration(model_id=MODEL, threshold=0.9, margin=1.0, shortest_speech_s=1.0)
        calibration.change(row)

        page.post(reverse("admin:speakers_calibration_delete", args=[row.pk]), {"post": "yes"})

        assert not Calibration.objects.exists()
        assert self.changes() == [CALIBRATION, CALIBRATION]

    def test_old_notes_are_thrown_away(self) -> None:
        gallery_changed(1)
        GalleryChange.objects.update(created_at=timezone.now() - timedelta(days=8))
        gallery_changed(2)

        lifecycle.expire()

        assert self.changes() == [2]

    def test_what_has_not_run_out_stays(self, alice: Speaker) -> None:
        alice.consents.update(expires_at=timezone.now() + timedelta(hours=1))

        lifecycle.expire()

        assert alice.voiceprints.count() == 1


def test_no_more_than_one_receiver_watches_each_table() -> None:
    """Whatever else follows a change is called by name."""
    own = [
        receiver
        for signal in (pre_save, post_save, pre_delete, post_delete)
        for model in (Speaker, Voiceprint, Consent, Enrollment, Calibration)
        for receiver in signal._live_receivers(model)[0]
        if receiver.__module__.startswith(("speakers.", "sessions_app."))
    ]
    assert {f"{receiver.__module__}.{receiver.__name__}" for receiver in own} == {"speakers.traces._remove"}
    assert len(own) == 4


def test_enrolling_again_is_noted(alice: Speaker) -> None:
    reader = GalleryReader(MODEL, 4)
    known(reader)

    enroll(alice, np.eye(4, dtype=np.float32)[1])

    assert reader.refresh()
