"""Channel layers: that of the settings for what concerns everybody, and one in each cell for its sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as DatabaseError

from sessions_app.cells import directory
from sessions_app.cells.placement import HOME

from .connecting import layer_host
from .interface import Unreachable

LAYER_TIMEOUT_S = 30
"""Redis-py's own is five seconds: shorter than what Redis may take when it starts."""

_ask_address: Callable[[str], Awaitable[str]] = database_sync_to_async(
    directory.address_of, thread_sensitive=False
)
_layers: dict[str, Any] = {}


async def find_address(cell: str) -> str:
    """Return the address of a cell's Redis; that of home is in the settings, whatever the database does.

    Raises:
        Unreachable: If it is not known.
    """
    if cell == HOME:
        return directory.address_of(HOME)
    try:
        return await _ask_address(cell)
    except (DatabaseError, directory.CellError) as error:
        raise Unreachable(f"the cell {cell!r} cannot be found: {error}") from error


async def layer_of(cell: str) -> Any:
    """Return the layer on which the sessions of a cell are followed.

    Raises:
        Unreachable: If the cell is not known.
    """
    if cell == HOME or not settings.REDIS_URL:
        return get_channel_layer()
    if cell not in _layers:
        address = await find_address(cell)
        _layers.setdefault(cell, _layer_at(address))
    return _layers[cell]


def _layer_at(address: str) -> Any:
    from channels_redis.pubsub import RedisPubSubChannelLayer

    return RedisPubSubChannelLayer(hosts=[layer_host(address, socket_timeout=LAYER_TIMEOUT_S)])
