"""Static files as browsers get them: small, and kept for good under addresses that change with them.

The version of all of them together stands in each address: so relative addresses in modules and styles need
no rewriting, and nothing has to be collected before a start.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path

import brotli
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from rcssmin import cssmin
from rjsmin import jsmin
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from .compression import is_text

FOR_EVER = "max-age=31536000, public, immutable"

_REFUSED = re.compile(r"\s*q=0(\.0*)?\s*")
"""The weight of a packing that a client does not want."""

_VERSION = re.compile(r"v-[0-9a-f]{12}/")

_SMALLER: dict[str, Callable[[str], str]] = {".js": jsmin, ".css": cssmin}
"""Ways to send our own modules and styles without what only their readers need; their code stays as it is."""

_PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": partial(brotli.compress, mode=brotli.MODE_TEXT),
    "gzip": partial(gzip.compress, compresslevel=9, mtime=0),
    "": bytes,
}
"""The best first. Browsers ask for brotli where a connection is encrypted, or stays on the machine."""


class VersionedStaticFilesStorage(StaticFilesStorage):
    """The static files where they lie, each with the version of all in its address."""

    def url(self, name: str | None) -> str:
        address = super().url(name)
        shown = shown_version()
        assert self.base_url is not None
        return f"{self.base_url}v-{shown}/{address.removeprefix(self.base_url)}" if shown else address


def shown_version() -> str:
    """Return the version for addresses; none where files are being worked on, and are always read anew."""
    return "" if settings.DEBUG or getattr(settings, "WHITENOISE_AUTOREFRESH", False) else version()


@cache
def version() -> str:
    """Return the first digits of the sum of all static files and texts, as they were when first asked for."""
    found = hashlib.sha256()
    for path, content in _contents():
        found.update(f"{path}\0".encode() + hashlib.sha256(content).digest())
    return found.hexdigest()[:12]


def _contents() -> Iterator[tuple[str, bytes]]:
    for finder in finders.get_finders():
        for path, storage in sorted(finder.list(None), key=lambda each: each[0]):
            with storage.open(path) as file:
                yield path, file.read()
    for folder in settings.LOCALE_PATHS:
        for texts in sorted(Path(folder).glob("*/LC_MESSAGES/djangojs.mo")):
            yield texts.parts[-3], texts.read_bytes()


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serves static files, by addresses of any version: pages of another one's processes may ask for them."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        shown, path = split_version(request.path_info, self.static_prefix)
        file = self.find_file(path) if self.autorefresh else self.files.get(path)
        answer: HttpResponseBase
        if file is None:
            answer = self.get_response(request)
            return answer
        answer = self._packed(file, path, request) or self.serve(file, request)
        if shown == version() and answer.status_code in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            answer.headers["Cache-Control"] = FOR_EVER
        return answer

    def _packed(self, file: StaticFile, path: str, request: HttpRequest) -> HttpResponse | None:
        """Return a whole text as it goes over the wire; None for all else."""
        found = file.get_response(request.method, request.META)
        if found.file is None:
            return None
        with found.file as opened:
            response = HttpResponse(headers=dict(found.headers))
            if found.status != HTTPStatus.OK or not is_text(response):
                return None
            packing = _packing(request.headers.get("accept-encoding", ""))
            key = (path, packing)
            if self.autorefresh or key not in self._bodies:
                body = _smaller(opened.read(), Path(path).suffix) if self._is_ours(path) else opened.read()
                self._bodies[key] = _PACKINGS[packing](body)
        response.content = self._bodies[key]
        response.headers["Content-Length"] = str(len(response.content))
        if packing:
            response.headers["Content-Encoding"] = packing
        patch_vary_headers(response, ["Accept-Encoding"])
        return response

    def _is_ours(self, path: str) -> bool:
        return path.startswith((f"{self.static_prefix}js/", f"{self.static_prefix}css/"))

    @property
    def _bodies(self) -> dict[tuple[str, str], bytes]:
        """Texts as they are sent, by address and packing."""
        bodies: dict[tuple[str, str], bytes] = self.__dict__.setdefault("bodies", {})
        return bodies


def split_version(path: str, prefix: str) -> tuple[str, str]:
    """Return the version in an address, empty if there is none, and the address without it."""
    if found := _VERSION.match(path, len(prefix)) if path.startswith(prefix) else None:
        return found[0][2:-1], prefix + path[found.end() :]
    return "", path


def _smaller(content: bytes, suffix: str) -> bytes:
    smaller = _SMALLER.get(suffix)
    return smaller(content.decode()).encode() if smaller else content


def _packing(accepted: str) -> str:
    """Return the best packing that a client can undo, as it is named in its request; empty for none."""
    parts = (each.partition(";") for each in accepted.lower().split(","))
    offered = {name.strip() for name, _, weight in parts if not _REFUSED.fullmatch(weight)}
    return next((packing for packing in _PACKINGS if packing in offered), "")
