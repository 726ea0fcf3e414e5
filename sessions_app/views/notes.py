"""Notes on moments of a session by HTTP: one address to read them all, and to write and change them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sessions_app.access import permissions
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session
from sessions_app.transcripts import notes as services
from sessions_app.transcripts.note_requests import BadNote, NoteError, parse_note

from ..models import Session

WRITE = Right.COMMENT


def are_shown(request: HttpRequest) -> bool:
    """Tell whether a visitor reads the notes: a link shows what was said, not what people think of it."""
    return "token" not in request.GET


@require_http_methods(["GET", "POST"])
def notes(request: HttpRequest, key: str) -> HttpResponseBase:
    """GET: tell all notes. POST: write or change one; answer with all, and the key of that one."""
    view = _write if request.method == "POST" else _read
    response: HttpResponseBase = view(request, key)
    return response


@for_session()
def _read(request: HttpRequest, session: Session) -> HttpResponse:
    if not are_shown(request):
        raise Http404(_("There is no such meeting, or you may not see it."))
    return JsonResponse(_answer(request, session))


@for_session(WRITE)
def _write(request: HttpRequest, session: Session) -> HttpResponse:
    """400: the request makes no sense. 422: it cannot be done."""
    assert request.user.is_authenticated
    may_tidy = Right.EDIT in permissions.rights(request, session)
    try:
        note = services.apply(session, parse_note(request.body), by=request.user, may_tidy=may_tidy)
    except BadNote as error:
        return JsonResponse({"error": str(error)}, status=400)
    except NoteError as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse(_answer(request, session) | {"note": note})


def _answer(request: HttpRequest, session: Session) -> dict[str, object]:
    # The number first: a note that is written in between is then asked for again, and not missed.
    number = Session.objects.values_list("last_note", flat=True).get(pk=session.pk)
    return {
        "number": number,
        "notes": services.as_objects(services.read(session), reader=request.user.pk),
    }
