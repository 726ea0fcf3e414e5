"""Remembering a voice that was named in a transcript: who may, what is asked, what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from recognition.audio import SAMPLE_RATE
from sessions_app.models import Session
from sessions_app.transcripts.learning import lines_to_learn_from
from speakers.enrollment import from_flac
from speakers.models import Consent, ConsentText, Enrollment, Speaker
from tests.sessions_app.meetings import make_lines, make_recording, make_session, make_user, make_voice
from tests.speakers.people import give_consent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"


@pytest.fixture
def session() -> Session:
    """Four lines by 赵敏 and one by somebody else, with their recording."""
    session = make_session()
    make_lines(session, voice=make_voice(session, "赵敏"))
    make_lines(session, ["别的人。"], voice=make_voice(session))
    make_recording(session, np.linspace(-0.5, 0.5, 10 * SAMPLE_RATE, dtype=np.float32), as_flac=True)
    return session


@pytest.fixture
def zhao(session: Session) -> Speaker:
    return Speaker.objects.get(name="赵敏")


@pytest.fixture
def client() -> Client:
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(make_user("Alice", "editor", "enroller"))
    return client


def address(session: Session, speaker: Speaker) -> str:
    return reverse("remember-voice", args=[session.key, speaker.uuid])


def remember(client: Client, session: Session, speaker: Speaker, *, has_agreed: bool) -> Any:
    body = json.dumps({"has_agreed": has_agreed})
    return client.post(address(session, speaker), body, content_type="application/json")


def test_asks_with_the_words_that_one_agrees_to(client: Client, session: Session, zhao: Speaker) -> None:
    question = client.get(address(session, zhao)).json()
    text = ConsentText.objects.get(language="en").text
    assert question == {
        "name": "赵敏", "speech_ms": 8000, "recordings": 0, "has_consent": False, "consent": text,
    }  # fmt: skip


def test_what_only_this_person_said_is_judged_under_the_new_consent(
    client: Client, session: Session, zhao: Speaker
) -> None:
    answer = remember(client, session, zhao, has_agreed=True)
    [draft] = Enrollment.objects.all()
    assert (draft.speaker, draft.source, draft.consent) == (zhao, "transcript", Consent.objects.get())
    with draft.audio.open() as file:
        assert len(from_flac(file.read())) == 8 * SAMPLE_RATE
    assert answer.json()["page"] == reverse("enrollment", args=[draft.uuid])
    assert client.get(answer.json()["verdict"]).json() == {"is_judged": False, "has_failed": False}


def test_nothing_is_kept_without_consent(client: Client, session: Session, zhao: Speaker) -> None:
    answer = remember(client, session, zhao, has_agreed=False)
    assert (answer.status_code, Enrollment.objects.count(), Consent.objects.count()) == (422, 0, 0)
    assert "must first agree" in answer.json()["error"]


def test_a_consent_from_before_is_enough(client: Client, session: Session, zhao: Speaker) -> None:
    consent = give_consent(zhao)
    assert client.get(address(session, zhao)).json()["has_consent"] is True
    assert remember(client, session, zhao, has_agreed=False).status_code == 201
    assert Enrollment.objects.get().consent == consent


def test_without_a_recording_nobody_is_asked_to_agree(client: Client, zhao: Speaker) -> None:
    silent = make_session("silent")
    make_lines(silent, voice=make_voice(silent, "赵敏"))
    answer = remember(client, silent, zhao, has_agreed=True)
    assert (answer.status_code, Consent.objects.count()) == (422, 0)


def test_somebody_who_does_not_speak_here_is_not_found(client: Client, session: Session) -> None:
    other = Speaker.objects.create(name="别处的人")
    assert client.get(address(session, other)).status_code == 404


@pytest.mark.parametrize("groups", [["editor"], ["viewer", "enroller"], ["enroller"]])
def test_takes_the_rights_to_edit_and_to_enroll(session: Session, zhao: Speaker, groups: list[str]) -> None:
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(make_user("Bob", *groups))
    assert client.get(address(session, zhao)).status_code == 403


def test_the_longest_lines_are_enough(session: Session, zhao: Speaker) -> None:
    voice = session.voices.get(speaker=zhao)
    lines = make_lines(session, ["很长。"] * 40, voice=voice)
    lines[7].end = lines[7].start + SAMPLE_RATE // 2
    lines[7].save()
    chosen = lines_to_learn_from(session, zhao)
    assert sum(line.end - line.start for line in chosen) == 60 * SAMPLE_RATE
    assert lines[7] not in chosen
    assert [line.start for line in chosen] == sorted(line.start for line in chosen)
