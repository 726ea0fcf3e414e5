"""Connections to Redis, for asyncio and for threads: to one server, or to the master that sentinels name.

A connection to a master that is none any more breaks, and the next one is made to whoever is it then: that is
redis-py's own doing. What is decided here is how long anything is waited for meanwhile.
"""

from __future__ import annotations

import socket
from typing import Any

import redis as blocking_redis
from redis import sentinel as blocking_sentinel
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.retry import Retry as BlockingRetry

from . import addresses

SENTINEL_S = 1.0
"""How long one sentinel is waited for, before the next is asked."""

CONNECT_S = 2.0
"""How long a master is waited for that the sentinels have named."""

SILENT_S, PROBE_S, PROBES = 5, 2, 3
"""A machine that is gone says nothing: it is asked after so long, again and again, and then given up."""


def connect(url: str, **options: Any) -> Redis:
    """Return a client for asyncio; one repetition at once finds a new connection after a restart."""
    retry = Retry(NoBackoff(), 1)
    address = addresses.parse(url)
    if address is None:
        return Redis.from_url(url, retry=retry, **options)
    asked = sentinel_options(address, Retry(NoBackoff(), 0))
    sentinel = Sentinel(address.sentinels, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]
    client: Redis = sentinel.master_for(address.service, retry=retry, **server_options(address) | options)
    return client


def connect_blocking(url: str, **options: Any) -> blocking_redis.Redis:
    """Return a client for a thread; as `connect`."""
    retry = BlockingRetry(NoBackoff(), 1)
    address = addresses.parse(url)
    if address is None:
        return blocking_redis.Redis.from_url(url, retry=retry, **options)
    pool = _blocking_pool(address, retry=retry, **options)
    return blocking_redis.Redis.from_pool(pool)


async def close(client: Redis) -> None:
    """Close a client, and what it has asked for its master."""
    sentinel = getattr(client.connection_pool, "sentinel_manager", None)
    await client.aclose()
    if sentinel:
        await sentinel.aclose()


def close_blocking(client: blocking_redis.Redis) -> None:
    """Close a client; as `close`."""
    sentinel = getattr(client.connection_pool, "sentinel_manager", None)
    client.close()
    for each in sentinel.sentinels if sentinel else ():
        each.close()


def server_options(address: addresses.SentinelAddress) -> dict[str, Any]:
    """Return how to connect to a master that sentinels name."""
    return address.server_options | {"socket_connect_timeout": CONNECT_S, **keepalive()}


def sentinel_options(address: addresses.SentinelAddress, retry: object) -> dict[str, Any]:
    """Return how to connect to a sentinel.

    Args:
        retry: Of the kind that the connection is; redis-py's own policy waits for seconds before another
            sentinel is asked.
    """
    return address.sentinel_options | {
        "socket_timeout": SENTINEL_S,
        "socket_connect_timeout": SENTINEL_S,
        "retry": retry,
    }


def keepalive() -> dict[str, Any]:
    """Return options by which a connection notices that the machine at its other end is gone."""
    wanted = {
        "TCP_KEEPIDLE": SILENT_S,
        "TCP_KEEPINTVL": PROBE_S,
        "TCP_KEEPCNT": PROBES,
        "TCP_USER_TIMEOUT": 1000 * (SILENT_S + PROBE_S * PROBES),
    }
    known = {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}
    return {"socket_keepalive": True, "socket_keepalive_options": known}


def layer_host(url: str, **options: Any) -> dict[str, Any]:
    """Return the address as Channels' layers take it."""
    address = addresses.parse(url)
    if address is None:
        return {"address": url, **options}
    return {
        "sentinels": list(address.sentinels),
        "master_name": address.service,
        "sentinel_kwargs": sentinel_options(address, Retry(NoBackoff(), 0)),
        **server_options(address),
        **options,
    }


class CachePool:
    """Connections of Django's cache, which makes its pool by `from_url`."""

    @staticmethod
    def from_url(url: str, **options: Any) -> blocking_redis.ConnectionPool:
        address = addresses.parse(url)
        if address is None:
            return blocking_redis.ConnectionPool.from_url(url, **options)
        return _blocking_pool(address, **options)


def _blocking_pool(
    address: addresses.SentinelAddress, **options: Any
) -> blocking_sentinel.SentinelConnectionPool:
    asked = sentinel_options(address, BlockingRetry(NoBackoff(), 0))
    sentinel: Any = blocking_sentinel.Sentinel(address.sentinels, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]
    return blocking_sentinel.SentinelConnectionPool(  # type: ignore[no-untyped-call]
        address.service, sentinel, **server_options(address) | options
    )
