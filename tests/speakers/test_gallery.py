"""The gallery that a worker keeps in step with the database."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from speakers import calibration, lifecycle
from speakers import gallery as gallery_module
from speakers.exceptions import Undecipherable
from speakers.gallery import GalleryReader
from speakers.gallery_changes import gallery_changed
from speakers.models import Calibration, GalleryChange, Speaker
from tests.support.arrays import assert_close

from .people import MODEL, enroll, give_consent, make_speaker
from .voices import DIMENSION, People


@pytest.mark.django_db
class GalleryTests:
    def setup_method(self) -> None:
        self.people = People()
        self.alice = make_speaker("Alice", self.people.person(1))
        self.reader = GalleryReader(MODEL, DIMENSION)
        self.reader.refresh()

    def voice_of(self, speaker: Speaker) -> np.ndarray | None:
        voice = self.reader.gallery.voice(speaker.pk)
        return None if voice is None else voice.rows[0]


class TestRefresh(GalleryTests):
    def test_whoever_is_enrolled_is_known(self) -> None:
        assert_close(self.voice_of(self.alice), self.people.person(1), atol=1e-6)

    def test_without_a_change_nothing_is_read(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            assert not self.reader.refresh()

    def test_somebody_who_was_enrolled_since_is_known(self) -> None:
        bob = make_speaker("Bob", self.people.person(2))

        assert self.reader.refresh()

        assert_close(self.voice_of(bob), self.people.person(2), atol=1e-6)
        assert self.alice.pk in self.reader.gallery

    def test_several_voiceprints_of_a_speaker_are_averaged_by_their_speech(self) -> None:
        enroll(self.alice, self.people.person(2), speech_s=15.0)

        self.reader.refresh()

        expected = self.people.person(1) * 5 + self.people.person(2) * 15
        assert_close(self.voice_of(self.alice), expected / np.linalg.norm(expected), atol=1e-5)

    def test_a_speaker_whose_last_voiceprint_is_gone_is_not_known(self) -> None:
        self.alice.voiceprints.get().delete()

        self.reader.refresh()

        assert self.voice_of(self.alice) is None

    def test_a_forgotten_speaker_is_not_known(self) -> None:
        lifecycle.forget(self.alice, by=None)

        self.reader.refresh()

        assert len(self.reader.gallery) == 0

    def test_merged_speakers_are_one(self) -> None:
        bob = make_speaker("Bob", self.people.person(2))
        self.reader.refresh()

        lifecycle.merge(self.alice, bob, by=None)
        self.reader.refresh()

        assert self.reader.gallery.speakers.tolist() == [self.alice.pk]

    def test_voiceprints_of_another_model_are_not_compared(self) -> None:
        bob = make_speaker("Bob", self.people.person(2), model_id="model-0")

        self.reader.refresh()

        assert bob.pk not in self.reader.gallery

    def test_a_voiceprint_of_another_dimension_is_left_out_and_reported(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        bob = make_speaker("Bob", np.ones(DIMENSION + 1, np.float32))

        self.reader.refresh()

        [report] = caplog.records
        assert (report.name, report.levelname) == ("speakers.gallery", "ERROR")
        assert "65 dimensions" in report.getMessage()
        assert bob.pk not in self.reader.gallery

    def test_a_voiceprint_under_a_consent_that_has_run_out_is_not_used(self) -> None:
        consent = self.alice.consents.get()
        consent.expires_at = timezone.now() - timedelta(seconds=1)
        consent.save()
        gallery_changed(self.alice.pk)

        self.reader.refresh()

        assert self.alice.pk not in self.reader.gallery

    def test_a_change_that_becomes_visible_after_a_later_one_is_not_missed(self) -> None:
        """Two transactions take numbers 5 and 6; 6 commits first, and a worker looks in between."""
        late = GalleryChange.objects.create(speaker=1)
        late_key = late.pk
        late.delete()
        make_speaker("Bob", self.people.person(2))
        self.reader.refresh()
        carol = Speaker.objects.create(name="Carol")
        enroll(carol, self.people.person(3), consent=give_consent(carol))
        GalleryChange.objects.filter(speaker=carol.pk).delete()

        GalleryChange.objects.create(pk=late_key, speaker=carol.pk)

        assert self.reader.refresh()
        assert carol.pk in self.reader.gallery

    def test_more_changes_than_are_looked_back_at_are_not_missed_either(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gallery_module, "LATE", 3)
        people = [make_speaker(f"Person {n}", self.people.person(n)) for n in range(10, 20)]

        self.reader.refresh()

        assert all(person.pk in self.reader.gallery for person in people)

    def test_another_way_to_compare_voices_is_taken_up(self) -> None:
        calibration.change(Calibration(model_id=MODEL, threshold=0.9, margin=1.0, shortest_speech_s=1.0))

        assert self.reader.refresh()

        assert self.alice.pk in self.reader.gallery

    def test_voices_that_cannot_be_read_are_an_error_that_says_what_to_do(self) -> None:
        with override_settings(VOICEPRINT_KEYS=[Fernet.generate_key().decode()]):
            with pytest.raises(Undecipherable, match="Put that key back"):
                GalleryReader(MODEL, DIMENSION).refresh()


@pytest.mark.django_db
def test_what_is_not_committed_is_not_announced(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks, transaction.atomic():
        make_speaker("Alice", People().person(1))
        transaction.set_rollback(True)
    assert callbacks == []
