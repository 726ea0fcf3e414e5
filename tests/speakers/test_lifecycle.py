"""The life of an entry: renamed, merged, withdrawn, expired; what stays with whom, at the edges of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.models import Entry
from speakers import enrollment, lifecycle
from speakers.exceptions import EnrollmentError
from speakers.models import (
    Consent,
    ConsentText,
    Enrollment,
    GalleryChange,
    Job,
    Speaker,
    Voiceprint,
)

from .drafts import judge
from .people import enroll, give_consent, make_speaker

pytestmark = pytest.mark.django_db

VOICE = np.eye(4, dtype=np.float32)[0]
UPLOAD = Voiceprint.Source.UPLOAD
SOUND = np.zeros(160, np.float32)
NOW = datetime(2030, 3, 31, 0, 30, tzinfo=timezone.get_fixed_timezone(60))
SECOND = timedelta(seconds=1)


@pytest.fixture
def user() -> User:
    return User.objects.create_user("staff")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the clock."""

    def set_clock(now: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now)

    set_clock(NOW)
    return set_clock


def actions() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("action", flat=True))


class TestRename:
    def test_the_old_name_stays_in_the_history_under_who_changed_it(self, user: User) -> None:
        alice = Speaker.objects.create(name="Alice")

        lifecycle.rename(alice, name="Alicia", note="since May", by=user)

        newest, first = alice.history.all()
        assert (newest.name, newest.note, newest.history_user) == ("Alicia", "since May", user)
        assert first.name == "Alice"

    def test_the_service_itself_may_do_it(self) -> None:
        alice = Speaker.objects.create(name="Alice")

        lifecycle.rename(alice, name="Alicia", note="", by=None)

        assert alice.history.first().history_user is None

    def test_two_people_may_have_one_name(self) -> None:
        """There are two Alice Millers, and the key tells them apart."""
        one, other = Speaker.objects.create(name="Alice Miller"), Speaker.objects.create(name="A")

        lifecycle.rename(other, name="Alice Miller", note="", by=None)

        assert Speaker.objects.filter(name="Alice Miller").count() == 2
        assert one.uuid != other.uuid


class TestMerge:
    def test_each_voiceprint_keeps_the_consent_that_it_was_enrolled_under(self) -> None:
        alice, again = make_speaker("Alice", VOICE), make_speaker("Alice again", VOICE)
        pairs = {voiceprint.pk: voiceprint.consent_id for voiceprint in Voiceprint.objects.all()}

        lifecycle.merge(alice, again, by=None)

        assert {print_.pk: print_.consent_id for print_ in alice.voiceprints.all()} == pairs
        for voiceprint in Voiceprint.objects.all():
            voiceprint.save()  # the rule that a consent is the speaker's own still holds

    def test_a_consent_that_came_with_a_merge_can_be_withdrawn_alone(self) -> None:
        alice, again = make_speaker("Alice", VOICE), make_speaker("Alice again", VOICE)
        came_along = again.consents.get()
        lifecycle.merge(alice, again, by=None)

        lifecycle.withdraw(came_along, by=None)

        assert alice.voiceprints.count() == alice.consents.count() == 1

    def test_a_recording_that_waits_is_stored_for_the_one_who_is_kept(self, user: User) -> None:
        alice, again = make_speaker("Alice"), make_speaker("Alice again")
        draft = judge(enrollment.begin(SOUND, source=UPLOAD, by=user, speaker=again))

        lifecycle.merge(alice, again, by=user)
        draft.refresh_from_db()
        stored = enrollment.approve(draft, alice, by=user)

        assert stored.speaker == alice

    def test_a_consent_of_either_is_enough_afterwards(self) -> None:
        silent, agreed = Speaker.objects.create(name="Alice"), make_speaker("Alice again")
        assert enrollment.valid_consent(silent) is None

        lifecycle.merge(silent, agreed, by=None)

        assert enrollment.valid_consent(silent) is not None

    def test_nothing_of_the_other_name_is_left(self) -> None:
        alice, again = make_speaker("Alice"), make_speaker("Alice Unforgettable")

        lifecycle.merge(alice, again, by=None)

        assert not Speaker.history.filter(name="Alice Unforgettable").exists()
        assert not Speaker.objects.filter(pk=again.pk).exists()

    def test_with_itself_it_is_refused_and_nothing_is_lost(self) -> None:
        alice = make_speaker("Alice", VOICE)

        with pytest.raises(ValueError, match="cannot be merged with itself"):
            lifecycle.merge(alice, Speaker.objects.get(pk=alice.pk), by=None)

        assert alice.voiceprints.count() == 1
        assert actions() == []

    def test_none_of_several_is_merged_if_one_of_them_is_the_one_to_keep(self) -> None:
        alice, bob = make_speaker("Alice"), make_speaker("Bob")

        with pytest.raises(ValueError, match="itself"):
            lifecycle.merge_all(alice, [bob, alice], by=None)

        assert Speaker.objects.count() == 2
        assert actions() == []

    def test_merging_nobody_changes_nothing(self) -> None:
        alice = make_speaker("Alice")

        lifecycle.merge_all(alice, [], by=None)

        assert actions() == []
        assert not GalleryChange.objects.exists()


class TestForget:
    def test_nobody_else_loses_anything(self, user: User) -> None:
        alice, bob = make_speaker("Alice", VOICE), make_speaker("Bob", VOICE)
        draft = enrollment.begin(SOUND, source=UPLOAD, by=user, speaker=bob)

        lifecycle.forget(alice, by=user)

        assert list(Speaker.objects.all()) == [bob]
        assert bob.voiceprints.count() == bob.consents.count() == 1
        assert Enrollment.objects.get() == draft

    def test_the_record_names_the_key_and_how_much_there_was_and_no_name(self, user: User) -> None:
        alice = make_speaker("Alice Unforgettable", VOICE)
        enroll(alice, VOICE)

        lifecycle.forget(alice, by=user)

        entry = Entry.objects.get()
        assert (entry.speaker, entry.actor_name, entry.detail) == (alice.uuid, "staff", {"voiceprints": 2})
        assert "Unforgettable" not in str(entry.__dict__)

    def test_the_record_outlives_who_did_it(self, user: User) -> None:
        lifecycle.forget(make_speaker("Alice"), by=user)

        user.delete()

        entry = Entry.objects.get()
        assert (entry.actor, entry.actor_name) == (None, "staff")

    def test_the_text_that_people_agreed_to_stays_for_the_others(self) -> None:
        alice = make_speaker("Alice")
        texts = ConsentText.objects.count()

        lifecycle.forget(alice, by=None)

        assert ConsentText.objects.count() == texts

    def test_forgetting_nobody_is_no_deed(self) -> None:
        lifecycle.forget_all(Speaker.objects.none(), by=None)

        assert actions() == []

    def test_one_voiceprint_goes_and_the_others_stay(self, user: User) -> None:
        alice = make_speaker("Alice", VOICE)
        kept, gone = alice.voiceprints.get(), enroll(alice, VOICE)

        lifecycle.forget_voiceprint(gone, by=user)

        assert list(alice.voiceprints.all()) == [kept]
        assert Entry.objects.get().detail == {"voiceprint": str(gone.uuid)}


class TestWithdraw:
    def test_what_was_enrolled_under_another_consent_stays(self, user: User) -> None:
        alice = make_speaker("Alice", VOICE)
        later = give_consent(alice)
        kept = enroll(alice, VOICE, consent=later)

        lifecycle.withdraw(alice.consents.exclude(pk=later.pk).get(), by=user)

        assert list(alice.voiceprints.all()) == [kept]
        assert Entry.objects.get().detail == {"voiceprints": 1}

    def test_a_recording_that_would_store_itself_goes_with_its_consent(self, user: User) -> None:
        alice = make_speaker("Alice")
        consent = alice.consents.get()
        enrollment.begin(SOUND, source=UPLOAD, by=user, speaker=alice, consent=consent)

        lifecycle.withdraw(consent, by=user)

        assert not Enrollment.objects.exists()

    def test_afterwards_nothing_more_can_be_stored(self, user: User) -> None:
        alice = make_speaker("Alice")
        draft = judge(enrollment.begin(SOUND, source=UPLOAD, by=user, speaker=alice))

        lifecycle.withdraw(alice.consents.get(), by=user)

        with pytest.raises(EnrollmentError, match="withdrawn or has expired"):
            enrollment.approve(draft, alice, by=user)
        assert Enrollment.objects.filter(pk=draft.pk).exists()  # to be listened to, or deleted


class TestExpire:
    @pytest.mark.parametrize(("left", "is_there"), [(SECOND, True), (timedelta(0), False), (-SECOND, False)])
    def test_a_consent_ends_at_its_second(self, at: Any, left: timedelta, is_there: bool) -> None:
        alice = make_speaker("Alice")
        consent = give_consent(alice, expires_at=NOW + left)
        enroll(alice, VOICE, consent=give_consent(alice)).delete()

        lifecycle.expire()

        assert Consent.objects.filter(pk=consent.pk).exists() == consent.is_valid == is_there

    def test_each_end_is_on_record_and_endless_ones_never_end(self, at: Any) -> None:
        alice, bob = make_speaker("Alice", VOICE), make_speaker("Bob", VOICE)
        Consent.objects.filter(speaker=bob).update(expires_at=NOW)
        at(NOW + timedelta(days=10_000))

        lifecycle.expire()
        lifecycle.expire()

        assert list(Voiceprint.objects.values_list("speaker", flat=True)) == [alice.pk]
        entry = Entry.objects.get(action="expire")
        assert (entry.speaker, entry.actor, entry.actor_name) == (bob.uuid, None, "")
        assert entry.detail == {"voiceprints": 1}

    def test_the_person_stays_and_may_agree_again(self, at: Any, user: User) -> None:
        alice = make_speaker("Alice", VOICE)
        Consent.objects.update(expires_at=NOW)

        lifecycle.expire()
        text = ConsentText.objects.first()
        assert text is not None
        enrollment.record_consent(alice, text, by=user)

        assert enrollment.valid_consent(alice) is not None
        assert not alice.voiceprints.exists()

    @pytest.mark.parametrize(("age", "is_there"), [(-SECOND, True), (timedelta(0), True), (SECOND, False)])
    def test_a_recording_waits_a_day_for_a_decision(
        self, at: Any, user: User, age: timedelta, is_there: bool
    ) -> None:
        draft = enrollment.begin(SOUND, source=UPLOAD, by=user)
        Enrollment.objects.update(created_at=NOW - lifecycle.DRAFT_LIFE - age)

        lifecycle.expire()

        assert Enrollment.objects.filter(pk=draft.pk).exists() == is_there

    @pytest.mark.parametrize(("age", "is_there"), [(timedelta(0), True), (SECOND, False)])
    def test_notes_for_workers_are_kept_for_a_week(self, at: Any, age: timedelta, is_there: bool) -> None:
        change = GalleryChange.objects.create(speaker=1)
        GalleryChange.objects.update(created_at=NOW - lifecycle.CHANGE_LIFE - age)

        lifecycle.expire()

        assert GalleryChange.objects.filter(pk=change.pk).exists() == is_there

    def test_when_nothing_runs_out_nothing_is_asked_of_the_workers(self, at: Any) -> None:
        make_speaker("Alice", VOICE)
        before = Job.objects.count()

        lifecycle.expire()

        assert Job.objects.count() == before
        assert actions() == []

    def test_of_many_workers_that_delete_it_one_records_it(self) -> None:
        consent = make_speaker("Alice", VOICE).consents.get()
        as_another_worker_read_it = Consent.objects.select_related("speaker").get()

        lifecycle._expire_consent(consent)
        lifecycle._expire_consent(as_another_worker_read_it)

        assert actions() == ["expire"]


class TestStore:
    def test_under_somebody_elses_consent_nothing_is_stored(self, user: User) -> None:
        alice, bob = make_speaker("Alice"), make_speaker("Bob")
        draft = judge(enrollment.begin(SOUND, source=UPLOAD, by=user, speaker=alice))

        with pytest.raises(ValidationError, match="somebody else's"):
            enrollment.store(draft, alice, bob.consents.get(), by=user)

        assert not Voiceprint.objects.exists()
        assert Enrollment.objects.exists()

    def test_asked_for_twice_at_once_it_becomes_one_voiceprint(self, user: User) -> None:
        """Two clicks, or two programs: both have read the recording before either has stored it."""
        alice = make_speaker("Alice")
        draft = judge(enrollment.begin(SOUND, source=UPLOAD, by=user, speaker=alice))
        as_the_other_read_it = Enrollment.objects.get()

        enrollment.approve(draft, alice, by=user)
        with pytest.raises(EnrollmentError, match="may have been stored or deleted"):
            enrollment.approve(as_the_other_read_it, alice, by=user)

        assert alice.voiceprints.count() == 1
        assert actions() == ["enroll"]

    def test_what_was_deleted_meanwhile_is_not_stored(self, user: User) -> None:
        alice = make_speaker("Alice")
        draft = judge(enrollment.begin(SOUND, source=UPLOAD, by=user, speaker=alice))
        lifecycle.discard(Enrollment.objects.get())

        with pytest.raises(EnrollmentError, match="deleted"):
            enrollment.approve(draft, alice, by=user)

        assert not Voiceprint.objects.exists()

    def test_the_voiceprint_has_what_the_worker_found_and_who_decided(self, user: User) -> None:
        alice = make_speaker("Alice")
        draft = judge(enrollment.begin(SOUND, source=UPLOAD, by=user, speaker=alice))

        stored = enrollment.approve(draft, alice, by=User.objects.create_user("boss"))

        assert (stored.speech_s, stored.snr_db) == (9.5, 31.0)
        assert (stored.model_id, stored.source) == ("model-1", "upload")
        assert stored.created_by is not None
        assert stored.created_by.username == "boss"
        assert stored.consent == alice.consents.get()
        with stored.audio.open() as kept:
            assert len(enrollment.from_flac(kept.read())) == len(SOUND)


class TestHowLongAConsentHolds:
    def test_it_runs_out_by_the_days_of_the_settings(self, at: Any, settings: Any, user: User) -> None:
        settings.CONSENT_DAYS = 2
        text = ConsentText.objects.first()
        assert text is not None

        consent = enrollment.record_consent(Speaker.objects.create(name="Alice"), text, by=user)

        assert consent.expires_at == NOW + timedelta(days=2)

    def test_changed_days_leave_what_people_agreed_to_before(
        self, at: Any, settings: Any, user: User
    ) -> None:
        alice = make_speaker("Alice")
        settings.CONSENT_DAYS = 1
        at(NOW + timedelta(days=2))

        lifecycle.expire()

        assert alice.consents.count() == 1
