"""Logins by password, wherever one is shown: counted before it is looked at, looked at in few threads.

The counts are in Django's cache: in Redis where there is one, for all processes, else in this process.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password, verify_password
from django.contrib.auth.models import User
from django.core.cache import cache, caches
from django.http import HttpRequest
from redis.exceptions import RedisError

from audit import logins, origin
from sessions_app.exceptions import SessionsError

from . import login_limits, second_factor
from .hashing_pool import Busy, pool
from .login_limits import FORGET_S, KNOWN_PLACE_S, Failures

logger = logging.getLogger("asrsite.logins")

BUSY_WAIT_S = 5.0

REMEMBERED_S = 300.0
MAX_REMEMBERED = 1000
"""Right passwords of programs that show theirs with every request: each is hashed every few minutes."""


class TooManyAttempts(SessionsError):
    """An attempt to log in that has to wait; nobody has looked at its password."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many attempts: the next in {wait_s:g} s")
        self.wait_s = wait_s


class Counts:
    """Wrong passwords of one account at one address, in the cache."""

    def __init__(self, account: str, address: str) -> None:
        name = hashlib.sha256(account.strip().casefold().encode()).hexdigest()[:32]
        near = login_limits.neighbourhood(address)
        self._keys = [f"logins:place:{name}@{near}", f"logins:address:{near}", f"logins:account:{name}"]
        self._known = f"logins:known:{name}@{near}"

    def enter(self, now: float) -> float:
        """Count an attempt as a mistake until it was none, and return 0, or how long it has to wait."""
        with _lock:
            (place, address, account), is_known = self._read()
            wait_s = login_limits.wait_s(place, address, account, now, is_known=is_known)
            if not wait_s:
                self._write([each.after_another(now) for each in (place, address, account)])
        return wait_s

    def was_right(self) -> None:
        """Forget the mistakes of this place, and know it from now on."""
        with _lock:
            (_, *others), _ = self._read()
            self._write([Failures(), *(each.without_one() for each in others)])
            _set({self._known: True}, KNOWN_PLACE_S)

    def was_nothing(self) -> None:
        """Take back what was counted: the password was not looked at."""
        with _lock:
            failures, _ = self._read()
            self._write([each.without_one() for each in failures])

    def _read(self) -> tuple[list[Failures], bool]:
        """Return the mistakes of place, address and account, and whether the place is known."""
        found = _get([*self._keys, self._known])
        return [Failures(*found.get(key, ())) for key in self._keys], self._known in found

    def _write(self, failures: Iterable[Failures]) -> None:
        kept = {key: (each.count, each.last_at) for key, each in zip(self._keys, failures, strict=True)}
        _set(kept, FORGET_S)


class Passwords(ModelBackend):
    """Django's accounts and permissions; a password only after its turn."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        *,
        has_second_step: bool = False,
        **_: Any,
    ) -> User | None:
        """Return whose password this is; nobody's if a second factor is asked for that will not be shown.

        Args:
            has_second_step: Whoever calls asks for that as well, before anybody is logged in.

        Raises:
            TooManyAttempts: If it has to wait; `RefusedAttempts` answers so.
        """
        if username is None or password is None:
            return None
        user = User.objects.filter(username=username).first()
        address = address_of(request) if request else "unknown"
        told = {"address": address, "account": user.get_username() if user else None}
        counts = Counts(username, address)
        if wait_s := counts.enter(time.time()):
            raise _refused(user, told, wait_s)
        try:
            is_right = _is_remembered(user, password) or _is_right(user, password)
        except Busy:
            counts.was_nothing()
            raise _refused(user, told, BUSY_WAIT_S) from None
        if user is None or not is_right or not self.user_can_authenticate(user):
            _log("failed", told)
            return None
        if not has_second_step and second_factor.is_asked_of(user):
            _log("without its second factor", told)
            return None
        counts.was_right()
        _remembered.add(_fingerprint(user, password))
        return user


def address_of(request: HttpRequest) -> str:
    """Return the address that a request comes from, as far as our proxies tell it."""
    return origin.of_request(request).address or "unknown"


def note_wrong_factor(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    """Put a wrong second factor on record, by allauth's signal; it is allauth that limits them."""
    _log("failed", {"address": address_of(request), "account": user.get_username()})
    logins.second_step_failed(user.pk)


def _is_right(user: User | None, password: str) -> bool:
    """Look at a password; where there is none it takes as long, so that no account is told from another."""
    if user is None or not user.has_usable_password():
        pool.run(make_password, password)
        return False
    is_right, is_outdated = pool.run(verify_password, password, user.password)
    if is_right and is_outdated:
        user.password = pool.run(make_password, password)
        user.save(update_fields=["password"])
    return is_right


def _is_remembered(user: User | None, password: str) -> bool:
    return user is not None and _remembered.has(_fingerprint(user, password))


def _refused(user: User | None, told: dict[str, str | None], wait_s: float) -> TooManyAttempts:
    """Put an attempt on record that has to wait, and return the error that says so."""
    _log("refused", told)
    logins.refused(user.pk if user else None)
    return TooManyAttempts(wait_s)


def _log(what: str, told: dict[str, str | None]) -> None:
    # In this form for fail2ban: deploy/fail2ban. A name that nobody has may be a password in the wrong field.
    logger.warning("login %s from %s account=%r", what, told["address"], told["account"])


class _Remembered:
    """Right passwords of the last minutes, by a hash that is worth nothing outside this process."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def has(self, fingerprint: bytes) -> bool:
        with self._lock:
            return self._until.get(fingerprint, 0.0) > time.monotonic()

    def add(self, fingerprint: bytes) -> None:
        with self._lock:
            self._until[fingerprint] = time.monotonic() + REMEMBERED_S
            self._until.move_to_end(fingerprint)
            while len(self._until) > MAX_REMEMBERED:
                self._until.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._until.clear()


def _fingerprint(user: User, password: str) -> bytes:
    """Hash a password with what is kept of it, so that another password of the account makes it worthless."""
    return hmac.digest(_secret, f"{user.pk}\0{user.password}\0{password}".encode(), "sha256")


_secret = secrets.token_bytes(32)
_remembered = _Remembered()
_lock = threading.Lock()


# The cache; while Redis is away, each process counts for itself.


def _get(keys: Sequence[str]) -> dict[str, Any]:
    try:
        return cache.get_many(keys)
    except (RedisError, OSError):
        return caches["process"].get_many(keys)


def _set(values: dict[str, Any], for_s: float) -> None:
    try:
        cache.set_many(values, for_s)
    except (RedisError, OSError):
        caches["process"].set_many(values, for_s)
