"""Links for reading a session without a login; and its end, by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit import log
from audit.models import Action
from sessions_app.access import rights_changes
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session
from sessions_app.catalogue import trash
from sessions_app.transcripts.retention import StillLive
from sessions_app.wire import layer_messages
from sessions_app.wire.untrusted import read_json
from speakers import notify

from ..models import AccessToken, Session

MAX_DAYS = 365


@require_http_methods(["GET", "POST"])
@for_session(Right.SHARE)
def links(request: HttpRequest, session: Session) -> HttpResponse:
    """GET: tell the links that work now. POST {"days": N or null}: make one, told this once."""
    if request.method == "GET":
        return JsonResponse({"links": [_as_object(token) for token in _working(session)]})
    days = _days(request.body)
    if days == 0:
        return JsonResponse(
            {"error": _("A link works for 1 to 365 days, or until it is revoked.")}, status=400
        )
    assert request.user.is_authenticated
    now = timezone.now()
    token, secret = AccessToken.issue(
        name=_("Link of %(time)s")
        % {"time": formats.date_format(timezone.localtime(now), "SHORT_DATETIME_FORMAT")},
        role=AccessToken.Role.RECEIVER,
        session_key=session.key,
        may_export=False,
        expires_at=now + timedelta(days=days) if days else None,
        created_by=request.user,
    )
    log.record(Action.LINK_MADE, meeting=session.key, link=token.pk, days=days)
    address = reverse("session", args=[session.key]) + "?" + urlencode({"token": secret})
    return JsonResponse(_as_object(token) | {"url": request.build_absolute_uri(address)}, status=201)


@require_POST
@for_session(Right.SHARE)
def revoke_link(request: HttpRequest, session: Session, link: int) -> HttpResponse:
    if _working(session).filter(pk=link).update(is_revoked=True):
        log.record(Action.LINK_REVOKED, meeting=session.key, link=link)
    rights_changes.announce(session_key=session.key)
    return JsonResponse({"links": [_as_object(token) for token in _working(session)]})


@require_POST
@for_session(Right.SEND)
def end(request: HttpRequest, session: Session) -> HttpResponse:
    """End a live session as if its sender had said "close"."""
    ask_to_end(session)
    return JsonResponse({"state": session.state})


def ask_to_end(session: Session) -> None:
    """Ask the worker of a session to end it."""
    log.record(Action.MEETING_ENDED, meeting=session.key)
    notify.send(layer_messages.WORKERS, {"type": "session.stop", "key": session.key})


@require_POST
@for_session(Right.DELETE)
def delete(request: HttpRequest, session: Session) -> HttpResponse:
    """Put a session into the trash; a form's target, so it answers with a page."""
    try:
        trash.put(session)
    except StillLive:
        messages.error(request, _("This meeting is still in progress. End it first, then delete it."))
        return redirect("session", session.key)
    messages.success(request, _("“%(title)s” is in the trash.") % {"title": session})
    return redirect("session-list")


def _working(session: Session) -> QuerySet[AccessToken]:
    return tokens_of(session).filter(role=AccessToken.Role.RECEIVER)


def tokens_of(session: Session) -> QuerySet[AccessToken]:
    """Select the tokens for this session alone that work now, the newest first."""
    not_over = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return AccessToken.objects.filter(not_over, session_key=session.key, is_revoked=False).order_by("-pk")


def _days(body: bytes) -> int | None:
    """Return how long a link shall work; None for ever, 0 for what makes no sense."""
    try:
        days = read_json(body)["days"]
    except (ValueError, KeyError, TypeError):
        return 0
    if days is None:
        return None
    return days if isinstance(days, int) and not isinstance(days, bool) and 0 < days <= MAX_DAYS else 0


def _as_object(token: AccessToken) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
    }
