"""Enrolled people for tests that need a database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.utils import timezone

from speakers import lifecycle
from speakers.gallery_changes import gallery_changed
from speakers.models import Consent, ConsentText, Enrollment, Speaker, Voiceprint

MODEL = "model-1"


def make_speaker(name: str = "Alice", voice: np.ndarray | None = None, **voiceprint: Any) -> Speaker:
    """A speaker who has consented; with a `voice`, enrolled."""
    speaker = Speaker.objects.create(name=name)
    give_consent(speaker)
    if voice is not None:
        enroll(speaker, voice, **voiceprint)
    return speaker


def give_consent(speaker: Speaker, expires_at: datetime | None = None) -> Consent:
    text = ConsentText.objects.first() or ConsentText.objects.create(text="You may.", language="en")
    return Consent.objects.create(speaker=speaker, text=text, expires_at=expires_at)


def enroll(
    speaker: Speaker,
    voice: np.ndarray,
    *,
    speech_s: float = 5.0,
    model_id: str = MODEL,
    audio: bytes = b"",
    consent: Consent | None = None,
) -> Voiceprint:
    voiceprint = Voiceprint(
        speaker=speaker,
        consent=consent or speaker.consents.first() or give_consent(speaker),
        model_id=model_id,
        speech_s=speech_s,
        source=Voiceprint.Source.UPLOAD,
    )
    voiceprint.embedding = voice
    if audio:
        voiceprint.audio.save("voice.flac", ContentFile(audio), save=False)
    voiceprint.save()
    gallery_changed(speaker.pk)
    return voiceprint


def expire_drafts() -> None:
    """Let the time go by in which somebody could have decided."""
    Enrollment.objects.update(created_at=timezone.now() - timedelta(days=2))
    lifecycle.expire()
