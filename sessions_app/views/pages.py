"""The pages that people read: the list of sessions, one session, a new recording."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from recognition.audio import milliseconds
from sessions_app.access import permissions
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session, for_visitors
from sessions_app.transcripts import listing, notes, transcript

from .. import model_sets
from ..models import Session
from ..naming import time_name
from .notes import are_shown

CAPTIONS = 12
"""Lines that a page of captions starts with."""

NOTES_FOUND = 20
"""Notes that a search shows, before the lines that it found."""


@for_visitors
def session_list(request: HttpRequest) -> HttpResponseBase:
    """Show all sessions, or what was found in them."""
    form = listing.ListingForm(request.GET)
    sessions = permissions.visible_sessions(request)
    text = request.GET.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    context: dict[str, Any] = {
        "form": form,
        "is_first_page": before is None,
        "first_page_query": _query(request, before=None),
        "may_record": Right.SEND in permissions.rights(request, None),
    }
    if form.looked_for:
        found = listing.find(form, sessions, before=before)
        context |= {"found": found, "next_page_query": _query(request, before=found.next_before)}
        if before is None:
            context["found_notes"] = notes.containing(
                form.narrow(sessions), form.looked_for, limit=NOTES_FOUND
            )
        return render(request, "sessions/found.html", context)
    page = listing.read_page(form.narrow(sessions), before=before)
    context |= {"page": page, "next_page_query": _query(request, before=page.next_before)}
    return render(request, "sessions/list.html", context)


@for_session()
def session(request: HttpRequest, session: Session) -> HttpResponse:
    """Show one session, live and afterwards."""
    rights = permissions.rights(request, session)
    snapshot = transcript.read(session)
    context = {
        "session": session,
        "rights": {right.name.lower() for right in rights},
        "page_data": _page_data(request, session, rights) | {"transcript": snapshot.as_json()},
    }
    return render(request, "sessions/session.html", context)


@for_session()
def captions(request: HttpRequest, session: Session) -> HttpResponse:
    """Show the latest lines in large letters: for projectors, and as a transparent layer in broadcasts."""
    rights = permissions.rights(request, session)
    data = _page_data(request, session, rights) | {"transcript": transcript.read(session).latest(CAPTIONS)}
    return render(request, "sessions/captions.html", {"session": session, "page_data": data})


@for_visitors
def record(request: HttpRequest) -> HttpResponseBase:
    """Show a page that takes the part of the sender."""
    rights = permissions.rights(request, None)
    if Right.SEND not in rights:
        if request.user.is_authenticated:
            raise PermissionDenied(
                _("Your account may not record. Whoever looks after accounts here can allow it.")
            )
        return permissions.log_in_first(request)
    suggested = f"{timezone.localtime():%Y%m%d-%H%M}-{secrets.token_hex(2)}"
    context = {
        "suggested_key": suggested,
        "suggested_name": time_name(timezone.now()),
        "model_choices": model_sets.choices(),
        "default_models": model_sets.default_name(),
        "rights": {right.name.lower() for right in rights},
        "page_data": _page_data(request, None, rights),
    }
    return render(request, "sessions/record.html", context)


@for_session()
def lines(request: HttpRequest, session: Session) -> HttpResponse:
    """Serve the transcript as it reads now, for a page that has lost track."""
    return JsonResponse(transcript.read(session).as_json())


def _query(request: HttpRequest, *, before: int | None) -> str:
    """Return the query string of another page of the same list."""
    query = request.GET.copy()
    query.pop("before", None)
    if before:
        query["before"] = str(before)
    return query.urlencode()


def _page_data(request: HttpRequest, session: Session | None, rights: frozenset[Right]) -> dict[str, Any]:
    """Return what the scripts of a page need to know."""
    key = session.key if session else ""
    return {
        "key": key,
        "state": session.state if session else "",
        "rights": sorted(right.name.lower() for right in rights),
        "token": request.GET.get("token", ""),
        "recordingMs": milliseconds(session.durable) if session else 0,
        "notes": session.last_note if session and are_shown(request) else 0,
        "sessionsUrl": reverse("session-list") + "sessions/",
    }
