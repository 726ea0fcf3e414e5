"""Logins by the company's identity provider (OpenID Connect): whom it vouches for gets an account, and roles.

The protocol is django-allauth's; here is what it means for accounts. An account belongs to what the provider
calls its subject, never to a name or an address, so nobody takes over an account by being called like it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from requests import RequestException

from .passwords import address_of

logger = logging.getLogger("asrsite.logins")


def offered_provider() -> str:
    """Return what the login page calls the provider; empty if there is none."""
    return str(settings.OIDC_NAME) if settings.OIDC_ISSUER else ""


def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider, or say that it cannot be reached."""
    try:
        response: HttpResponse = views.login(request, provider_id)
    except RequestException as error:
        logger.warning("the provider does not answer: %s", error)
        return _failed(request)
    return response


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts as allauth sees them: nobody makes one by a form, and nothing is sent by mail."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def get_login_stages(self) -> list[str]:
        return [*super().get_login_stages(), "sessions_app.access.second_factor.Demanded"]

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Look at a password of somebody who is logged in, and has shown their second factor."""
        user: User | None = super().authenticate(request, has_second_step=True, **credentials)
        return user

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: who has logged in sees it."""

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        messages.error(request, _("This account is closed."))
        return redirect("login")

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse:
        if "sociallogin" in (options.get("signal_kwargs") or {}):
            # The provider may have closed the account meanwhile, and tells nobody: it is asked again.
            request.session.set_expiry(int(settings.OIDC_LOGIN_HOURS * 3600))
        response: HttpResponse = super().post_login(request, user, **options)
        return response


class CompanyLogins(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Rules for logins that the provider vouches for."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        if not settings.OIDC_NEW_ACCOUNTS:
            messages.error(request, _("You have no account here yet. Ask somebody who manages them."))
            raise ImmediateHttpResponse(redirect("login"))
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.is_existing:
            set_roles(sociallogin.user, sociallogin.account.extra_data)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        set_roles(user, sociallogin.account.extra_data)
        return user

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **_more: Any
    ) -> None:
        logger.warning("login by the provider failed from %s: %s %s", address_of(request), error, exception)
        raise ImmediateHttpResponse(_failed(request))


def _failed(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("Logging in there did not work. Try again, or ask who runs this service."))
    return redirect("login")


def set_roles(user: User, told: Mapping[str, Any]) -> None:
    """Give an account the roles that the provider's groups stand for, and take those that they do not.

    Args:
        told: What the provider said, as `userinfo` and `id_token`.
    """
    mapping: Mapping[str, str] = settings.OIDC_ROLES
    if not mapping:
        return  # roles are given by people
    wanted = roles_of(groups_of(told, settings.OIDC_GROUPS_CLAIM), mapping)
    ruled = Group.objects.filter(name__in=set(mapping.values()))
    given = set(user.groups.values_list("name", flat=True))
    user.groups.remove(*(group for group in ruled if group.name in given - wanted))
    user.groups.add(*(group for group in ruled if group.name in wanted - given))


def groups_of(told: Mapping[str, Any], claim: str) -> list[str]:
    """Return the groups of a claim, a list of names or one name, from either place that providers use."""
    for place in ("userinfo", "id_token"):
        value = (told.get(place) or {}).get(claim)
        if isinstance(value, str):
            return [value]
        if isinstance(value, list):
            return [each for each in value if isinstance(each, str)]
    return []


def roles_of(groups: Iterable[str], mapping: Mapping[str, str]) -> set[str]:
    """Return the roles that groups stand for; those that stand for none are the provider's own business."""
    return {mapping[group] for group in groups if group in mapping}
