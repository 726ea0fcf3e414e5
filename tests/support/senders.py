"""A sender's socket, for tests of what lies behind sockets."""

from __future__ import annotations

from dataclasses import dataclass, field

from sessions_app.transport.interface import LogLost, Superseded


@dataclass
class Socket:
    """Remembers what it is told. Implements `SenderListener`."""

    kept: list[int] = field(default_factory=list)
    lost: list[Exception] = field(default_factory=list)

    def audio_kept(self, position: int) -> None:
        self.kept.append(position)

    def sender_lost(self, why: Superseded | LogLost) -> None:
        self.lost.append(why)
