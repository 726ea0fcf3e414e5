"""Who may decide on whose recording, and under which consent; the forms and what they refuse."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from django.utils import timezone, translation

from audit.models import Action, Entry
from recognition.audio import SAMPLE_RATE
from speakers import enrollment, permissions, responses
from speakers.exceptions import EnrollmentError, Undecipherable
from speakers.forms import DecideForm, EnrollForm, MergeForm
from speakers.models import ConsentText, Enrollment, Job, Speaker, Voiceprint
from speakers.templatetags.percent import percent

from .people import give_consent, make_speaker

pytestmark = pytest.mark.django_db

UPLOAD = Voiceprint.Source.UPLOAD
SOUND = np.zeros(SAMPLE_RATE // 10, np.float32)


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna", is_staff=True)


@pytest.fixture
def draft(anna: User) -> Enrollment:
    return enrollment.begin(SOUND, source=UPLOAD, by=anna)


NAMES = [value for name, value in vars(permissions).items() if name.isupper()]


@pytest.mark.parametrize("name", NAMES)
def test_each_permission_exists(name: str) -> None:
    app, codename = name.split(".")

    assert Permission.objects.filter(content_type__app_label=app, codename=codename).count() == 1


class TestDrafts:
    def test_who_made_a_recording_decides_on_it(self, anna: User, draft: Enrollment) -> None:
        assert list(enrollment.drafts_of(anna)) == [draft]
        assert responses.draft_or_404(anna, draft.uuid) == draft

    def test_nobody_else_does_whatever_they_may_do(self, draft: Enrollment) -> None:
        bert = User.objects.create_user("bert", is_staff=True)
        bert.user_permissions.set(Permission.objects.all())

        assert not enrollment.drafts_of(bert).exists()
        with pytest.raises(Http404, match="stored or deleted"):
            responses.draft_or_404(bert, draft.uuid)

    def test_a_superuser_decides_on_everybodys(self, draft: Enrollment) -> None:
        boss = User.objects.create_superuser("boss")

        assert responses.draft_or_404(boss, draft.uuid) == draft

    def test_a_key_of_nothing_is_not_there(self, anna: User) -> None:
        with pytest.raises(Http404):
            responses.draft_or_404(anna, uuid.uuid4())

    def test_its_job_is_found_by_its_key(self, anna: User, draft: Enrollment) -> None:
        other = enrollment.begin(SOUND, source=UPLOAD, by=anna)

        job = enrollment.assessment_of(draft)

        assert job is not None
        assert job.subject == str(draft.uuid)
        assert enrollment.assessment_of(other) != job

    def test_without_a_job_there_is_none(self, draft: Enrollment) -> None:
        Job.objects.all().delete()

        assert enrollment.assessment_of(draft) is None


class TestConsents:
    def test_nobody_has_agreed_at_first(self) -> None:
        assert enrollment.valid_consent(Speaker.objects.create(name="Alice")) is None

    def test_one_that_never_runs_out_is_valid(self) -> None:
        alice = Speaker.objects.create(name="Alice")

        assert enrollment.valid_consent(alice) is None
        consent = give_consent(alice)
        assert enrollment.valid_consent(alice) == consent

    @pytest.mark.parametrize(("hours", "is_valid"), [(-1, False), (1, True)])
    def test_one_that_has_run_out_is_not(self, hours: int, is_valid: bool) -> None:
        alice = Speaker.objects.create(name="Alice")
        consent = give_consent(alice, expires_at=timezone.now() + timedelta(hours=hours))

        assert (enrollment.valid_consent(alice) == consent) is is_valid

    def test_an_older_one_that_is_valid_counts(self) -> None:
        alice = Speaker.objects.create(name="Alice")
        valid = give_consent(alice)
        give_consent(alice, expires_at=timezone.now() - timedelta(hours=1))

        assert enrollment.valid_consent(alice) == valid

    def test_nothing_is_stored_without_one(self, anna: User, draft: Enrollment) -> None:
        alice = Speaker.objects.create(name="Alice")

        with pytest.raises(EnrollmentError, match="withdrawn or has expired"):
            enrollment.approve(draft, alice, by=anna)

    def test_nothing_is_stored_before_it_is_judged(self, anna: User, draft: Enrollment) -> None:
        with pytest.raises(EnrollmentError, match="not been judged"):
            enrollment.approve(draft, make_speaker("Alice"), by=anna)
        assert Enrollment.objects.get() == draft


class TestConsentText:
    @pytest.fixture(autouse=True)
    def _none(self) -> None:
        ConsentText.objects.all().delete()

    def test_there_may_be_none(self) -> None:
        assert enrollment.current_consent_text() is None

    def test_the_newest_in_the_readers_language_is_in_force(self) -> None:
        ConsentText.objects.create(text="old", language="en")
        ConsentText.objects.create(text="new", language="en")
        ConsentText.objects.create(text="新", language="zh-hans")

        texts = {}
        for language in ("en", "zh-hans"):
            with translation.override(language):
                text = enrollment.current_consent_text()
                texts[language] = text and text.text
        assert texts == {"en": "new", "zh-hans": "新"}

    def test_another_language_is_better_than_none(self) -> None:
        text = ConsentText.objects.create(text="新", language="zh-hans")

        with translation.override("en"):
            assert enrollment.current_consent_text() == text

    def test_the_text_of_the_sample_meeting_is_offered_to_nobody(self) -> None:
        ConsentText.objects.create(text="synthetic", language="")

        assert enrollment.current_consent_text() is None


class TestRecordings:
    def test_a_recording_is_kept_by_nothing_in_between(self, draft: Enrollment) -> None:
        response = responses.recording(draft)

        assert response["Cache-Control"] == "no-store"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Type"] == "audio/flac"

    def test_a_file_that_is_gone_is_said_to_be(self, draft: Enrollment) -> None:
        Path(draft.audio.path).unlink()

        with pytest.raises(Http404, match="The recording is gone"):
            responses.recording(draft)

    def test_a_voiceprint_without_a_recording_is_the_same(self, anna: User) -> None:
        alice = make_speaker("Alice", np.ones(4, np.float32))

        with pytest.raises(Http404, match="The recording is gone"):
            responses.voiceprint_recording(alice.voiceprints.get(), by=anna)
        assert not Entry.objects.filter(action=Action.PLAYED).exists()

    def test_without_the_key_it_says_what_to_do(self, draft: Enrollment, settings: Any) -> None:
        settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]

        response = responses.recording(draft)

        assert response.status_code == 503
        assert "Put that key back" in response.content.decode()

    def test_that_somebody_listened_is_on_record(self, anna: User) -> None:
        alice = make_speaker("Alice", np.ones(4, np.float32), audio=enrollment.to_flac(SOUND))

        responses.voiceprint_recording(alice.voiceprints.get(), by=anna)

        entry = Entry.objects.get(action=Action.PLAYED)
        assert (entry.actor_name, entry.speaker) == ("anna", alice.uuid)
        assert "Alice" not in str(entry.detail)

    def test_an_export_that_fails_is_not_on_record(self, anna: User, settings: Any) -> None:
        alice = make_speaker("Alice", np.ones(4, np.float32), audio=enrollment.to_flac(SOUND))
        settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]

        with pytest.raises(Undecipherable):
            responses.archive(alice, by=anna)
        assert not Entry.objects.filter(action=Action.EXPORTED).exists()

    def test_an_export_names_nobody_in_its_file_name(self, anna: User) -> None:
        response = responses.archive(make_speaker("Alice"), by=anna)

        assert "Alice" not in response["Content-Disposition"]
        assert response["Cache-Control"] == "no-store"


def uploaded(content: bytes) -> dict[str, Any]:
    return {"recording": SimpleUploadedFile("voice.wav", content)}


def wav(seconds: float = 1.0) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(round(seconds * SAMPLE_RATE), np.float32), SAMPLE_RATE, format="WAV")
    return buffer.getvalue()


class TestForms:
    def form(self, content: bytes, *, needs_consent: bool = False, **data: Any) -> EnrollForm:
        data = {"source": UPLOAD} | data
        return EnrollForm(data, uploaded(content), needs_consent=needs_consent)

    def test_a_recording_is_decoded(self) -> None:
        form = self.form(wav(1.0))

        assert form.is_valid()
        assert form.audio is not None
        assert len(form.audio) == SAMPLE_RATE

    @pytest.mark.parametrize("content", [b"", b"no sound at all", wav()[:20]])
    def test_what_is_no_recording_is_refused_in_words(self, content: bytes) -> None:
        form = self.form(content)

        assert not form.is_valid()
        assert form.errors["recording"]
        assert form.audio is None

    def test_who_has_not_agreed_must(self) -> None:
        assert "has_agreed" in self.form(wav(), needs_consent=True).errors
        assert self.form(wav(), needs_consent=True, has_agreed="on").is_valid()

    def test_who_has_agreed_is_not_asked_again(self) -> None:
        assert "has_agreed" not in self.form(wav()).fields

    @pytest.mark.parametrize(
        ("claimed", "source"),
        [("upload", "upload"), ("microphone", "microphone"), ("transcript", "upload")],
    )
    def test_a_recording_from_outside_cannot_claim_to_be_of_a_transcript(
        self, claimed: str, source: str
    ) -> None:
        form = self.form(wav(), source=claimed)

        assert form.is_valid()
        assert form.cleaned_data["source"] == source

    def test_a_doubtful_recording_needs_somebody_who_is_sure(self) -> None:
        assert not DecideForm({"store": "1"}, is_doubtful=True).is_valid()
        assert DecideForm({"is_sure": "on"}, is_doubtful=True).is_valid()
        assert DecideForm({"store": "1"}, is_doubtful=False).is_valid()

    def test_only_somebody_who_was_chosen_can_be_kept(self) -> None:
        alice, bob = make_speaker("Alice"), make_speaker("Bob")
        chosen = Speaker.objects.filter(pk=alice.pk)

        assert MergeForm({"kept": alice.pk}, speakers=chosen).is_valid()
        assert not MergeForm({"kept": bob.pk}, speakers=chosen).is_valid()
        assert not MergeForm({}, speakers=chosen).is_valid()


@pytest.mark.parametrize(("share", "words"), [(0.045, "4.5 %"), (0.0, "0.0 %"), (1.0, "100.0 %")])
def test_a_share_is_shown_in_percent(share: float, words: str) -> None:
    assert percent(share) == words
