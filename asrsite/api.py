"""The HTTP API; /api/docs describes it to people. Its errors are like everybody's: `{"error": ...}`."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as Unreadable

from sessions_app.access.permissions import ASK_FOR_TOKEN
from sessions_app.access.permissions import nobody_known as words_for_nobody
from sessions_app.api.files import router as files
from sessions_app.api.sessions import router as sessions
from sessions_app.api.tokens import router as tokens
from sessions_app.views.uploads import router as uploads
from speakers.api import router as speakers
from speakers.exceptions import Undecipherable

from . import PRODUCT_NAME, __version__
from .api_errors import with_errors
from .api_reference import Reference


class Api(NinjaAPI):
    """An API whose description tells every error of every operation."""

    def get_openapi_schema(self, **options: Any) -> Any:
        return with_errors(super().get_openapi_schema(**options))


api = Api(title=PRODUCT_NAME, version=__version__, urls_namespace="api", docs=Reference())
for router in (sessions, files, tokens, uploads, speakers):
    api.add_router("/", router)


@api.exception_handler(AuthenticationError)
def nobody_known(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = _error(request, 401, words_for_nobody(request))
    for name, value in ASK_FOR_TOKEN.items():
        response.headers[name] = value
    return response


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _error(request, error.status_code, str(error))


@api.exception_handler(PermissionDenied)
def forbidden(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return _error(request, 403, str(error) or _("You do not have permission to do this."))


@api.exception_handler(Http404)
def not_there(request: HttpRequest, error: Http404) -> HttpResponse:
    reason = str(error)
    # Django's own shortcuts tell of its tables.
    is_ours = reason and not reason.endswith("matches the given query.")
    return _error(request, 404, reason if is_ours else _("There is nothing at this address."))


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
