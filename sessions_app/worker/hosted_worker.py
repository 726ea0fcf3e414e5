"""A recognition worker with its models, on the event loop of the process that hosts it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from recognition.core.endpointing import EndpointingOptions
from recognition.engine.capacity import measure
from recognition.engine.engine import Engine
from recognition.engine.metrics import LAG_BOUNDS_S, Histogram
from recognition.exceptions import ModelSetError, RecognitionError
from recognition.interfaces import Models
from recognition.model_sets.loading import errors_named, load_models
from recognition.model_sets.reading import ModelSet
from recognition.writing import writer
from sessions_app import metrics, model_sets
from sessions_app.installation import BadInstallation
from sessions_app.recordings import files
from sessions_app.store import queries
from sessions_app.store.in_database import in_database
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.transport.current import get_transport
from sessions_app.transport.interface import Transport

from .recognition_worker import RecognitionWorker
from .running_set import RunningSet

logger = logging.getLogger(__name__)

LAG_EVERY_S = 0.1
"""How often the event loop is asked how late it is."""

OFFER_EVERY_S = 60.0
"""How often sessions are looked for that nobody works on, though they have not ended."""


class Recognition(NamedTuple):
    """A model set, loaded, and what it can do here."""

    name: str
    models: Models
    endpointing: EndpointingOptions
    streams: int
    """Sessions of this set that a core holds."""


def load_recognition(sets: Sequence[ModelSet] | None = None) -> list[Recognition]:
    """Load model sets, warm them up, and measure what a core can do with each; one after the other.

    Args:
        sets: Those of the settings if not given.

    Raises:
        ModelError: If that cannot be done, whatever is the matter; the message names the place.
    """
    return [_load(model_set) for model_set in (model_sets.served() if sets is None else sets)]


def _load(model_set: ModelSet) -> Recognition:
    endpointing = _endpointing(model_set)
    models = load_models(
        model_set, Path(settings.MODELS_DIR), compute_type=settings.COMPUTE_TYPE, device=settings.DEVICE
    )
    with errors_named(f"{model_set.file}: measured at the start"):
        streams = settings.CAPACITY or measure(models).streams
    logger.info("the model set %s is loaded; a process takes %d of its sessions", model_set.name, streams)
    if model_sets.are_small_ones_alone():
        logger.warning(
            "only the small built-in models are here: they prove the installation and do not recognise "
            "people; for people, start with ASR_MODELS=people"
        )
    return Recognition(model_set.name, models, endpointing, streams)


def capacity_of(sets: Sequence[Recognition]) -> int:
    """Return the sessions that a process takes at once, whichever sets they are of.

    Each counts as one of the set that takes most: so no mixture is too much for a core.
    """
    return settings.CAPACITY or min(each.streams for each in sets)


def _endpointing(model_set: ModelSet) -> EndpointingOptions:
    """Return the set's options, with the end silence of the settings if they name one."""
    if not settings.END_SILENCE_MS:
        return model_set.endpointing
    endpointing = model_set.endpointing.with_end_silence(settings.END_SILENCE_MS)
    if problem := endpointing.contradiction():
        raise ModelSetError(f"ASR_END_SILENCE_MS and {model_set.file}: [endpointing]: {problem}")
    return endpointing


def failure_message(error: Exception) -> str:
    """Return why there is no recognition, in one line; what is nobody's mistake but ours goes to the log."""
    if isinstance(error, RecognitionError | BadInstallation):
        return str(error)
    logger.error("recognition failed", exc_info=error)
    return f"Recognition failed: {type(error).__name__}: {error}"


class HostedWorker:
    """The models compute in threads beside the event loop, those of each set in their own.

    Args:
        recognition: The sets that are loaded already; otherwise `start` loads those of the settings.
    """

    def __init__(self, recognition: Sequence[Recognition] | None = None) -> None:
        self._recognition = recognition
        self._engines: list[Engine] = []
        self._worker: RecognitionWorker | None = None
        self._running: asyncio.Task[None] | None = None
        self._chores: list[asyncio.Task[None]] = []
        self._collector: metrics.RecognitionCollector | None = None

    async def start(self) -> None:
        """Load the models and take sessions, also those that an earlier process left unfinished.

        Raises:
            ModelError: If the model set cannot be loaded.
        """
        recognition = self._recognition
        if recognition is None:
            recognition = await asyncio.to_thread(load_recognition)
        sets = [RunningSet(each.name, Engine(each.models), each.endpointing) for each in recognition]
        for each in sets:
            each.engine.start()
            self._engines.append(each.engine)
        transport = get_transport()
        capacity = capacity_of(recognition)
        worker = RecognitionWorker(sets, transport, capacity=capacity)
        self._worker = worker
        loop_lag = Histogram(LAG_BOUNDS_S)
        self._collector = metrics.RecognitionCollector(
            {each.name: each.engine for each in sets},
            capacity=capacity,
            sessions=lambda: worker.session_count,
            loop_lag=loop_lag,
            cell=transport.cell,
        )
        metrics.registry.register(self._collector)
        self._running = asyncio.create_task(self._worker.run(), name="recognition worker")
        self._chores = [
            asyncio.create_task(_offer_unfinished(transport), name="offers"),
            asyncio.create_task(_encode_what_was_left(), name="recordings"),
            asyncio.create_task(_watch_lag(loop_lag), name="loop lag"),
            asyncio.create_task(_know_numbers(), name="numbers"),
        ]
        logger.info("ready to recognise")

    async def run(self) -> None:
        """Return when the worker has stopped.

        Raises:
            Exception: Whatever it could not cope with.
        """
        assert self._running
        await asyncio.shield(self._running)

    async def stop(self) -> None:
        """Commit what is recognised and let go of the sessions."""
        if self._worker and self._running:
            self._worker.stop()
            await cancel_and_wait(*self._chores)
            await asyncio.gather(self._running, return_exceptions=True)
        for engine in self._engines:
            await engine.aclose()
        if self._collector:
            metrics.registry.unregister(self._collector)
            self._collector = None


async def _offer_unfinished(transport: Transport) -> None:
    while True:
        for session_pk, kept, model_set in await in_database(queries.unfinished_sessions, transport.cell):
            await transport.offer(session_pk, durable=kept, model_set=model_set)
        await asyncio.sleep(OFFER_EVERY_S)


async def _encode_what_was_left() -> None:
    """Finish the recordings of sessions that ended in a process which did not live to do it."""
    journals = await asyncio.to_thread(files.journals)
    for session_pk in await in_database(queries.ended_among, journals):
        await asyncio.to_thread(files.encode_flac, session_pk)


async def _know_numbers() -> None:
    """Load what writes numbers in digits, before the first line wants it."""
    await asyncio.to_thread(writer.load)


async def _watch_lag(lag: Histogram) -> None:
    """Count how late the event loop is."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        lag.add(max(0.0, loop.time() - due))
