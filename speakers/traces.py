"""Traces of a deleted row, removed with it whatever deletes it: a page, the admin, a cascade, a shell.

This is the only receiver of a signal here, because cascades and shells call nothing else. It keeps the
promise that deleting is forgetting; all else that follows a change is called by name: docs/decisions/0014.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models.signals import pre_delete

from . import followers, secure_erase
from .gallery_changes import CALIBRATION, gallery_changed
from .models import Calibration, Enrollment, Speaker, Voiceprint

WATCHED = (Speaker, Voiceprint, Enrollment, Calibration)
"""A consent leaves none of its own: what was enrolled under it goes by cascade."""


def watch() -> None:
    """Remove the traces of whatever is deleted from now on."""
    for model in WATCHED:
        pre_delete.connect(_remove, sender=model, dispatch_uid=f"traces of {model.__name__}")


def _remove(instance: models.Model, **kwargs: Any) -> None:
    """Remove all that a row leaves behind; in the transaction of its deletion."""
    match instance:
        case Speaker():
            followers.forgotten(instance)
            _remove_from_log(instance)
            gallery_changed(instance.pk)
            secure_erase.schedule()
        case Voiceprint():
            _remove_recording(instance)
            gallery_changed(instance.speaker_id)
            secure_erase.schedule()
        case Enrollment():
            _remove_recording(instance)
        case Calibration():
            gallery_changed(CALIBRATION)


def _remove_recording(row: Voiceprint | Enrollment) -> None:
    storage, name = row.audio.storage, row.audio.name
    if name:
        transaction.on_commit(lambda: storage.delete(name))


def _remove_from_log(speaker: Speaker) -> None:
    """Delete what the admin's own log has, which names people; the audit log does not."""
    kind = ContentType.objects.get_for_model(Speaker)
    LogEntry.objects.filter(content_type=kind, object_id=str(speaker.pk)).delete()
