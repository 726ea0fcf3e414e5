"""An application's socket without a server: ASGI's messages go in and come out."""

from __future__ import annotations

from typing import Any

from asgiref import testing


class Communicator:
    """ASGI's own for tests, which has no types."""

    def __init__(self, application: Any, scope: dict[str, Any]) -> None:
        untyped: Any = testing.ApplicationCommunicator
        self._communicator = untyped(application, scope)

    async def send_input(self, message: dict[str, Any]) -> None:
        await self._communicator.send_input(message)

    async def receive_output(self, timeout_s: float = 1) -> dict[str, Any]:
        return dict(await self._communicator.receive_output(timeout_s))

    async def receive_nothing(self, timeout_s: float = 0.1) -> bool:
        return bool(await self._communicator.receive_nothing(timeout_s))

    async def wait(self, timeout_s: float = 1) -> None:
        """Wait for the application to end, and raise what it raises."""
        await self._communicator.wait(timeout_s)
