"""Minutes of a meeting by HTTP: one address to read them, and to change them by hand."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sessions_app.access import permissions
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session
from sessions_app.minutes import editing, language_model, reading, templates, writing
from sessions_app.minutes.requests import AskModel, BadMinutesRequest, MinutesError, parse
from sessions_app.wire.untrusted import whole_number

from ..models import MinutesTemplate, Session
from .notes import are_shown


@require_http_methods(["GET", "POST"])
def minutes(request: HttpRequest, key: str) -> HttpResponseBase:
    """GET: tell the minutes. POST: change them; answer with all of them, and the key of what was changed."""
    view = _change if request.method == "POST" else _read
    response: HttpResponseBase = view(request, key)
    return response


@for_session()
def _read(request: HttpRequest, session: Session) -> HttpResponse:
    if not are_shown(request):
        raise Http404(_("There is no such meeting, or you may not see it."))
    return JsonResponse(_answer(request, session))


@for_session(Right.EDIT)
def _change(request: HttpRequest, session: Session) -> HttpResponse:
    """400: the request makes no sense. 422: it cannot be done."""
    assert request.user.is_authenticated
    try:
        asked = parse(request.body)
        if not session.has_ended and not isinstance(asked, AskModel):
            error = _("Minutes can be changed when the meeting has ended.")
            return JsonResponse({"error": error}, status=422)
        item = editing.apply(session, asked, by=request.user)
    except BadMinutesRequest as error:
        return JsonResponse({"error": str(error)}, status=400)
    except MinutesError as error:
        return JsonResponse({"error": str(error)}, status=422)
    session.refresh_from_db()
    return JsonResponse(_answer(request, session) | {"item": item})


@for_session(Right.EDIT)
def request_shown(request: HttpRequest, session: Session) -> HttpResponse:
    """Tell all that would be sent to the language model, and where to."""
    if not language_model.is_set_up():
        raise Http404(_("No language model is set up here."))
    return JsonResponse(writing.shown(session, templates.wish_of(_template(request, session))))


def _template(request: HttpRequest, session: Session) -> MinutesTemplate | None:
    """Return the template that the address names, else that of the meeting."""
    return templates.called(session, whole_number(request.GET.get("template", "")))


def _answer(request: HttpRequest, session: Session) -> dict[str, object]:
    found = reading.read(session)
    answer: dict[str, object] = {"minutes": reading.as_object(found) if found else None}
    if Right.EDIT in permissions.rights(request, session):
        answer["writer"] = writing.state(session)
    return answer
