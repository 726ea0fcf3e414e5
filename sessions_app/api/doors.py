"""The door of the sessions' API: by access token, name and password, a page's login, or from this machine.

What may be done with a session is asked as pages ask it. A sender's token for one session alone may also
begin and end that one, as it does on a socket.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBasicAuth, HttpBearer
from ninja.utils import check_csrf

from audit import origin
from audit.models import Action
from sessions_app.access import decision, permissions
from sessions_app.access.decision import Right
from sessions_app.models import AccessToken, Session
from sessions_app.wire.own_protocol import bearer_token

SAFE_METHODS = ("GET", "HEAD")


class ByToken(HttpBearer):
    """An access token that works now, of either role."""

    def authenticate(self, request: HttpRequest, token: str) -> AccessToken | None:
        found = AccessToken.find(token.strip())
        return found if found and found.is_good() else None


class ByLogin(HttpBasicAuth):
    """Name and password, the login of a page, or a visitor who needs none: see `ASR_ACCESS`."""

    def __call__(self, request: HttpRequest) -> bool | None:
        if "authorization" in request.headers:
            return permissions.log_in_program(request) or None
        if request.user.is_authenticated:
            if check_csrf(request):
                raise HttpError(403, _("A page must send its CSRF token; a program uses HTTP Basic."))
            return True
        if Right.READ not in permissions.rights(request, None):
            return None
        _refuse_foreign_pages(request)
        return True

    def authenticate(self, request: HttpRequest, username: str, password: str) -> Any:
        raise NotImplementedError("asked before, with what the request shows")


def _refuse_foreign_pages(request: HttpRequest) -> None:
    """Refuse pages of others that a browser on this machine shows: they need no login either."""
    if request.method not in SAFE_METHODS and not decision.is_origin_allowed(
        {name.lower(): value for name, value in request.headers.items()},
        scheme=request.scheme or "http",
        allowed_hosts=settings.ALLOWED_HOSTS,
        trusted_origins=settings.CSRF_TRUSTED_ORIGINS,
    ):
        raise PermissionDenied(_("Pages of other addresses may not do this."))


DOOR = [ByToken(), ByLogin()]


def session_for(
    request: HttpRequest, key: str, right: Right = Right.READ, *, seen_as: Action = Action.MEETING_READ
) -> Session:
    """Return the session of this key for somebody who has this right on it.

    Raises:
        PermissionDenied, Http404, AuthenticationError: As pages: see `permissions.for_session`.
    """
    if right is Right.SEND and (session := _sent_by_token(request, key)):
        return session
    session = permissions.find_session(request, key, right, seen_as=seen_as)
    if session is None:
        raise AuthenticationError
    return session


def rights(request: HttpRequest, session: Session) -> frozenset[Right]:
    """Return all that may be done with a session."""
    found = permissions.rights(request, session)
    return found | {Right.SEND} if _sent_by_token(request, session.key) else found


def check_may_begin(request: HttpRequest, key: str) -> None:
    """Refuse who may not begin a session of this key.

    Raises:
        PermissionDenied: Also for a token that is for another session, or for reading.
    """
    token = _sender_token(request)
    if token and token.admits(AccessToken.Role.SENDER, key):
        token.note_use()
        return
    if Right.SEND not in permissions.rights(request, None):
        raise PermissionDenied(_("You may not begin a meeting, or not one of this ID."))


def user_of(request: HttpRequest) -> User:
    """Return who asks; only for what nobody may do without a login.

    Raises:
        AuthenticationError: If it is nobody.
    """
    if not isinstance(request.user, User):
        raise AuthenticationError
    return request.user


def not_there() -> Http404:
    return Http404(_("There is nothing at this address."))


def _sent_by_token(request: HttpRequest, key: str) -> Session | None:
    """Return the session that the shown token is to send into, and no other one."""
    token = _sender_token(request)
    if token is None or token.session_key != permissions.spelt(key):
        return None
    return Session.objects.filter(key=token.session_key, trashed_at=None).select_related("owner").first()


def _sender_token(request: HttpRequest) -> AccessToken | None:
    token = AccessToken.find(secret) if (secret := bearer_token(request.headers)) else None
    if token is None or not token.is_good() or token.role != AccessToken.Role.SENDER:
        return None
    setattr(request, origin.TOKEN, token.pk)
    return token
