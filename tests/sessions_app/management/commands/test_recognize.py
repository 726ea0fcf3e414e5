"""`manage.py recognize`: what it refuses, how many processes it starts, and how it ends."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from deploy.local_servers import free_port
from recognition.core.endpointing import EndpointingOptions
from recognition.exceptions import ModelSetError
from recognition.fakes.scripted import Script, scripted_models
from recognition.model_options import LoadContext, ModelOptions
from recognition.model_sets.reading import ModelSet
from sessions_app.management.commands import recognize
from sessions_app.management.commands.recognize import Command
from sessions_app.worker.hosted_worker import Recognition
from sessions_app.worker.worker_processes import WorkersFailed
from tests.recognition.model_sets.tone_family import HERE

from .workers import Worker


@pytest.fixture(autouse=True)
def _redis(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"


def recognition(device: str = "cpu") -> list[Recognition]:
    models = replace(scripted_models(Script()), device=device)
    return [Recognition("embedded", models, EndpointingOptions(), 10)]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many processes each start was of."""
    counts: list[int] = []

    class Processes:
        def __init__(self, count: int, work: Callable[[int, int], None]) -> None:
            counts.append(count)

        def run(self) -> None:
            pass

    monkeypatch.setattr(recognize, "WorkerProcesses", Processes)
    monkeypatch.setattr(recognize, "load_recognition", lambda sets: recognition() if sets else [])
    monkeypatch.setattr(recognize, "cpu_count", lambda: 6)
    monkeypatch.setattr(connections, "close_all", lambda: None)

    async def run_here(command: Command, recognition: Sequence[Recognition], lifeline: int | None) -> None:
        assert lifeline is None
        counts.append(1)

    monkeypatch.setattr(Command, "_run", run_here)
    return counts


class TestRefusing:
    def test_without_redis_nobody_would_meet_it(self, settings: Settings) -> None:
        settings.REDIS_URL = ""

        with pytest.raises(CommandError, match="set REDIS_URL"):
            call_command("recognize")

    @pytest.mark.parametrize("processes", ["0", "-2"])
    def test_no_process_is_no_worker(self, processes: str) -> None:
        with pytest.raises(CommandError, match=f"--processes {processes}: there must be at least one"):
            call_command("recognize", f"--processes={processes}")

    def test_a_model_set_that_cannot_be_loaded_is_told_in_its_words(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(sets: Sequence[ModelSet]) -> list[Recognition]:
            raise ModelSetError("own.toml cannot be read")

        monkeypatch.setattr(recognize, "load_recognition", fail)

        with pytest.raises(CommandError, match=r"^own\.toml cannot be read$"):
            call_command("recognize")

    def test_one_gpu_serves_one_process(self, started: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recognize, "load_recognition", lambda sets: recognition("cuda:0"))

        with pytest.raises(CommandError, match="CUDA_VISIBLE_DEVICES"):
            call_command("recognize", "--processes", "2")
        assert started == []

    @pytest.mark.parametrize("port", ["70000", "-1"])
    def test_figures_need_a_port_that_is_one(self, started: list[int], port: str) -> None:
        with pytest.raises(CommandError, match=rf"cannot serve metrics on 127\.0\.0\.1:{port}"):
            call_command("recognize", "--processes", "1", f"--metrics-port={port}")
        assert started == []

    def test_a_host_of_somebody_else_has_no_figures_of_ours(self, started: list[int]) -> None:
        with pytest.raises(CommandError, match=r"cannot serve metrics on 203\.0\.113\.7"):
            call_command(
                "recognize", "--processes=1", f"--metrics-port={free_port()}", "--metrics-host=203.0.113.7"
            )

    def test_workers_that_end_again_and_again_end_the_command(
        self, started: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Failing:
            def __init__(self, count: int, work: object) -> None:
                pass

            def run(self) -> None:
                raise WorkersFailed("worker 0 ended with 1")

        monkeypatch.setattr(recognize, "WorkerProcesses", Failing)

        with pytest.raises(CommandError, match="worker 0 ended with 1"):
            call_command("recognize", "--processes", "2")


class TestProcesses:
    def test_there_is_one_for_each_core(self, started: list[int]) -> None:
        call_command("recognize")

        assert started == [6]

    def test_a_gpu_has_one(self, started: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recognize, "load_recognition", lambda sets: recognition("cuda:0"))

        call_command("recognize")

        assert started == [1]

    @pytest.mark.parametrize("count", [1, 3])
    def test_there_are_as_many_as_are_asked_for(self, started: list[int], count: int) -> None:
        call_command("recognize", "--processes", str(count))

        assert started == [count]


class TestModelsThatDoNotSurviveAFork:
    @pytest.fixture
    def loaded(self, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> list[list[str]]:
        """The sets of each loading: the second is one whose models each process opens for itself."""
        calls: list[list[str]] = []

        def load(sets: Sequence[ModelSet]) -> list[Recognition]:
            calls.append([each.name for each in sets])
            return [recognition()[0]._replace(name=each.name) for each in sets]

        monkeypatch.setattr(recognize, "load_recognition", load)
        (tmp_path / "late.toml").write_text(LATE)
        (tmp_path / "last.toml").write_text('title = "Last"\nchecksum = true')
        settings.MODEL_SETS = ["embedded", str(tmp_path / "late.toml"), str(tmp_path / "last.toml")]
        return calls

    def test_are_loaded_by_each_process_for_itself(
        self, loaded: list[list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served: list[list[str]] = []

        class Processes:
            def __init__(self, count: int, work: Callable[[int, int | None], None]) -> None:
                self.count, self.work = count, work

            def run(self) -> None:
                assert loaded == [["embedded", "last"]]
                for number in range(self.count):
                    self.work(number, None)

        async def run_here(command: Command, sets: Sequence[Recognition], lifeline: int | None) -> None:
            served.append([each.name for each in sets])

        monkeypatch.setattr(recognize, "WorkerProcesses", Processes)
        monkeypatch.setattr(Command, "_run", run_here)
        monkeypatch.setattr(connections, "close_all", lambda: None)

        call_command("recognize", "--processes", "2")

        assert loaded == [["embedded", "last"], ["late"], ["late"]]
        assert served == [["embedded", "late", "last"]] * 2

    def test_on_a_gpu_have_one_process_as_well(
        self, loaded: list[list[str]], started: list[int], monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        monkeypatch.setattr(recognize, "load_recognition", lambda sets: recognition() if sets else [])
        settings.DEVICE = "cuda"

        with pytest.raises(CommandError, match="CUDA_VISIBLE_DEVICES"):
            call_command("recognize", "--processes", "2")


@dataclass(frozen=True, slots=True)
class LateOptions(ModelOptions):
    """A recogniser that each process must open for itself."""

    has_files: ClassVar[bool] = False
    opens_after_fork: ClassVar[bool] = True

    def load(self, context: LoadContext) -> Any:
        raise NotImplementedError

    def device(self, context: LoadContext) -> str:
        return context.device if context.device == "cuda" else "cpu"


LATE = f"""
title = "Late"
[vad]
title = "None"
licence = "MIT"
kind = "{HERE}.ToneVad"
[offline]
title = "Late"
licence = "MIT"
kind = "{__name__}.LateOptions"
"""


class TestEnding:
    """One worker's process, told to stop by the pipe to its parent."""

    @pytest.fixture(autouse=True)
    def _here(self, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
        settings.REDIS_URL = ""
        monkeypatch.setattr(recognize, "freeze_heap", lambda: None)
        monkeypatch.setattr(recognize, "STOP_S", 0.05)

    async def run(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
        monkeypatch.setattr(recognize, "HostedWorker", lambda recognition: worker)
        out, errors = io.StringIO(), io.StringIO()
        command = Command(stdout=out, stderr=errors, no_color=True)
        lifeline, parent = os.pipe()
        try:
            async with asyncio.timeout(10):
                running = asyncio.create_task(command._run(recognition(), lifeline))
                while "run" not in worker.told and not running.done():
                    await asyncio.sleep(0)
                os.write(parent, b"x")
                await running
        finally:
            asyncio.get_running_loop().remove_reader(lifeline)
            os.close(lifeline)
            os.close(parent)
        return out.getvalue(), errors.getvalue()

    async def test_its_parents_end_is_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        worker = Worker()

        said, errors = await self.run(worker, monkeypatch)

        assert worker.told == ["start", "run", "stop"]
        assert said == f"Recognising in process {os.getpid()}  (Ctrl-C stops)\n"
        assert errors == ""

    async def test_what_takes_too_long_is_left_to_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _said, errors = await self.run(Worker(hangs=True), monkeypatch)

        assert errors == "What was being recognised is left to other workers.\n"

    async def test_an_end_that_nobody_asked_for_is_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(CommandError, match="ended though nobody told it to"):
            await self.run(Worker(ends=True), monkeypatch)

    async def test_a_failure_is_told_as_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ModelSetError, match="cannot be read"):
            await self.run(Worker(ModelSetError("own.toml cannot be read")), monkeypatch)


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(CommandError, match="--processes: invalid int value: 'all'"):
        call_command("recognize", "--processes", "all")
