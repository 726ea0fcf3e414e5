"""Several models for voices in one worker: everybody who is enrolled is known to each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User

from recognition.audio import SAMPLE_RATE
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, ScriptedEmbedder, ScriptedLine, scripted_models
from recognition.interfaces import Samples, Span
from speakers import calibration, enrollment, jobs, lifecycle, maintenance, reembedding
from speakers.export import describe
from speakers.fields import seal
from speakers.gallery import GalleryReader
from speakers.maintenance import SpeakerMaintenance
from speakers.models import Calibration, Job, Speaker, Voiceprint, VoiceprintEmbedding
from speakers.voiceprints.identification import Gallery

from .people import give_consent, make_speaker

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, BOB = 0, 3
SCRIPT = Script([ScriptedLine("你好。", ALICE, 8.0), ScriptedLine("再见。", BOB, 8.0)])
MODEL = ScriptedEmbedder.model_id


class OtherEmbedder(ScriptedEmbedder):
    """Hears the same voices on other axes of another space."""

    model_id = "scripted-other"
    dimension = 24

    def embed(self, batch: Any) -> list[np.ndarray]:
        def heard(audio: Samples, part: Span) -> np.ndarray:
            return np.roll(self._embed(audio[slice(*part)]), 12)

        return [np.stack([heard(audio, part) for part in parts]) for audio, parts in batch]


OTHER = OtherEmbedder.model_id


@pytest.fixture
async def engines() -> AsyncIterator[list[Engine]]:
    """Of the default set, of one with another model for voices, and of one without."""
    models = scripted_models(SCRIPT)
    made = [Engine(replace(models, embedder=each)) for each in (ScriptedEmbedder(), OtherEmbedder(), None)]
    for engine in made:
        engine.start()
    yield made
    for engine in made:
        await engine.aclose()


def said(line: int) -> np.ndarray:
    silence = np.zeros(SAMPLE_RATE // 2, np.float32)
    return np.concatenate([silence, SCRIPT.speak(line, pause_s=0.5)])


def begin(name: str, line: int) -> Speaker:
    """Ask for an enrollment that is stored as soon as it is heard to be good."""
    speaker = Speaker.objects.create(name=name)
    by, _ = User.objects.get_or_create(username="staff")
    consent = give_consent(speaker)
    enrollment.begin(said(line), source=Voiceprint.Source.UPLOAD, by=by, speaker=speaker, consent=consent)
    return speaker


async def work(engines: list[Engine]) -> None:
    """Do all jobs, also those that arise from others."""
    first, *others = engines
    embedder = first.models.embedder or ScriptedEmbedder()
    gallery = GalleryReader(embedder.model_id, embedder.dimension).gallery
    for is_long in (False, True):
        await jobs.run_pending(first, lambda: gallery, "worker", is_long=is_long, others=others)


def known(model_id: str, dimension: int) -> set[int]:
    """Who is enrolled, as this model hears them."""
    reader = GalleryReader(model_id, dimension)
    reader.refresh()
    return {int(speaker) for speaker in reader.gallery.speakers}


async def test_who_enrolls_is_known_to_every_model(engines: list[Engine]) -> None:
    alice = await jobs.in_database(begin, "Alice", 0)
    bob = await jobs.in_database(begin, "Bob", 1)

    await work(engines)

    for model_id, dimension in ((MODEL, 16), (OTHER, 24)):
        assert await jobs.in_database(known, model_id, dimension) == {alice.pk, bob.pk}
    assert {each.model_id async for each in Voiceprint.objects.all()} == {MODEL}
    assert await VoiceprintEmbedding.objects.acount() == 2


async def test_a_model_that_comes_later_hears_those_who_were_enrolled_before(engines: list[Engine]) -> None:
    await jobs.in_database(begin, "Alice", 0)
    await work(engines[:1])
    assert not await jobs.in_database(known, OTHER, 24)

    await jobs.in_database(reembedding.ask_if_needed, OTHER)
    await work(engines)

    assert len(await jobs.in_database(known, OTHER, 24)) == 1


async def test_a_worker_leaves_the_voices_of_a_model_to_those_that_have_it(engines: list[Engine]) -> None:
    await jobs.in_database(begin, "Alice", 0)
    await work(engines)
    await VoiceprintEmbedding.objects.all().adelete()
    await jobs.in_database(reembedding.ask_if_needed, OTHER)

    await work(engines[:1])
    assert (await Job.objects.alatest("pk")).state == "queued"

    await work(engines[1:])
    assert (await Job.objects.alatest("pk")).state == "done"
    assert len(await jobs.in_database(known, OTHER, 24)) == 1


async def test_one_speaker_is_heard_anew_by_all_models(engines: list[Engine]) -> None:
    alice = await jobs.in_database(begin, "Alice", 0)
    await work(engines)
    before = (await VoiceprintEmbedding.objects.aget()).pk

    await jobs.in_database(jobs.ask_for, enrollment.REEMBED, str(alice.uuid))
    await work(engines)

    result = (await Job.objects.alatest("pk")).result
    assert result == {
        "model": f"{MODEL}, {OTHER}", "voiceprints": 2, "without_recording": 0, "without_speech": 0,
    }  # fmt: skip
    assert (await VoiceprintEmbedding.objects.aget()).pk == before


class TestForgetting:
    def heard_twice(self) -> Speaker:
        speaker = make_speaker("Alice", np.eye(16, dtype=np.float32)[0], model_id=MODEL)
        voice = np.eye(24, dtype=np.float32)[0]
        VoiceprintEmbedding.objects.create(
            voiceprint=speaker.voiceprints.get(), model_id=OTHER, sealed_embedding=seal(voice), speech_s=5.0
        )
        return speaker

    def test_who_is_forgotten_is_forgotten_by_every_model(self) -> None:
        speaker = self.heard_twice()
        assert known(OTHER, 24)

        lifecycle.forget(speaker, by=None)

        assert not VoiceprintEmbedding.objects.exists()
        assert not known(MODEL, 16)
        assert not known(OTHER, 24)

    def test_a_consent_that_has_run_out_counts_for_every_model(self) -> None:
        speaker = self.heard_twice()
        speaker.consents.update(expires_at="2020-01-01T00:00Z")

        assert not known(MODEL, 16)
        assert not known(OTHER, 24)

    def test_what_each_model_keeps_is_exported(self) -> None:
        [voiceprint] = describe(self.heard_twice())["voiceprints"]

        assert (voiceprint["model"], len(voiceprint["embedding"])) == (MODEL, 16)
        assert {name: len(voice) for name, voice in voiceprint["heard_by_other_models"].items()} == {
            OTHER: 24
        }


class TestMaintenance:
    @pytest.fixture(autouse=True)
    def _rarely(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(maintenance, "JOB_POLL_S", 60.0)

    async def test_each_models_sessions_get_its_gallery_and_limits(self, engines: list[Engine]) -> None:
        told: list[tuple[str, int]] = []

        async def on_gallery(gallery: Gallery) -> None:
            told.append((gallery.model_id, len(gallery)))

        speakers = SpeakerMaintenance(engines, "worker", on_gallery=on_gallery)
        limits = Calibration(model_id=OTHER, threshold=0.99, margin=3.0, shortest_speech_s=2.0)
        await jobs.in_database(calibration.change, limits)
        await speakers.load()
        running = asyncio.create_task(speakers.run())
        try:
            await jobs.in_database(begin, "Alice", 0)
            speakers.look_now()
            await until(lambda: {(MODEL, 1), (OTHER, 1)} <= set(told), speakers)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        trackers = [speakers.new_tracker(engine) for engine in engines]
        assert [tracker.model_id for tracker in trackers] == [MODEL, OTHER, ""]
        assert [tracker.options.identification.margin == 3.0 for tracker in trackers] == [False, True, False]


async def until(is_so: Callable[[], bool], speakers: SpeakerMaintenance) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            speakers.look_now()  # as a worker does that hears of what its jobs have changed
            await asyncio.sleep(0.02)
