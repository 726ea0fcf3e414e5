"""Redis as it comes, and Valkey: what holds for one holds for the other."""

from __future__ import annotations

import pytest

from deploy.local_servers import RedisServer


@pytest.fixture(scope="session", params=["redis", "valkey"])
def any_redis(request: pytest.FixtureRequest) -> RedisServer:
    server: RedisServer = request.getfixturevalue(f"{request.param}_server")
    return server
