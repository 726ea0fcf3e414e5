"""One session on one engine: audio goes in, events come out, the models work in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from recognition.audio import SAMPLE_RATE, samples
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Ended, Event
from recognition.core.session import SessionOptions, TranscriptionSession
from recognition.core.work import Result
from recognition.hotwords import Hotwords

from .engine import Engine
from .pace import INTERRUPTED_CREDIT_S, Pace, is_full

MAX_BACKLOG = samples(2)
"""Audio of a recording that waits to be searched for speech."""


class Transcriber:
    """Wraps the session's state machine for asyncio.

    Feed audio and iterate `events()` to the end; call `close()` when it is abandoned before that.

    Args:
        start: Position of the first sample, for a session that goes on after an interruption.
        first_utterance: Number of its first utterance.
        partials: Whether anybody wants to read what is not final yet.
        is_background: Whether it is a file, and all that is spoken now goes first.
        hotwords: Words that are likely to be said.
    """

    def __init__(
        self,
        engine: Engine,
        endpointing: EndpointingOptions,
        *,
        start: int = 0,
        first_utterance: int = 0,
        partials: bool = True,
        is_background: bool = False,
        hotwords: Hotwords | None = None,
    ) -> None:
        options = SessionOptions.for_models(engine.models, endpointing, partials=partials)
        self.session = TranscriptionSession(options, start=start, first_utterance=first_utterance)
        self._engine = engine
        self._pace = Pace(credit_s=INTERRUPTED_CREDIT_S if start else 0.0, is_background=is_background)
        self._stream = engine.open_stream(self._pace, hotwords)
        self._events: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        self._progress = asyncio.Event()

    def feed(self, audio: np.ndarray) -> None:
        """Add audio, float32, shape (n,), 16 kHz mono. Returns at once; see `caught_up`."""
        self.session.receive_audio(audio)
        self._advance()

    def set_hotwords(self, hotwords: Hotwords | None) -> None:
        """Listen for other words from now on."""
        self._stream.context.hotwords = hotwords

    def set_language(self, language: str) -> None:
        """Hear a language from now on; empty: it is found out."""
        self._stream.context.language = language
        self._stream.context.is_language_chosen = bool(language)

    def flush(self) -> None:
        """End the open utterance here; `Flushed` follows its finals."""
        self.session.receive_flush()
        self._advance()

    def finish(self) -> None:
        """No more audio will come; the events end after what is still being recognised."""
        self.session.receive_end()
        self._advance()

    async def feed_all(self, recording: np.ndarray) -> None:
        """Add a whole recording, not much faster than it is searched for speech, and finish."""
        for start in range(0, len(recording), SAMPLE_RATE):
            self.feed(recording[start : start + SAMPLE_RATE])
            await self.caught_up(MAX_BACKLOG)
        self.finish()

    async def caught_up(self, backlog: int) -> None:
        """Wait until at most this many samples have not been searched for speech yet.

        And, of a session that comes faster than it was spoken, until not too much waits for its lines.
        """
        while is_full(self.session, self._pace, backlog=backlog, now=self._engine.now()):
            self._progress.clear()
            await self._progress.wait()

    async def leave_off(self) -> None:
        """Stop where it is: utterances that have ended become final, an open one does not.

        The events end without `Ended`.
        """
        while not self.session.is_waiting:
            self._progress.clear()
            await self._progress.wait()
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[Event]:
        """Yield the events of the session, up to and including `Ended`.

        Raises:
            Exception: What the session could not cope with; nothing follows.
        """
        while event := await self._events.get():
            if isinstance(event, Exception):
                raise event
            yield event
            if isinstance(event, Ended):
                break
        self.close()

    def close(self) -> None:
        """Give up what is under way. Idempotent."""
        self._engine.close_stream(self._stream)

    def _receive_result(self, result: Result) -> None:
        try:
            self.session.receive_result(result)
            self._advance()
        except Exception as error:  # noqa: BLE001 - whoever iterates the events would wait for ever
            self._events.put_nowait(error)

    def _advance(self) -> None:
        for work in self.session.work_to_do():
            self._engine.submit(self._stream, work, self._receive_result)
        for event in self.session.events_to_send():
            self._events.put_nowait(event)
        self._progress.set()
