"""Origin of what is done: the request that is being answered, known wherever an entry is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from . import addresses

TOKEN = "audit_token"  # noqa: S105 - the name of an attribute
"""Attribute of a request: key of the token that it showed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Asker and address of a deed; both empty for the service itself."""

    user: User | None = None
    address: str | None = None
    token: int | None = None
    """Key of the access token by which somebody without a login asks."""


_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def current() -> Origin:
    """Return the origin of the request that is being answered here."""
    request = _request.get()
    return Origin() if request is None else of_request(request)


def of_request(request: HttpRequest) -> Origin:
    """Return the origin of this request as far as it is known by now."""
    user = getattr(request, "user", None)
    return Origin(
        user=user if isinstance(user, User) and user.is_authenticated else None,
        address=addresses.of_client(
            request.META.get("REMOTE_ADDR"), request.headers.get("x-forwarded-for", ""), settings.PROXIES
        ),
        token=getattr(request, TOKEN, None),
    )


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    """Let this request be the origin of all that is done meanwhile."""
    before = _request.set(request)
    try:
        yield
    finally:
        _request.reset(before)


class OriginMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with answering(request):
            return self.get_response(request)
