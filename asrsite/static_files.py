"""Static files as browsers get them: small, and kept for good under addresses that change with them.

The version of all of them together stands in each address: so relative addresses in modules and styles need
no rewriting, and nothing has to be collected before a start.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import re_accepts_gzip
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from .compression import is_text

FOR_EVER = "max-age=31536000, public, immutable"

_VERSION = re.compile(r"v-[0-9a-f]{12}/")

_COMMENTS_AND_STRINGS = re.compile(
    r"""
    (?P<comment> ^[ \t]*//[^\n]* | ^[ \t]*/\*.*?\*/[ \t]*$ )
    | //[^\n]* | /\*.*?\*/ | `(?:\\.|[^`\\])*` | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)


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
            is_gzipped = bool(re_accepts_gzip.search(request.headers.get("accept-encoding", "")))
            key = (path, is_gzipped)
            if self.autorefresh or key not in self._bodies:
                self._bodies[key] = _body(opened.read(), is_ours=self._is_ours(path), is_gzipped=is_gzipped)
        response.content = self._bodies[key]
        response.headers["Content-Length"] = str(len(response.content))
        if is_gzipped:
            response.headers["Content-Encoding"] = "gzip"
        patch_vary_headers(response, ["Accept-Encoding"])
        return response

    def _is_ours(self, path: str) -> bool:
        return path.startswith(f"{self.static_prefix}js/") and path.endswith(".js")

    @property
    def _bodies(self) -> dict[tuple[str, bool], bytes]:
        """Texts as they are sent, by address and packing."""
        bodies: dict[tuple[str, bool], bytes] = self.__dict__.setdefault("bodies", {})
        return bodies


def split_version(path: str, prefix: str) -> tuple[str, str]:
    """Return the version in an address, empty if there is none, and the address without it."""
    if found := _VERSION.match(path, len(prefix)) if path.startswith(prefix) else None:
        return found[0][2:-1], prefix + path[found.end() :]
    return "", path


def without_comments(source: bytes) -> bytes:
    """Leave comments that have lines of their own out of a module: a third of it, for its readers alone.

    All lines keep their numbers.
    """
    text = _COMMENTS_AND_STRINGS.sub(
        lambda found: found[0] if found["comment"] is None else "\n" * found[0].count("\n"), source.decode()
    )
    return text.encode()


def _body(content: bytes, *, is_ours: bool, is_gzipped: bool) -> bytes:
    body = without_comments(content) if is_ours else content
    return gzip.compress(body, 9, mtime=0) if is_gzipped else body
