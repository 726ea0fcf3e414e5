"""Health and figures: who may see them, and what they say when something is missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import AsyncClient, Client
from redis.exceptions import ConnectionError as RedisConnectionError

from asrsite import __version__, health


def test_a_process_is_alive_without_any_database() -> None:
    response = Client().get("/healthz")

    assert (response.status_code, response.content) == (200, b"alive\n")


class TestReady:
    @pytest.fixture(autouse=True)
    def _all_well(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def well() -> bool:
            return True

        for probe in ("_database", "_channel_layer", "recognition_is_ready"):
            monkeypatch.setattr(health, probe, well)

    async def parts(self) -> tuple[int, dict[str, bool]]:
        response: Any = await AsyncClient().get("/readyz")
        return response.status_code, response.json()

    async def test_it_is_ready_if_nothing_is_missing(self) -> None:
        status, parts = await self.parts()

        assert status == 200
        assert parts == {"database": True, "channel_layer": True, "recognition": True}

    @pytest.mark.parametrize(
        ("probe", "part"),
        [
            ("_database", "database"),
            ("_channel_layer", "channel_layer"),
            ("recognition_is_ready", "recognition"),
        ],
    )
    @pytest.mark.parametrize(
        "error",
        [OperationalError("gone"), RedisConnectionError("gone"), OSError("gone"), TimeoutError()],
        ids=repr,
    )
    async def test_whatever_fails_is_named(
        self, probe: str, part: str, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health, probe, failing(error))

        status, parts = await self.parts()

        assert status == 503
        assert [name for name, works in parts.items() if not works] == [part]


def failing(error: Exception) -> Callable[[], Awaitable[bool]]:
    async def probe() -> bool:
        raise error

    return probe


class TestFigures:
    def get(self, address: str = "127.0.0.1", **headers: str) -> Any:
        return Client(REMOTE_ADDR=address, headers=headers).get("/metrics")

    def test_this_machine_sees_them(self) -> None:
        response = self.get()

        assert response.status_code == 200
        assert f'asrsite_info{{version="{__version__}"}} 1.0' in response.content.decode()

    def test_another_machine_is_told_what_to_do(self) -> None:
        response = self.get("10.0.0.7")

        assert response.status_code == 403
        assert "METRICS_TOKEN" in response.content.decode()

    def test_a_proxy_on_this_machine_is_another_machine(self) -> None:
        assert self.get(**{"x-forwarded-for": "10.0.0.7"}).status_code == 403

    def test_the_token_lets_another_machine_in(self, settings: Any) -> None:
        settings.METRICS_TOKEN = "s3cret"

        assert self.get("10.0.0.7", authorization="Bearer s3cret").status_code == 200

    @pytest.mark.parametrize(
        "shown", ["Bearer S3cret", "Bearer s3cre", "Bearer ", "s3cret", "Basic s3cret", "Bearer é"]
    )
    def test_anything_like_the_token_does_not(self, shown: str, settings: Any) -> None:
        settings.METRICS_TOKEN = "s3cret"

        assert self.get("10.0.0.7", authorization=shown).status_code == 403

    @pytest.mark.parametrize("shown", ["Bearer ", "Bearer None", ""])
    def test_without_a_token_in_the_settings_none_is_right(self, shown: str, settings: Any) -> None:
        settings.METRICS_TOKEN = ""

        assert self.get("10.0.0.7", authorization=shown).status_code == 403
