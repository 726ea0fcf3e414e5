"""A model set at work in a worker."""

from __future__ import annotations

from dataclasses import dataclass

from recognition.core.endpointing import EndpointingOptions
from recognition.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class RunningSet:
    """The engine for the sessions of one model set; sets share nothing but the process."""

    name: str
    engine: Engine
    endpointing: EndpointingOptions
