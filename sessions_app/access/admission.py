"""Admission of sockets: what a client showed when it came, judged by what holds now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.models import User

from sessions_app.models import AccessToken, Session
from sessions_app.wire.protocol import ErrorCode, Mode, ProtocolError

from . import decision, logins, permissions
from .decision import Access, AccessDecision, Right, Visitor


@dataclass(frozen=True, slots=True)
class Credentials:
    """All that a client showed when it opened its socket, and what it came for."""

    mode: Mode
    session_key: str
    is_local: bool
    continues: str = ""
    """Senders: key of the session that this one goes on with; a token for that one will do."""

    token: str = field(default="", repr=False)
    login: str = field(default="", repr=False)
    """Key of the browser's login, from its cookie; empty without one."""

    @property
    def keys(self) -> list[str]:
        """Return the keys of the sessions for one of which a token must be."""
        return [self.session_key, *filter(None, [self.continues])]


@dataclass(frozen=True, slots=True)
class Admission:
    """Answer to a client that wants to take part, and what it rests on."""

    decision: AccessDecision
    session_pk: int | None = None
    """The session that was looked at; None while there is none of this key."""

    user: User | None = field(default=None, repr=False, compare=False)
    token_pk: int | None = None
    is_for_any: bool = False
    """It holds whoever begins a session of this key."""

    @property
    def user_pk(self) -> int | None:
        return self.user.pk if self.user else None

    def covers(self, session_pk: int | None) -> bool:
        """Tell whether what is said in this session may be told."""
        return self.is_for_any or (session_pk is not None and session_pk == self.session_pk)

    def check(self, mode: Mode) -> None:
        """Refuse who is not admitted.

        Raises:
            ProtocolError: UNAUTHORIZED or FORBIDDEN.
        """
        match self.decision:
            case AccessDecision.UNKNOWN:
                raise ProtocolError(
                    ErrorCode.UNAUTHORIZED, "a token is needed: add token=... to the address", param="token"
                )
            case AccessDecision.FORBIDDEN:
                raise ProtocolError(
                    ErrorCode.FORBIDDEN, f"no right to be {mode} of this session", param="token"
                )


def admit(asked: Credentials) -> Admission:
    """Decide whether a client may have a socket, or keep it."""
    user = logins.user_of(asked.login)
    session = Session.objects.filter(key=asked.session_key).first()
    token = AccessToken.find(asked.token) if asked.token else None
    visitor = _visitor(asked, user, session, token)
    access = Access(settings.ACCESS)
    decided = decision.decide(access, visitor)
    if decided is AccessDecision.ADMITTED and _is_gone(session, asked.mode):
        decided = AccessDecision.FORBIDDEN
    return Admission(
        decided,
        session_pk=session.pk if session else None,
        user=user,
        token_pk=token.pk if token else None,
        is_for_any=visitor.has_token
        or decision.is_trusted(access, visitor)
        or (user is not None and user.has_perm(permissions.SEE_ALL)),
    )


def admit_all(asked: Iterable[Credentials]) -> dict[Credentials, Admission]:
    """Decide about several clients."""
    return {credentials: admit(credentials) for credentials in asked}


def _visitor(
    asked: Credentials, user: User | None, session: Session | None, token: AccessToken | None
) -> Visitor:
    right = Right.SEND if asked.mode is Mode.SENDER else Right.READ
    is_good = token is not None and any(token.admits(asked.mode, key) for key in asked.keys)
    if token and is_good:
        token.note_use()
    return Visitor(
        is_local=asked.is_local,
        has_login=user is not None,
        has_permission=user is not None and right in permissions.granted(user, session),
        has_token=bool(asked.token),
        is_token_good=is_good,
    )


def _is_gone(session: Session | None, mode: Mode) -> bool:
    """Tell whether a session is in the trash; its sender is told that it has ended."""
    return session is not None and session.trashed_at is not None and mode is Mode.RECEIVER
