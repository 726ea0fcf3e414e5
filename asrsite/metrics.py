"""Metrics, at /metrics: the figures of this process, for Prometheus."""

from __future__ import annotations

import secrets
import shutil

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Gauge, Info
from prometheus_client.exposition import choose_encoder

from sessions_app.access.decision import is_local
from sessions_app.metrics import registry

from . import __version__

FREE_BYTES = Gauge("asr_disk_free_bytes", "Space where recordings are kept.", registry=registry)
FREE_BYTES.set_function(lambda: shutil.disk_usage(settings.DATA_DIR).free)

Info("asrsite", "What runs here.", registry=registry).info({"version": __version__})


async def metrics(request: HttpRequest) -> HttpResponse:
    """Show them to this machine and to holders of METRICS_TOKEN: how busy a service is, is not public."""
    if not _is_admitted(request):
        return HttpResponse(
            "Ask from this machine, or show METRICS_TOKEN as Authorization: Bearer TOKEN.\n",
            status=403,
            content_type="text/plain",
        )
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


def _is_admitted(request: HttpRequest) -> bool:
    expected = settings.METRICS_TOKEN
    shown = request.headers.get("Authorization", "")
    if expected and secrets.compare_digest(shown.encode(), f"Bearer {expected}".encode()):
        return True
    return is_local(request.META.get("REMOTE_ADDR"), (name.lower() for name in request.headers))
