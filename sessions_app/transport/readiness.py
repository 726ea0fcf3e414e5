"""Readiness: could some worker take a session of the first model set now?"""

from __future__ import annotations

from sessions_app import model_sets

from .current import get_transport


async def recognition_is_ready() -> bool:
    return await get_transport().has_workers(model_sets.names()[0])
