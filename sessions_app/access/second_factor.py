"""Second factors of logins: a code of an app, a passkey, or a recovery code, besides the password.

Codes, keys and their tables are django-allauth's. Here is who has to have one, how their secrets are sealed,
and that a password alone, as programs show it, is then not enough. A login by the company's provider is as
strong as the provider demands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.stages import LoginStage
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import log
from audit.models import Action
from speakers import encryption

EVERYBODY = "everybody"
ADMINISTRATORS = "administrators"
"""What stands in the settings beside the names of groups; the latter means superusers."""

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What asks for a second step; recovery codes do not by themselves."""

SECRETS = ("secret", "seed")
"""What is sealed of the data of one."""


def has_one(user: User) -> bool:
    """Tell whether an account has set one up."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def is_demanded(user: User) -> bool:
    """Tell whether an account has to have one."""
    wanted = set(settings.SECOND_FACTOR_FOR)
    if EVERYBODY in wanted or (ADMINISTRATORS in wanted and user.is_superuser):
        return True
    return bool(wanted) and user.groups.filter(name__in=wanted).exists()


def is_asked_of(user: User) -> bool:
    """Tell whether the password of an account is not enough."""
    return has_one(user) or is_demanded(user)


def set_up_by_app(user: User, secret: str) -> list[str]:
    """Give an account an app's secret and recovery codes, and return these."""
    with transaction.atomic():
        TOTP.activate(user, secret)
        codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
        log.record(Action.SECOND_FACTOR_ADDED, by=user, account=user.pk, kind=Authenticator.Type.TOTP)
    return codes


def remove_all(user: User, *, by: User | None) -> bool:
    """Remove all that an account has, for somebody who lost theirs, and tell whether there was any."""
    with transaction.atomic():
        count, _rows = Authenticator.objects.filter(user=user).delete()
        if count:
            log.record(Action.SECOND_FACTOR_REMOVED, by=by, account=user.pk, kind="all")
    return bool(count)


def rotate() -> int:
    """Seal the secrets anew that another key than the first has sealed, and return how many rows had some."""
    return sum(map(_rotate_row, Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).iterator()))


def _rotate_row(row: Authenticator) -> bool:
    sealed: Mapping[str, str] = {name: row.data[name] for name in SECRETS if name in row.data}
    old = {name: token for name, token in sealed.items() if not encryption.is_current(token.encode())}
    for name, token in old.items():
        row.data[name] = _seal(_unseal(token))
    if old:
        row.save(update_fields=["data"])
    return bool(old)


def _seal(text: str) -> str:
    return encryption.encrypt(text.encode()).decode()


def _unseal(token: str) -> str:
    return encryption.decrypt(token.encode()).decode()


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors as allauth sees them."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": gettext_lazy("Your account must have a second factor."),
        "incorrect_code": gettext_lazy("This is not the right code."),
    }

    def encrypt(self, text: str) -> str:
        return _seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises `Undecipherable` if the installation's key is gone."""
        return _unseal(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """Return the picture as a part of a page: without what stands at the head of a file."""
        svg: str = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]

    def _get_user_identifier(self, user: User) -> str:
        return user.get_username()

    def generate_authenticator_name(self, user: User, type: Any) -> str:  # noqa: A002
        return _("Passkey")

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        others = Authenticator.objects.filter(user=authenticator.user, type__in=FACTORS)
        return others.exclude(pk=authenticator.pk).exists() or not is_demanded(authenticator.user)


class Demanded(LoginStage):  # type: ignore[misc]
    """Step of a login in which somebody sets up the second factor that they must have."""

    key = "second_factor_demanded"
    urlname = "demanded-second-factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        is_vouched_for = "sociallogin" in (self.login.signal_kwargs or {})
        if is_vouched_for or has_one(self.login.user) or not is_demanded(self.login.user):
            return None, True
        return redirect(self.urlname), True


def watch() -> None:
    """Put changes of second factors on record from now on."""
    authenticator_added.connect(_added, dispatch_uid="audit")
    authenticator_removed.connect(_removed, dispatch_uid="audit")
    authenticator_reset.connect(_reset, dispatch_uid="audit")


def _added(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **_more: Any) -> None:
    log.record(Action.SECOND_FACTOR_ADDED, by=user, account=user.pk, kind=authenticator.type)


def _removed(sender: Any, user: User, authenticator: Authenticator, **_more: Any) -> None:
    log.record(Action.SECOND_FACTOR_REMOVED, by=user, account=user.pk, kind=authenticator.type)


def _reset(sender: Any, user: User, **_more: Any) -> None:
    log.record(Action.RECOVERY_CODES_MADE, by=user, account=user.pk)
