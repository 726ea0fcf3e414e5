"""Accounts and their roles: changes by those who manage them, each on record in Django's log of the admin."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.db import transaction

from audit import log as audit_log
from audit.models import Action

MANAGE = "auth.change_user"
"""The permission of those who give roles."""

PASSWORD_BYTES = 9

MAX_NAMED = 5


def managers() -> list[str]:
    """Return the names of some who can give roles."""
    found = User.objects.with_perm(MANAGE).order_by("username")
    return list(found.values_list("username", flat=True)[:MAX_NAMED])


def may_change(manager: User, account: User) -> bool:
    """Tell whether somebody may change an account: that of a superuser only another one may."""
    return manager.has_perm(MANAGE) and (manager.is_superuser or not account.is_superuser)


def add(username: str, roles: Iterable[Group], *, by: User, email: str = "") -> tuple[User, str]:
    """Make an account, and return it with its first password, which is told once."""
    password = new_password()
    with transaction.atomic():
        user = User.objects.create_user(username, email, password)
        user.groups.set(roles)
        _log(user, ADDITION, {"added": {}}, by=by)
        audit_log.record(Action.ACCOUNT_MADE, by=by, account=user.pk, roles=_names(user))
    return user, password


def change(user: User, roles: Iterable[Group], *, email: str, is_active: bool, by: User) -> None:
    """Give an account these roles and no others, and its address; open or close it."""
    with transaction.atomic():
        user.email, user.is_active = email, is_active
        user.save(update_fields=["email", "is_active"])
        user.groups.set(roles)
        _log(user, CHANGE, {"changed": {"fields": ["roles"]}}, by=by)
        audit_log.record(
            Action.ACCOUNT_CHANGED, by=by, account=user.pk, roles=_names(user), is_active=is_active
        )


def reset_password(user: User, *, by: User) -> str:
    """Give an account another password, and return it; who is logged in with the old one is logged out."""
    password = new_password()
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        _log(user, CHANGE, {"changed": {"fields": ["password"]}}, by=by)
        audit_log.record(Action.PASSWORD_CHANGED, by=by, account=user.pk)
    return password


def new_password() -> str:
    """Make a password that nobody guesses."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def _names(user: User) -> list[str]:
    return sorted(user.groups.values_list("name", flat=True))


def _log(user: User, flag: int, message: dict[str, Any], *, by: User) -> None:
    LogEntry.objects.log_actions(by.pk, [user], flag, [message], single_object=True)
