"""From a recording to a voiceprint, with real audio through scripted models."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.models import Action, Entry
from recognition.audio import SAMPLE_RATE
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, ScriptedLine
from speakers import enrollment, jobs
from speakers.enrollment import Verdict
from speakers.exceptions import EnrollmentError
from speakers.gallery import GalleryReader
from speakers.models import Consent, ConsentText, Enrollment, Job, Speaker, Voiceprint
from speakers.voiceprints.assessment import Problem

from .people import give_consent

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, BOB = 0, 3  # voices of the script
SCRIPT = Script(
    [ScriptedLine("你好。", ALICE, 5.0), ScriptedLine("再见。", BOB, 5.0), ScriptedLine("嗯。", ALICE, 1.0)]
)
UPLOAD = Voiceprint.Source.UPLOAD


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("staff")


def said(*lines: int, noise: float = 0.0) -> np.ndarray:
    """Lines of the script, half a second apart, in so much noise."""
    audio = np.concatenate([np.zeros(SAMPLE_RATE // 2), *[SCRIPT.speak(line, pause_s=0.5) for line in lines]])
    return (audio + noise * np.random.default_rng(0).standard_normal(len(audio))).astype(np.float32)


async def judged(engine: Engine, audio: np.ndarray, by: User, **options: Any) -> Enrollment:
    """Begin an enrollment and let a worker listen; it is the same row unless it stored itself."""
    draft = await jobs.in_database(enrollment.begin, audio, source=UPLOAD, by=by, **options)
    embedder = engine.models.embedder
    assert embedder
    reader = GalleryReader(embedder.model_id, embedder.dimension)
    await jobs.in_database(reader.refresh)
    await jobs.run_pending(engine, lambda: reader.gallery, "worker-1")
    job = await Job.objects.alatest("pk")
    assert job.state == Job.State.DONE, job.error
    await jobs.in_database(
        lambda: draft.refresh_from_db() if Enrollment.objects.filter(pk=draft.pk) else None
    )
    return draft


async def enrolled(engine: Engine, name: str, audio: np.ndarray, by: User) -> Speaker:
    speaker = await Speaker.objects.acreate(name=name)
    consent = await jobs.in_database(give_consent, speaker)
    await judged(engine, audio, by, speaker=speaker, consent=consent)
    return speaker


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def verdict_of(draft: Enrollment) -> Verdict:
    verdict = Verdict.of(draft)
    assert verdict is not None
    return verdict


async def test_a_good_recording_is_judged_good(engine: Engine, staff: User) -> None:
    draft = await judged(engine, said(0, 0), staff)

    verdict = verdict_of(draft)
    assert verdict.problems == []
    assert verdict.is_good
    assert verdict.speech_s == pytest.approx(10.0, abs=0.2)
    assert verdict.length_s == pytest.approx(11.5, abs=0.01)
    assert verdict.snr_db > 40


async def test_two_voices_are_noticed(engine: Engine, staff: User) -> None:
    draft = await judged(engine, said(0, 0, 1), staff)

    assert Problem.SEVERAL_VOICES in verdict_of(draft).problems
    assert verdict_of(draft).can_be_stored
    assert not verdict_of(draft).is_good


async def test_a_word_is_too_little(engine: Engine, staff: User) -> None:
    draft = await judged(engine, said(2), staff)

    assert verdict_of(draft).problems == [Problem.TOO_SHORT]


async def test_silence_is_too_little(engine: Engine, staff: User) -> None:
    draft = await judged(engine, np.zeros(5 * SAMPLE_RATE, np.float32), staff)

    assert verdict_of(draft).problems == [Problem.TOO_SHORT]
    assert draft.sealed_embedding is None


async def test_a_moment_is_too_little(engine: Engine, staff: User) -> None:
    """Shorter than what is looked at around speech."""
    draft = await judged(engine, said(2)[SAMPLE_RATE // 2 :][: SAMPLE_RATE // 10], staff)

    assert verdict_of(draft).problems == [Problem.TOO_SHORT]


async def test_noise_is_noticed(engine: Engine, staff: User) -> None:
    draft = await judged(engine, 0.4 * said(0, 0, noise=0.1), staff)

    assert verdict_of(draft).problems == [Problem.NOISY]


async def test_somebody_who_sounds_like_an_enrolled_speaker_is_pointed_out(
    engine: Engine, staff: User
) -> None:
    alice = await enrolled(engine, "Alice", said(0, 0), staff)

    draft = await judged(engine, said(0, 0), staff)

    verdict = verdict_of(draft)
    assert Problem.LIKE_ANOTHER in verdict.problems
    assert verdict.nearest[0][0] == alice.pk
    assert verdict.nearest[0][1] > 3


async def test_a_second_recording_of_a_speaker_is_compared_with_the_first(
    engine: Engine, staff: User
) -> None:
    alice = await enrolled(engine, "Alice", said(0, 0), staff)

    own = await judged(engine, said(0, 0), staff, speaker=alice)
    other = await judged(engine, said(1, 1), staff, speaker=alice)

    assert verdict_of(own).problems == []
    assert verdict_of(other).problems == [Problem.UNLIKE_OWN]


async def test_nothing_is_enrolled_before_a_person_decides(engine: Engine, staff: User) -> None:
    await judged(engine, said(0, 0), staff)

    assert await Voiceprint.objects.acount() == 0


async def test_a_person_decides_and_it_is_stored(engine: Engine, staff: User, media: Path) -> None:
    audio = said(0, 0)
    draft = await judged(engine, audio, staff)
    speaker = await Speaker.objects.acreate(name="Alice")
    consent = await jobs.in_database(give_consent, speaker)

    voiceprint = await jobs.in_database(enrollment.store, draft, speaker, consent, by=staff)

    assert voiceprint.model_id == "scripted-1"
    assert voiceprint.embedding[0] == pytest.approx(1.0)
    with voiceprint.audio.open() as file:
        np.testing.assert_allclose(enrollment.from_flac(file.read()), audio, atol=1e-4)
    assert await Enrollment.objects.acount() == 0
    assert [path.parent.name for path in files_in(media)] == ["voiceprints"]
    entry = await Entry.objects.aget(action=Action.ENROLLED)
    assert (entry.actor_name, entry.speaker) == ("staff", speaker.uuid)


async def test_with_a_consent_a_good_recording_stores_itself(engine: Engine, staff: User) -> None:
    alice = await enrolled(engine, "Alice", said(0, 0), staff)

    assert await alice.voiceprints.acount() == 1
    assert await Enrollment.objects.acount() == 0


async def test_with_a_consent_a_doubtful_recording_still_waits_for_a_person(
    engine: Engine, staff: User
) -> None:
    alice = await enrolled(engine, "Alice", said(0, 1), staff)

    assert await alice.voiceprints.acount() == 0
    assert await Enrollment.objects.acount() == 1


async def test_an_enrollment_that_was_withdrawn_is_no_failure(engine: Engine, staff: User) -> None:
    draft = await jobs.in_database(enrollment.begin, said(0), source=UPLOAD, by=staff)
    await Enrollment.objects.filter(pk=draft.pk).adelete()

    await judged(engine, said(0), staff)


async def test_too_little_cannot_be_stored_even_if_a_person_wants_it(engine: Engine, staff: User) -> None:
    draft = await judged(engine, said(2), staff)
    speaker = await Speaker.objects.acreate(name="Alice")
    consent = await jobs.in_database(give_consent, speaker)

    with pytest.raises(EnrollmentError, match="three seconds"):
        await jobs.in_database(enrollment.store, draft, speaker, consent, by=staff)


def test_what_nobody_has_judged_cannot_be_stored(staff: User) -> None:
    draft = enrollment.begin(said(0), source=UPLOAD, by=staff)
    speaker = Speaker.objects.create(name="Alice")

    with pytest.raises(EnrollmentError, match="not been judged"):
        enrollment.store(draft, speaker, give_consent(speaker), by=staff)


class TestConsent:
    def test_it_says_who_when_and_to_which_text(self, staff: User, settings: Any) -> None:
        settings.CONSENT_DAYS = 30
        speaker, text = (
            Speaker.objects.create(name="Alice"),
            ConsentText.objects.create(text="Yes.", language="en"),
        )

        consent = enrollment.record_consent(speaker, text, by=staff)

        assert (consent.speaker, consent.text, consent.recorded_by) == (speaker, text, staff)
        assert consent.expires_at == pytest.approx(
            timezone.now() + timedelta(days=30), abs=timedelta(minutes=1)
        )
        entry = Entry.objects.get()
        assert (entry.action, entry.detail) == ("consent", {"text": text.pk})

    def test_it_may_last_for_ever(self, staff: User, settings: Any) -> None:
        settings.CONSENT_DAYS = 0
        text = ConsentText.objects.create(text="Yes.", language="en")

        consent = enrollment.record_consent(Speaker.objects.create(name="Alice"), text, by=staff)

        assert consent.expires_at is None

    def test_no_voiceprint_without_one(self) -> None:
        alice, bob = Speaker.objects.create(name="Alice"), Speaker.objects.create(name="Bob")
        expired = give_consent(bob, expires_at=timezone.now() - timedelta(days=1))

        for consent, words in ((give_consent(alice), "somebody else"), (expired, "expired")):
            voiceprint = Voiceprint(speaker=bob, consent=consent, model_id="m", speech_s=3.0, source=UPLOAD)
            voiceprint.embedding = np.ones(4, np.float32)
            with pytest.raises(ValidationError, match=words):
                voiceprint.save()
        with pytest.raises(Consent.DoesNotExist):
            Voiceprint(speaker=bob, model_id="m", speech_s=3.0, source=UPLOAD).save()
