"""The common interface of servers that are compared: how one is had, started, and spoken to."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Running:
    """A server that takes streams."""

    port: int
    pid: int


class Reader(Protocol):
    """All that the server has told of one stream so far."""

    @property
    def firm(self) -> str:
        """Text that is meant to stay."""
        ...

    @property
    def sure(self) -> str:
        """Text that a reader sees and that is not marked as one that may change."""
        ...

    @property
    def shown(self) -> str:
        """Text that a reader sees: what is firm, and behind it what may change."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        ...

    def read(self, message: dict[str, Any]) -> None:
        """Take the next message."""
        ...


class Peer(Protocol):
    """A server, in one of the ways that it can be run."""

    name: str
    title: str

    def install(self) -> None:
        """Make everything ready that it needs, unless that was done before."""
        ...

    def serve(self) -> AbstractContextManager[Running]:
        """Start it on the cores of this thread; it is ready when the context is entered."""
        ...

    def address(self, port: int, stream: str) -> str:
        """Return where a stream of this name is sent to and read from."""
        ...

    def frame(self, audio: np.ndarray) -> bytes:
        """Return audio, float32, as it takes it."""
        ...

    def farewell(self) -> bytes | str:
        """Return what is sent behind the last frame."""
        ...

    def reader(self) -> Reader: ...
