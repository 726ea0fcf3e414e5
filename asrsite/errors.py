"""Error pages for people, and error answers for scripts."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from sessions_app.access.passwords import TooManyAttempts
from sessions_app.access.permissions import wants_json
from sessions_app.recordings.chunks import Damaged
from sessions_app.recordings.object_storage import StorageAway
from speakers.exceptions import Undecipherable

from . import PRODUCT_NAME

logger = logging.getLogger(__name__)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, str(exception) or _("You do not have permission to do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Only what we raise ourselves is for people; the resolver's own 404 lists its patterns.
    reason = str(exception.args[0]) if exception.args and isinstance(exception.args[0], str) else ""
    return _answer(request, 404, reason or _("There is nothing at this address."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        advice = _(
            "The server does not go by this address. Whoever runs it can add the address to ALLOWED_HOSTS, "
            "or start it with HOST=0.0.0.0 for all computers on this network."
        )
        return _answer(request, 400, advice)
    # Its own words are about the request's innards.
    return _answer(request, 400, _("This request cannot be understood."))


def not_from_our_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a CSRF failure, by Django's name: `reason` is for the log, where Django writes it."""
    advice = _("This page was open too long, or cookies are turned off. Reload it and try again.")
    return _answer(request, 403, advice)


class RefusedAttempts:
    """Middleware that answers too many passwords, at whichever door, with the time of the next.

    It also says what cannot be deciphered, or is away.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Damaged | Undecipherable):
            logger.error("%s cannot be served: %s", request.path, exception)
            reason = _(
                "This cannot be read: it is damaged, or another key is needed. The log has the details."
            )
            return _answer(request, 503, reason)
        if isinstance(exception, StorageAway):
            logger.error("%s cannot be served: %s", request.path, exception)
            return _answer(
                request, 503, _("The storage of recordings does not answer. Try again in a while.")
            )
        if not isinstance(exception, TooManyAttempts):
            return None
        wait_s = f"{exception.wait_s:.0f}"
        reason = _("Too many attempts to log in. Try again in %(seconds)s seconds.") % {"seconds": wait_s}
        response = _answer(request, 429, reason)
        response.headers["Retry-After"] = wait_s
        return response


def server_error(request: HttpRequest) -> HttpResponse:
    # Nothing that may have failed is used for saying so: no database, no context processor.
    reason = _("Something went wrong on the server. Its log has the details.")
    if wants_json(request):
        return JsonResponse({"error": reason}, status=500)
    return HttpResponse(
        render_to_string("server_error.html", {"reason": reason, "product_name": PRODUCT_NAME}), status=500
    )


def _answer(request: HttpRequest, status: int, reason: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": reason}, status=status)
    return render(request, "error.html", {"status": status, "reason": reason}, status=status)
