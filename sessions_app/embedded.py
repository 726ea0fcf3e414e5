"""Serving and recognising in one process: what starts when the server is up, and how it stops."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from django.conf import settings

from recognition.engine import Engine
from recognition.model_sets import load_models, read_model_set

from . import queries
from .database import in_database
from .transport import Transport, get_transport
from .worker import RecognitionWorker

logger = logging.getLogger(__name__)


class EmbeddedWorker:
    """A recognition worker on the server's event loop; the models compute in a thread beside it."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._worker: RecognitionWorker | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load the models and take sessions, also those that an earlier process left unfinished.

        Raises:
            ModelError: If the model set cannot be loaded.
        """
        model_set = read_model_set(settings.MODEL_SET)
        models = await asyncio.to_thread(load_models, model_set, Path(settings.MODELS_DIR))
        self._engine = Engine(models)
        self._engine.start()
        transport = get_transport()
        self._worker = RecognitionWorker(
            self._engine, model_set.endpointing, transport, capacity=settings.CAPACITY
        )
        self._running = asyncio.create_task(self._worker.run(), name="recognition worker")
        await _offer_unfinished(transport)
        logger.info("ready with the model set %s", model_set.name)

    @property
    def is_ready(self) -> bool:
        return self._running is not None and not self._running.done()

    async def stop(self) -> None:
        if self._worker and self._running:
            self._worker.stop()
            await asyncio.gather(self._running, return_exceptions=True)
        if self._engine:
            await self._engine.aclose()


async def _offer_unfinished(transport: Transport) -> None:
    for session, durable in await in_database(queries.unfinished_sessions):
        await transport.offer(session, durable=durable)
