"""Limits on wrong passwords: each one makes the next attempt wait longer. Pure.

Three counts, for none does well alone: a company shares one address, a guesser has many, and whoever locks an
account locks out its owner. Where an account is known to log in from, only its own mistakes there hold it up.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from math import ceil

from audit import addresses

FORGET_S = 3600.0
"""After so long without another mistake, all are forgotten."""

KNOWN_PLACE_S = 30 * 24 * 3600.0
"""So long an address is known as one that an account logs in from."""

IPV6_PREFIX = 64
"""What one customer has of IPv6: whoever has it, has all addresses in it."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Wrong passwords, and the moment of the last, in seconds of the wall clock."""

    count: int = 0
    last_at: float = 0.0

    def after_another(self, now: float) -> Failures:
        return Failures(1 if self._are_forgotten(now) else self.count + 1, now)

    def without_one(self) -> Failures:
        """Return what is left when the last was none after all."""
        return Failures(max(0, self.count - 1), self.last_at)

    def wait_s(self, limit: Limit, now: float) -> float:
        """Return how long it is until the next attempt; 0 if it may be now."""
        if self.count < limit.free or self._are_forgotten(now):
            return 0.0
        doublings = min(self.count - limit.free, 32)
        return max(0.0, self.last_at + min(2.0**doublings, limit.max_wait_s) - now)

    def _are_forgotten(self, now: float) -> bool:
        return now - self.last_at >= FORGET_S


@dataclass(frozen=True, slots=True)
class Limit:
    """Mistakes that cost nothing; from then on one costs 1 s, and each further one twice as much."""

    free: int
    max_wait_s: float


PLACE = Limit(free=5, max_wait_s=900.0)
"""Of one account at one address."""

ADDRESS = Limit(free=20, max_wait_s=300.0)
ACCOUNT = Limit(free=50, max_wait_s=30.0)
"""Of one account from everywhere: never long, or anybody could lock its owner out."""


def wait_s(place: Failures, address: Failures, account: Failures, now: float, *, is_known: bool) -> float:
    """Return how long an attempt has to wait; 0 if it may be now.

    Args:
        is_known: The account has logged in from this address.
    """
    waits = [place.wait_s(PLACE, now)]
    if not is_known:
        waits += [address.wait_s(ADDRESS, now), account.wait_s(ACCOUNT, now)]
    return float(ceil(max(waits)))


def neighbourhood(address: str) -> str:
    """Return what is counted as one address."""
    parsed = addresses.parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))
    return str(parsed or "unknown")
