"""The pages that people read: the list of sessions, one session, a new recording."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page

from recognition.audio import milliseconds
from sessions_app.access import permissions, resuming
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session, for_visitors
from sessions_app.catalogue import listing, row_html, running
from sessions_app.catalogue.first_start import FIRST_START
from sessions_app.minutes import language_model, translating
from sessions_app.store import commits
from sessions_app.transcripts import mailing, notes, transcript
from sessions_app.wire.untrusted import whole_number
from speakers.models import Speaker
from speakers.permissions import ENROLL, VIEW

from .. import model_sets
from ..models import Session
from ..naming import SAMPLE_KEY, time_name
from .first_lines import first_lines
from .notes import are_shown

CAPTIONS = 12
"""Lines that a page of captions starts with."""

NOTES_FOUND = 20
"""Notes that a search shows, before the lines that it found."""


@for_visitors
def session_list(request: HttpRequest) -> HttpResponseBase:
    """Show all sessions, or what was found in them."""
    form = listing.ListingForm(request.GET, request.user)
    sessions = permissions.visible_sessions(request)
    before = _before(request)
    context = _list_context(request, form, sessions)
    if form.looked_for:
        found = listing.find(form, sessions, before=before)
        context |= {"found": found, "next_page_query": _query(request, before=found.next_before)}
        if before is None:
            context["found_notes"] = notes.containing(
                form.narrow(sessions), form.looked_for, limit=NOTES_FOUND
            )
        return render(request, "sessions/found.html", context)
    wanted = form.narrow(sessions)
    over = form.hide_empty(wanted.filter(state=Session.State.ENDED))
    page = listing.read_page(over, before=before, user=request.user)
    is_all = before is None and not form.is_narrowed
    context |= {
        "page": page,
        "days": [
            (heading, row_html.write(rows, has_marks=request.user.is_authenticated))
            for heading, rows in page.by_day(timezone.now())
        ],
        "next_page_query": _query(request, before=page.next_before),
        "running": running.read(wanted) if before is None else None,
        "empty_count": listing.count_empty(wanted, page) if is_all else 0,
        "is_first_start": is_all and all(row.session.key == SAMPLE_KEY for row in page.rows),
        "is_sample_coming": FIRST_START.is_sample_coming,
        "enroll_url": _enroll_url(request),
    }
    return render(request, "sessions/list.html", context)


@conditional_page
@for_visitors
def running_meetings(request: HttpRequest) -> HttpResponse:
    """Serve the cards of the meetings that are running, which the list asks for again and again."""
    form = listing.ListingForm(request.GET, request.user)
    cards = running.read(form.narrow(permissions.visible_sessions(request)))
    response = render(request, "sessions/parts/running.html", {"running": cards})
    response["Cache-Control"] = "private, no-cache"  # browsers ask whether theirs is still right
    return response


def _list_context(
    request: HttpRequest, form: listing.ListingForm, sessions: QuerySet[Session]
) -> dict[str, Any]:
    """Return what a list and a search's findings both show around them."""
    rights = permissions.rights(request, None)
    return {
        "form": form,
        "tags": form.labels("tag", sessions),
        "folders": form.labels("folder", sessions),
        "is_first_page": _before(request) is None,
        "first_page_query": _query(request, before=None),
        "may_record": Right.SEND in rights,
        "rights": {right.name.lower() for right in rights} if request.user.is_authenticated else set(),
    }


def _enroll_url(request: HttpRequest) -> str:
    """Return where people are enrolled; empty for whoever is known and may not."""
    may_enroll = not request.user.is_authenticated or request.user.has_perm(ENROLL)
    return reverse("person-list") if may_enroll else ""


def _before(request: HttpRequest) -> int | None:
    return whole_number(request.GET.get("before", ""))


@for_session()
def session(request: HttpRequest, session: Session) -> HttpResponse:
    """Show one session, live and afterwards."""
    rights = permissions.rights(request, session)
    snapshot = transcript.read(session)
    known = permissions.visible_sessions(request)
    context = {
        "session": session,
        "earlier": known.filter(pk=session.continues_id).first() if session.continues_id else None,
        "later": known.filter(continues=session).order_by("pk"),
        "rights": {right.name.lower() for right in rights},
        "has_mail": mailing.is_set_up(),
        "page_data": _page_data(request, session, rights) | {"transcript": snapshot.as_json()},
        "first_lines": first_lines(snapshot, is_live=not session.has_ended),
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
    suggested = commits.new_key()
    earlier = _to_go_on_with(request)
    context = {
        "suggested_key": suggested,
        "suggested_name": time_name(timezone.now()),
        "model_choices": model_sets.choices(),
        "default_models": model_sets.default_name(),
        "languages": model_sets.language_choices(),
        "script": settings.SCRIPT,
        "translations": translating.choices() if language_model.is_set_up() else [],
        "expects_people": request.user.has_perm(VIEW) and Speaker.objects.exists(),
        "rights": {right.name.lower() for right in rights},
        "earlier": earlier,
        "page_data": _page_data(request, None, rights)
        | {
            "continues": resuming.token_for(earlier.key) if earlier else "",
            "models": model_sets.default_name(),
        },
    }
    return render(request, "sessions/record.html", context)


def _to_go_on_with(request: HttpRequest) -> Session | None:
    """Return the ended meeting that the address asks to go on with; None if there is none that one may."""
    key = request.GET.get("continues", "").replace("\0", "")
    earlier = permissions.visible_sessions(request).filter(key=key, state=Session.State.ENDED).first()
    return earlier if earlier and Right.EDIT in permissions.rights(request, earlier) else None


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
        "until": session.until if session else "",
        "rights": sorted(right.name.lower() for right in rights),
        "mayEnroll": request.user.has_perm(ENROLL),
        "mayGoOn": Right.EDIT in rights and Right.SEND in permissions.rights(request, None),
        "token": request.GET.get("token", ""),
        "recordingMs": milliseconds(session.durable) if session else 0,
        "notes": session.last_note if session and are_shown(request) else 0,
        "hasMinutes": are_shown(request),
        "mayTranslate": language_model.is_set_up() and Right.EDIT in rights,
        "sessionsUrl": reverse("session-list") + "sessions/",
    }
