"""Health and figures: who may see them, and what they say when something is missing."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import AsyncClient, Client
from redis.exceptions import ConnectionError as RedisConnectionError

from asrsite import __version__, health
from sessions_app.metrics import registry


def test_a_process_is_alive_without_any_database() -> None:
    response = Client().get("/healthz")

    assert (response.status_code, response.content) == (200, b"alive\n")


class TestReady:
    @pytest.fixture(autouse=True)
    def _all_well(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def well() -> bool:
            return True

        for probe in ("_database", "_disk", "_channel_layer", "recognition_is_ready"):
            monkeypatch.setattr(health, probe, well)

    async def parts(self) -> tuple[int, dict[str, bool]]:
        response: Any = await AsyncClient().get("/readyz")
        return response.status_code, response.json()

    async def test_it_is_ready_if_nothing_is_missing(self) -> None:
        status, parts = await self.parts()

        assert status == 200
        assert parts == {"database": True, "disk": True, "channel_layer": True, "recognition": True}

    @pytest.mark.parametrize(
        ("probe", "part"),
        [
            ("_database", "database"),
            ("_disk", "disk"),
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


class TestWrites:
    """It is ready only if what is said can be kept."""

    @pytest.mark.django_db
    def test_a_row_is_written_and_leaves_nothing(self) -> None:
        assert health._write_a_row()
        assert not Session.objects.exists()

    @pytest.mark.django_db
    def test_a_database_that_lacks_changes_of_this_version_is_not_ready(self) -> None:
        MigrationRecorder.Migration.objects.filter(app="speakers", name__startswith="0003").delete()
        assert not health._write_a_row()

    def test_a_file_is_written_where_recordings_are_kept(self, settings: Any, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = tmp_path / "media"
        assert health._write_a_file()
        assert not list((tmp_path / "media").iterdir())

    async def test_a_folder_that_takes_no_file_is_not_ready(self, settings: Any, tmp_path: Path) -> None:
        (tmp_path / "media").write_text("in its place")
        settings.MEDIA_ROOT = tmp_path / "media"
        assert not await health._works(health._disk)

    async def test_a_full_disk_is_not_ready(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("asrsite.health.os.fsync", full)
        assert not await health._works(health._disk)

    async def test_however_many_ask_it_is_tried_once(self) -> None:
        tried: list[None] = []
        probes = health.Probes()

        def write() -> bool:
            tried.append(None)
            return True

        assert all(await asyncio.gather(*(probes.ask("disk", write) for _ in range(50))))
        assert await probes.ask("disk", write)
        assert len(tried) == 1

    async def test_what_was_found_out_is_forgotten_soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "REMEMBERED_S", 0.0)
        answers = [True, False]
        probes = health.Probes()
        assert [await probes.ask("disk", lambda: answers.pop(0)) for _ in range(2)] == [True, False]


def test_free_space_is_among_the_figures() -> None:
    assert registry.get_sample_value("asr_disk_free_bytes")


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
