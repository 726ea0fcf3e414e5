"""Actions on several meetings at once: understood here, and done. Callers ask for the rights to them."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from sessions_app.exceptions import SessionsError
from sessions_app.models import Favourite, Folder, Session, Tag
from sessions_app.transcripts import retention

from . import trash

MAX_AT_ONCE = 200
MAX_NAME = 50


class BadAction(SessionsError):
    """A request that makes no sense; the message is for people."""


class Action(enum.StrEnum):
    TRASH = "trash"
    RESTORE = "restore"
    DELETE = "delete"
    """For good; from the trash alone."""

    TAG = "tag"
    UNTAG = "untag"
    MOVE = "move"
    """Into a folder; without a name, out of any."""

    FAVOURITE = "favourite"
    UNFAVOURITE = "unfavourite"


IN_TRASH = frozenset({Action.RESTORE, Action.DELETE})
"""Actions on what is in the trash; all others are on what is not."""

NAMED = frozenset({Action.TAG, Action.UNTAG})
"""Actions that need a name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An action as somebody asks for it."""

    action: Action
    keys: Sequence[str]
    name: str = ""
    """Of a tag or a folder."""


@dataclass(frozen=True, slots=True)
class Done:
    """The meetings that an action was done to, and those that it could not be done to."""

    done: Sequence[str]
    live: Sequence[str] = ()
    """Those that go on: they must end first."""


def understand(asked: object) -> Wanted:
    """Return what is asked for.

    Args:
        asked: What a client sent: {"action": ..., "keys": [...], "name": ...}.

    Raises:
        BadAction: If that is nothing that can be done.
    """
    if not isinstance(asked, Mapping) or asked.get("action") not in list(Action):
        raise BadAction(_("There is no such action."))
    keys = asked.get("keys")
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise BadAction(_("No meeting is selected."))
    if len(keys) > MAX_AT_ONCE:
        raise BadAction(_("Select at most %(count)d meetings at once.") % {"count": MAX_AT_ONCE})
    action, name = Action(asked["action"]), clean_name(asked.get("name", ""))
    if action in NAMED and not name:
        raise BadAction(_("Type the name of a tag."))
    return Wanted(action, keys, name)


def clean_name(name: object) -> str:
    """Return a name of a tag or a folder without what nobody sees.

    Raises:
        BadAction: If it is too long.
    """
    text = unicodedata.normalize("NFC", name) if isinstance(name, str) else ""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(shown) > MAX_NAME:
        raise BadAction(_("A name has at most %(count)d characters.") % {"count": MAX_NAME})
    return shown


def apply(wanted: Wanted, sessions: Sequence[Session], by: User) -> Done:
    """Do an action to these meetings, to which this person may do it."""
    match wanted.action:
        case Action.TRASH:
            return _trash(sessions)
        case Action.RESTORE:
            trash.restore(sessions)
        case Action.DELETE:
            retention.delete_sessions(sessions)
        case Action.FAVOURITE:
            marks = [Favourite(user=by, session=session) for session in sessions]
            Favourite.objects.bulk_create(marks, ignore_conflicts=True)
        case Action.UNFAVOURITE:
            Favourite.objects.filter(user=by, session__in=sessions).delete()
        case _:
            _label(wanted, sessions)
    return Done([session.key for session in sessions])


def _trash(sessions: Sequence[Session]) -> Done:
    done, live = [], []
    for session in sessions:
        try:
            trash.put(session)
            done.append(session.key)
        except retention.StillLive:
            live.append(session.key)
    return Done(done, live)


@transaction.atomic
def _label(wanted: Wanted, sessions: Sequence[Session]) -> None:
    rows = Session.objects.filter(pk__in=[session.pk for session in sessions])
    match wanted.action:
        case Action.TAG:
            Tag.objects.get_or_create(name=wanted.name)[0].sessions.add(*sessions)
        case Action.UNTAG:
            for tag in Tag.objects.filter(name=wanted.name):
                tag.sessions.remove(*sessions)
        case Action.MOVE:
            folder = Folder.objects.get_or_create(name=wanted.name)[0] if wanted.name else None
            rows.update(folder=folder)
    retention.drop_unused_labels()
