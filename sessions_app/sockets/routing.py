"""Addresses of the WebSockets, and of other services' HTTP."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.urls import re_path
from django.utils.module_loading import import_string

from sessions_app.wire.dialects import DIALECTS, Dialect

from .consumers import SessionConsumer, UnknownPathConsumer
from .deepgram_http import DeepgramHttp
from .openai_http import OpenAiHttp


def spoken(dialects: Mapping[str, str]) -> Iterator[tuple[str, type[Dialect]]]:
    """Yield the dialects that the settings ask for, with their paths, and those that are always spoken."""
    for path, dotted in dialects.items():
        dialect = import_string(dotted)
        if dialect.name in ("", *settings.SPOKEN_DIALECTS):
            yield path, dialect


# The cast: channels routes ASGI applications by Django's patterns, which its types do not know.
def _consumer(dialect: type[Dialect]) -> Any:
    return SessionConsumer.as_asgi(dialect=dialect)


unknown_path: Any = UnknownPathConsumer.as_asgi()

websocket_urlpatterns: list[Any] = [
    *(re_path(path, _consumer(dialect)) for path, dialect in spoken(DIALECTS)),
    re_path(r"", unknown_path),
]

deepgram: Any = DeepgramHttp()
openai: Any = OpenAiHttp()

HTTP = {"deepgram": (r"^v1/listen/?$", deepgram), "openai": (r"^v1/", openai)}
"""By the names of dialects; the first path that fits is taken."""

http_urlpatterns: list[Any] = [
    re_path(path, application)
    for name, (path, application) in HTTP.items()
    if name in settings.SPOKEN_DIALECTS
]
