"""Rights in sessions: permissions of logins, share links and visitors from this machine."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _

from audit import log, origin
from audit.models import Action
from sessions_app import teams
from sessions_app.models import AccessToken, Session
from sessions_app.wire.own_protocol import bearer_token

from . import decision
from .decision import Access, Right, Visitor

View = Callable[..., HttpResponseBase]

SEE_ALL = "sessions_app.view_all_session"


def granted(user: User | AnonymousUser, session: Session | None) -> frozenset[Right]:
    """Return the rights that a login's permissions give; None is a session that does not exist yet.

    People reach their own sessions, those that are shared with them or their teams, and all others only with
    the permission to see all.
    """
    is_own = session is None or (session.owner_id is not None and session.owner_id == user.pk)
    return decision.granted(
        [right for right in Right if user.has_perm(f"sessions_app.{right}")],
        has_reach=is_own or user.has_perm(SEE_ALL),
        levels=teams.levels(user, session) if session and not is_own else (),
    )


def rights(request: HttpRequest, session: Session | None) -> frozenset[Right]:
    """Return the rights of a request's sender; None is a session that does not exist yet."""
    return decision.rights(
        Access(settings.ACCESS), _visitor(request, session), granted(request.user, session)
    )


def visible_sessions(request: HttpRequest) -> QuerySet[Session]:
    """Select the sessions that the sender of this request may know of."""
    user = request.user
    kept = Session.objects.filter(trashed_at=None)
    if decision.is_trusted(Access(settings.ACCESS), _visitor(request, None)) or user.has_perm(SEE_ALL):
        return kept
    if not user.is_authenticated:
        return kept.none()
    shared = teams.is_shared_with(user)
    if user.has_perm(f"sessions_app.{Right.READ}"):
        return kept.filter(Q(owner=user) | shared)
    return kept.filter(shared)


def listed_sessions(request: HttpRequest) -> QuerySet[Session]:
    """Select the sessions that a program may know of: those of the token in its header, if it shows one.

    Raises:
        PermissionDenied: If that token is for a microphone: it reads nothing.
    """
    secret = bearer_token(request.headers)
    if not secret:
        return visible_sessions(request)
    token = AccessToken.find(secret)
    if token is None or not token.is_good() or token.role != AccessToken.Role.RECEIVER:
        raise PermissionDenied(_("This token is for sending, not for reading."))
    setattr(request, origin.TOKEN, token.pk)
    token.note_use()
    kept = Session.objects.filter(trashed_at=None)
    return kept.filter(key=token.session_key) if token.session_key else kept


def trashed_sessions(request: HttpRequest) -> QuerySet[Session]:
    """Select the sessions in the trash that the sender of this request could have put there."""
    trashed = Session.objects.filter(trashed_at__isnull=False)
    if not request.user.has_perm(f"sessions_app.{Right.DELETE}"):
        return trashed.none()
    return trashed if request.user.has_perm(SEE_ALL) else trashed.filter(owner_id=request.user.pk)


def for_session(
    right: Right = Right.READ, *, seen_as: Action = Action.MEETING_READ
) -> Callable[[View], View]:
    """Turn a view of a session into one of its key: only for those who have this right.

    Reading goes on record here, once an hour, as `seen_as`; whatever else is done, where it is done.

    What one may not see does not exist (404); what one may see but not do is forbidden (403); who has not
    said who they are is asked to log in.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, key: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            log_in_by_password(request)
            session = find_session(request, key, right, seen_as=seen_as)
            return view(request, session, *args, **kwargs) if session else log_in_first(request)

        return checked

    return decorate


def find_session(
    request: HttpRequest, key: str, right: Right, *, seen_as: Action = Action.MEETING_READ
) -> Session | None:
    """Return the session of this key if the sender of a request has this right on it; see `for_session`.

    Returns:
        None, if whoever asks should say first who they are.

    Raises:
        PermissionDenied: For what one may see, and not do.
        Http404: For what is not there, or may not be seen.
    """
    there = Session.objects.filter(key=spelt(key), trashed_at=None)
    session = there.select_related("owner").first()
    found = rights(request, session)
    if session and right in found:
        if right is Right.READ:
            log.record_seldom(seen_as, meeting=session.key)
        return session
    if right not in found and not request.user.is_authenticated and not _has_known_token(request):
        return None
    if session and Right.READ in found:
        raise PermissionDenied(_("You do not have permission to do this in this meeting."))
    raise Http404(_("There is no such meeting, or you may not see it."))


def spelt(key: str) -> str:
    """Return the key of a session in its one spelling; PostgreSQL takes no NUL."""
    return unicodedata.normalize("NFC", key).replace("\0", "\ufffd")


def for_visitors(view: View) -> View:
    """Turn a view into one for everyone who may take part at all; others are asked to log in."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        log_in_by_password(request)
        if not request.user.is_authenticated and not rights(request, None):
            return log_in_first(request)
        return view(request, *args, **kwargs)

    return checked


def log_in_by_password(request: HttpRequest) -> None:
    """Let a program read as the user whose name and password it shows (HTTP Basic)."""
    if request.method in ("GET", "HEAD"):
        log_in_program(request)


def log_in_program(request: HttpRequest) -> bool:
    """Answer a request as the user whose name and password it shows (HTTP Basic); tell if there is one."""
    scheme, _space, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        name, _colon, password = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return False
    user = authenticate(request, username=name, password=password)
    if user:
        request.user = user
    return user is not None


def log_in_first(request: HttpRequest) -> HttpResponseBase:
    """Ask for a login: a page by leading to it, a program by 401."""
    if not wants_json(request):
        return redirect_to_login(request.get_full_path())
    return JsonResponse({"error": nobody_known(request)}, status=401, headers=ASK_FOR_TOKEN)


ASK_FOR_TOKEN = {"WWW-Authenticate": "Bearer"}  # not Basic: a browser would ask its user, and never forget


def nobody_known(request: HttpRequest) -> str:
    """Say to a program why it is taken for nobody."""
    if "authorization" in request.headers:
        return _("This token or password is not known here, or no longer good.")
    return _("Please log in first.")


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a program asks, and not somebody who looks at a page."""
    return "application/json" in request.headers.get("accept", "") or "authorization" in request.headers


def _has_known_token(request: HttpRequest) -> bool:
    """Tell whether a token brings the sender of this request further than a login would."""
    if "token" in request.GET:
        return True  # a link: whatever is wrong with it, whoever follows it has no password
    token = AccessToken.find(bearer_token(request.headers))
    return token is not None and token.is_good()


def _visitor(request: HttpRequest, session: Session | None) -> Visitor:
    in_header = bearer_token(request.headers)
    secret = request.GET.get("token", "") or in_header
    token = AccessToken.find(secret) if secret else None
    setattr(request, origin.TOKEN, token.pk if token else None)
    is_good = bool(session and token and token.admits(AccessToken.Role.RECEIVER, session.key))
    if token and is_good:
        token.note_use()
    return Visitor(
        is_local=decision.is_local(
            request.META.get("REMOTE_ADDR"), (name.lower() for name in request.headers)
        ),
        has_login=request.user.is_authenticated,
        has_token=bool(secret),
        is_token_good=is_good,
        takes_files=secret == in_header and token is not None and token.may_export,
    )
