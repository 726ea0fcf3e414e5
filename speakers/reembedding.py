"""Voiceprints computed from their kept recordings by more models: those of other sets, or one that is new."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from audit import log
from audit.models import Action
from recognition.engine.engine import Engine

from . import jobs
from .enrollment import REEMBED, kept_recording
from .exceptions import JobFailed, Undecipherable
from .fields import seal
from .gallery_changes import gallery_changed
from .jobs import RunningJob, in_database
from .listening import by_embedder, embedder_of, listen
from .models import Voiceprint, VoiceprintEmbedding


def ask_if_needed(model_id: str) -> None:
    """Ask for the job if there are voiceprints that this model has not heard."""
    if _unheard(model_id).exclude(audio="").exists():
        jobs.ask_for(REEMBED, model_id=model_id)


@jobs.does(REEMBED, label=_("recompute voiceprints"), is_long=True)
async def reembed(task: RunningJob) -> dict[str, Any]:
    """Hear kept recordings with the models of this worker, and keep what they hear."""
    engines = _engines(task)
    work = [
        (engine, key)
        for model_id, engine in engines.items()
        for key in await in_database(_voiceprints, task.job.subject, model_id)
    ]
    outcomes: Counter[str] = Counter(voiceprints=0, without_recording=0, without_speech=0)
    for done, (engine, key) in enumerate(work):
        await task.report(done, len(work))
        outcomes[await _hear(engine, key)] += 1
    await task.report(len(work), len(work))
    return {"model": ", ".join(engines), **outcomes}


def _engines(task: RunningJob) -> dict[str, Engine]:
    """Return the engines that are to listen, by the model that tells their voices apart.

    Raises:
        JobFailed: If none has one.
    """
    found = by_embedder([task.engine, *task.others])
    if wanted := task.job.model_id:
        return {wanted: found[wanted]}
    return found or {embedder_of(task.engine).model_id: task.engine}


async def _hear(engine: Engine, key: int) -> str:
    """Let an engine hear a voiceprint's recording, and return what came of it."""
    model_id = embedder_of(engine).model_id
    try:
        audio = await in_database(kept_recording, key)
    except Undecipherable as error:
        raise JobFailed(str(error)) from error
    if audio is None:
        await in_database(_note_nothing, key, model_id)
        return "without_recording"
    heard = await listen(engine, audio)
    if not len(heard.embeddings):
        await in_database(_note_nothing, key, model_id)
        return "without_speech"
    await in_database(_keep, key, model_id, heard.voice, heard.sound.speech_s)
    return "voiceprints"


def _unheard(model_id: str) -> QuerySet[Voiceprint]:
    """Select the voiceprints that this model has not heard."""
    return Voiceprint.objects.exclude(model_id=model_id).exclude(embeddings__model_id=model_id)


def _voiceprints(speaker: str, model_id: str) -> list[int]:
    """Return the keys of what to hear: all of one speaker, or what the model has not heard."""
    rows = Voiceprint.objects.filter(speaker__uuid=speaker) if speaker else _unheard(model_id)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _keep(key: int, model_id: str, voice: Any, speech_s: float) -> None:
    with transaction.atomic():
        # Locked: what is forgotten meanwhile does not come back.
        voiceprint = Voiceprint.objects.select_for_update().filter(pk=key).first()
        if voiceprint is None:
            return
        if voiceprint.model_id == model_id:
            Voiceprint.objects.filter(pk=key).update(sealed_embedding=seal(voice), speech_s=speech_s)
        else:
            _keep_beside(voiceprint, model_id, sealed_embedding=seal(voice), speech_s=speech_s)
        gallery_changed(voiceprint.speaker_id)
        log.record(
            Action.EMBEDDED,
            speaker=voiceprint.speaker.uuid,
            voiceprint=str(voiceprint.uuid),
            model=model_id,
        )


def _note_nothing(key: int, model_id: str) -> None:
    """Note that this model has nothing to hear there: it is not asked again."""
    with transaction.atomic():
        voiceprint = Voiceprint.objects.select_for_update().filter(pk=key).exclude(model_id=model_id).first()
        if voiceprint and not voiceprint.embeddings.filter(model_id=model_id).exists():
            _keep_beside(voiceprint, model_id)


def _keep_beside(voiceprint: Voiceprint, model_id: str, **heard: Any) -> None:
    VoiceprintEmbedding.objects.update_or_create(voiceprint=voiceprint, model_id=model_id, defaults=heard)
