"""Changes of the gallery, noted for the workers: whoever changes a voice says so, in the same transaction."""

from __future__ import annotations

from django.db import transaction

from . import notify
from .models import GalleryChange

CALIBRATION = 0
"""In place of a speaker: how voices are compared has changed."""


def gallery_changed(speaker_pk: int) -> None:
    """Note that the voices of a speaker changed, and tell the workers when this is committed."""
    GalleryChange.objects.create(speaker=speaker_pk)
    transaction.on_commit(notify.notify_workers)
