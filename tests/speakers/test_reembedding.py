"""Voiceprints computed anew after a change of model, from what was kept of those who are still there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.fernet import Fernet

from audit.models import Entry
from recognition.audio import SAMPLE_RATE
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, ScriptedEmbedder, ScriptedLine
from speakers import enrollment, jobs, reembedding
from speakers.enrollment import kept_recording, to_flac
from speakers.exceptions import JobLost
from speakers.fields import unseal
from speakers.jobs import RunningJob
from speakers.models import GalleryChange, Job, Speaker, Voiceprint, VoiceprintEmbedding

from .people import enroll, make_speaker
from .voices import gallery_of

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Script([ScriptedLine("你好。", 0, 5.0), ScriptedLine("再见。", 3, 5.0)])
OLD = np.ones(4, np.float32)
NEW_MODEL = ScriptedEmbedder.model_id


def said(line: int) -> bytes:
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    return to_flac(np.concatenate([pause, SCRIPT.speak(line, pause_s=0.5)]).astype(np.float32))


def enrolled(name: str, audio: bytes, model_id: str = "old") -> Speaker:
    return make_speaker(name, OLD, audio=audio, model_id=model_id)


async def run(engine: Engine, subject: str = "") -> Job:
    """Let a worker do the job."""
    await jobs.in_database(jobs.ask_for, enrollment.REEMBED, subject)
    await jobs.run_pending(engine, lambda: gallery_of({}), "worker-1", is_long=True)
    return await Job.objects.alatest("pk")


def heard_by_new_model(speaker: Speaker) -> list[VoiceprintEmbedding]:
    return list(VoiceprintEmbedding.objects.filter(voiceprint__speaker=speaker, model_id=NEW_MODEL))


def result(voiceprints: int, without_recording: int = 0, without_speech: int = 0) -> dict[str, Any]:
    return {
        "model": NEW_MODEL,
        "voiceprints": voiceprints,
        "without_recording": without_recording,
        "without_speech": without_speech,
    }


async def test_each_voice_is_heard_again_by_the_new_model(engine: Engine) -> None:
    alice = await jobs.in_database(enrolled, "Alice", said(0))
    bob = await jobs.in_database(enrolled, "Bob", said(1))

    job = await run(engine)

    assert (job.state, job.result) == ("done", result(2))
    assert (job.steps_done, job.steps) == (2, 2)
    for speaker, axis in ((alice, 0), (bob, 3)):
        [heard] = await jobs.in_database(heard_by_new_model, speaker)
        assert heard.sealed_embedding is not None
        assert int(np.argmax(unseal(heard.sealed_embedding))) == axis
        assert heard.speech_s == pytest.approx(5.0, abs=0.2)
        own = await Voiceprint.objects.aget(speaker=speaker)
        assert own.model_id == "old"
        np.testing.assert_array_equal(own.embedding, OLD)
    noted = {change.speaker async for change in GalleryChange.objects.order_by("-pk")[:2]}
    assert noted == {alice.pk, bob.pk}
    assert await Entry.objects.filter(action="reembed", actor=None).acount() == 2


async def test_what_the_new_model_has_heard_already_is_left_alone(engine: Engine) -> None:
    await jobs.in_database(enrolled, "Alice", said(0), NEW_MODEL)

    job = await run(engine)

    assert job.result == result(0)
    np.testing.assert_array_equal((await Voiceprint.objects.aget()).embedding, OLD)


async def test_one_speaker_is_heard_again_whatever_model_it_was(engine: Engine) -> None:
    alice = await jobs.in_database(enrolled, "Alice", said(0), NEW_MODEL)
    await jobs.in_database(enrolled, "Bob", said(1))

    job = await run(engine, str(alice.uuid))

    assert job.result == result(1)
    assert len((await Voiceprint.objects.aget(speaker=alice)).embedding) == ScriptedEmbedder.dimension
    assert (await Voiceprint.objects.aget(speaker__name="Bob")).model_id == "old"


async def test_what_cannot_be_heard_is_counted_and_stays_as_it_was(engine: Engine) -> None:
    await jobs.in_database(enrolled, "Nothing kept", b"")
    silent = await jobs.in_database(enrolled, "Silence", to_flac(np.zeros(SAMPLE_RATE, np.float32)))
    lost = await jobs.in_database(enrolled, "File lost", said(0))
    await jobs.in_database(lambda: Path(lost.voiceprints.get().audio.path).unlink())

    job = await run(engine)

    assert (job.state, job.result) == ("done", result(0, without_recording=2, without_speech=1))
    assert [each.sealed_embedding for each in await jobs.in_database(heard_by_new_model, silent)] == [None]


async def test_what_cannot_be_heard_is_asked_for_once(engine: Engine) -> None:
    await jobs.in_database(enrolled, "Silence", to_flac(np.zeros(SAMPLE_RATE, np.float32)))
    await run(engine)

    await jobs.in_database(reembedding.ask_if_needed, NEW_MODEL)

    assert await Job.objects.filter(state="queued").acount() == 0


async def test_without_the_key_it_says_what_to_do(engine: Engine, settings: Any) -> None:
    await jobs.in_database(enrolled, "Alice", said(0))
    settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]

    job = await run(engine)

    assert job.state == "failed"
    assert "Put that key back" in job.error


async def test_a_model_set_that_tells_no_voices_apart_says_so(engine: Engine) -> None:
    await jobs.in_database(enrolled, "Alice", said(0))
    engine.models = replace(engine.models, embedder=None)

    job = await run(engine)

    assert job.state == "failed"
    assert "no [speaker]" in job.error


async def test_who_is_forgotten_while_it_runs_does_not_come_back(engine: Engine) -> None:
    alice = await jobs.in_database(enrolled, "Alice", said(0))
    key = (await Voiceprint.objects.aget()).pk
    await jobs.in_database(alice.delete)

    await jobs.in_database(reembedding._keep, key, NEW_MODEL, OLD, 5.0)

    assert not await Voiceprint.objects.aexists()
    assert not await Entry.objects.filter(action="reembed").aexists()


async def test_done_twice_it_is_as_if_it_were_done_once(engine: Engine) -> None:
    """A worker that stops half-way leaves the rest to another, who may begin at the beginning."""
    alice = await jobs.in_database(enrolled, "Alice", said(0))
    await run(engine, str(alice.uuid))
    once = (await Voiceprint.objects.aget()).embedding

    await run(engine, str(alice.uuid))

    np.testing.assert_allclose((await Voiceprint.objects.aget()).embedding, once, atol=1e-6)


class TestAskIfNeeded:
    def test_another_models_voices_are_to_be_heard_again(self) -> None:
        enrolled("Alice", said(0))

        reembedding.ask_if_needed(NEW_MODEL)
        reembedding.ask_if_needed(NEW_MODEL)

        assert [(job.kind, job.subject, job.model_id) for job in Job.objects.all()] == [
            ("reembed", "", NEW_MODEL)
        ]

    def test_the_same_models_are_not(self) -> None:
        enrolled("Alice", said(0), NEW_MODEL)

        reembedding.ask_if_needed(NEW_MODEL)

        assert not Job.objects.exists()

    def test_what_was_not_kept_cannot_be(self) -> None:
        enrolled("Alice", b"")

        reembedding.ask_if_needed(NEW_MODEL)

        assert not Job.objects.exists()


class TestKeptRecording:
    def test_it_is_as_it_was_enrolled(self) -> None:
        sound = (0.5 * np.sin(np.arange(1600))).astype(np.float32)
        voiceprint = enroll(make_speaker("Alice"), OLD, audio=to_flac(sound))

        heard = kept_recording(voiceprint.pk)

        assert heard is not None
        np.testing.assert_allclose(heard, sound, atol=1 / 32768)

    def test_of_a_voiceprint_that_is_gone_there_is_none(self) -> None:
        assert kept_recording(12345) is None


async def test_a_job_that_another_worker_took_over_goes_no_further(engine: Engine) -> None:
    alice = await jobs.in_database(enrolled, "Alice", said(0))
    await jobs.in_database(jobs.ask_for, enrollment.REEMBED, str(alice.uuid))
    job = await jobs.in_database(jobs.claim, "worker-1", [enrollment.REEMBED])
    assert job
    await Job.objects.filter(pk=job.pk).aupdate(worker="worker-2")

    with pytest.raises(JobLost):
        await reembedding.reembed(RunningJob(job, engine, gallery_of({})))

    assert (await Voiceprint.objects.aget()).model_id == "old"
