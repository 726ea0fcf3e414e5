"""Faults of an installation that `manage.py check` finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from .transcripts.letterhead import BadLogo, read_logo


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


@checks.register()
def check_logo(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.PAPER_LOGO:
        return []
    try:
        read_logo(Path(settings.PAPER_LOGO))
    except BadLogo as error:
        hint = "Set ASR_PAPER_LOGO to the path of a PNG, JPEG or SVG, or unset it."
        return [checks.Error(f"ASR_PAPER_LOGO: {error}", hint=hint, id="asrsite.E002")]
    return []
