"""What people see instead of a page, and scripts instead of an answer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, str(exception) or _("You do not have the right to do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Only what we raise ourselves is for people; the resolver's own 404 lists its patterns.
    reason = str(exception.args[0]) if exception.args and isinstance(exception.args[0], str) else ""
    return _answer(request, 404, reason or _("There is nothing at this address."))


def _answer(request: HttpRequest, status: int, reason: str) -> HttpResponse:
    if "application/json" in request.headers.get("accept", ""):
        return JsonResponse({"error": reason}, status=status)
    return render(request, "error.html", {"status": status, "reason": reason}, status=status)
