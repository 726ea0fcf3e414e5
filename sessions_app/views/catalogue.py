"""Changes to the list of meetings: several at once; and the trash."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sessions_app.access import permissions
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_visitors, log_in_first
from sessions_app.catalogue import actions, trash
from sessions_app.catalogue.actions import Action, BadAction, Wanted
from sessions_app.wire.untrusted import read_json

from ..models import Session

NEEDED = {
    Action.TRASH: Right.DELETE,
    Action.RESTORE: Right.DELETE,
    Action.DELETE: Right.DELETE,
    Action.TAG: Right.EDIT,
    Action.UNTAG: Right.EDIT,
    Action.MOVE: Right.EDIT,
    Action.FAVOURITE: Right.READ,
    Action.UNFAVOURITE: Right.READ,
}
"""The right to each action."""


@require_POST
@for_visitors
def act(request: HttpRequest) -> HttpResponse:
    """Do one thing to several meetings; those that it is not allowed to are left as they are."""
    if not request.user.is_authenticated:
        return log_in_first(request)  # type: ignore[return-value]
    try:
        wanted = actions.understand(read_json(request.body))
    except (ValueError, BadAction) as error:
        text = str(error) if isinstance(error, BadAction) else _("There is no such action.")
        return JsonResponse({"error": text}, status=400)
    sessions = _sessions(wanted)
    allowed = [row for row in sessions if NEEDED[wanted.action] in permissions.rights(request, row)]
    if not allowed:
        return JsonResponse(
            {"error": _("You do not have the right to do this with these meetings.")}, status=403
        )
    done = actions.apply(wanted, allowed, request.user)
    return JsonResponse(
        {"done": done.done, "live": done.live, "refused": len(wanted.keys) - len(done.done) - len(done.live)}
    )


@for_visitors
def show_trash(request: HttpRequest) -> HttpResponse:
    """Show what was deleted, and can be had back."""
    now = timezone.now()
    sessions = trash.newest_first(permissions.trashed_sessions(request))
    rows = [
        (session, trash.days_left(session.trashed_at, now, settings.TRASH_DAYS))
        for session in sessions
        if session.trashed_at
    ]
    return render(request, "sessions/trash.html", {"rows": rows, "days": f"{settings.TRASH_DAYS:g}"})


def _sessions(wanted: Wanted) -> list[Session]:
    is_in_trash = wanted.action in actions.IN_TRASH
    there = Session.objects.filter(key__in=wanted.keys, trashed_at__isnull=not is_in_trash)
    return list(there.select_related("owner").order_by("pk"))
