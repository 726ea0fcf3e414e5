"""`manage.py serve`, before and around its server: what stops it, what it prepares, and what it tells."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import connection
from pytest_django import Settings
from websockets.exceptions import ConnectionClosedError

from recognition.exceptions import ModelSetError
from sessions_app.management.commands import serve
from sessions_app.management.commands.serve import Command

from .workers import Worker


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999"])
def test_a_port_that_is_none_is_named_before_anything_is_done(port: str) -> None:
    with pytest.raises(CommandError, match=rf"--port {port}: ports are numbers from 1 to 65535"):
        call_command("serve", f"--port={port}")


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(CommandError, match="--port: invalid int value: 'http'"):
        call_command("serve", "--port", "http")


class Server:
    """Stands in for the server itself: it runs until it is stopped."""

    def __init__(self, application: Any, *, on_stop: Any, ready_callable: Any, **options: Any) -> None:
        self.options = options
        self.on_stop, self.ready = on_stop, ready_callable
        self.listening_addresses = ["127.0.0.1"]
        self.is_stopping = asyncio.Event()

    def run(self) -> None:
        asyncio.run(self.serve())

    async def serve(self) -> None:
        self.ready()
        async with asyncio.timeout(10):
            await self.is_stopping.wait()
        stopping = asyncio.ensure_future(self.on_stop())
        assert (await asyncio.wait([stopping], timeout=10))[0], "it never stops"
        stopping.result()

    def stop(self) -> None:
        self.is_stopping.set()


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(serve, "PatientServer", Server)
    monkeypatch.setattr(serve, "freeze_heap", lambda: None)
    monkeypatch.setattr(Command, "_prepare_what_is_new", lambda self: None)
    return Command(no_color=True)


def handle(command: Command, *, host: str = "127.0.0.1", port: int = 8000, demo: bool = False) -> str:
    out = io.StringIO()
    command.stdout = OutputWrapper(out)
    command.handle(host=host, port=port, demo=demo)
    return out.getvalue()


class TestRunning:
    def run_until_started(
        self, command: Command, monkeypatch: pytest.MonkeyPatch, worker: Worker, **options: Any
    ) -> str:
        """Stop the server once recognition is at work."""
        run = worker.run

        async def stop_then_run() -> None:
            command.server.stop()
            await run()

        worker.run = stop_then_run  # type: ignore[method-assign]
        monkeypatch.setattr(serve, "HostedWorker", lambda: worker)
        return handle(command, **options)

    def test_recognition_starts_with_the_server_and_stops_with_it(
        self, command: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker = Worker()

        said = self.run_until_started(command, monkeypatch, worker)

        assert worker.told == ["start", "run", "stop"]
        assert said == "Serving on http://127.0.0.1:8000/  (Ctrl-C stops)\n"

    def test_other_computers_are_told_their_address_where_they_are_let_in(
        self, command: Command, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        everywhere = "0.0.0.0"  # noqa: S104 - nothing listens here
        settings.HOST, settings.NETWORK_HOSTS = everywhere, ["192.168.1.5", "[fd00::5]"]
        settings.ALLOWED_HOSTS = ["localhost", "192.168.1.5"]

        said = self.run_until_started(command, monkeypatch, Worker(), host=everywhere)

        assert said.splitlines()[1:] == [
            "Other computers on this network: http://192.168.1.5:8000/",
            "(with a login; their microphones need HTTPS: see docs/deployment.md)",
        ]

    def test_an_address_of_the_sixth_version_is_one_place(
        self, command: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Twisted parts its endpoints by colons."""
        self.run_until_started(command, monkeypatch, Worker(), host="::1", port=9000)

        assert command.server.options["endpoints"] == [r"tcp:port=9000:interface=\:\:1"]

    def test_with_redis_others_recognise(
        self, command: Command, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1"
        monkeypatch.setattr(serve, "HostedWorker", lambda: pytest.fail("it recognises itself"))
        monkeypatch.setattr(serve, "freeze_heap", lambda: command.server.stop())

        handle(command)

        assert command.worker is None

    @pytest.mark.parametrize(("is_allowed", "expected"), [(True, ["meeting"]), (False, [])])
    def test_the_sample_meeting_is_shown_where_the_settings_allow_it(
        self,
        command: Command,
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
        is_allowed: bool,
        expected: list[str],
    ) -> None:
        settings.DEMO = is_allowed
        shown: list[str] = []

        async def show(port: int, say: Any) -> None:
            shown.append("meeting")
            say(f"streamed to {port}")

        monkeypatch.setattr(serve, "show_sample_meeting", show)

        said = self.run_until_started(command, monkeypatch, Worker(), demo=True)

        assert shown == expected
        assert ("streamed to 8000\n" in said) == is_allowed

    def test_a_sample_meeting_that_breaks_off_stops_nothing(
        self,
        command: Command,
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        settings.DEMO = True

        async def break_off(port: int, say: Any) -> None:
            raise ConnectionClosedError(None, None)

        monkeypatch.setattr(serve, "show_sample_meeting", break_off)
        worker = Worker()

        self.run_until_started(command, monkeypatch, worker, demo=True)

        assert worker.told == ["start", "run", "stop"]
        assert "the sample meeting broke off" in caplog.text

    def test_it_stops_though_the_sample_meeting_breaks_off_at_that_moment(
        self, command: Command, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        """The task group of the meeting tells the error then, and loses the cancellation."""
        settings.DEMO = True

        async def close_at_the_end() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise ConnectionClosedError(None, None)

        async def show(port: int, say: Any) -> None:
            async with asyncio.TaskGroup() as sockets:
                sockets.create_task(close_at_the_end())
                await asyncio.sleep(0)  # it has begun
                command.server.stop()

        monkeypatch.setattr(serve, "show_sample_meeting", show)
        worker = Worker()
        monkeypatch.setattr(serve, "HostedWorker", lambda: worker)

        handle(command, demo=True)

        assert worker.told[-1] == "stop"


class TestFailing:
    def test_a_model_set_with_a_mistake_ends_the_command_with_its_words(
        self, command: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker = Worker(ModelSetError("own.toml: [vad]: there is no such kind"))
        monkeypatch.setattr(serve, "HostedWorker", lambda: worker)

        with pytest.raises(CommandError, match=r"^own\.toml: \[vad\]: there is no such kind$"):
            handle(command)
        assert worker.told == ["start", "stop"]

    def test_what_nobody_foresaw_is_named_and_in_the_log(
        self, command: Command, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(serve, "HostedWorker", lambda: Worker(ZeroDivisionError("by zero")))

        with pytest.raises(CommandError, match="Recognition failed: ZeroDivisionError: by zero"):
            handle(command)
        assert caplog.records[-1].exc_info

    def test_a_place_that_is_taken_is_named(self, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        class Deaf(Server):
            def run(self) -> None:
                self.listening_addresses = []

        monkeypatch.setattr(serve, "PatientServer", Deaf)
        monkeypatch.setattr(serve, "HostedWorker", Worker)

        with pytest.raises(CommandError, match=r"Cannot listen on 127\.0\.0\.1:8000: is another server"):
            handle(command)


@pytest.mark.django_db
class TestPreparing:
    @pytest.fixture
    def prepared(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        called: list[str] = []
        monkeypatch.setattr(serve, "call_command", lambda name, **options: called.append(name))
        monkeypatch.setattr(connection, "close", lambda: None)
        return called

    def test_a_database_that_is_there_is_left_as_it_is(self, prepared: list[str]) -> None:
        Command()._prepare_what_is_new()

        assert prepared == []

    @pytest.mark.parametrize(
        ("vendor", "redis", "expected"),
        [("sqlite", "", ["prepare"]), ("sqlite", "redis://a", []), ("postgresql", "", [])],
    )
    def test_an_empty_one_is_prepared_where_this_process_is_alone(
        self,
        prepared: list[str],
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
        vendor: str,
        redis: str,
        expected: list[str],
    ) -> None:
        settings.REDIS_URL = redis
        monkeypatch.setattr(connection, "vendor", vendor)
        monkeypatch.setattr(connection.introspection, "table_names", list)

        Command()._prepare_what_is_new()

        assert prepared == expected
