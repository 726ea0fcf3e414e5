"""Proof of the right to go on with a session: to take over its sender, or to record more in another."""

from __future__ import annotations

import contextlib

from django.core import signing


def token_for(session_key: str) -> str:
    """Return what shows the right to go on with this session."""
    return _signer().sign(session_key)


def key_of(token: str) -> str:
    """Return the key of the session that a token is for; empty if we did not sign it."""
    with contextlib.suppress(signing.BadSignature):
        return _signer().unsign(token)
    return ""


def _signer() -> signing.Signer:
    return signing.Signer(salt="resume a sender")
