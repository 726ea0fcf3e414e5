"""What an enroller does in the admin: record, decide, merge, listen, export, forget."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from recognition.audio import SAMPLE_RATE
from speakers import enrollment, lifecycle
from speakers.enrollment import Verdict
from speakers.fields import seal
from speakers.models import (
    AuditEntry,
    Calibration,
    Consent,
    ConsentText,
    Enrollment,
    Job,
    Speaker,
    Voiceprint,
)
from speakers.voiceprints.assessment import Problem

from ..sessions_app.meetings import make_user
from .people import enroll, make_speaker

pytestmark = pytest.mark.django_db

VOICE = np.array([0.6, 0.8, 0.0, 0.0], np.float32)


@pytest.fixture
def user() -> User:
    return make_user("enroller", "enroller", is_staff=True)


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def speaker() -> Speaker:
    return Speaker.objects.create(name="Alice")


def wav(seconds: float = 4.0) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(int(seconds * SAMPLE_RATE), np.float32), SAMPLE_RATE, format="WAV")
    return SimpleUploadedFile("voice.wav", buffer.getvalue(), "audio/wav")


def judge(draft: Enrollment, *problems: Problem, nearest: Any = ()) -> Enrollment:
    """As a worker would."""
    draft.verdict = {
        "length_s": 12.0, "speech_s": 9.5, "snr_db": 31.0, "clipped": 0.0, "likeness": 4.0,
        "nearest": list(nearest), "problems": list(problems),
    }  # fmt: skip
    draft.model_id, draft.sealed_embedding = "model-1", seal(VOICE)
    draft.save()
    return draft


def begin(speaker: Speaker, user: User, *problems: Problem, **verdict: Any) -> Enrollment:
    draft = enrollment.begin(
        np.zeros(SAMPLE_RATE, np.float32), source=Voiceprint.Source.UPLOAD, by=user, speaker=speaker
    )
    return judge(draft, *problems, **verdict)


def enroll_page(speaker: Speaker) -> str:
    return reverse("admin:speakers_enroll", args=[speaker.uuid])


def decide_page(draft: Enrollment) -> str:
    return reverse("admin:speakers_enrollment", args=[draft.uuid])


def test_the_list_tells_who_is_enrolled_and_who_is_not(client: Client) -> None:
    make_speaker("Alice", VOICE)
    make_speaker("Bob")
    list_address = reverse("admin:speakers_speaker_changelist")
    for value, expected in (("1", {"Alice"}), ("0", {"Bob"}), ("x", {"Alice", "Bob"})):
        listed = client.get(list_address, {"enrolled": value}).context["cl"].queryset
        assert {speaker.name for speaker in listed} == expected


def test_a_consent_text_is_known_by_how_it_begins() -> None:
    text = ConsentText(pk=3, text="You may know me. " + 20 * "More words. ", language="en")

    assert str(text).startswith("3: You may know me. More words.")
    assert len(str(text)) < 70


class TestEnroll:
    def test_a_new_speaker_is_asked_for_a_voice_at_once(self, client: Client) -> None:
        response = client.post(reverse("admin:speakers_speaker_add"), {"name": "Bob", "note": ""})

        assert response["Location"] == enroll_page(Speaker.objects.get(name="Bob"))

    def test_an_upload_waits_for_a_worker_and_the_consent_is_kept(
        self, client: Client, speaker: Speaker, user: User
    ) -> None:
        response = client.post(
            enroll_page(speaker), {"recording": wav(), "source": "upload", "has_agreed": "on"}
        )

        draft = Enrollment.objects.get()
        assert response["Location"] == decide_page(draft)
        assert (draft.speaker, draft.created_by, draft.source) == (speaker, user, "upload")
        assert Job.objects.get().subject == str(draft.uuid)
        consent = speaker.consents.get()
        assert consent.recorded_by == user
        assert "biometric" in consent.text.text

    def test_without_consent_nothing_is_kept(self, client: Client, speaker: Speaker) -> None:
        response = client.post(enroll_page(speaker), {"recording": wav(), "source": "upload"})

        assert response.context["form"].errors == {"has_agreed": ["This field is required."]}
        assert not Enrollment.objects.exists()
        assert not Consent.objects.exists()

    def test_a_consent_is_asked_for_once(self, client: Client) -> None:
        page = client.get(enroll_page(make_speaker("Bob")))

        assert "has_agreed" not in page.context["form"].fields

    def test_a_text_without_a_language_is_offered_to_nobody(self, client: Client, speaker: Speaker) -> None:
        ConsentText.objects.create(text="The voices of the sample meeting are nobody's.", language="")
        page = client.get(reverse("admin:speakers_enroll", args=[speaker.uuid])).content.decode()
        assert "biometric" in page and "sample meeting" not in page

    def test_the_consent_is_shown_in_the_language_of_the_page(self, client: Client, speaker: Speaker) -> None:
        page = client.get(enroll_page(speaker), headers={"accept-language": "zh-CN"})

        assert "声纹" in page.content.decode()

    def test_the_newest_wording_is_shown(self, client: Client, speaker: Speaker) -> None:
        ConsentText.objects.create(text="New words.", language="en")

        assert "New words." in client.get(enroll_page(speaker)).content.decode()

    def test_a_recording_of_the_browser_is_marked_as_one(self, client: Client, speaker: Speaker) -> None:
        client.post(enroll_page(speaker), {"recording": wav(), "source": "microphone", "has_agreed": "on"})

        assert Enrollment.objects.get().source == "microphone"

    def test_nobody_claims_that_an_upload_is_from_a_transcript(
        self, client: Client, speaker: Speaker
    ) -> None:
        client.post(enroll_page(speaker), {"recording": wav(), "source": "transcript", "has_agreed": "on"})

        assert Enrollment.objects.get().source == "upload"

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"Dear sir or madam", "not an audio file"),
            (b"", "empty"),
            (b"RIFF\xff\xff\xff\xffWAVEfmt ", "not an audio file"),
        ],
    )
    def test_a_file_that_is_no_recording_is_a_form_error(
        self, client: Client, speaker: Speaker, data: bytes, words: str
    ) -> None:
        file = SimpleUploadedFile("../../etc/voice.wav", data, "audio/wav")

        response = client.post(
            enroll_page(speaker), {"recording": file, "source": "upload", "has_agreed": "on"}
        )

        assert response.status_code == 200
        assert words in str(response.context["form"].errors["recording"])
        assert not Enrollment.objects.exists()


class TestDecide:
    def test_until_a_worker_has_listened_there_is_nothing_to_decide(
        self, client: Client, speaker: Speaker, user: User
    ) -> None:
        audio = np.zeros(SAMPLE_RATE, np.float32)
        draft = enrollment.begin(audio, source=Voiceprint.Source.UPLOAD, by=user, speaker=speaker)

        page = client.get(decide_page(draft)).content.decode()

        assert "is being checked" in page
        assert 'name="store"' not in page
        answer = client.get(reverse("admin:speakers_enrollment_verdict", args=[draft.uuid])).json()
        assert answer == {"is_judged": False, "has_failed": False}

    def test_the_verdict_is_shown_with_names(self, client: Client, speaker: Speaker, user: User) -> None:
        bob = make_speaker("Bob")
        draft = begin(speaker, user, Problem.LIKE_ANOTHER, nearest=[(bob.pk, 3.0)])

        page = client.get(decide_page(draft)).content.decode()

        assert "It sounds like someone else who is enrolled." in page
        assert "Bob" in page
        assert "0.95" in page
        assert "9.5 s of 12.0 s" in page

    def test_somebody_who_was_forgotten_meanwhile_is_not_named(
        self, client: Client, speaker: Speaker, user: User
    ) -> None:
        draft = begin(speaker, user, nearest=[(99999, 3.0)])

        assert client.get(decide_page(draft)).status_code == 200

    def test_a_good_recording_is_stored(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob")
        draft = begin(bob, user)

        client.post(decide_page(draft), {"store": "1"})

        voiceprint = bob.voiceprints.get()
        np.testing.assert_allclose(voiceprint.embedding, VOICE)
        assert (voiceprint.speech_s, voiceprint.created_by) == (9.5, user)
        assert not Enrollment.objects.exists()

    def test_a_doubtful_recording_is_stored_only_by_somebody_who_is_sure(
        self, client: Client, user: User
    ) -> None:
        bob = make_speaker("Bob")
        draft = begin(bob, user, Problem.SEVERAL_VOICES)

        client.post(decide_page(draft), {"store": "1"})
        assert not bob.voiceprints.exists()

        client.post(decide_page(draft), {"store": "1", "is_sure": "on"})
        assert bob.voiceprints.exists()

    def test_too_little_speech_is_not_stored_at_all(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob")
        draft = begin(bob, user, Problem.TOO_SHORT)

        response = client.post(decide_page(draft), {"store": "1", "is_sure": "on"})

        assert not bob.voiceprints.exists()
        assert "three seconds" in response.content.decode()

    def test_a_consent_that_was_withdrawn_meanwhile_stops_it(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob")
        draft = begin(bob, user)
        bob.consents.get().delete()

        response = client.post(decide_page(draft), {"store": "1"})

        assert not bob.voiceprints.exists()
        assert "withdrawn" in response.content.decode()

    def test_a_recording_can_be_deleted(
        self, client: Client, speaker: Speaker, user: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        draft = begin(speaker, user)
        file = Path(draft.audio.path)

        with django_capture_on_commit_callbacks(execute=True):
            client.post(decide_page(draft), {"discard": "1"})

        assert not Enrollment.objects.exists()
        assert not file.exists()

    def test_the_recording_can_be_heard(self, client: Client, speaker: Speaker, user: User) -> None:
        draft = begin(speaker, user)

        response = client.get(reverse("admin:speakers_enrollment_audio", args=[draft.uuid]))

        audio = enrollment.from_flac(b"".join(response.streaming_content))  # type: ignore[attr-defined]
        assert len(audio) == SAMPLE_RATE
        assert "no-store" in response["Cache-Control"]

    def test_what_a_worker_could_not_do_is_told(self, client: Client, speaker: Speaker, user: User) -> None:
        audio = np.zeros(SAMPLE_RATE, np.float32)
        draft = enrollment.begin(audio, source=Voiceprint.Source.UPLOAD, by=user, speaker=speaker)
        Job.objects.update(state=Job.State.FAILED, error="The disk is full.")

        assert "The disk is full." in client.get(decide_page(draft)).content.decode()


class TestVoiceprints:
    def test_whoever_listens_is_on_record(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob", VOICE, audio=enrollment.to_flac(np.zeros(SAMPLE_RATE, np.float32)))

        response = client.get(reverse("admin:speakers_voiceprint_audio", args=[bob.voiceprints.get().uuid]))

        assert response.status_code == 200
        entry = AuditEntry.objects.get(action="play")
        assert (entry.actor, entry.speaker) == (user, bob.uuid)

    def test_a_recording_that_is_gone_is_not_found(self, client: Client) -> None:
        bob = make_speaker("Bob", VOICE)

        response = client.get(reverse("admin:speakers_voiceprint_audio", args=[bob.voiceprints.get().uuid]))

        assert response.status_code == 404

    def test_a_lost_key_is_told(self, client: Client, settings: Any, tmp_path: Path) -> None:
        bob = make_speaker("Bob", VOICE, audio=enrollment.to_flac(np.zeros(SAMPLE_RATE, np.float32)))
        settings.VOICEPRINT_KEY_FILE = tmp_path / "other_keys"

        response = client.get(reverse("admin:speakers_voiceprint_audio", args=[bob.voiceprints.get().uuid]))

        assert response.status_code == 503
        assert "Put that key back" in response.content.decode()

    def test_voiceprints_are_deleted_and_consents_withdrawn_on_the_speakers_page(
        self, client: Client
    ) -> None:
        bob = make_speaker("Bob", VOICE)
        enroll(bob, VOICE)
        first, second = bob.voiceprints.order_by("pk")
        consent = bob.consents.get()

        client.post(change_page(bob), inlines(bob, delete=first))
        assert list(bob.voiceprints.all()) == [second]
        assert AuditEntry.objects.filter(action="forget-voiceprint").count() == 1

        client.post(change_page(bob), inlines(bob, delete=consent))
        assert not bob.voiceprints.exists()
        assert AuditEntry.objects.get(action="withdraw").detail == {"voiceprints": 1}

    def test_voiceprints_are_computed_anew_on_request(self, client: Client) -> None:
        bob = make_speaker("Bob", VOICE)

        client.post(
            reverse("admin:speakers_speaker_changelist"),
            {"action": "embed_anew", "_selected_action": [bob.pk]},
        )

        job = Job.objects.get()
        assert (job.kind, job.subject) == ("reembed", str(bob.uuid))


class TestMerge:
    def merge_page(self, *speakers: Speaker) -> str:
        return reverse("admin:speakers_merge") + "?speakers=" + ",".join(str(s.pk) for s in speakers)

    def test_the_action_leads_to_a_page_that_asks_which_to_keep(self, client: Client) -> None:
        one, two = make_speaker("Alice"), make_speaker("Alicia")

        response = client.post(
            reverse("admin:speakers_speaker_changelist"),
            {"action": "merge", "_selected_action": [one.pk, two.pk]},
            follow=True,
        )

        page = response.content.decode()
        assert "Alice" in page
        assert "Alicia" in page
        assert Speaker.objects.count() == 2

    def test_all_that_the_others_have_goes_to_the_one_that_is_kept(self, client: Client, user: User) -> None:
        one, two = make_speaker("Alice", VOICE), make_speaker("Alicia", VOICE)

        client.post(self.merge_page(one, two), {"kept": two.pk})

        assert list(Speaker.objects.all()) == [two]
        assert two.voiceprints.count() == 2
        assert two.consents.count() == 2
        entry = AuditEntry.objects.get(action="merge")
        assert (entry.actor, entry.speaker, entry.detail) == (user, two.uuid, {"gone": str(one.uuid)})

    def test_one_alone_cannot_be_merged(self, client: Client) -> None:
        response = client.get(self.merge_page(make_speaker("Alice")), follow=True)

        assert "at least two" in response.content.decode()

    def test_somebody_who_was_not_chosen_cannot_be_kept(self, client: Client) -> None:
        one, two, other = (make_speaker(name) for name in ("Alice", "Alicia", "Bob"))

        client.post(self.merge_page(one, two), {"kept": other.pk})

        assert Speaker.objects.count() == 3

    @pytest.mark.parametrize(
        "keys", ["x,1;DROP,-3", "", ",,,", "²,³", "1" * 30 + "," + "2" * 30, "٣,٤", "1,1"]
    )
    def test_nonsense_in_the_address_is_nobody(self, client: Client, keys: str) -> None:
        response = client.get(reverse("admin:speakers_merge"), {"speakers": keys}, follow=True)

        assert "at least two" in response.content.decode()


class TestExport:
    def test_it_holds_everything_that_is_kept_of_a_person(self, client: Client, user: User) -> None:
        audio = enrollment.to_flac(np.zeros(SAMPLE_RATE, np.float32))
        bob = make_speaker("Bob", VOICE, audio=audio)
        bob.name = "Robert"
        bob.save()

        response = client.post(reverse("admin:speakers_export", args=[bob.uuid]))

        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            kept = json.loads(archive.read("speaker.json"))
            voiceprint = bob.voiceprints.get()
            assert archive.read(f"recordings/{voiceprint.uuid}.flac") == audio
        assert (kept["name"], kept["earlier_names"]) == ("Robert", ["Bob"])
        assert kept["voiceprints"][0]["embedding"] == pytest.approx(VOICE.tolist())
        assert kept["consents"][0]["text"]
        assert AuditEntry.objects.get(action="export").actor == user

    def test_looking_at_the_page_exports_nothing(self, client: Client) -> None:
        bob = make_speaker("Bob", VOICE)

        assert client.get(reverse("admin:speakers_export", args=[bob.uuid])).status_code == 200
        assert not AuditEntry.objects.filter(action="export").exists()


class TestForget:
    def test_deleting_is_forgetting_and_the_name_stays_in_no_log(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob Unforgettable", VOICE)
        client.post(change_page(bob), inlines(bob) | {"name": "Bob Unforgettable", "note": "changed"})
        assert LogEntry.objects.exists()

        client.post(reverse("admin:speakers_speaker_delete", args=[bob.pk]), {"post": "yes"})

        assert not Speaker.objects.exists()
        assert not LogEntry.objects.filter(object_repr__contains="Unforgettable").exists()
        assert not Speaker.history.filter(name__contains="Unforgettable").exists()
        entry = AuditEntry.objects.get(action="forget")
        assert (entry.actor, entry.speaker, entry.detail) == (user, bob.uuid, {"voiceprints": 1})

    def test_several_are_forgotten_by_the_action(self, client: Client) -> None:
        people = [make_speaker(name, VOICE) for name in ("Alice", "Bob")]

        client.post(
            reverse("admin:speakers_speaker_changelist"),
            {"action": "delete_selected", "_selected_action": [p.pk for p in people], "post": "yes"},
        )

        assert not Speaker.objects.exists()
        assert AuditEntry.objects.filter(action="forget").count() == 2
        assert not LogEntry.objects.exists()


class TestFacts:
    def test_the_logs_and_texts_cannot_be_rewritten(self) -> None:
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        text = ConsentText.objects.first()
        assert text is not None
        entry = AuditEntry.objects.create(action="play")

        for name, key in (("auditentry", entry.pk), ("consenttext", text.pk)):
            page = reverse(f"admin:speakers_{name}_change", args=[key])
            assert client.post(page, {"text": "rewritten", "action": "forget"}).status_code == 403
        assert client.post(reverse("admin:speakers_auditentry_delete", args=[entry.pk])).status_code == 403

    def test_a_threshold_that_makes_no_sense_is_refused(self) -> None:
        client = Client()
        client.force_login(User.objects.create_superuser("root"))

        page = client.post(
            reverse("admin:speakers_calibration_add"),
            {"model_id": "m", "threshold": "1.5", "margin": "1", "shortest_speech_s": "1"},
        )

        assert "less than or equal to 0.9999" in page.content.decode()
        assert not Calibration.objects.exists()


def change_page(speaker: Speaker) -> str:
    return reverse("admin:speakers_speaker_change", args=[speaker.pk])


def inlines(speaker: Speaker, delete: Voiceprint | Consent | None = None) -> dict[str, Any]:
    """The form of a speaker's page as the browser sends it."""
    data: dict[str, Any] = {"name": speaker.name, "note": speaker.note}
    for name, rows in (("voiceprints", speaker.voiceprints.all()), ("consents", speaker.consents.all())):
        data |= {f"{name}-TOTAL_FORMS": len(rows), f"{name}-INITIAL_FORMS": len(rows)}
        for number, row in enumerate(rows):
            data |= {f"{name}-{number}-id": row.pk, f"{name}-{number}-speaker": speaker.pk}
            if row == delete:
                data[f"{name}-{number}-DELETE"] = "on"
    return data


def test_a_verdict_survives_the_database(speaker: Speaker, user: User) -> None:
    draft = begin(speaker, user, Problem.NOISY, nearest=[(7, 1.5)])
    draft.refresh_from_db()

    verdict = Verdict.of(draft)

    assert verdict is not None
    assert verdict.problems == [Problem.NOISY]
    assert verdict.nearest == [(7, 1.5)]


class TestReading:
    """What the service writes down is put so that people can read it."""

    @pytest.fixture
    def root(self) -> Client:
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        return client

    def test_the_audit_log_names_who_is_still_there_and_nobody_else(self, root: Client) -> None:
        alice = make_speaker("Alice Miller")
        AuditEntry.objects.create(action="enroll", speaker=alice.uuid)
        page = reverse("admin:speakers_auditentry_changelist")
        assert "Alice Miller" in root.get(page).content.decode()

        lifecycle.forget(alice, by=None)

        after = root.get(page).content.decode()
        assert "Alice Miller" not in after
        assert str(alice.uuid)[:8] in after

    def test_who_may_read_the_log_but_no_names_reads_none(self, root: Client) -> None:
        alice = make_speaker("Alice Miller")
        AuditEntry.objects.create(action="enroll", speaker=alice.uuid)
        auditor = User.objects.create_user("auditor", is_staff=True)
        auditor.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
        root.force_login(auditor)

        page = root.get(reverse("admin:speakers_auditentry_changelist"))

        assert page.status_code == 200
        assert "Alice Miller" not in page.content.decode()

    def test_jobs_are_called_by_what_they_do_and_can_be_filtered(self, root: Client) -> None:
        for kind in ("wipe", "reembed"):
            Job.objects.create(kind=kind)

        page = root.get(reverse("admin:speakers_job_changelist"), {"kind": "wipe"})

        assert [job.kind for job in page.context["cl"].result_list] == ["wipe"]
        assert "erase the traces of deleted data" in page.content.decode()

    def test_what_a_calibration_rests_on_is_a_table(self, root: Client) -> None:
        one_second = {"false_accepts": 0.012, "false_rejects": 0.35, "wrong_names": 0.0}
        calibration = Calibration.objects.create(
            model_id="model-1", threshold=0.9, margin=1.0, shortest_speech_s=1.0,
            measured={
                "people": 10, "recordings": 100, "pieces": 805,
                "eer": {"1.0": 0.045, "2.0": 0.013}, "accuracy": {"1.0": 0.96, "2.0": 0.99},
                "errors": {"1.0": one_second},
            },
        )  # fmt: skip

        page = root.get(reverse("admin:speakers_calibration_change", args=[calibration.pk]))

        text = " ".join(strip_tags(page.content.decode()).split())
        assert "1 s4.5 %96.0 %1.2 %35.0 %0.0 % 2 s1.3 %99.0 %–––" in text
        assert "10 people, 100 recordings" in text
