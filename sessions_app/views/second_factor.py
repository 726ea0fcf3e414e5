"""Second factors on pages: asked for at a login, set up, and taken away again. What they do is allauth's."""

from __future__ import annotations

from allauth.account.internal.decorators import login_stage_required
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import clear_totp_secret
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from sessions_app.access import accounts, second_factor
from speakers.permissions import needs, user_of

from .accounts import account_to_change


def overview(request: HttpRequest) -> HttpResponse:
    """Lead to where second factors stand: on the account's page."""
    return redirect(reverse("account") + "#second-factor")


@never_cache
@login_stage_required(stage=second_factor.Demanded.key, redirect_urlname="login")  # type: ignore[untyped-decorator]
def demanded(request: HttpRequest) -> HttpResponse:
    """Set up the second factor that an account must have; until that is done nobody is logged in."""
    stage = request._login_stage  # type: ignore[attr-defined]
    user = stage.login.user
    if second_factor.has_one(user):  # the codes were shown
        response: HttpResponse = stage.exit()
        return response
    form = ActivateTOTPForm(user=user, data=request.POST or None)
    if form.is_valid():
        codes = second_factor.set_up_by_app(user, form.secret)
        clear_totp_secret(request)
        return render(request, "mfa/demanded_codes.html", {"unused_codes": codes})
    address = get_adapter().build_totp_url(user, form.secret)
    context = {"form": form, "totp_svg": get_adapter().build_totp_svg(address)}
    return render(request, "mfa/demanded.html", context)


class RemovePasskey(RemoveWebAuthnView):  # type: ignore[misc]
    """Allauth's removal of a passkey, unless it is the last factor of an account that must have one."""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        if not get_adapter().can_delete_authenticator(self.get_object()):
            messages.error(self.request, _("Your account must have a second factor."))
            return overview(self.request)
        response: HttpResponse = super().form_valid(form)
        return response


@require_POST
@needs(accounts.MANAGE)
def remove(request: HttpRequest, key: int) -> HttpResponse:
    """Take the second factors of an account away, whose owner has lost them."""
    account = account_to_change(request, key)
    if second_factor.remove_all(account, by=user_of(request)):
        messages.success(request, _("The password alone is enough again."))
    return redirect("change-account", account.pk)
