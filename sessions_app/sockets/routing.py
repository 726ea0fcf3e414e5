"""Addresses of the WebSockets."""

from typing import Any

from django.urls import re_path
from django.utils.module_loading import import_string

from sessions_app.wire.dialects import DIALECTS

from .consumers import SessionConsumer, UnknownPathConsumer


# The cast: channels routes ASGI applications by Django's patterns, which its types do not know.
def _consumer(dialect: str) -> Any:
    return SessionConsumer.as_asgi(dialect=import_string(dialect))


unknown_path: Any = UnknownPathConsumer.as_asgi()

websocket_urlpatterns: list[Any] = [
    *(re_path(path, _consumer(dialect)) for path, dialect in DIALECTS.items()),
    re_path(r"", unknown_path),
]
