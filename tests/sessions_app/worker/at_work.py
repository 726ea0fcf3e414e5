"""A recognition worker beside a transport in memory, as in a process that does everything itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from recognition.core.endpointing import EndpointingOptions
from recognition.engine.engine import Engine
from recognition.interfaces import Models
from sessions_app.transport.memory import MemoryTransport
from sessions_app.worker.recognition_worker import RecognitionWorker
from sessions_app.worker.running_set import RunningSet


@asynccontextmanager
async def worker_at_work(models: Models) -> AsyncIterator[MemoryTransport]:
    transport, engine = MemoryTransport(), Engine(models)
    engine.start()
    worker = RecognitionWorker([RunningSet("", engine, EndpointingOptions())], transport, capacity=8)
    running = asyncio.create_task(worker.run())
    yield transport
    worker.stop()
    await running
    await engine.aclose()
