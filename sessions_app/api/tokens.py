"""Access tokens for one session, for programs: made, listed and revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router, Status

from audit import log
from audit.models import Action
from sessions_app.access import rights_changes
from sessions_app.access.decision import Right
from sessions_app.models import AccessToken, Session
from sessions_app.views.sharing import tokens_of

from . import doors
from .doors import DOOR, session_for
from .schemas import NewToken, NewTokenOut, TokenOut

router = Router(tags=["tokens"], auth=DOOR)


@router.get("/sessions/{key}/tokens", response=list[TokenOut])
def list_tokens(request: HttpRequest, key: str) -> list[AccessToken]:
    """List the tokens for this meeting alone that work now, share links among them, the newest first."""
    return list(tokens_of(session_for(request, key, Right.SHARE)))


@router.post("/sessions/{key}/tokens", response={201: NewTokenOut})
def make_token(request: HttpRequest, key: str, new: NewToken) -> Status[dict[str, Any]]:
    """Make a token for this meeting alone.

    Needs a login that may share it, and may do itself what the token may.
    """
    session = session_for(request, key, Right.SHARE)
    _check(new, doors.rights(request, session))
    now = timezone.now()
    token, secret = AccessToken.issue(
        name=new.name.strip() or _("Made by a program"),
        role=new.role,
        session_key=session.key,
        may_export=new.takes_files and AccessToken.Role(new.role) is AccessToken.Role.RECEIVER,
        expires_at=now + timedelta(days=new.days) if new.days else None,
        created_by=doors.user_of(request),
    )
    log.record(Action.LINK_MADE, meeting=session.key, link=token.pk, days=new.days, role=new.role)
    return Status(201, _as_object(token) | {"secret": secret})


@router.delete("/sessions/{key}/tokens/{int:token}", response={204: None})
def revoke_token(request: HttpRequest, key: str, token: int) -> Status[None]:
    """Revoke a token: sockets that were opened by it are closed."""
    session = session_for(request, key, Right.SHARE)
    if not _revoke(session, token):
        raise doors.not_there()
    return Status(204, None)


def _revoke(session: Session, token: int) -> bool:
    if not tokens_of(session).filter(pk=token).update(is_revoked=True):
        return False
    log.record(Action.LINK_REVOKED, meeting=session.key, link=token)
    rights_changes.announce(session_key=session.key)
    return True


def _check(new: NewToken, rights: frozenset[Right]) -> None:
    sends = AccessToken.Role(new.role) is AccessToken.Role.SENDER
    needed = {Right.SEND} if sends else {Right.READ}
    needed |= {Right.EXPORT} if new.takes_files else set()
    if not needed <= rights:
        raise PermissionDenied(_("A token may do no more in this meeting than you may."))


def _as_object(token: AccessToken) -> dict[str, Any]:
    names = ("name", "role", "may_export", "expires_at", "last_used_at")
    return {"id": token.pk} | {name: getattr(token, name) for name in names}
