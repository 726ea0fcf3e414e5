"""The HTTP API; /api/docs describes it to people. Its errors are like everybody's: `{"error": ...}`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as Unreadable

from sessions_app.views.uploads import router as uploads
from speakers.api import router as speakers
from speakers.exceptions import Undecipherable

from . import PRODUCT_NAME, __version__
from .api_reference import Reference

api = NinjaAPI(title=PRODUCT_NAME, version=__version__, urls_namespace="api", docs=Reference())
api.add_router("/", speakers)
api.add_router("/", uploads)


@api.exception_handler(AuthenticationError)
def nobody_known(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return _error(request, 401, _("Please log in first."))


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _error(request, error.status_code, str(error))


@api.exception_handler(Http404)
def not_there(request: HttpRequest, error: Http404) -> HttpResponse:
    return _error(request, 404, _("There is nothing at this address."))


@api.exception_handler(ValidationError)
def not_allowed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return _error(request, 422, " ".join(error.messages))


@api.exception_handler(Unreadable)
def unreadable(request: HttpRequest, error: Unreadable) -> HttpResponse:
    wrong = [f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}" for each in error.errors]
    return _error(request, 422, "; ".join(wrong))


@api.exception_handler(Undecipherable)
def locked(request: HttpRequest, error: Undecipherable) -> HttpResponse:
    return _error(request, 503, str(error))


def _error(request: HttpRequest, status: int, message: str) -> HttpResponse:
    return api.create_response(request, {"error": message}, status=status)
