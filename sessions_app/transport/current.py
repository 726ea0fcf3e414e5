"""The transport that the settings ask for."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from .interface import Transport


@cache
def get_transport() -> Transport:
    """Return the transport of this process."""
    if settings.REDIS_URL:
        from .cells import CellsTransport

        return CellsTransport(settings.CELL)
    from .memory import MemoryTransport

    return MemoryTransport()
