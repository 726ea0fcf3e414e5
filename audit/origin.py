"""Origin of what is done: the request that is being answered, known wherever an entry is written."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

TOKEN = "audit_token"  # noqa: S105 - the name of an attribute
"""Attribute of a request: key of the token that it showed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Asker and address of a deed; both empty for the service itself."""

    user: User | None = None
    address: str | None = None
    token: int | None = None
    """Key of the access token by which somebody without a login asks."""


def client_address(peer: str | None, forwarded_for: str = "") -> str | None:
    """Return the address of a client; None for what is none. Pure.

    Args:
        peer: Whose connection it is.
        forwarded_for: The header X-Forwarded-For. It counts if the peer is in a private network, and so a
            proxy of ours; and of it the last entry, which that proxy wrote.
    """
    address = _address(peer)
    if address is None or not address.is_private:
        return str(address) if address else None
    return str(_address(forwarded_for.rpartition(",")[2].strip()) or address)


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    if not isinstance(found, ipaddress.IPv6Address):
        return found
    return found.ipv4_mapped or ipaddress.IPv6Address(int(found))  # without the name of an interface


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
        address=client_address(request.META.get("REMOTE_ADDR"), request.headers.get("x-forwarded-for", "")),
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
