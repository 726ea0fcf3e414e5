"""The groups that most installations need, and their permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

READING = ["sessions_app.view_session", "sessions_app.view_utterance", "sessions_app.view_voice"]

OWN_SESSIONS = [
    *READING,
    "sessions_app.send_session",
    "sessions_app.change_session",
    "sessions_app.change_utterance",
    "sessions_app.change_voice",
    "sessions_app.export_session",
    "sessions_app.comment_session",
    "sessions_app.share_session",
    "sessions_app.delete_session",
    # To say who is speaking, by a name that is known or a new one.
    "speakers.view_speaker",
    "speakers.add_speaker",
]

ROLES: Mapping[str, list[str]] = {
    # Reads every session.
    "viewer": [*READING, "sessions_app.view_all_session"],
    # Records, and does with their own sessions what they like.
    "transcriber": OWN_SESSIONS,
    # Does so with everybody's.
    "editor": [*OWN_SESSIONS, "sessions_app.view_all_session"],
    # Keeps the voices of the people who are to be recognised.
    "enroller": [
        *READING,
        "sessions_app.view_all_session",
        "speakers.enroll_speaker",
        "speakers.merge_speaker",
        "speakers.export_speaker",
        "speakers.view_speaker",
        "speakers.add_speaker",
        "speakers.change_speaker",
        "speakers.delete_speaker",
        "speakers.view_voiceprint",
        "speakers.delete_voiceprint",
        "speakers.view_consent",
        "speakers.delete_consent",
        "speakers.view_auditentry",
    ],
}


OF_EVERY_TABLE = {
    "add": _("Can add: %(what)s"),
    "change": _("Can change: %(what)s"),
    "delete": _("Can delete: %(what)s"),
    "view": _("Can view: %(what)s"),
}


TITLES = {
    "viewer": _("Reads every meeting"),
    "transcriber": _("Records meetings of their own"),
    "editor": _("Records and corrects every meeting"),
    "enroller": _("Keeps people and their voices"),
}
"""Of the groups above, for people; a group that an administrator made goes by its own name."""


def group_label(name: str) -> str:
    """Name a group in the reader's language, with the name that programs use."""
    return f"{TITLES[name]} ({name})" if name in TITLES else name


def permission_label(permission: Permission) -> str:
    """Name a permission in the reader's language; the database has it in one for all."""
    table = permission.content_type
    verb = permission.codename.removesuffix(f"_{table.model}")
    says = OF_EVERY_TABLE[verb] % {"what": table.name} if verb in OF_EVERY_TABLE else gettext(permission.name)
    return f"{table.app_labeled_name} | {says}"


def set_up_groups() -> dict[str, bool]:
    """Make the groups that are missing, and give all of them their permissions; others they have are kept.

    Returns:
        For each group, whether it is new.
    """
    known = _permissions()
    made: dict[str, bool] = {}
    for name, permissions in ROLES.items():
        group, made[name] = Group.objects.get_or_create(name=name)
        group.permissions.add(*[known[full_name] for full_name in permissions])
    return made


def set_up_groups_after_migrate(sender: Any, **kwargs: Any) -> None:
    """Give a new database its groups. Later they are the administrator's; `setup_groups` repairs them."""
    wanted = {name for names in ROLES.values() for name in names}
    if not Group.objects.filter(name__in=ROLES).exists() and wanted <= _permissions().keys():
        set_up_groups()


def _permissions() -> dict[str, int]:
    """Return the numbers of all permissions by their full names."""
    # With the app: Django's own sessions have permissions of the same names.
    rows = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    return {f"{app}.{codename}": pk for app, codename, pk in rows}
