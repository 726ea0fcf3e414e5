"""The texts of scripts, in the language of the page that asks for them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.views.i18n import JavaScriptCatalog

from .static_files import FOR_EVER, shown_version

_catalogue = JavaScriptCatalog.as_view(packages=["sessions_app", "speakers"])


def words(request: HttpRequest) -> HttpResponseBase:
    """Serve the texts in `language`; under the address with the `v` of today's they never change."""
    asked = request.GET.get("language", "")
    language = asked if asked in dict(settings.LANGUAGES) else translation.get_language()
    with translation.override(language):
        response = _catalogue(request)
    shown = shown_version()
    is_versioned = bool(shown) and shown == request.GET.get("v") and asked == language
    response.headers["Cache-Control"] = FOR_EVER if is_versioned else "max-age=60"
    return response
