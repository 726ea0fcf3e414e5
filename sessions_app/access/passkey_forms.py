"""Allauth's forms for passkeys, for clients that send anything."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from django.core.exceptions import ValidationError

NONSENSE = (AttributeError, KeyError, TypeError, ValueError)
"""Raised while an answer is read that no browser has written."""


class ShowPasskey(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey that is shown; another one than the account's is on record as a wrong code is."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()
        except ValidationError:
            self._note()
            raise
        except NONSENSE:
            self._note()
            raise get_adapter().validation_error("incorrect_code") from None

    def _note(self) -> None:
        factor = Authenticator.objects.filter(user=self.user, type=Authenticator.Type.WEBAUTHN).first()
        authentication_failed.send(
            sender=Authenticator, request=context.request, user=self.user, authenticator=factor
        )


class AddPasskey(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey that is made."""

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except NONSENSE:
            raise get_adapter().validation_error("incorrect_code") from None
        return cleaned
