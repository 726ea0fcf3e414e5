from typing import Any

from django.urls import re_path

from .consumers import SessionConsumer, UnknownPathConsumer

# The cast: channels routes ASGI applications by Django's patterns, which its types do not know.
consumer: Any = SessionConsumer.as_asgi()
unknown_path: Any = UnknownPathConsumer.as_asgi()

websocket_urlpatterns: list[Any] = [
    # Whatever is between the slashes: what is wrong with an id is said over the socket.
    re_path(r"^ws/asr/(?P<session_id>[^/]*)$", consumer),
    re_path(r"", unknown_path),
]
