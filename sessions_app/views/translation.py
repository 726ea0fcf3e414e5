"""Translation of a meeting by HTTP: how it stands, and to have it or not."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit import log
from audit.models import Action
from minutes.languages import LANGUAGES
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session
from sessions_app.minutes import language_model, translating
from sessions_app.minutes.requests import MinutesError
from sessions_app.wire.untrusted import json_field

from ..models import Session


@require_http_methods(["GET", "POST"])
@for_session(Right.EDIT)
def translation(request: HttpRequest, session: Session) -> HttpResponse:
    """GET: tell how it stands. POST: translate into a `language`; empty: no more.

    400: there is no such language. 404: there is no model. 422: it must not be sent.
    """
    if not language_model.is_set_up():
        raise Http404(_("No language model is set up here."))
    try:
        if request.method == "POST":
            assert request.user.is_authenticated
            language = _language(request)
            if language is None:
                told = _("Lines are translated into one of: %(codes)s.") % {"codes": ", ".join(LANGUAGES)}
                return JsonResponse({"error": told}, status=400)
            if language:
                translating.ask_for(session, language, by=request.user)
            else:
                translating.stop(session)
            log.record(Action.MINUTES_CHANGED, meeting=session.key, kind="translate", language=language)
    except MinutesError as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse(translating.state(session) | {"choices": translating.choices()})


def _language(request: HttpRequest) -> str | None:
    """Return the language that is asked for; None if it is none."""
    language = json_field(request.body, "language")
    return language if isinstance(language, str) and language in ("", *LANGUAGES) else None
