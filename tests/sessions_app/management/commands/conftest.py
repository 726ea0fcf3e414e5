"""A transport of its own for each command that is tested."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sessions_app.transport.current import get_transport


@pytest.fixture(autouse=True)
def transport() -> Iterator[None]:
    """A transport that no other test has used."""
    get_transport.cache_clear()
    yield
    get_transport.cache_clear()
