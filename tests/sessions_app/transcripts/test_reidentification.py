"""A session that is over, after somebody was enrolled: with real audio through scripted models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from recognition.audio import samples
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, ScriptedLine
from sessions_app.models import Session, Utterance, Voice
from sessions_app.store import voices
from sessions_app.transcripts.reidentification import REIDENTIFY
from speakers import jobs
from speakers.gallery import GalleryReader
from speakers.jobs import in_database
from speakers.models import Enrollment, Job, Voiceprint
from speakers.voiceprints.identification import unit
from tests.sessions_app.meetings import make_lines, make_recording, make_session, make_user, make_voice
from tests.speakers.people import enroll, give_consent, make_speaker

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, BOB = 0, 5  # voices of the script
SCRIPT = Script([ScriptedLine("你好。", ALICE, 2.0), ScriptedLine("再见。", BOB, 2.0)])


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"


def sound_of(voice: int) -> np.ndarray:
    return np.asarray(np.eye(16, dtype=np.float32)[voice])


def make_meeting(*, is_live: bool = False) -> Session:
    """Two strangers, six lines of two seconds in turn."""
    session = make_session(is_live=is_live)
    strangers = [make_voice(session), make_voice(session)]
    for turn in range(6):
        make_lines(session, ["你好。"], strangers[turn % 2])
    said = [SCRIPT.speak(turn % 2)[: samples(2)] for turn in range(6)]
    audio = np.concatenate([np.pad(piece, (0, samples(2) - len(piece))) for piece in said])
    make_recording(session, audio.astype(np.float32), as_flac=not is_live)
    return session


def names(session: Session) -> list[str]:
    lines = session.utterances.order_by("seq").select_related("voice__speaker")
    return [line.voice.name if line.voice else "" for line in lines]


async def identify_anew(engine: Engine, session: Session) -> Job:
    job = await in_database(jobs.ask_for, REIDENTIFY, str(session.pk))
    reader = GalleryReader("scripted-1", 16)
    await in_database(reader.refresh)
    await jobs.run_pending(engine, lambda: reader.gallery, "worker", is_long=True)
    found: Job = await in_database(Job.objects.get, pk=job.pk)
    return found


async def test_whoever_was_enrolled_since_gets_their_lines(engine: Engine) -> None:
    session = await in_database(make_meeting)
    await in_database(
        lambda: enroll(make_speaker("Alice"), sound_of(ALICE), model_id="scripted-1", speech_s=20.0)
    )

    job = await identify_anew(engine, session)

    assert (job.state, job.result) == ("done", {"voices": 2, "lines_corrected": 3})
    assert await in_database(names, session) == ["Alice", "Speaker 2"] * 3


async def test_readers_are_told_and_nothing_is_kept_of_how_voices_sound(engine: Engine) -> None:
    session = await in_database(make_meeting)
    await in_database(
        lambda: enroll(make_speaker("Alice"), sound_of(ALICE), model_id="scripted-1", speech_s=20.0)
    )

    await identify_anew(engine, session)

    revised = await in_database(
        lambda: list(Utterance.objects.exclude(revision=0).order_by("seq").values_list("seq", flat=True))
    )
    assert revised == [1, 3, 5]
    assert not await in_database(Voice.objects.exclude(sealed_mean=None).exists)


@pytest.mark.parametrize(("are_apart", "expected"), [(False, {"Alice"}), (True, {"Alice", "Speaker 2"})])
async def test_who_was_heard_at_once_stays_two_though_they_sound_like_one(
    engine: Engine, are_apart: bool, expected: set[str]
) -> None:
    session = await in_database(make_meeting)

    def enroll_one_who_sounds_like_both() -> None:
        between = unit(sound_of(ALICE) + sound_of(BOB))
        enroll(make_speaker("Alice"), between, model_id="scripted-1", speech_s=20.0)
        if are_apart:
            voices.part(*session.voices.order_by("number"))

    await in_database(enroll_one_who_sounds_like_both)
    await identify_anew(engine, session)

    assert set(await in_database(names, session)) == expected


async def test_what_a_person_said_holds(engine: Engine) -> None:
    session = await in_database(make_meeting)

    def correct() -> None:
        enroll(make_speaker("Alice"), sound_of(ALICE), model_id="scripted-1", speech_s=20.0)
        carol = make_speaker("Carol")
        session.voices.filter(number=1).update(speaker=carol, is_named_by_person=True)

    await in_database(correct)
    await identify_anew(engine, session)

    assert await in_database(names, session) == ["Carol", "Speaker 2"] * 3


async def test_a_session_that_is_live_is_left_to_its_worker(engine: Engine) -> None:
    session = await in_database(lambda: make_meeting(is_live=True))

    job = await identify_anew(engine, session)

    assert job.state == "failed"
    assert "not over" in job.error


async def test_a_session_that_was_deleted_meanwhile_is_no_error(engine: Engine) -> None:
    session = await in_database(make_meeting)
    key = session.pk
    await in_database(session.delete)
    session.pk = key

    assert (await identify_anew(engine, session)).state == "done"


class TestActions:
    def post(self, group: str, action: str, model: str, rows: list[int]) -> tuple[Any, list[str]]:
        client = Client()
        client.force_login(make_user("someone", group, is_staff=True))
        response = client.post(
            reverse(f"admin:sessions_app_{model}_changelist"), {"action": action, "_selected_action": rows}
        )
        return response, [str(message) for message in get_messages(response.wsgi_request)]

    def test_an_editor_asks_for_a_session_to_be_identified_anew(self) -> None:
        session = make_meeting()

        self.post("editor", "identify_anew", "session", [session.pk])

        assert Job.objects.filter(kind=REIDENTIFY, subject=str(session.pk)).count() == 1

    def test_a_viewer_does_not(self) -> None:
        self.post("viewer", "identify_anew", "session", [make_meeting().pk])

        assert not Job.objects.exists()

    def test_lines_of_a_speaker_who_has_consented_become_a_recording_to_decide_on(self) -> None:
        session = make_meeting()
        alice = make_speaker("Alice")
        give_consent(alice)
        session.voices.filter(number=1).update(speaker=alice)
        rows = list(session.utterances.filter(voice__speaker=alice).values_list("pk", flat=True))

        response, _ = self.post("enroller", "enroll_with_lines", "utterance", rows)

        [draft] = Enrollment.objects.all()
        assert (draft.speaker, draft.source) == (alice, Voiceprint.Source.TRANSCRIPT)
        assert response["Location"] == reverse("enrollment", args=[draft.uuid])

    def test_without_consent_no_voice_is_kept(self) -> None:
        session = make_meeting()
        alice = make_speaker("Alice")
        alice.consents.all().delete()
        session.voices.filter(number=1).update(speaker=alice)
        rows = list(session.utterances.filter(voice__speaker=alice).values_list("pk", flat=True))

        response, told = self.post("enroller", "enroll_with_lines", "utterance", rows)

        assert response["Location"] == reverse("enroll", args=[alice.uuid])
        assert told
        assert not Enrollment.objects.exists()

    def test_lines_of_strangers_enroll_nobody(self) -> None:
        rows = list(make_meeting().utterances.values_list("pk", flat=True))

        _, told = self.post("enroller", "enroll_with_lines", "utterance", rows)

        assert len(told) == 1
        assert not Enrollment.objects.exists()

    def test_an_editor_may_not_enroll(self) -> None:
        rows = list(make_meeting().utterances.values_list("pk", flat=True))

        self.post("editor", "enroll_with_lines", "utterance", rows)

        assert not Enrollment.objects.exists()
