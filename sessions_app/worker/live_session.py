"""One live session on a worker: its audio log in, its lines into the database and to everyone who follows."""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any, TypeVar

import numpy as np
from django.conf import settings
from django.utils import timezone

from recognition.audio import SAMPLE_RATE, milliseconds, samples, seconds
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import (
    Ended,
    Event,
    Final,
    Flushed,
    OverlappingSpeech,
    Partial,
    Settled,
    UtteranceFailed,
)
from recognition.engine.engine import Engine
from recognition.engine.transcriber import Transcriber
from recognition.hotwords import Hotwords
from sessions_app import pacing
from sessions_app.metrics import final_age, observe_age, partial_age
from sessions_app.models import Session, Utterance
from sessions_app.recordings import files
from sessions_app.store import commits, queries, voices
from sessions_app.store.commits import Lease, NewLine
from sessions_app.store.in_database import in_database
from sessions_app.store.voices import VoiceChanges
from sessions_app.transport.interface import AudioChunk, AudioLog, Fenced
from sessions_app.wire import layer_messages
from sessions_app.wire.protocol import ClosedBy, PartialLine, SessionEnd
from speakers.voiceprints.identification import Gallery
from speakers.voiceprints.overlaps import HeardLine
from speakers.voiceprints.tracking import SpeakerTracker

from .absence import Absence
from .arrivals import Arrivals
from .line_writing import LineWriting

logger = logging.getLogger(__name__)

Publish = Callable[[str, dict[str, Any]], Awaitable[None]]
Written = TypeVar("Written")

READ_S = 1.0
"""How long to wait for audio before looking after the sender."""

MAX_PAUSE_S = 4.0

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

DISK_FULL_RETRY_S = 2.0

HINDERED_S = 1.0
"""A database that takes so long is out of order: no sender could have returned meanwhile."""

TOLD_AGAIN = timedelta(seconds=5)
"""A sender that is waited for so much longer than was said is worth another word."""

SILENCE_PER_COMMIT = samples(5)
"""Progress that is made permanent though nobody spoke."""


async def no_hotwords() -> Hotwords | None:
    """Return none, for sessions that have no database."""
    return None


class LiveSession:
    """Recognises one session until its end, or until another worker has it.

    Args:
        lease: The right to write; `run` ends when it is lost.
        tracker: Says whose each line is; of this session alone.
        publish: Sends a message to a group of the channel layer.
        is_background: Whether it is a file: meetings go first, and nobody waits for partials.
        writing: Says how finished lines are written.
        hotwords: Reads the words that are listened for now.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        transport: AudioLog,
        engine: Engine,
        endpointing: EndpointingOptions,
        tracker: SpeakerTracker,
        publish: Publish,
        is_background: bool = False,
        writing: LineWriting,
        hotwords: Callable[[], Awaitable[Hotwords | None]] = no_hotwords,
    ) -> None:
        self.lease = lease
        self._transport = transport
        self._publish = publish
        self._group = layer_messages.session_group(lease.key)
        self.is_background = is_background
        self._transcriber = Transcriber(
            engine,
            endpointing,
            start=lease.durable,
            partials=not is_background,
            is_background=is_background,
        )
        self._transcriber.set_language(lease.language)
        self._journal = files.Journal(lease.session_pk)
        self._tracker = tracker
        self._writing = writing
        self._hotwords = hotwords
        self._finals: list[Final] = []  # of the latest utterance, as long as more may come
        self._overlap_keys = count(-1, -1)
        self._lines: list[NewLine] = []
        self._arrivals = Arrivals()
        self._committing = asyncio.Lock()
        self._received = lease.durable
        self._is_flush_known = False  # one where it stands in the log
        self._state = Session.State.LIVE  # as `acquire` left it
        self._stop = False
        self._is_leaving = False
        self._has_read_all = False
        self._is_unfinished = False
        self._closed_by = ClosedBy.SENDER
        self._absence = Absence(time.monotonic())
        self._awaited_until: datetime | None = None

    async def run(self) -> None:
        """Recognise to the end, or until `hand_over`.

        Raises:
            Fenced: If another worker has taken the session over.
        """
        try:
            await asyncio.sleep(pause_after(self.lease.failures))
            await self._publish_hint(layer_messages.changed_message(self.lease.key))
            await self._recall_voices()
            await self._listen_for_hotwords()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._recognise())
                tasks.create_task(self._persist())
            if self._is_unfinished and not self._transport.keeps_audio:
                await self._leave_to_the_disk()
        except* Fenced:
            raise Fenced from None
        finally:
            self._transcriber.close()
            self._journal.close()
        if not self._is_unfinished:
            await self._with_space(self._encode_recording)

    def stop(self) -> None:
        """End the session as if its sender had said "close"."""
        self._stop = True

    def hand_over(self) -> None:
        """Commit what is recognised and let `run` return: another worker, or this one restarted, goes on."""
        self._is_leaving = True

    def hears_as(self, gallery: Gallery) -> bool:
        """Return whether its voices are told apart by the gallery's model."""
        return self._tracker.model_id == gallery.model_id

    async def set_gallery(self, gallery: Gallery) -> None:
        """Use another gallery, as somebody was enrolled or forgotten; earlier lines are corrected."""
        self._tracker.set_gallery(gallery)
        await self._listen_for_hotwords()
        await self._correct()

    async def _listen_for_hotwords(self) -> None:
        self._transcriber.set_hotwords(await self._hotwords())

    async def apply_corrections(self) -> None:
        """Apply what somebody said of this session: the name of a voice, or whose a line is."""
        corrections = await in_database(voices.corrections, self.lease.session_pk)
        corrections.apply_to(self._tracker)
        await self._correct()

    # Audio.

    async def _recognise(self) -> None:
        await self._hear_recorded()
        await self._read_audio()
        self._is_unfinished = self._is_leaving and not self._has_read_all
        if self._is_unfinished:
            await self._transcriber.leave_off()  # whoever goes on hears the open utterance from its start
            return
        await self._set_state(Session.State.DRAINING)
        self._transcriber.finish()

    async def _hear_recorded(self) -> None:
        """Hear what an earlier process left on the disk, half a sentence perhaps: no log has it any more."""
        for start in range(self._received, self.lease.recorded, SAMPLE_RATE):
            length = min(SAMPLE_RATE, self.lease.recorded - start)
            audio = np.zeros(length, np.float32)  # where somebody deleted the recording
            kept = await asyncio.to_thread(files.read, self.lease.session_pk, start, start + length)
            audio[: len(kept)] = files.to_float32(kept)
            await self._hear(audio)

    async def _read_audio(self) -> None:
        """Read until there is no more, or the rest is for another worker."""
        while not self._has_read_all and not (self._is_leaving and self._transport.keeps_audio):
            chunk = await self._transport.read(
                self.lease.session_pk, self._received, timeout_s=READ_S, after_flush=self._is_flush_known
            )
            if chunk.audio:
                await self._receive_chunk(chunk)
            if chunk.is_flush:
                self._transcriber.flush()
                self._is_flush_known = True
            elif self._is_leaving and not chunk.audio and not chunk.is_end:
                return
            self._has_read_all = await self._is_over(chunk)

    async def _is_over(self, chunk: AudioChunk) -> bool:
        """Tell whether nothing follows this chunk, and note why."""
        is_quiet = not chunk.audio and not chunk.is_flush
        if chunk.is_end:
            is_full = self._received >= samples(settings.MAX_SESSION_S)
            self._closed_by = ClosedBy.LIMIT if is_full else ClosedBy.SENDER
        elif self._stop:
            self._closed_by = ClosedBy.PERSON
        elif is_quiet and await self._has_sender_gone():
            self._closed_by = ClosedBy.ABSENCE
        else:
            return False
        return True

    async def _receive_chunk(self, chunk: AudioChunk) -> None:
        await self._set_state(Session.State.LIVE)
        audio = np.frombuffer(chunk.audio, "<f4")
        await self._record(chunk.start, audio)
        self._is_flush_known = False
        self._log("read the audio from %d to %d", chunk.start, chunk.end)
        await self._hear(audio)

    async def _hear(self, audio: np.ndarray) -> None:
        self._transcriber.feed(audio)
        self._received += len(audio)
        self._arrivals.add(self._received, time.time())
        await self._transcriber.caught_up(pacing.MAX_UNHEARD)
        await self._report()

    async def _record(self, position: int, audio: np.ndarray) -> None:
        async def write() -> None:
            self._journal.write(position, audio)

        await self._with_space(write)

    async def _with_space(self, write: Callable[[], Awaitable[Written]]) -> Written:
        """Write, and wait while the disk is full: the log holds what comes, and then its sender."""
        while True:
            try:
                return await write()
            except OSError as error:
                if error.errno not in NO_SPACE:
                    raise
                logger.error("session %s waits for space to record: %s", self.lease.session_pk, error)
                await asyncio.sleep(DISK_FULL_RETRY_S)

    async def _encode_recording(self) -> None:
        await asyncio.to_thread(files.encode_flac, self.lease.session_pk, end=self.lease.durable)

    async def _has_sender_gone(self) -> bool:
        """Tell whether nobody will send any more; the sessions of senders that may return are paused."""
        gone_s = await self._transport.sender_gone_s(self.lease.session_pk)
        patience_s = await self._patience_s() if gone_s > 0 else 0.0
        left_s = patience_s - self._absence.waited_s(gone_s, now=time.monotonic())
        if gone_s <= 0:
            await self._set_state(Session.State.LIVE)
            return False
        await self._pause(timezone.now() + timedelta(seconds=left_s))
        return left_s < 0

    async def _patience_s(self) -> float:
        """Return for how long the sender is waited for; notes when it may be us who keep it away."""
        asked_at = time.monotonic()
        resumes = await in_database(commits.sender_resumes, self.lease)
        now = time.monotonic()
        if now - asked_at > HINDERED_S:
            self._absence.receive_hindrance(now)
        return float(settings.SENDER_RESUME_S if resumes else settings.SENDER_RETURN_S)

    async def _pause(self, until: datetime) -> None:
        told = self._awaited_until
        if told is None or abs(until - told) > TOLD_AGAIN:
            await self._set_state(Session.State.PAUSED, until=until)

    async def _set_state(self, state: Session.State, *, until: datetime | None = None) -> None:
        if state is not self._state or until != self._awaited_until:
            self._state, self._awaited_until = state, until
            self._log("is %s", state)
            await in_database(commits.set_state, self.lease, state, awaited_until=until)
            await self._publish_hint(layer_messages.changed_message(self.lease.key))

    async def _report(self) -> None:
        await self._transport.report(
            self.lease.session_pk,
            processed=self._transcriber.session.processed,
            durable=self.lease.durable,
        )

    # Lines.

    async def _persist(self) -> None:
        async for event in self._transcriber.events():
            if self._finals and not _goes_on(self._finals[-1], event):
                self._identify_finals()
            match event:
                case Partial():
                    await self._publish_partial(event)
                case Final():
                    self._finals.append(event)
                case UtteranceFailed(_, start, end):
                    logger.error(
                        "session %s: no text for %.1f-%.1f s",
                        self.lease.session_pk,
                        seconds(start),
                        seconds(end),
                    )
                case Settled(position):
                    if self._lines or position - self.lease.durable >= SILENCE_PER_COMMIT:
                        await self._commit(position)
                case Flushed(position):
                    if position > self.lease.durable:
                        await self._commit(position)
                case Ended(position):
                    await self._end(position)

    async def _publish_partial(self, partial: Partial) -> None:
        heard_at = self._arrivals.when(partial.end)
        shown = await self._writing.write_partial(partial)
        line = PartialLine(milliseconds(partial.start), shown.text, shown.tail)
        await self._publish_hint(layer_messages.partial_message(self.lease.key, line, heard_at=heard_at))
        observe_age(partial_age, "published", heard_at)
        self._log("partial of the audio up to %d", partial.end)

    def _identify_finals(self) -> None:
        """Decide whose the lines of an utterance are, and who else speaks in them: all at once."""
        finals, self._finals = self._finals, []
        first = self.lease.last_seq + len(self._lines) + 1
        heard = [_heard(seq, final) for seq, final in enumerate(finals, first)]
        others = [_heard(next(self._overlap_keys), overlap) for final in finals for overlap in final.overlaps]
        decisions = self._tracker.identify_all([*heard, *others])
        during = iter(decisions[len(finals) :])
        for final, decision in zip(finals, decisions, strict=False):
            self._lines.append(NewLine(final, decision, tuple(islice(during, len(final.overlaps)))))

    async def _commit(self, durable: int) -> None:
        def keep() -> tuple[Lease, list[Utterance]]:
            self._journal.sync()
            return commits.commit(self.lease, durable=durable, lines=new, changes=changes)

        async with self._committing:
            new, self._lines = self._lines, []
            changes = self._voice_changes()
            new = await self._writing.write(new)
            self.lease, kept = await self._with_space(lambda: in_database(keep))
        await self._report()
        await self._publish_lines(kept, durable)
        if changes.revisions:
            await self._publish_hint(layer_messages.changed_message(self.lease.key))

    async def _publish_lines(self, kept: list[Utterance], durable: int) -> None:
        heard_at = self._heard_at(kept)
        message = layer_messages.commit_message(
            self.lease.key,
            [queries.as_line(utterance) for utterance in kept],
            received=self._received,
            durable=durable,
            last_seq=self.lease.last_seq,
            heard_at=heard_at,
        )
        await self._publish_hint(message)
        for at in heard_at:
            observe_age(final_age, "published", at)
        self._log("%d lines committed, all before %d is durable", len(kept), durable)

    def _heard_at(self, kept: list[Utterance]) -> list[float | None]:
        """Return when the audio of lines came, so that their age is counted; that of a file means nothing."""
        return [] if self.is_background else [self._arrivals.when(utterance.end) for utterance in kept]

    async def _correct(self) -> None:
        """Commit what the tracker thinks of earlier lines by now; lines on their way will take it along."""
        async with self._committing:
            if self._lines:
                return
            changes = self._voice_changes()
            if not changes:
                return
            try:
                self.lease, _ = await in_database(
                    commits.commit, self.lease, durable=self.lease.durable, lines=[], changes=changes
                )
            except Fenced:
                return  # the next commit finds out as well, and ends the session here
        await self._publish_hint(layer_messages.changed_message(self.lease.key))

    def _voice_changes(self) -> VoiceChanges:
        tracker = self._tracker
        return VoiceChanges(tracker.model_id, tracker.changed_voices(), tracker.take_revisions())

    async def _recall_voices(self) -> None:
        """Go on with the voices that an earlier worker knew."""
        session_pk, tracker = self.lease.session_pk, self._tracker
        for state in await in_database(voices.known_voices, session_pk, tracker.model_id):
            tracker.adopt(state)

    async def _end(self, position: int) -> None:
        if position > self.lease.durable or self._lines:
            await self._commit(position)
        await in_database(commits.end, self.lease, self._closed_by)
        await self._transport.release(self.lease.session_pk)
        end = SessionEnd(self.lease.last_seq, position, position, closed_by=self._closed_by)
        await self._publish_hint(layer_messages.end_message(self.lease.key, end))

    async def _leave_to_the_disk(self) -> None:
        """Keep the audio that nobody has recognised yet: the log goes with this process."""

        def keep() -> None:
            self._journal.sync()
            commits.pause(self.lease, recorded=self._received)

        await self._with_space(lambda: in_database(keep))

    def _log(self, message: str, *values: object) -> None:
        """Say at DEBUG what happens to this session; positions are samples, never what was said."""
        logger.debug(f"session %d: {message}", self.lease.session_pk, *values)

    async def _publish_hint(self, message: dict[str, Any]) -> None:
        """Publish a hint for those who follow; the database has it already, so a loss costs only time."""
        await self._publish(self._group, message)


def _goes_on(final: Final, event: Event) -> bool:
    """Tell whether an event is one more line of the same utterance."""
    return isinstance(event, Final) and event.utterance == final.utterance


def _heard(key: int, speech: Final | OverlappingSpeech) -> HeardLine:
    return HeardLine(key, speech.embedding, seconds(speech.speech), speech.start, speech.end)


def pause_after(failures: int) -> float:
    """Return the seconds to wait before another attempt at the same place."""
    return min(2.0 ** (failures - 2), MAX_PAUSE_S) if failures else 0.0
