"""The ASGI application: pages by HTTP, sessions by WebSocket."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asrsite.settings")

http = get_asgi_application()  # first: it loads the apps that the rest needs

from sessions_app.serving.bounded_bodies import BoundedBodies  # noqa: E402
from sessions_app.sockets.routing import websocket_urlpatterns  # noqa: E402
from sessions_app.worker.lifespan import lifespan  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": BoundedBodies(http),
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan,
    }
)
