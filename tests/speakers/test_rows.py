"""The rows themselves: what they refuse, what they are called, and in which order they come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone, translation

from audit.models import Entry
from speakers.exceptions import Undecipherable
from speakers.models import (
    Calibration,
    Consent,
    ConsentText,
    Enrollment,
    GalleryChange,
    Job,
    Speaker,
    Voiceprint,
)

from .people import enroll, give_consent, make_speaker

pytestmark = pytest.mark.django_db

VOICE = np.eye(4, dtype=np.float32)[0]


class TestVoiceprint:
    def test_nobody_elses_consent_will_do(self) -> None:
        alice, bob = make_speaker("Alice"), make_speaker("Bob")

        with pytest.raises(ValidationError, match="somebody else's"):
            enroll(alice, VOICE, consent=bob.consents.get())

        assert not Voiceprint.objects.exists()

    def test_a_consent_that_has_run_out_will_not_do_for_a_new_one(self) -> None:
        alice = Speaker.objects.create(name="Alice")
        over = give_consent(alice, expires_at=timezone.now())

        with pytest.raises(ValidationError, match="has expired"):
            enroll(alice, VOICE, consent=over)

    def test_one_that_is_there_may_still_be_changed(self) -> None:
        """A new model hears it while its consent runs out: `expire` deletes it, not an error."""
        voiceprint = enroll(make_speaker("Alice"), VOICE)
        Consent.objects.update(expires_at=timezone.now() - timedelta(days=1))
        voiceprint.refresh_from_db()

        voiceprint.model_id = "model-2"
        voiceprint.save()

        assert Voiceprint.objects.get().model_id == "model-2"

    def test_it_cannot_be_given_to_somebody_who_did_not_agree(self) -> None:
        voiceprint = enroll(make_speaker("Alice"), VOICE)
        voiceprint.speaker = make_speaker("Bob")

        with pytest.raises(ValidationError, match="somebody else's"):
            voiceprint.save()

    def test_it_is_read_and_deleted_without_the_key_but_not_opened(self, settings: Any) -> None:
        enroll(make_speaker("Alice"), VOICE)
        settings.VOICEPRINT_KEYS = ["LNVaeKnVvRo1nbzs2h6BxA1xGh3QmzLKfyT4yGnDS-k="]

        voiceprint = Voiceprint.objects.get()
        with pytest.raises(Undecipherable):
            _ = voiceprint.embedding
        voiceprint.delete()

        assert not Voiceprint.objects.exists()

    @pytest.mark.parametrize("broken", [np.array([np.nan, 1]), np.array([np.inf]), np.ones((2, 2))])
    def test_what_is_no_voice_is_not_kept(self, broken: np.ndarray) -> None:
        with pytest.raises(ValueError, match="one finite vector"):
            enroll(make_speaker("Alice"), broken)


class TestNamesInLogs:
    """What the admin logs of a row outlives the person: only their own row may say what they are called."""

    def test_no_row_about_a_person_says_the_name(self) -> None:
        alice = make_speaker("Alice Unforgettable", VOICE)
        user = alice.voiceprints.get().created_by
        rows: list[Any] = [
            alice.consents.get(),
            alice.voiceprints.get(),
            Enrollment(speaker=alice, created_by=user),
            GalleryChange(speaker=alice.pk),
            Job(kind="reembed", subject=str(alice.uuid)),
            Entry(action="forget", speaker=alice.uuid),
        ]

        for row in rows:
            assert "Unforgettable" not in str(row)
            assert str(row)

    def test_a_consent_is_called_by_its_day_where_it_is_read(self) -> None:
        late = datetime(2030, 1, 1, 23, 30, tzinfo=ZoneInfo("UTC"))
        consent = Consent(given_at=late)

        with timezone.override(ZoneInfo("Asia/Shanghai")):
            assert str(consent) == "2030-01-02"
        with timezone.override(ZoneInfo("America/New_York")):
            assert str(consent) == "2030-01-01"

    def test_an_entry_says_what_was_done_in_the_readers_language(self) -> None:
        entry = Entry(action="forget")

        with translation.override("en"):
            english = str(entry)
        with translation.override("zh-hans"):
            chinese = str(entry)

        assert english == "forgot a speaker"
        assert chinese not in ("", english)


class TestConsentText:
    def test_what_somebody_agreed_to_cannot_be_deleted(self) -> None:
        alice = make_speaker("Alice")

        with pytest.raises(ProtectedError):
            alice.consents.get().text.delete()

    def test_the_newest_comes_first_also_within_one_moment(self) -> None:
        ConsentText.objects.all().delete()
        first, second = (ConsentText.objects.create(text=text, language="en") for text in ("one", "two"))
        ConsentText.objects.update(created_at=timezone.now())

        assert list(ConsentText.objects.all()) == [second, first]


class TestCalibration:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("threshold", 0.4999),
            ("threshold", 1.0),
            ("margin", -0.1),
            ("margin", 20.1),
            ("shortest_speech_s", -1.0),
            ("shortest_speech_s", 61.0),
        ],
    )
    def test_limits_that_would_name_everybody_or_nobody_are_refused(self, field: str, value: float) -> None:
        limits = {"threshold": 0.9, "margin": 1.0, "shortest_speech_s": 1.0, field: value}

        with pytest.raises(ValidationError) as refused:
            Calibration(model_id="model-1", **limits).full_clean()

        assert set(refused.value.message_dict) == {field}

    @pytest.mark.parametrize(("threshold", "margin", "seconds"), [(0.5, 0.0, 0.0), (0.9999, 20.0, 60.0)])
    def test_the_limits_of_the_limits_are_allowed(
        self, threshold: float, margin: float, seconds: float
    ) -> None:
        Calibration(
            model_id="model-1", threshold=threshold, margin=margin, shortest_speech_s=seconds
        ).full_clean()

    def test_a_model_has_one(self) -> None:
        Calibration.objects.create(model_id="model-1", threshold=0.9, margin=1, shortest_speech_s=1)

        with pytest.raises(IntegrityError), transaction.atomic():
            Calibration.objects.create(model_id="model-1", threshold=0.8, margin=1, shortest_speech_s=1)


def test_people_are_listed_by_name() -> None:
    for name in ("Bob", "Alice", "张三"):
        Speaker.objects.create(name=name)

    assert [speaker.name for speaker in Speaker.objects.all()] == ["Alice", "Bob", "张三"]


def test_the_log_is_read_from_its_end() -> None:
    now = timezone.now()
    first, second = (Entry.objects.create(action="play", at=now) for _ in range(2))

    assert list(Entry.objects.all()) == [second, first]
