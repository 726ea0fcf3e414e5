"""Questions to one meeting or to all, by HTTP: lines that match, and a language model's answers."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from minutes import matching
from sessions_app.access import permissions
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_visitors
from sessions_app.minutes import asking
from sessions_app.minutes.asking import Found
from sessions_app.minutes.requests import MinutesError
from sessions_app.transcripts import search
from sessions_app.wire.untrusted import read_json

from ..models import Question, Session, Utterance
from .notes import are_shown

MAX_PIECES = 12
"""Pieces of a question that are looked for in all meetings."""

OF_A_PIECE = 200
"""Newest lines that have one."""


@require_GET
@for_visitors
def ask_all(request: HttpRequest) -> HttpResponse:
    """Show the page on which all meetings are asked."""
    return render(request, "sessions/ask.html", {"page_data": {"askUrl": reverse("ask")}})


@require_POST
@for_visitors
def ask(request: HttpRequest) -> HttpResponse:
    """Find lines on a question; answer with them, and with what a language model would be sent.

    400: it makes no sense.
    """
    try:
        body = read_json(request.body)
        asked = asking.question_of(body.get("question") if isinstance(body, dict) else None)
    except ValueError:
        return JsonResponse({"error": _("The request is not JSON.")}, status=400)
    except MinutesError as error:
        return JsonResponse({"error": str(error)}, status=400)
    session = _session(request, body["session"]) if body.get("session") else None
    found = asking.in_meeting(asked, session) if session else _in_all(request, asked)
    answer: dict[str, Any] = {"lines": [asking.as_object(row) for row in found.best], "question": None}
    if request.user.is_authenticated and are_shown(request):
        kept = asking.keep(asked, found, session=session, by=request.user)
        answer |= {"question": kept.pk, "request": asking.shown(kept)} if kept else {}
    return JsonResponse(answer)


def question(request: HttpRequest, key: int) -> HttpResponseBase:
    """GET: tell the answers to one's own question. POST: send it to the language model.

    422: it cannot be sent.
    """
    if not request.user.is_authenticated:
        return permissions.log_in_first(request)
    kept = Question.objects.filter(pk=key, asked_by=request.user).select_related("session").first()
    if kept is None or not _may_still_see(request, kept):
        raise Http404(_("There is no such question, or it is somebody else's."))
    if request.method == "POST":
        try:
            asking.ask(kept)
        except MinutesError as error:
            return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse(asking.state(kept))


def _may_still_see(request: HttpRequest, kept: Question) -> bool:
    """Tell whether all that was found may still be read by who asked."""
    seen = permissions.visible_sessions(request)
    return not Utterance.objects.filter(pk__in=kept.lines).exclude(session__in=seen).exists()


def _session(request: HttpRequest, key: object) -> Session:
    session = permissions.find_session(request, str(key), Right.READ)
    if session is None or not are_shown(request):
        raise Http404(_("There is no such meeting, or you may not see it."))
    return session


def _in_all(request: HttpRequest, asked: str) -> Found:
    sessions = permissions.visible_sessions(request)
    lines = Utterance.objects.filter(session__in=sessions)
    pieces = sorted(matching.asked_for(asked))[:MAX_PIECES]
    found = {key for piece in pieces for key in search.find_newest(lines, piece, OF_A_PIECE)}
    return asking.in_candidates(asked, found, sessions)
