"""Meetings split in two, and several joined to one, by HTTP."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sessions_app.access import permissions
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session, for_visitors, log_in_first
from sessions_app.transcripts import parts
from sessions_app.transcripts.parts import NotPossible
from sessions_app.wire.untrusted import json_field
from speakers.permissions import user_of

from ..models import Session

MAX_JOINED = 10


@require_POST
@for_session(Right.EDIT)
def split(request: HttpRequest, session: Session) -> HttpResponse:
    """Begin a new meeting with a line, `{"line": key}`; answer with its address."""
    try:
        rest = parts.split(session, _line(request.body), by=user_of(request))
    except NotPossible as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse({"url": rest.get_absolute_url()}, status=201)


@require_POST
@for_visitors
def join(request: HttpRequest) -> HttpResponse:
    """Join meetings, `{"keys": [...]}`, in the order in which they began; answer with their address."""
    if not request.user.is_authenticated:
        return log_in_first(request)  # type: ignore[return-value]
    sessions = _sessions(request)
    if sessions is None:
        error = _("Select two to %(count)d meetings that have ended, all of which you may change and delete.")
        return JsonResponse({"error": error % {"count": MAX_JOINED}}, status=400)
    earliest, *others = sessions
    try:
        with transaction.atomic():
            for later in others:
                parts.join(earliest, later, by=request.user)
    except NotPossible as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse({"url": earliest.get_absolute_url()})


def _line(body: bytes) -> int:
    line = json_field(body, "line")
    return line if isinstance(line, int) and 0 < line < 1 << 63 else 0


def _sessions(request: HttpRequest) -> list[Session] | None:
    """Return the meetings that are asked for, the earliest first; None if they cannot all be joined."""
    keys = json_field(request.body, "keys")
    if not isinstance(keys, list) or not all(isinstance(key, str) and "\0" not in key for key in keys):
        return None
    found = permissions.visible_sessions(request).filter(key__in=keys).order_by("created_at", "pk")
    sessions = [row for row in found if {Right.EDIT, Right.DELETE} <= permissions.rights(request, row)]
    return sessions if 2 <= len(sessions) == len(set(keys)) <= MAX_JOINED else None
