"""Logging in by password; whoever has a second factor is asked for that next."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import perform_login
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from sessions_app.access.single_sign_on import offered_provider


class PasswordForm(AuthenticationForm):
    """Django's form for name and password, the first of two steps."""

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name is not None and password:
            user = authenticate(self.request, username=name, password=password, has_second_step=True)
            if user is None:
                raise self.get_invalid_login_error()
            self.user_cache = user
        return self.cleaned_data


class LogIn(LoginView):
    """Django's page, with allauth's steps behind it."""

    template_name = "accounts/login.html"
    authentication_form = PasswordForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"provider": offered_provider()}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response: HttpResponse = perform_login(
            self.request, form.get_user(), redirect_url=self.get_success_url()
        )
        return response


def admin_login(request: HttpRequest) -> HttpResponse:
    """Lead to the one page where everybody logs in: the admin's own would ask for a password alone."""
    if request.user.is_authenticated:
        if not request.user.is_staff:
            raise PermissionDenied(_("You do not have permission to do this."))
        return redirect("admin:index")
    return redirect_to_login(request.GET.get("next") or "/admin/")
