"""People and teams with whom a session is shared, and what each of them may do with it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sessions_app.access.decision import Level, Right
from sessions_app.access.permissions import for_session
from sessions_app.wire.untrusted import read_json

from .. import teams
from ..models import Session, Share, Team

MAX_FOUND = 8
"""People, and as many teams, that a search offers."""


@require_http_methods(["GET", "POST"])
@for_session(Right.SHARE)
def shares(request: HttpRequest, session: Session) -> HttpResponse:
    """Tell with whom a session is shared, and with `q` with whom else it could be; or change it.

    POST {"kind": "user" or "team", "id": N, "level": "read", "comment", "edit", or null for no longer}.
    """
    if request.method == "POST":
        wanted = _wanted(request.body)
        if wanted is None:
            return JsonResponse({"error": _("There is no such person or team.")}, status=400)
        whom, level = wanted
        if level is None:
            teams.unshare(session, whom)
        else:
            teams.share(session, whom, level)
    return JsonResponse(_told(session, request.GET.get("q", "")))


def _wanted(body: bytes) -> tuple[User | Team, Level | None] | None:
    """Return with whom to share and at which level; None for what makes no sense."""
    try:
        asked = read_json(body)
        key, level = asked["id"], None if asked["level"] is None else Level(asked["level"])
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(key, int) or not 0 < key < 2**63:
        return None
    whom: User | Team | None
    if asked.get("kind") == "team":
        whom = Team.objects.filter(pk=key).first()
    else:
        whom = User.objects.filter(pk=key, is_active=True).first()
    return (whom, level) if whom else None


def _told(session: Session, text: str) -> dict[str, Any]:
    rows = session.shares.select_related("user", "team").order_by("team__name", "user__username")
    return {"shares": [_as_object(row) for row in rows], "found": _found(session, text) if text else []}


def _found(session: Session, text: str) -> list[dict[str, Any]]:
    """Return teams and people of this name with whom the session is not shared yet."""
    text = text[:100].replace("\0", " ")  # PostgreSQL takes no NUL
    known_teams = Team.objects.filter(name__icontains=text).exclude(shares__session=session)
    users = User.objects.filter(username__icontains=text, is_active=True).order_by("username")
    others = users.exclude(shares__session=session).exclude(session=session)
    return [
        *({"kind": "team", "id": team.pk, "name": team.name} for team in known_teams[:MAX_FOUND]),
        *({"kind": "user", "id": user.pk, "name": user.get_username()} for user in others[:MAX_FOUND]),
    ]


def _as_object(share: Share) -> dict[str, Any]:
    if share.team:
        return {"kind": "team", "id": share.team.pk, "name": share.team.name, "level": share.level}
    assert share.user
    return {"kind": "user", "id": share.user.pk, "name": share.user.get_username(), "level": share.level}
