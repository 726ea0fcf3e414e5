"""No path to anybody's voice without the permission for it: every address and action, for every role."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse

from speakers import enrollment
from speakers.admin import SpeakerAdmin
from speakers.models import AuditEntry, Consent, Enrollment, Job, Speaker, Voiceprint

from ..sessions_app.meetings import make_user
from .people import make_speaker

pytestmark = pytest.mark.django_db

# All of them but `remote` are staff; `owner` is the enroller who made the recording that waits.
VISITORS = ["remote", "viewer", "transcriber", "editor", "staff", "enroller", "owner", "superuser"]

EXPECTED = """
                                remote viewer transcriber editor staff enroller owner superuser
speakers_speaker_changelist      302    403    200         200    403   200      200   200
speakers_speaker_add             302    403    200         200    403   200      200   200
speakers_speaker_change          302    403    200         200    403   200      200   200
speakers_speaker_history         302    403    200         200    403   200      200   200
speakers_speaker_simple_history  302    403    200         200    403   200      200   200
speakers_speaker_delete          302    403    403         403    403   200      200   200
speakers_enroll                  302    403    403         403    403   200      200   200
speakers_enrollment              302    403    403         403    403   404      200   200
speakers_enrollment_verdict      302    403    403         403    403   404      200   200
speakers_enrollment_audio        302    403    403         403    403   404      200   200
speakers_voiceprint_audio        302    403    403         403    403   200      200   200
speakers_export                  302    403    403         403    403   200      200   200
speakers_merge                   302    403    403         403    403   302      302   302
speakers_auditentry_changelist   302    403    403         403    403   403      403   200
speakers_auditentry_change       302    403    403         403    403   403      403   200
speakers_job_changelist          302    403    403         403    403   403      403   200
speakers_job_change              302    403    403         403    403   403      403   200
speakers_consenttext_changelist  302    403    403         403    403   403      403   200
speakers_calibration_changelist  302    403    403         403    403   403      403   200
"""


def table() -> dict[str, dict[str, int]]:
    header, *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    assert header == VISITORS
    return {name: dict(zip(VISITORS, map(int, codes), strict=True)) for name, *codes in rows}


@pytest.fixture(autouse=True)
def _storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"


@pytest.fixture
def alice() -> Speaker:
    flac = enrollment.to_flac(np.zeros(16_000, np.float32))
    return make_speaker("Alice", np.ones(4, np.float32), audio=flac)


@pytest.fixture
def draft(alice: Speaker) -> Enrollment:
    owner = make_user("owner", "enroller", is_staff=True)
    audio = np.zeros(16_000, np.float32)
    return enrollment.begin(audio, source=Voiceprint.Source.UPLOAD, by=owner, speaker=alice)


def client_of(visitor: str) -> Client:
    client = Client()
    if visitor == "superuser":
        client.force_login(User.objects.create_superuser("root"))
    elif visitor == "owner":
        client.force_login(User.objects.get(username="owner"))
    elif visitor != "remote":
        role = [] if visitor == "staff" else [visitor]
        client.force_login(make_user(f"a-{visitor}", *role, is_staff=True))
    return client


def address_of(name: str, alice: Speaker, draft: Enrollment) -> str:
    keys: dict[str, Any] = {
        "speakers_speaker_change": alice.pk,
        "speakers_speaker_history": alice.pk,
        "speakers_speaker_delete": alice.pk,
        "speakers_enroll": alice.uuid,
        "speakers_export": alice.uuid,
        "speakers_enrollment": draft.uuid,
        "speakers_enrollment_verdict": draft.uuid,
        "speakers_enrollment_audio": draft.uuid,
        "speakers_voiceprint_audio": alice.voiceprints.get().uuid,
        "speakers_auditentry_change": AuditEntry.objects.create(action="play").pk,
        "speakers_job_change": Job.objects.get().pk,
    }
    if name == "speakers_speaker_simple_history":
        return reverse(f"admin:{name}", args=[alice.pk, alice.history.get().pk])
    return reverse(f"admin:{name}", args=[keys[name]] if name in keys else [])


def own_addresses() -> Iterator[str]:
    """The addresses that the admin has for a speaker, those for their voice included."""
    for pattern in SpeakerAdmin(Speaker, admin.site).get_urls():
        if isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name


def test_every_address_is_in_the_table() -> None:
    assert set(own_addresses()) <= set(table())


@pytest.mark.parametrize("visitor", VISITORS)
def test_who_may_open_what(visitor: str, alice: Speaker, draft: Enrollment) -> None:
    client = client_of(visitor)
    expected = {name: codes[visitor] for name, codes in table().items()}

    found = {name: client.get(address_of(name, alice, draft)).status_code for name in expected}

    assert found == expected


@pytest.mark.parametrize("visitor", VISITORS)
def test_who_may_not_open_a_page_may_not_send_to_it(visitor: str, alice: Speaker, draft: Enrollment) -> None:
    client = client_of(visitor)
    before = counts()
    closed = [name for name, codes in table().items() if codes[visitor] != 200]

    for name in closed:
        response = client.post(address_of(name, alice, draft), {"post": "yes", "discard": "1", "store": "1"})
        assert response.status_code in (302, 403, 404), name

    assert counts() == before


@pytest.mark.parametrize(
    ("visitor", "actions"),
    [
        ("transcriber", set()),
        ("editor", set()),
        ("enroller", {"delete_selected", "merge", "embed_anew"}),
        ("superuser", {"delete_selected", "merge", "embed_anew"}),
    ],
)
def test_who_is_offered_which_action(
    visitor: str, actions: set[str], alice: Speaker, draft: Enrollment
) -> None:
    response = client_of(visitor).get(reverse("admin:speakers_speaker_changelist"))

    form = response.context["action_form"]
    offered = {name for name, _ in form.fields["action"].choices if name} if form else set()
    assert offered == actions


@pytest.mark.parametrize("action", ["delete_selected", "merge", "embed_anew"])
def test_an_action_that_is_not_offered_does_nothing(action: str, alice: Speaker, draft: Enrollment) -> None:
    before = counts()

    client_of("transcriber").post(
        reverse("admin:speakers_speaker_changelist"),
        {"action": action, "_selected_action": [alice.pk], "post": "yes"},
    )

    assert counts() == before


@pytest.mark.parametrize("visitor", ["transcriber", "editor", "enroller", "superuser"])
def test_who_sees_a_speakers_name_does_not_see_their_voice_for_that(
    visitor: str, alice: Speaker, draft: Enrollment
) -> None:
    page = client_of(visitor).get(address_of("speakers_speaker_change", alice, draft)).content.decode()

    sees_voices = visitor in ("enroller", "superuser")
    assert ("<audio" in page) == sees_voices
    assert ("recorded by" in page.lower()) == sees_voices


def test_a_worker_needs_no_page_and_a_page_no_worker() -> None:
    """The verdict of a recording is read from the database: no page of speakers loads a model."""
    code = "import speakers.admin, sys; assert not {'torch', 'funasr'} & set(sys.modules)"
    setup = "import django; django.setup(); "
    subprocess.run([sys.executable, "-c", setup + code], check=True)


def counts() -> dict[str, int]:
    tables = (Speaker, Voiceprint, Consent, Enrollment, Job)
    return {model.__name__: model.objects.count() for model in tables}
