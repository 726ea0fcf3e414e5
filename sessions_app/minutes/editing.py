"""Changes of minutes by hand: each is kept against whatever a machine says later."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import log
from audit.models import Action
from sessions_app.models import MinutesItem, Session, Utterance, Voice

from . import keeping, language_model, live, templates, writing
from .requests import AddItem, AskModel, ChangeItem, MakeAgain, MarkItem, MinutesError, MinutesRequest

MAX_ITEMS = 1_000
"""Statements that people may add to one meeting."""


class NoSuchItem(MinutesError):
    """A statement that is not there, or not any more."""


class NoSuchSpeaker(MinutesError):
    """A person who is no speaker of the meeting."""


class TooManyItems(MinutesError):
    """One statement more than a meeting can have."""


def apply(session: Session, request: MinutesRequest, *, by: User) -> int | None:
    """Do what a person asks; return the key of the statement, None where all are made again.

    Raises:
        NoSuchItem, NoSuchSpeaker, TooManyItems, NoModel: If it cannot be done.
    """
    if isinstance(request, AskModel):
        templates.choose(session, request.template)
        _ask_model(session, request.kind, by)
        return None
    if isinstance(request, MakeAgain):
        keeping.make(session)
        log.record(Action.MINUTES_CHANGED, by=by, meeting=session.key, kind=request.kind)
        return None
    with transaction.atomic():
        # Its row first, as edits do it: so two writers wait for each other.
        Session.objects.select_for_update().get(pk=session.pk)
        match request:
            case AddItem():
                item = _add(session, request)
            case ChangeItem():
                item = _find(session, request.item)
                _change(item, request)
            case MarkItem():
                item = _find(session, request.item, is_removed=request.kind == "restore")
                _mark(item, request.kind)
        item.changed_by, item.changed_at = by, timezone.now()
        item.save()
        log.record(Action.MINUTES_CHANGED, by=by, meeting=session.key, item=item.pk, kind=request.kind)
    return item.pk


def _ask_model(session: Session, kind: str, by: User) -> None:
    match kind:
        case "write":
            (writing if session.has_ended else live).ask_for(session, by=by)
        case "stop":
            writing.stop(session)
            live.stop(session)
        case "unwrite":
            writing.take_away(session)
        case "forbid" | "allow":
            writing.stop(session)
            live.stop(session)
            language_model.forbid(session, kind == "forbid")
    log.record(Action.MINUTES_CHANGED, by=by, meeting=session.key, kind=kind)


def _find(session: Session, key: int, *, is_removed: bool = False) -> MinutesItem:
    found = MinutesItem.objects.filter(session=session, pk=key, is_removed=is_removed).first()
    if found is None:
        raise NoSuchItem(_("This is not in the minutes any more."))
    return found


def _add(session: Session, request: AddItem) -> MinutesItem:
    source = MinutesItem.Source.PERSON
    if MinutesItem.objects.filter(session=session, source=source).count() >= MAX_ITEMS:
        raise TooManyItems(_("Minutes have at most %(count)d statements of people.") % {"count": MAX_ITEMS})
    lines = Utterance.objects.filter(session=session, is_removed=False, pk__in=request.lines)
    starts = dict(lines.order_by("start").values_list("pk", "start"))
    return MinutesItem(
        session=session,
        section=request.section,
        text=request.text,
        lines=list(starts),
        position=min(starts.values(), default=session.durable),
        source=source,
        is_edited=True,
    )


def _change(item: MinutesItem, request: ChangeItem) -> None:
    item.text, item.is_edited = request.text, True
    if request.who is not None:
        item.voice = _voice(item.session, request.who)
    if request.until is not None:
        item.until = request.until
    if request.due is not None:
        item.due = request.due or None


def _voice(session: Session, public_id: str) -> Voice | None:
    """Return the voice of a speaker of the meeting; None if nobody is meant."""
    if not public_id:
        return None
    voices = session.voices.filter(merged_into=None).select_related("speaker")
    found = next((voice for voice in voices if voice.public_id == public_id), None)
    if found is None:
        raise NoSuchSpeaker(_("Nobody like that speaks in this meeting."))
    return found


def _mark(item: MinutesItem, kind: str) -> None:
    match kind:
        case "remove" | "restore":
            item.is_removed = kind == "remove"
        case "done" | "undone":
            item.is_done = kind == "done"
        case "reset":
            item.text, item.is_edited = item.machine_text or item.text, not item.machine_text
