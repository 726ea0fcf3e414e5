"""Logins of browsers: remembered with where they come from, so that people can see theirs and end them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from audit import origin
from sessions_app.models import MAX_AGENT_LENGTH, Login

SEEN_S = 600.0
"""How exactly it is known when a login was last used; writing with each request would be too much."""


class RememberedLogins:
    """Middleware that notes from where, and when, each login is used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Afterwards, and only where a view has asked for the user: others need no database.
        if isinstance(user := getattr(request, "_cached_user", None), User):
            note(user, request)
        return response


def of(user: User) -> list[Login]:
    """Return the logins of an account that still hold, the one used last first; the others are forgotten."""
    found = []
    for login in Login.objects.filter(user=user).order_by("-seen_at"):
        if user_of(login.session_key) == user:
            found.append(login)
        else:
            login.delete()
    return found


def user_of(key: str) -> User | None:
    """Return whose login has this key; None once it is over, or the account closed."""
    if not key:
        return None
    request = HttpRequest()
    request.session = _store(key)
    user = get_user(request)
    return user if isinstance(user, User) else None


def end(login: Login) -> None:
    """End a login: its browser has to log in again, and its sockets are closed."""
    _store(login.session_key).delete()
    login.delete()


def end_others(user: User, key: str | None) -> int:
    """End all logins of an account but this one, and return how many there were."""
    others = Login.objects.filter(user=user).exclude(session_key=key or "")
    ended = list(others)
    for login in ended:
        end(login)
    return len(ended)


def _store(key: str) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


def _is_due(key: str) -> bool:
    name = hashlib.sha256(key.encode()).hexdigest()
    return caches["process"].add(f"login:{name}", True, SEEN_S)


def note(user: User, request: HttpRequest) -> None:
    """Remember that a login is used, and from where, unless that is known from a moment ago."""
    key = request.session.session_key
    if not key or not _is_due(key):
        return
    known = {
        "user": user,
        "address": origin.of_request(request).address,
        "agent": request.headers.get("user-agent", "")[:MAX_AGENT_LENGTH].replace("\0", " "),
        "seen_at": timezone.now(),
    }
    Login.objects.update_or_create(known, session_key=key)
