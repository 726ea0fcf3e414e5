"""The groups that most installations need, and their permissions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

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
    "editor": [
        *OWN_SESSIONS,
        "sessions_app.view_all_session",
        "sessions_app.view_writingrule",
        "sessions_app.add_writingrule",
        "sessions_app.delete_writingrule",
        "sessions_app.view_commonhotword",
        "sessions_app.add_commonhotword",
        "sessions_app.delete_commonhotword",
    ],
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
        "audit.view_entry",
    ],
    # Gives people their accounts and roles, and keeps the teams.
    "manager": [
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "sessions_app.view_team",
        "sessions_app.add_team",
        "sessions_app.change_team",
        "sessions_app.delete_team",
    ],
    # Reads who did what, and nothing that was said.
    "auditor": ["audit.view_entry", "audit.view_all_entry"],
}

IN_WORDS: Mapping[str, tuple[StrOrPromise, StrOrPromise]] = {
    "viewer": (_("Reader"), _("Reads, hears and searches every meeting. Changes nothing.")),
    "transcriber": (
        _("Transcriber"),
        _("Records meetings; corrects, exports, shares and deletes their own. Sees others’ if shared."),
    ),
    "editor": (
        _("Editor"),
        _("Does what a transcriber does, with everybody’s meetings. Says how words are always written."),
    ),
    "enroller": (
        _("Keeper of voices"),
        _("Enrolls people with their consent, merges, exports and forgets them. Reads every meeting."),
    ),
    "manager": (
        _("Manager"),
        _("Makes accounts, gives roles – also their own – and keeps the teams."),
    ),
    "auditor": (
        _("Auditor"),
        _("Reads the audit log: who logged in, and who did what with which meeting. Reads no meeting."),
    ),
}
"""Name and duties of each role, for those who give them."""


OF_EVERY_TABLE = {
    "add": _("Can add: %(what)s"),
    "change": _("Can change: %(what)s"),
    "delete": _("Can delete: %(what)s"),
    "view": _("Can view: %(what)s"),
}


def group_label(name: str) -> str:
    """Name a group in the reader's language, with the name that programs use."""
    return f"{in_words(name)[0]} ({name})" if name in IN_WORDS else name


def described(groups: Iterable[Group]) -> list[tuple[str, str]]:
    """Return name and duties of roles; a group that an administrator made has only its name."""
    return [in_words(group.name) for group in groups]


def in_words(name: str) -> tuple[str, str]:
    """Return name and duties of one role."""
    title, duties = IN_WORDS.get(name, (name, ""))
    return str(title), str(duties)


def permission_label(permission: Permission) -> str:
    """Name a permission in the reader's language; the database has it in one for all."""
    table = permission.content_type
    verb = permission.codename.removesuffix(f"_{table.model}")
    name = gettext(table.name)  # some applications leave theirs to be made of the class's
    says = OF_EVERY_TABLE[verb] % {"what": name} if verb in OF_EVERY_TABLE else gettext(permission.name)
    return f"{table.app_labeled_name.removesuffix(table.name)}{name} | {says}"


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
