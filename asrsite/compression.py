"""Compression of pages and answers: text alone, and not what is made while it is sent."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

_TEXT = {
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/x-subrip",
    "image/svg+xml",
}


class TextCompressionMiddleware(GZipMiddleware):
    """Compresses whole answers that are text; audio and pieces of files gain nothing by it.

    Whoever watches the wire and lets a visitor's browser ask for pages of ours could guess, by lengths, what
    stands in them (BREACH). So Django masks the tokens of forms and adds bytes of random number; other sites
    are sent no cookie but for a page that the visitor sees.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if isinstance(response, HttpResponse) and response.status_code == 200 and is_text(response):
            return super().process_response(request, response)
        return response


def is_text(response: HttpResponseBase) -> bool:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type in _TEXT
