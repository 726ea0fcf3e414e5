"""What a program does with speakers over HTTP, and who may: every operation, for every role."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audit.models import Entry
from sessions_app.views.uploads import router as uploads
from speakers import enrollment
from speakers.api import router as speakers
from speakers.models import Consent, Enrollment, Job, Speaker, Voiceprint
from speakers.voiceprints.assessment import Problem

from ..sessions_app.meetings import make_user
from .drafts import begin, judge, wav
from .people import make_speaker
from .test_access import VISITORS, client_of, counts

pytestmark = pytest.mark.django_db

# `owner` is the enroller who sent the recording that waits. 403 and 404 come before anything is read or done.
EXPECTED = """
                                       remote viewer transcriber editor staff enroller owner superuser
GET    openapi.json                       200    200    200      200    200   200      200   200
GET    docs                               200    200    200      200    200   200      200   200
GET    speakers                           401    403    200      200    403   200      200   200
POST   speakers                           401    403    201      201    403   201      201   201
GET    speakers/ALICE                     401    403    200      200    403   200      200   200
PATCH  speakers/ALICE                     401    403    403      403    403   200      200   200
DELETE speakers/ALICE                     401    403    403      403    403   204      204   204
POST   speakers/ALICE/merge               401    403    403      403    403   200      200   200
GET    speakers/ALICE/export              401    403    403      403    403   200      200   200
GET    consent-text                       401    403    403      403    403   200      200   200
GET    speakers/ALICE/consents            401    403    403      403    403   200      200   200
POST   speakers/ALICE/consents            401    403    403      403    403   201      201   201
DELETE consents/CONSENT                   401    403    403      403    403   204      204   204
GET    speakers/ALICE/voiceprints         401    403    403      403    403   200      200   200
GET    voiceprints/VOICEPRINT/audio       401    403    403      403    403   200      200   200
DELETE voiceprints/VOICEPRINT             401    403    403      403    403   204      204   204
POST   speakers/ALICE/enrollments         401    403    403      403    403   202      202   202
GET    enrollments/DRAFT                  401    403    403      403    403   404      200   200
GET    enrollments/DRAFT/audio            401    403    403      403    403   404      200   200
POST   enrollments/DRAFT/store            401    403    403      403    403   404      201   201
DELETE enrollments/DRAFT                  401    403    403      403    403   404      204   204
GET    uploads                            200    403    200      200    403   403      403   200
POST   uploads                            412    403    412      412    403   403      403   412
OPTIONS uploads                           204    204    204      204    204   204      204   204
GET    uploads/UPLOAD                     404    403    404      404    403   403      403   404
HEAD   uploads/UPLOAD                     412    403    412      412    403   403      403   412
PATCH  uploads/UPLOAD                     412    403    412      412    403   403      403   412
DELETE uploads/UPLOAD                     404    403    404      404    403   403      403   404
"""


def table() -> dict[tuple[str, str], dict[str, int]]:
    header, *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    assert header == VISITORS
    return {(row[0], row[1]): dict(zip(VISITORS, map(int, row[2:]), strict=True)) for row in rows}


@pytest.fixture
def alice() -> Speaker:
    flac = enrollment.to_flac(np.zeros(16_000, np.float32))
    return make_speaker("Alice", np.ones(4, np.float32), audio=flac)


@pytest.fixture
def draft(alice: Speaker) -> Enrollment:
    return begin(alice, make_user("owner", "enroller", is_staff=True))


@pytest.fixture
def client(draft: Enrollment) -> Client:
    return client_of("owner")


def send(client: Client, method: str, path: str, **body: Any) -> Any:
    options = {"data": json.dumps(body), "content_type": "application/json"} if body else {}
    return getattr(client, method.lower())(f"/api/{path}", **options)


def upload(client: Client, speaker: Speaker, file: SimpleUploadedFile) -> Any:
    return client.post(f"/api/speakers/{speaker.uuid}/enrollments", {"recording": file})


KEYS = {
    "speakers/{uuidstr:key}": "speakers/ALICE",
    "consents/{int:key}": "consents/CONSENT",
    "voiceprints/{uuidstr:key}": "voiceprints/VOICEPRINT",
    "enrollments/{uuidstr:key}": "enrollments/DRAFT",
    "uploads/{uuidstr:key}": "uploads/UPLOAD",
}


def operations() -> Iterator[tuple[str, str]]:
    """Yield what the API answers to, but for meetings: method, and path with names in place of keys."""
    yield "GET", "openapi.json"
    yield "GET", "docs"
    for router in (speakers, uploads):  # `sessions_app/api/test_access.py` has the others
        for path, view in router.path_operations.items():
            for kind, name in KEYS.items():
                path = path.replace(kind, name)
            yield from ((method, path.strip("/")) for each in view.operations for method in each.methods)


def answer(client: Client, method: str, path: str, alice: Speaker, draft: Enrollment) -> int:
    keys = {
        "ALICE": alice.uuid,
        "CONSENT": alice.consents.get().pk,
        "DRAFT": draft.pk,
        "VOICEPRINT": alice.voiceprints.get().uuid,
        "UPLOAD": uuid.uuid4(),  # of nobody: `sessions_app/views/test_uploads.py` has the others
    }
    address = "uploads/" if path == "uploads" else path
    for name, key in keys.items():
        address = address.replace(name, str(key))
    if path.endswith("/enrollments"):
        return int(upload(client, alice, wav()).status_code)
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("POST", "speakers"): {"name": "Bob"},
        ("PATCH", "speakers/ALICE"): {"name": "Alicia"},
        ("POST", "speakers/ALICE/merge"): {"gone": str(Speaker.objects.get(name="Alice again").uuid)},
        ("POST", "speakers/ALICE/consents"): {"text": alice.consents.get().text_id},
    }
    return int(send(client, method, address, **bodies.get((method, path), {})).status_code)


def test_every_operation_is_in_the_table() -> None:
    assert set(operations()) == set(table())


@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize(("method", "path"), table())
def test_who_may_do_what(method: str, path: str, visitor: str, alice: Speaker, draft: Enrollment) -> None:
    expected = table()[method, path][visitor]
    Speaker.objects.create(name="Alice again")
    client = client_of(visitor)
    before = counts()

    assert answer(client, method, path, alice, draft) == expected

    if expected >= 400:
        assert counts() == before
        assert not Entry.objects.filter(action__in=["play", "export"]).exists()


class TestLoggingIn:
    def basic(self, password: str, **account: Any) -> Client:
        user = make_user("program", "enroller", is_staff=True)
        user.set_password("right")
        for field, value in account.items():
            setattr(user, field, value)
        user.save()
        secret = base64.b64encode(f"program:{password}".encode()).decode()
        # As a program does it: with no cookie, and no CSRF token.
        return Client(enforce_csrf_checks=True, headers={"Authorization": f"Basic {secret}"})

    def test_a_program_logs_in_with_each_request(self) -> None:
        made = send(self.basic("right"), "POST", "speakers", name="Bob")

        assert made.status_code == 201
        assert Speaker.objects.get().history.get().history_user.username == "program"

    def test_a_wrong_password_is_nobody(self) -> None:
        refused = send(self.basic("wrong"), "GET", "speakers")

        assert refused.status_code == 401
        assert refused.json() == {"error": "This token or password is not known here, or no longer good."}

    def test_what_counts_is_the_permission_and_not_the_way_into_the_admin(self) -> None:
        assert send(self.basic("right", is_staff=False), "GET", "speakers").status_code == 200

    def test_an_account_that_is_closed_is_nobody(self) -> None:
        assert send(self.basic("right", is_active=False), "GET", "speakers").status_code == 401

    def test_another_site_cannot_use_the_cookie_of_somebody_logged_in(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_user("enroller", "enroller", is_staff=True))

        assert send(client, "POST", "speakers", name="Bob").status_code == 403
        assert not Speaker.objects.exists()


class TestEnrolling:
    def test_from_a_new_name_to_a_voiceprint(self, client: Client) -> None:
        speaker = send(client, "POST", "speakers", name=" Bob ").json()
        assert speaker["name"] == "Bob"
        text = send(client, "GET", "consent-text").json()
        assert "biometric" in text["text"]
        send(client, "POST", f"speakers/{speaker['id']}/consents", text=text["id"])
        bob = Speaker.objects.get(name="Bob")
        waiting = upload(client, bob, wav()).json()
        assert waiting["verdict"] is None
        assert Job.objects.filter(subject=waiting["id"]).exists()
        judge(Enrollment.objects.get(pk=waiting["id"]))

        heard = send(client, "GET", f"enrollments/{waiting['id']}").json()["verdict"]
        stored = send(client, "POST", f"enrollments/{waiting['id']}/store")

        assert (heard["is_good"], heard["is_one_voice"], heard["snr_db"], heard["clipped"]) == (
            True, True, 31.0, 0.0,
        )  # fmt: skip
        assert stored.status_code == 201
        assert send(client, "GET", f"speakers/{speaker['id']}/voiceprints").json() == [stored.json()]
        assert bob.voiceprints.get().audio.read()[:4] == b"fLaC"
        assert not Enrollment.objects.filter(pk=waiting["id"]).exists()

    def test_without_consent_nothing_is_kept(self, client: Client) -> None:
        bob = Speaker.objects.create(name="Bob")

        refused = upload(client, bob, wav())

        assert (refused.status_code, "consent" in refused.json()["error"]) == (409, True)
        assert not bob.enrollments.exists()

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "not an audio"),
            (b"hello, I am a text" * 100, "not an audio file"),
            (b"RIFF\xff\xff\xff\xffWAVEfmt " + bytes(40), "not an audio"),
        ],
    )
    def test_a_bad_file_is_refused_in_words(
        self, client: Client, alice: Speaker, data: bytes, words: str
    ) -> None:
        refused = upload(client, alice, SimpleUploadedFile("voice.wav", data))

        assert refused.status_code == 422
        assert words in refused.json()["error"]
        assert alice.enrollments.count() == 1  # the one that waits anyway

    def test_what_no_worker_heard_cannot_be_stored(self, client: Client, alice: Speaker) -> None:
        waiting = upload(client, alice, wav()).json()

        assert send(client, "POST", f"enrollments/{waiting['id']}/store").status_code == 409

    def test_a_doubtful_recording_needs_somebody_who_is_sure(self, client: Client, draft: Enrollment) -> None:
        bob = Speaker.objects.create(name="Bob")
        judge(draft, Problem.LIKE_ANOTHER, nearest=[(bob.pk, 5.0)])

        verdict = send(client, "GET", f"enrollments/{draft.pk}").json()["verdict"]
        refused = send(client, "POST", f"enrollments/{draft.pk}/store")
        stored = send(client, "POST", f"enrollments/{draft.pk}/store?is_sure=true")

        assert [(each["id"], each["name"]) for each in verdict["nearest"]] == [(str(bob.uuid), "Bob")]
        assert verdict["nearest"][0]["probability"] == pytest.approx(1 / (1 + np.exp(-5.0)))
        assert refused.json()["error"] == enrollment.describe(Problem.LIKE_ANOTHER)
        assert (refused.status_code, stored.status_code) == (409, 201)

    def test_too_little_speech_cannot_be_stored_by_anybody(self, client: Client, draft: Enrollment) -> None:
        judge(draft, Problem.TOO_SHORT)

        assert send(client, "POST", f"enrollments/{draft.pk}/store?is_sure=true").status_code == 409
        assert Voiceprint.objects.count() == 1

    def test_a_recording_can_be_heard_and_withdrawn(self, client: Client, draft: Enrollment) -> None:
        heard = b"".join(send(client, "GET", f"enrollments/{draft.pk}/audio"))
        send(client, "DELETE", f"enrollments/{draft.pk}")

        assert heard[:4] == b"fLaC"
        assert not Enrollment.objects.exists()


class TestKeeping:
    def test_a_part_of_the_name_finds_somebody(self, client: Client, alice: Speaker) -> None:
        Speaker.objects.create(name="Bob")

        found = send(client, "GET", "speakers?search=lic").json()

        assert [speaker["id"] for speaker in found["speakers"]] == [str(alice.uuid)]
        assert send(client, "GET", "speakers?limit=1").json()["count"] == 2

    def test_listening_is_on_record(self, client: Client, alice: Speaker) -> None:
        path = f"voiceprints/{alice.voiceprints.get().uuid}/audio"

        assert b"".join(send(client, "GET", path))[:4] == b"fLaC"
        assert Entry.objects.get(action="play").actor_name == "owner"

    def test_forgetting_leaves_nothing_and_is_on_record(
        self, client: Client, alice: Speaker, django_capture_on_commit_callbacks: Any
    ) -> None:
        recordings = [Path(kept.audio.path) for kept in (alice.voiceprints.get(), alice.enrollments.get())]
        assert all(recording.exists() for recording in recordings)

        with django_capture_on_commit_callbacks(execute=True):
            send(client, "DELETE", f"speakers/{alice.uuid}")

        for kept in (Speaker, Voiceprint, Consent, Enrollment):
            assert not kept.objects.exists()
        assert not any(recording.exists() for recording in recordings)
        assert Entry.objects.get(action="forget").speaker == alice.uuid

    def test_withdrawing_a_consent_takes_what_was_enrolled_under_it(
        self, client: Client, alice: Speaker
    ) -> None:
        (consent,) = send(client, "GET", f"speakers/{alice.uuid}/consents").json()

        send(client, "DELETE", f"consents/{consent['id']}")

        assert not alice.voiceprints.exists()

    def test_an_entry_that_is_the_same_person_is_merged(self, client: Client, alice: Speaker) -> None:
        again = make_speaker("Alice again", np.ones(4, np.float32))

        send(client, "POST", f"speakers/{alice.uuid}/merge", gone=str(again.uuid))

        assert alice.voiceprints.count() == 2
        assert not Speaker.objects.filter(pk=again.pk).exists()

    def test_nobody_is_merged_with_themselves(self, client: Client, alice: Speaker) -> None:
        refused = send(client, "POST", f"speakers/{alice.uuid}/merge", gone=str(alice.uuid))

        assert refused.status_code == 422
        assert alice.voiceprints.count() == 1

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101])
    def test_a_name_must_be_one(self, client: Client, alice: Speaker, name: str) -> None:
        refused = send(client, "PATCH", f"speakers/{alice.uuid}", name=name)

        assert refused.status_code == 422
        assert "name" in refused.json()["error"]
        alice.refresh_from_db()
        assert alice.name == "Alice"


class TestOddRequests:
    """Programs send what people would not type: they get an answer that says so, never a failure."""

    @pytest.mark.parametrize("name", ["a\x00b", "\ud800"])
    @pytest.mark.parametrize("field", ["name", "note"])
    def test_what_no_database_can_keep_is_refused(
        self, client: Client, alice: Speaker, name: str, field: str
    ) -> None:
        refused = send(client, "PATCH", f"speakers/{alice.uuid}", **{field: name})

        assert refused.status_code == 422
        alice.refresh_from_db()
        assert (alice.name, alice.note) == ("Alice", "")

    @pytest.mark.parametrize(
        "name", ["张三", "محمد", "🎤", "O’Neill", "=1+1", "<script>", "a\tb", "\u202eecilA"]
    )
    def test_any_name_of_a_person_comes_back_as_it_was(self, client: Client, name: str) -> None:
        made = send(client, "POST", "speakers", name=name)

        assert made.status_code == 201
        assert send(client, "GET", f"speakers/{made.json()['id']}").json()["name"] == name

    @pytest.mark.parametrize(
        ("search", "expected"),
        [
            ("100%", ["100% Alice"]),
            ("%", ["100% Alice"]),
            ("_", ["under_score"]),
            ("\\", ["back\\slash"]),
            ("'; DROP TABLE speakers;--", []),
            ("alice", ["100% Alice", "Alice"]),
            ("张", ["张三"]),
        ],
    )
    def test_what_is_looked_for_is_text_and_no_pattern(
        self, client: Client, alice: Speaker, search: str, expected: list[str]
    ) -> None:
        for name in ("100% Alice", "under_score", "back\\slash", "张三"):
            Speaker.objects.create(name=name)

        found = client.get("/api/speakers", {"search": search}).json()

        assert [speaker["name"] for speaker in found["speakers"]] == expected
        assert found["count"] == len(expected)

    @pytest.mark.parametrize(
        "query", ["search=%00", "offset=-1", "offset=" + "9" * 30, "limit=0", "limit=501", "limit=x"]
    )
    def test_pages_that_cannot_be_are_refused(self, client: Client, query: str) -> None:
        assert send(client, "GET", f"speakers?{query}").status_code == 422

    def test_pages_go_on_where_the_last_one_stopped_and_end(self, client: Client, alice: Speaker) -> None:
        for name in ("Bob", "Bob", "Carol"):
            Speaker.objects.create(name=name)

        pages = [send(client, "GET", f"speakers?limit=3&offset={at}").json() for at in (0, 3, 6)]

        assert [[each["name"] for each in page["speakers"]] for page in pages] == [
            ["Alice", "Bob", "Bob"],
            ["Carol"],
            [],
        ]
        assert {page["count"] for page in pages} == {4}

    def test_a_change_of_one_thing_leaves_the_other(self, client: Client, alice: Speaker) -> None:
        send(client, "PATCH", f"speakers/{alice.uuid}", note="met in May")
        send(client, "PATCH", f"speakers/{alice.uuid}", name="Alicia")

        alice.refresh_from_db()
        assert (alice.name, alice.note) == ("Alicia", "met in May")

    def test_a_note_can_be_emptied_and_a_name_cannot(self, client: Client, alice: Speaker) -> None:
        Speaker.objects.filter(pk=alice.pk).update(note="met in May")

        assert send(client, "PATCH", f"speakers/{alice.uuid}", note="").status_code == 200
        assert send(client, "PATCH", f"speakers/{alice.uuid}", name="").status_code == 422

        alice.refresh_from_db()
        assert (alice.name, alice.note) == ("Alice", "")

    def test_what_was_deleted_cannot_be_deleted_again(self, client: Client, alice: Speaker) -> None:
        voiceprint, consent = alice.voiceprints.get(), alice.consents.get()
        for path in (f"voiceprints/{voiceprint.uuid}", f"consents/{consent.pk}", f"speakers/{alice.uuid}"):
            assert send(client, "DELETE", path).status_code == 204
            again = send(client, "DELETE", path)
            assert (again.status_code, again.json()) == (404, {"error": "There is nothing at this address."})

    def test_an_entry_that_is_gone_is_merged_with_nobody(self, client: Client, alice: Speaker) -> None:
        refused = send(client, "POST", f"speakers/{alice.uuid}/merge", gone=str(uuid.uuid4()))

        assert refused.status_code == 404
        assert alice.voiceprints.count() == 1

    @pytest.mark.parametrize("text", [0, 10**30, -1, "x"])
    def test_nobody_agrees_to_a_text_that_is_not_there(
        self, client: Client, alice: Speaker, text: Any
    ) -> None:
        assert send(client, "POST", f"speakers/{alice.uuid}/consents", text=text).status_code in (404, 422)
        assert alice.consents.count() == 1

    def test_a_recording_is_stored_once(self, client: Client, draft: Enrollment) -> None:
        judge(draft)
        stored = [send(client, "POST", f"enrollments/{draft.pk}/store").status_code for _ in range(2)]

        assert stored == [201, 404]
        assert Voiceprint.objects.count() == 2

    def test_the_text_to_agree_to_is_in_the_language_that_is_asked_for(self, client: Client) -> None:
        texts = [
            client.get("/api/consent-text", headers={"Accept-Language": language}).json()
            for language in ("en", "zh-CN", "fr")
        ]

        assert [text["language"] for text in texts[:2]] == ["en", "zh-hans"]
        assert texts[0]["text"] != texts[1]["text"]
        assert texts[2]["text"]

    def test_what_a_worker_could_not_do_is_told(self, client: Client, draft: Enrollment) -> None:
        Job.objects.update(state="failed", error="The models are gone.")

        assert send(client, "GET", f"enrollments/{draft.pk}").json() == {
            "id": str(draft.pk),
            "verdict": {**send(client, "GET", f"enrollments/{draft.pk}").json()["verdict"]},
            "error": "The models are gone.",
        }
