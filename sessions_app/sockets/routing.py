"""Addresses of the WebSockets."""

from collections.abc import Callable
from typing import Any

from django.urls import re_path

from sessions_app.wire.dialects import DIALECTS, Dialect

from .consumers import SessionConsumer, UnknownPathConsumer


# The cast: channels routes ASGI applications by Django's patterns, which its types do not know.
def _consumer(dialect: Callable[[], Dialect]) -> Any:
    return SessionConsumer.as_asgi(dialect=dialect)


unknown_path: Any = UnknownPathConsumer.as_asgi()

websocket_urlpatterns: list[Any] = [
    *(re_path(path, _consumer(dialect)) for path, dialect in DIALECTS.items()),
    re_path(r"", unknown_path),
]
