"""Hints on the channel layer, from synchronous code, that the database has something. They may get lost."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WORKERS = "recognition-workers"
"""The group that every worker joins."""


def notify_workers() -> None:
    """Look into the database now instead of in a moment: an enrollment, a forgotten speaker, a job."""
    send(WORKERS, {"type": "speakers.changed"})


def send(group: str, message: dict[str, Any]) -> None:
    """Send to a group if the layer can be reached."""
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group, message)
    except (OSError, RuntimeError, RedisError) as error:
        logger.warning("a message to %s was lost: %s", group, error)
