"""Hints to the recognition workers that the database has something for them. They may get lost."""

from __future__ import annotations

import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

WORKERS = "recognition-workers"
"""The group that every worker joins."""


def tell_workers() -> None:
    """Look into the database now instead of in a moment: an enrollment, a forgotten speaker, a job."""
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(WORKERS, {"type": "speakers.changed"})
    except (OSError, RuntimeError) as error:
        logger.warning("the workers could not be told: %s", error)
