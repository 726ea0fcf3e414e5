"""`manage.py recognize`: recognition workers beside any number of web processes, joined by Redis."""

from __future__ import annotations

import asyncio
import os
import signal
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from joblib import cpu_count
from prometheus_client import start_http_server

from recognition.exceptions import RecognitionError
from recognition.model_options import LoadContext
from recognition.model_sets.reading import ModelSet
from recognition.writing import writer
from sessions_app import installation, model_sets
from sessions_app.cells import directory
from sessions_app.metrics import registry
from sessions_app.serving.gc_freeze import freeze_heap
from sessions_app.transport.current import get_transport
from sessions_app.worker.hosted_worker import HostedWorker, Recognition, load_recognition
from sessions_app.worker.worker_processes import WorkerProcesses, WorkersFailed

STOP_S = 18.0
"""Patience with work in hand: whoever asked us to stop kills after 20 or 30 seconds."""


class Command(BaseCommand):
    help = "Recognise the sessions of web processes that share REDIS_URL and DATABASE_URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--processes",
            type=int,
            metavar="N",
            help="workers that share one copy of the models; without it one per core, or one for a GPU",
        )

        parser.add_argument(
            "--metrics-port",
            type=int,
            metavar="PORT",
            help="serve figures for Prometheus there; the second process at PORT + 1, and so on",
        )
        parser.add_argument("--metrics-host", default="127.0.0.1", metavar="HOST")

    def handle(self, *args: Any, processes: int | None, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError(
                "recognize meets the web processes in Redis: set REDIS_URL. Without it, serve does all."
            )
        if processes is not None and processes < 1:
            raise CommandError(f"--processes {processes}: there must be at least one")
        try:
            with installation.at_work():
                installation.check()
                directory.address_of(settings.CELL)
                self._recognise(processes, options)
        except installation.BadInstallation as error:
            raise CommandError(str(error)) from error
        except directory.CellError as error:
            raise CommandError(f"ASR_CELL: {error}") from error

    def _recognise(self, processes: int | None, options: dict[str, Any]) -> None:
        try:
            sets = model_sets.served()
            shared = load_recognition([each for each in sets if not each.opens_after_fork])
        except RecognitionError as error:
            raise CommandError(str(error)) from error
        count = _process_count(processes, is_on_gpu=_is_on_gpu(sets, shared))

        def work(number: int, lifeline: int | None) -> None:
            self._serve_metrics(options["metrics_host"], options["metrics_port"], number)
            asyncio.run(self._run(_with_others(sets, shared), lifeline))

        if count == 1:
            work(0, None)
            return
        connections.close_all()
        writer.load()  # once for all
        try:
            WorkerProcesses(count, work).run()
        except WorkersFailed as error:
            raise CommandError(str(error)) from error

    def _serve_metrics(self, host: str, port: int | None, number: int) -> None:
        if port is None:
            return
        try:
            start_http_server(port + number, host, registry)
        except (OSError, OverflowError) as error:
            raise CommandError(f"cannot serve metrics on {host}:{port + number}: {error}") from error

    async def _run(self, recognition: Sequence[Recognition], lifeline: int | None) -> None:
        worker = HostedWorker(recognition)
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, stopping.set)
        if lifeline is not None:
            loop.add_reader(lifeline, stopping.set)
        working = asyncio.create_task(self._work(worker))
        told_to_stop = asyncio.create_task(stopping.wait())
        await asyncio.wait([working, told_to_stop], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            raise CommandError("the worker ended though nobody told it to")
        try:
            async with asyncio.timeout(STOP_S):
                await worker.stop()
                await get_transport().aclose()
        except TimeoutError:
            self.stderr.write("What was being recognised is left to other workers.")
        working.cancel()

    async def _work(self, worker: HostedWorker) -> None:
        await worker.start()
        freeze_heap()
        self.stdout.write(f"Recognising in process {os.getpid()}  (Ctrl-C stops)")
        self.stdout.flush()
        await worker.run()


def _is_on_gpu(sets: Sequence[ModelSet], loaded: Sequence[Recognition]) -> bool:
    """Return whether models of these sets compute on a GPU, also those that are not loaded yet."""
    if any(each.models.device != "cpu" for each in loaded):
        return True
    sources = [source for each in sets if each.opens_after_fork for source in each.sources.values()]
    context = LoadContext(Path(), settings.COMPUTE_TYPE, settings.DEVICE)
    return any(source.options.device(context) != "cpu" for source in sources)


def _with_others(sets: Sequence[ModelSet], shared: Sequence[Recognition]) -> list[Recognition]:
    """Return all sets in their order, those loaded now that can only be opened in the process that uses them.

    Raises:
        CommandError: If one cannot be loaded.
    """
    loaded = {each.name: each for each in shared}
    try:
        others = load_recognition([each for each in sets if each.name not in loaded])
    except RecognitionError as error:
        raise CommandError(str(error)) from error
    loaded |= {each.name: each for each in others}
    return [loaded[each.name] for each in sets]


def _process_count(asked: int | None, *, is_on_gpu: bool) -> int:
    if asked is None:
        return 1 if is_on_gpu else cpu_count()
    if asked > 1 and is_on_gpu:
        raise CommandError(
            f"--processes {asked}: models on a GPU serve one process; "
            "start one for each GPU, with CUDA_VISIBLE_DEVICES"
        )
    return asked
