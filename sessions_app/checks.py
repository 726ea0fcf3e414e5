"""Faults of an installation that `manage.py check` finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


@checks.register()
def check_access(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    if settings.ACCESS == "open" and not settings.ON_LOOPBACK_ONLY:
        return [
            checks.Warning(
                "ASR_ACCESS=open lets anyone who reaches this server send and read every session.",
                hint="Use ASR_ACCESS=token, and make tokens in the admin.",
                id="asrsite.W001",
            )
        ]
    return []


@checks.register()
def check_debug(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    if settings.DEBUG and not settings.ON_LOOPBACK_ONLY:
        return [
            checks.Error(
                "DEBUG=1 shows settings and source to everyone whom ALLOWED_HOSTS lets in.",
                hint="Unset DEBUG, or allow only localhost.",
                id="asrsite.E001",
            )
        ]
    return []
