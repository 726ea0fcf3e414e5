"""Voiceprints computed anew from their kept recordings, after a change of model."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from . import audit, jobs
from .enrollment import kept_recording
from .exceptions import JobFailed, Undecipherable
from .fields import seal
from .gallery_changes import gallery_changed
from .jobs import RunningJob, in_database
from .listening import embedder_of, listen
from .models import AuditEntry, Voiceprint

REEMBED = "reembed"
"""The job; its subject is the key of one speaker, or empty for all voiceprints of other models."""


def ask_if_needed(model_id: str) -> None:
    """Ask for the job if a worker starts with this model and another one computed voiceprints."""
    if Voiceprint.objects.exclude(model_id=model_id).exclude(audio="").exists():
        jobs.ask_for(REEMBED)


@jobs.does(REEMBED, label=_("compute voiceprints anew"), is_long=True)
async def reembed(task: RunningJob) -> dict[str, Any]:
    """Hear kept recordings with this worker's model, and keep what it hears instead."""
    model_id = embedder_of(task.engine).model_id
    keys = await in_database(_voiceprints, task.job.subject, model_id)
    without_recording = without_speech = 0
    for done, key in enumerate(keys):
        await task.report(done, len(keys))
        try:
            audio = await in_database(kept_recording, key)
        except Undecipherable as error:
            raise JobFailed(str(error)) from error
        if audio is None:
            without_recording += 1
            continue
        heard = await listen(task.engine, audio)
        if not len(heard.embeddings):
            without_speech += 1
            continue
        await in_database(_replace, key, model_id, heard.voice, heard.sound.speech_s)
    await task.report(len(keys), len(keys))
    return {
        "model": model_id,
        "voiceprints": len(keys) - without_recording - without_speech,
        "without_recording": without_recording,
        "without_speech": without_speech,
    }


def _voiceprints(speaker: str, model_id: str) -> list[int]:
    rows = Voiceprint.objects.order_by("pk")
    rows = rows.filter(speaker__uuid=speaker) if speaker else rows.exclude(model_id=model_id)
    return list(rows.values_list("pk", flat=True))


def _replace(key: int, model_id: str, voice: Any, speech_s: float) -> None:
    voiceprint = Voiceprint.objects.select_related("speaker", "consent").filter(pk=key).first()
    if voiceprint is None:
        return  # forgotten meanwhile
    voiceprint.model_id, voiceprint.sealed_embedding, voiceprint.speech_s = model_id, seal(voice), speech_s
    with transaction.atomic():
        voiceprint.save(update_fields=["model_id", "sealed_embedding", "speech_s"])
        gallery_changed(voiceprint.speaker_id)
        audit.record(
            AuditEntry.Action.EMBEDDED,
            speaker=voiceprint.speaker.uuid,
            voiceprint=str(voiceprint.uuid),
            model=model_id,
        )
