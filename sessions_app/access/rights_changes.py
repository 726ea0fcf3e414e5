"""Announcements to all processes that rights have changed: they ask again for the sockets that are open.

Rows that give rights are changed by pages, the admin, shells and cascades, none of which calls a function of
ours; so this hangs on Django's signals. `QuerySet.update` sends none: whoever calls it announces the change.
What is lost is made up for within half a minute (`sockets.rights_watch`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session as Login
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save

from sessions_app.models import AccessToken, Membership, Session, Share
from sessions_app.wire import layer_messages
from speakers import notify


def announce(*, session_key: str = "", user: int | None = None) -> None:
    """Tell all processes, once this is committed, that somebody may have lost a right.

    Args:
        session_key: Of the only session that it is about; empty for all.
        user: The only login that it is about; None for all.
    """
    message = layer_messages.rights_message(session_key, user)
    transaction.on_commit(partial(notify.send, layer_messages.RIGHTS, message))


def connect_signals() -> None:
    """Notice every row that gives or took rights. Called once, when the applications are there."""
    post_save.connect(_user_saved, User, dispatch_uid="rights")
    for model, receiver in (
        (User, _user_deleted),
        (Group, _everybody),
        (Share, _share_deleted),
        (Membership, _membership_deleted),
        (AccessToken, _token_changed),
        (Session, _session_changed),
        (Login, _login_ended),
    ):
        post_delete.connect(receiver, model, dispatch_uid="rights")
    post_save.connect(_token_changed, AccessToken, dispatch_uid="rights")
    post_save.connect(_session_changed, Session, dispatch_uid="rights")
    for through in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_roles_changed, through, dispatch_uid="rights")


def _user_saved(instance: User, *, created: bool, update_fields: Any = None, **_: Any) -> None:
    is_login = update_fields is not None and set(update_fields) == {"last_login"}
    if not created and not is_login:
        announce(user=instance.pk)


def _user_deleted(instance: User, **_: Any) -> None:
    announce(user=instance.pk)


def _everybody(**_: Any) -> None:
    announce()


def _roles_changed(instance: User | Group, *, action: str, **_: Any) -> None:
    if action.startswith("post_"):
        announce(user=instance.pk if isinstance(instance, User) else None)


def _share_deleted(instance: Share, **_: Any) -> None:
    for key in Session.objects.filter(pk=instance.session_id).values_list("key", flat=True):
        announce(session_key=key)


def _membership_deleted(instance: Membership, **_: Any) -> None:
    announce(user=instance.user_id)


def _token_changed(instance: AccessToken, *, created: bool = False, **_: Any) -> None:
    if not created:
        announce(session_key=instance.session_key)


def _session_changed(instance: Session, *, created: bool = False, **_: Any) -> None:
    if not created:
        announce(session_key=instance.key)


def _login_ended(instance: Login, **_: Any) -> None:
    # Django's own signal of a logout comes while the login still holds.
    if user := instance.get_decoded().get(SESSION_KEY):
        announce(user=int(user))
