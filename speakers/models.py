"""Enrolled people and their voices."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class Speaker(models.Model):
    """A person who may be recognised by voice."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("speaker")
        verbose_name_plural = _("speakers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Voiceprint(models.Model):
    """One enrolled sample of a speaker's voice: the recording and its embedding."""

    speaker = models.ForeignKey(
        Speaker, models.CASCADE, related_name="voiceprints", verbose_name=_("speaker")
    )
    model_id = models.CharField(_("model"), max_length=100)
    """Embeddings of different models are never compared."""

    embedding = models.BinaryField(_("embedding"))
    """float32, little endian, unit length."""

    audio = models.FileField(_("recording"), upload_to="voiceprints/")
    speech_s = models.FloatField(_("seconds of speech"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("voiceprint")
        verbose_name_plural = _("voiceprints")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.speaker} ({self.speech_s:.1f} s)"
