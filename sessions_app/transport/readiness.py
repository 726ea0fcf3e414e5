"""Readiness: could some worker take a session now?"""

from __future__ import annotations

from .current import get_transport


async def recognition_is_ready() -> bool:
    return await get_transport().has_workers()
