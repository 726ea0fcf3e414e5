"""The pages as an application to install: manifest, service worker, the page without a network.

All of it is for everybody: nothing here depends on who asks, and a browser may keep it.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from . import PRODUCT_NAME

PAPER, ACCENT = "#faf9f6", "#0e6b5e"


@require_GET
def manifest(request: HttpRequest) -> HttpResponse:
    """Serve the name, the icons, and what other applications may share with this one."""
    content = {
        "id": reverse("session-list"),
        "name": PRODUCT_NAME,
        "short_name": PRODUCT_NAME,
        "description": _("Meetings, written down as they are spoken, with the names of who speaks."),
        "lang": get_language(),
        "start_url": reverse("session-list"),
        "scope": reverse("session-list"),
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": ACCENT,
        "icons": [
            _icon("icon.svg", "any", "image/svg+xml"),
            _icon("icon-192.png", "192x192"),
            _icon("icon-512.png", "512x512"),
            _icon("icon-maskable-512.png", "512x512") | {"purpose": "maskable"},
        ],
        "shortcuts": [{"name": _("New recording"), "url": reverse("record")}],
        "share_target": {
            "action": reverse("share-target"),
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"files": [{"name": "file", "accept": ["audio/*", "video/*"]}]},
        },
    }
    return JsonResponse(content, content_type="application/manifest+json")


def _icon(name: str, sizes: str, kind: str = "image/png") -> dict[str, str]:
    return {"src": static(f"img/{name}"), "sizes": sizes, "type": kind}


@require_GET
def service_worker(request: HttpRequest) -> HttpResponse:
    """Serve the worker from the root, whose pages it may then look after."""
    response = render(request, "service_worker.txt", content_type="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@require_GET
def offline(request: HttpRequest) -> HttpResponse:
    """Show that the server cannot be reached, in both languages: browsers keep it."""
    return render(request, "offline.html")


@csrf_exempt
@require_POST
def share_target(request: HttpRequest) -> HttpResponse:
    """Lead to the recording page; the file stays in the browser, whose service worker takes it before us."""
    return redirect(reverse("record") + "?source=file")
