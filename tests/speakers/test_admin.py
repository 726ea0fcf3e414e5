"""What the admin shows of speakers, and what is left to do there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from audit.models import Entry
from speakers import lifecycle
from speakers.enrollment import Verdict
from speakers.models import (
    Calibration,
    Consent,
    ConsentText,
    Job,
    Speaker,
    Voiceprint,
)
from speakers.voiceprints.assessment import Problem

from ..sessions_app.meetings import make_user
from .drafts import VOICE, begin
from .people import enroll, make_speaker

pytestmark = pytest.mark.django_db


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


def enroll_page(speaker: Speaker) -> str:
    return reverse("enroll", args=[speaker.uuid])


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


class TestSpeakers:
    def test_a_new_speaker_is_asked_for_a_voice_at_once(self, client: Client) -> None:
        response = client.post(reverse("admin:speakers_speaker_add"), {"name": "Bob", "note": ""})

        assert response["Location"] == enroll_page(Speaker.objects.get(name="Bob"))

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


class TestVoiceprints:
    def test_voiceprints_are_deleted_and_consents_withdrawn_on_the_speakers_page(
        self, client: Client
    ) -> None:
        bob = make_speaker("Bob", VOICE)
        enroll(bob, VOICE)
        first, second = bob.voiceprints.order_by("pk")
        consent = bob.consents.get()

        client.post(change_page(bob), inlines(bob, delete=first))
        assert list(bob.voiceprints.all()) == [second]
        assert Entry.objects.filter(action="forget-voiceprint").count() == 1

        client.post(change_page(bob), inlines(bob, delete=consent))
        assert not bob.voiceprints.exists()
        assert Entry.objects.get(action="withdraw").detail == {"voiceprints": 1}

    def test_voiceprints_are_computed_anew_on_request(self, client: Client) -> None:
        bob = make_speaker("Bob", VOICE)

        client.post(
            reverse("admin:speakers_speaker_changelist"),
            {"action": "embed_anew", "_selected_action": [bob.pk]},
        )

        job = Job.objects.get()
        assert (job.kind, job.subject) == ("reembed", str(bob.uuid))


class TestForget:
    def test_deleting_is_forgetting_and_the_name_stays_in_no_log(self, client: Client, user: User) -> None:
        bob = make_speaker("Bob Unforgettable", VOICE)
        client.post(change_page(bob), inlines(bob) | {"name": "Bob Unforgettable", "note": "changed"})
        assert LogEntry.objects.exists()

        client.post(reverse("admin:speakers_speaker_delete", args=[bob.pk]), {"post": "yes"})

        assert not Speaker.objects.exists()
        assert not LogEntry.objects.filter(object_repr__contains="Unforgettable").exists()
        assert not Speaker.history.filter(name__contains="Unforgettable").exists()
        entry = Entry.objects.get(action="forget")
        assert (entry.actor, entry.speaker, entry.detail) == (user, bob.uuid, {"voiceprints": 1})

    def test_several_are_forgotten_by_the_action(self, client: Client) -> None:
        people = [make_speaker(name, VOICE) for name in ("Alice", "Bob")]

        client.post(
            reverse("admin:speakers_speaker_changelist"),
            {"action": "delete_selected", "_selected_action": [p.pk for p in people], "post": "yes"},
        )

        assert not Speaker.objects.exists()
        assert Entry.objects.filter(action="forget").count() == 2
        assert not LogEntry.objects.exists()


class TestFacts:
    def test_the_logs_and_texts_cannot_be_rewritten(self) -> None:
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        text = ConsentText.objects.first()
        assert text is not None
        entry = Entry.objects.create(action="play")

        for name, key in (("audit_entry", entry.pk), ("speakers_consenttext", text.pk)):
            page = reverse(f"admin:{name}_change", args=[key])
            assert client.post(page, {"text": "rewritten", "action": "forget"}).status_code == 403
        assert client.post(reverse("admin:audit_entry_delete", args=[entry.pk])).status_code == 403

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
        Entry.objects.create(action="enroll", speaker=alice.uuid)
        page = reverse("admin:audit_entry_changelist")
        assert "Alice Miller" in root.get(page).content.decode()

        lifecycle.forget(alice, by=None)

        after = root.get(page).content.decode()
        assert "Alice Miller" not in after
        assert str(alice.uuid)[:8] in after

    def test_who_may_read_the_log_but_no_names_reads_none(self, root: Client) -> None:
        alice = make_speaker("Alice Miller")
        Entry.objects.create(action="enroll", speaker=alice.uuid)
        auditor = User.objects.create_user("auditor", is_staff=True)
        auditor.user_permissions.add(Permission.objects.get(codename="view_entry"))
        root.force_login(auditor)

        page = root.get(reverse("admin:audit_entry_changelist"))

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
