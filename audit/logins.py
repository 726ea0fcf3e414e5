"""Logins on record: who came, who failed to, who left."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from . import log
from .models import Action

FAILURES_S = 60.0
"""One entry in this time for failures of the same name from the same address; it says how many they were."""


def watch() -> None:
    """Put logins on record from now on, whatever page or program they come by."""
    user_logged_in.connect(_came, dispatch_uid="audit")
    user_login_failed.connect(_failed, dispatch_uid="audit")
    user_logged_out.connect(_left, dispatch_uid="audit")


def _came(sender: Any, user: User, request: HttpRequest, **_: Any) -> None:
    second = _second_factor(request)
    log.record(Action.LOGGED_IN, by=user, **({"second_factor": second} if second else {}))


def _second_factor(request: HttpRequest) -> str:
    """Return what was shown besides a password, as allauth notes it."""
    steps = request.session.get("account_authentication_methods") or [{}]
    return str(steps[-1].get("type", ""))


def _failed(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    # A name that nobody has is not written down: people type their passwords there.
    name = str(credentials.get("username", ""))[:150].replace("\0", "")
    account = User.objects.filter(username=name).values_list("pk", flat=True).first()
    log.record_seldom(Action.LOGIN_FAILED, every_s=FAILURES_S, account=account)


def second_step_failed(account: int) -> None:
    """Record a password that was right, with something else as second factor that was not."""
    log.record_seldom(Action.LOGIN_FAILED, every_s=FAILURES_S, account=account, step=2)


def refused(account: int | None) -> None:
    """Record an attempt that had to wait; nobody looked at its password."""
    log.record_seldom(Action.LOGIN_REFUSED, every_s=FAILURES_S, account=account)


def _left(sender: Any, user: User | None, **_: Any) -> None:
    if user:
        log.record(Action.LOGGED_OUT, by=user)
