"""The ASGI application: pages by HTTP, sessions by WebSocket."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asrsite.settings")

http: Any = get_asgi_application()  # first: it loads the apps that the rest needs

from sessions_app.serving.bounded_bodies import BoundedBodies  # noqa: E402
from sessions_app.sockets.routing import http_urlpatterns, websocket_urlpatterns  # noqa: E402
from sessions_app.worker.lifespan import lifespan  # noqa: E402

routes: list[Any] = [*http_urlpatterns, re_path("", http)]
by_path: Any = URLRouter(routes)

application = ProtocolTypeRouter(
    {
        "http": BoundedBodies(by_path),
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan,
    }
)
