"""One's own account, and those of others with their roles."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from audit import log
from audit.models import Action
from sessions_app.access import accounts, logins, roles, second_factor
from speakers.permissions import needs, user_of

from .. import teams
from ..forms import AccountForm, NewAccountForm
from ..models import Login

PER_PAGE = 50


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show one's own account: what one may do, one's teams, and the way to another password."""
    user = user_of(request)
    own = roles.described(user.groups.order_by("pk"))
    factors = list(Authenticator.objects.filter(user=user).order_by("pk"))
    logins.note(user, request)  # so that this one is in the list, however new it is
    context = {
        "roles": own,
        "memberships": user.memberships.select_related("team").order_by("team__name"),
        "managers": [] if own else accounts.managers(),
        "logins": logins.of(user),
        "login_key": request.session.session_key,
        "factors": factors,
        "has_app": any(factor.type == Authenticator.Type.TOTP for factor in factors),
        "must_have_factor": second_factor.is_demanded(user),
    }
    return render(request, "accounts/account.html", context)


@require_POST
@login_required
def share_recordings(request: HttpRequest) -> HttpResponse:
    """Choose the teams with which one's recordings are shared from their beginning."""
    teams.choose_sharing(user_of(request), request.POST.getlist("team"))
    messages.success(request, _("Saved."))
    return redirect("account")


@require_POST
@login_required
def end_login(request: HttpRequest, key: int) -> HttpResponse:
    """End one of one's own logins."""
    logins.end(get_object_or_404(Login, pk=key, user=user_of(request)))
    log.record(Action.LOGGED_OUT, others=1)
    messages.success(request, _("This browser is logged out."))
    return redirect("account")


@require_POST
@login_required
def end_other_logins(request: HttpRequest) -> HttpResponse:
    """End all of one's logins but this one."""
    count = logins.end_others(user_of(request), request.session.session_key)
    log.record(Action.LOGGED_OUT, others=count)
    messages.success(request, _("All other browsers are logged out."))
    return redirect("account")


class ChangePassword(PasswordChangeView):
    """Django's change of one's own password."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def get_success_url(self) -> str:
        log.record(Action.PASSWORD_CHANGED, account=self.request.user.pk)
        messages.success(self.request, _("Your password was changed."))
        return super().get_success_url()


@needs(accounts.MANAGE)
def account_list(request: HttpRequest) -> HttpResponse:
    """Show all accounts with their roles and teams."""
    text = request.GET.get("q", "").strip().replace("\0", " ")
    found = User.objects.filter(username__icontains=text).order_by("username")
    page = Paginator(found.prefetch_related("groups", "teams"), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(user, [name for name, _duties in roles.described(user.groups.all())]) for user in page]
    context = {"text": text, "page": page, "rows": rows}
    return render(request, "accounts/list.html", context)


@never_cache
@needs("auth.add_user")
def add_account(request: HttpRequest) -> HttpResponse:
    """Make an account; its first password is shown once."""
    form = NewAccountForm(request.POST or None)
    if form.is_valid():
        known = form.cleaned_data
        user, password = accounts.add(
            known["username"], known["roles"], email=known["email"], by=user_of(request)
        )
        return render(request, "accounts/password_made.html", {"account": user, "password": password})
    return render(request, "accounts/add.html", {"form": form})


@needs(accounts.MANAGE)
def change_account(request: HttpRequest, key: int) -> HttpResponse:
    """Give an account its roles and address, and open or close it."""
    account = account_to_change(request, key)
    manager = user_of(request)
    form = AccountForm.of(account, request.POST or None, is_own=account == manager)
    if form.is_valid():
        known = form.cleaned_data
        accounts.change(
            account, known["roles"], email=known["email"], is_active=known["is_active"], by=manager
        )
        messages.success(request, _("Saved."))
        return redirect("account-list")
    context = {"account": account, "form": form, "has_second_factor": second_factor.has_one(account)}
    return render(request, "accounts/change.html", context)


@never_cache
@require_POST
@needs(accounts.MANAGE)
def reset_password(request: HttpRequest, key: int) -> HttpResponse:
    """Give an account another password, shown once."""
    account = account_to_change(request, key)
    password = accounts.reset_password(account, by=user_of(request))
    return render(request, "accounts/password_made.html", {"account": account, "password": password})


def account_to_change(request: HttpRequest, key: int) -> User:
    """Return the account of this key.

    Raises:
        PermissionDenied: If whoever asks may not change it.
    """
    account = get_object_or_404(User, pk=key)
    if not accounts.may_change(user_of(request), account):
        raise PermissionDenied(_("Only a superuser may change the account of another."))
    return account
