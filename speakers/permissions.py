"""Permissions on voices, as Django names them, and the door of pages that need one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _

VIEW = "speakers.view_speaker"
ADD = "speakers.add_speaker"
CHANGE = "speakers.change_speaker"
FORGET = "speakers.delete_speaker"
ENROLL = "speakers.enroll_speaker"
LISTEN = "speakers.view_voiceprint"
FORGET_VOICE = "speakers.delete_voiceprint"
VIEW_CONSENT = "speakers.view_consent"
WITHDRAW = "speakers.delete_consent"
MERGE = "speakers.merge_speaker"
EXPORT = "speakers.export_speaker"

View = Callable[..., HttpResponseBase]


def needs(permission: str) -> Callable[[View], View]:
    """Let only people with this permission see a page; who has not said who they are is asked to log in."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _log_in_first(request)
            if not request.user.has_perm(permission):
                raise PermissionDenied(_("You do not have permission to do this."))
            return view(request, *args, **kwargs)

        return checked

    return decorate


def user_of(request: HttpRequest) -> User:
    """Return who is logged in, where a door such as `needs` let nobody else in."""
    assert request.user.is_authenticated
    return request.user


def _log_in_first(request: HttpRequest) -> HttpResponseBase:
    if "application/json" in request.headers.get("accept", ""):
        return JsonResponse({"error": _("Please log in first.")}, status=401)
    return redirect_to_login(request.get_full_path())
