"""A sender's connection: its audio on the way into the session's log, and what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from django.conf import settings

from recognition.audio import samples
from recognition.scripts import SIMPLIFIED
from sessions_app import hotword_spelling, model_sets
from sessions_app.access import resuming
from sessions_app.cells import directory
from sessions_app.cells.placement import CELLS_TRIED
from sessions_app.models import Session
from sessions_app.store import commits, queries
from sessions_app.store.in_database import in_database
from sessions_app.transport.current import get_transport
from sessions_app.transport.interface import (
    AudioFinished,
    LogLost,
    Overloaded,
    SenderConflict,
    Superseded,
    TransportError,
    Unreachable,
)
from sessions_app.wire.audio_frames import pieces
from sessions_app.wire.dialects import Audio, Capabilities, Command, Dialect
from sessions_app.wire.pcm import PcmConverter
from sessions_app.wire.protocol import Close, ClosedBy, ErrorCode, Flush, JoinRequest, ProtocolError

from .feed import Cursor, SessionFeed, ended_in_absence
from .flush_limit import FlushLimit

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

MAX_BAD_MESSAGES = 10

OPEN_ATTEMPT_PAUSES_S = (0.2, 0.6, 0.0)
"""Who reconnects may be faster than the news that the old connection is gone."""

DATABASE_S = 3.0
"""How long a newcomer waits for the database; it waits about as long for the transport."""

UNREACHABLE_RETRY_S = 2.0

END_PATIENCE_S = 2.0
"""How long after its log is gone a session's end is waited for, before its sender's is said anew."""

LAST_AUDIO_S = 1.0
"""How long a socket that is gone waits for room in the log, for the little that resampling held back."""


class SenderConnection:
    """From becoming the session's one sender until leaving. Implements `SenderListener`.

    Args:
        cursor: Tells this sender what was kept of its audio.
        dialect: Understands its messages.
        capabilities: Of its client; `pcm` is what `Audio` of its dialect brings.
        on_change: Called when there is something to tell.
        on_error: Called with what went wrong while nothing was being received.
    """

    def __init__(
        self,
        join: JoinRequest,
        feed: SessionFeed,
        cursor: Cursor,
        *,
        dialect: Dialect,
        capabilities: Capabilities,
        on_change: Callable[[], None],
        on_error: Callable[[ProtocolError], None],
    ) -> None:
        self._join = join
        self._feed = feed
        self._cursor = cursor
        self._dialect = dialect
        self._resumes = capabilities.resumes
        self._ends_by_leaving = capabilities.ends_by_leaving
        self._lingers = bool(capabilities.lingers_s)
        self._converter = PcmConverter(capabilities.pcm) if capabilities.pcm else None
        self._on_change = on_change
        self._on_error = on_error
        self._sender = uuid.uuid4().hex
        self._session_pk = 0
        self.model_set = ""  # of the session, once it is known
        self.expected: Sequence[str] = ()
        self.itn = False
        self.script, self.language = SIMPLIFIED, ""
        self._bad_messages = 0
        self._flush_limit = FlushLimit()
        self._is_over = False  # nothing that comes is of interest any more
        self._has_finished = False  # it said that nothing follows
        self._mending: asyncio.Task[None] | None = None
        self._is_held = False  # which is no silence, however long it takes
        self._heard_at = 0.0  # by the event loop's clock
        self._watch: asyncio.Task[None] | None = None

    async def begin(self, *, owner: int | None) -> int:
        """Become the sender.

        Returns:
            The position from which to send.

        Raises:
            ProtocolError: If that is not possible.
        """
        session, is_new = await self._find_session_soon(owner=owner)
        self.model_set = session.model_set
        if not is_new and await in_database(queries.is_from_file, session.pk):
            raise _is_from_file(session)
        self.itn, self.script, self.language = session.itn, session.script, session.language
        if self._join.models not in ("", self.model_set):
            raise _keeps_its_models(session)
        try:
            if session.epoch:
                position = await self._claim(session)
            else:
                position = await self._claim_somewhere(session, is_new=is_new)
        except ProtocolError as refusal:
            if is_new and refusal.code is ErrorCode.OVERLOADED:
                await self._withdraw(session)
            raise
        except AudioFinished as finished:
            if not may_resume(self._join):
                raise ProtocolError(
                    ErrorCode.SESSION_ENDED,
                    f"session {self._join.session_key!r} has ended: take another id for a new one",
                    param="session_id",
                ) from None
            # It did not hear how its session ended, and is told: also up to where its audio is kept.
            self._is_over = True
            return finished.position
        self._note_life()
        self._watch = asyncio.create_task(self._watch_idleness(), name="watch of a sender")
        return position

    def understand(self, text: str | None, frame: bytes | None) -> Sequence[Command]:
        """Understand a message of the sender; when its session is over, only another is of interest.

        Raises:
            ProtocolError: If there is something wrong with it.
        """
        if self._is_over and not self._lingers:
            return ()
        self._note_life()
        try:
            return self._dialect.receive(text, frame)
        except ProtocolError as error:
            self._count_bad(error)
            raise

    async def obey(self, command: Command) -> None:
        """Do what the sender asks for. Raises as `understand`."""
        if self._is_over:
            return
        try:
            match command:
                case Audio(data):
                    await self._receive_audio(data)
                case Flush():
                    await self._flush()
                case Close():
                    await self._append_held_back()
                    await self._finish()
        except Superseded:
            self.sender_lost(Superseded())

    async def leave(self) -> None:
        """Let go of the session: the socket is gone. What it sent is in the log when this returns."""
        if self._mending:
            self._mending.cancel()
        watch, self._watch = self._watch, None  # it knows its sender as well
        if watch and watch is not asyncio.current_task():
            watch.cancel()
        if self._session_pk:
            with contextlib.suppress(ProtocolError, TransportError, TimeoutError):
                async with asyncio.timeout(LAST_AUDIO_S):
                    await self._append_held_back()
                    if self._ends_by_leaving and not self._is_over:
                        await get_transport().finish(self._session_pk, self._sender)
            session_pk, self._session_pk = self._session_pk, 0
            await get_transport().leave(session_pk, self._sender)
        self._is_over = True

    # What the transport tells.

    def audio_kept(self, position: int) -> None:
        self._cursor.received = position
        self._on_change()

    def sender_lost(self, why: Superseded | LogLost) -> None:
        if isinstance(why, LogLost) and self._has_finished and not self._feed.end:
            self._mending = asyncio.create_task(self._say_end_anew(), name="end of a sender")
            return
        if isinstance(why, LogLost) and not self._resumes:
            return  # the next audio finds out, and goes on
        if self._is_over or self._feed.end:
            return
        self._is_over = True
        if isinstance(why, Superseded):
            self._on_error(_superseded())
        else:
            self._on_error(_begun_anew())

    async def _say_end_anew(self) -> None:
        """Mend the end of a session whose log is gone, unless it is gone because the session has ended."""
        await asyncio.sleep(END_PATIENCE_S)
        if self._feed.end:
            return
        if self._resumes:
            self._on_error(_begun_anew())
            return
        try:
            await self._in_log(lambda: get_transport().finish(self._session_pk, self._sender))
        except (ProtocolError, Superseded) as error:
            logger.warning("session %d cannot be ended anew: %s", self._session_pk, error)

    # Becoming.

    async def _find_session_soon(self, *, owner: int | None) -> tuple[Session, bool]:
        is_there = may_resume(self._join)  # then the session goes on with the other already
        continues = "" if is_there else continued_key(self._join)
        try:
            async with asyncio.timeout(DATABASE_S):
                if self._join.hotwords and not self._join.may_leave_out:
                    await in_database(self._check_hotwords)
                if self._join.translate:
                    self._check_translation()
                if self._join.language:
                    await in_database(self._settle_language)
                session, is_new = await self._find_session(
                    owner=owner, title=self._join.title, continues=continues
                )
                self.expected = await in_database(queries.expected_in, session.pk)
                if session.sender_resumes != self._resumes and not session.has_ended:
                    await in_database(commits.note_sender, session.pk, resumes=self._resumes)
        except TimeoutError:
            raise database_away() from None
        except commits.NotContinued as error:
            raise ProtocolError(ErrorCode.BAD_PARAMETER, str(error), param="continues") from None
        return session, is_new

    def _check_hotwords(self) -> None:
        """Refuse words that the models cannot write.

        Raises:
            ProtocolError: BAD_PARAMETER.
        """
        join = self._join
        if refusal := hotword_spelling.refusal(join.models or model_sets.default_name(), join.hotwords):
            raise ProtocolError(ErrorCode.BAD_PARAMETER, refusal, param="hotwords")

    def _settle_language(self) -> None:
        """Leave a language open that the models do not know, or refuse it.

        Raises:
            ProtocolError: BAD_PARAMETER.
        """
        join = self._join
        refusal = model_sets.language_refusal(join.language, join.models or model_sets.default_name())
        if refusal and not join.may_leave_out:
            raise ProtocolError(ErrorCode.BAD_PARAMETER, refusal, param="language")
        if refusal:
            self._join = replace(join, language="")

    async def _find_session(
        self, *, owner: int | None = None, title: str = "", continues: str = ""
    ) -> tuple[Session, bool]:
        return await in_database(
            commits.get_or_create_session,
            self._join.session_key,
            owner=owner,
            title=title,
            model_set=self._join.models,
            resumes=self._resumes,
            continues=continues,
            expected=self._join.expected,
            itn=self._join.itn,
            script=self._join.script,
            language=self._join.language,
            rules=self._join.rules,
            hotwords=self._join.hotwords,
            translate=self._join.translate,
        )

    def _check_translation(self) -> None:
        if not settings.LLM_URL:
            raise ProtocolError(
                ErrorCode.BAD_PARAMETER, "no language model is set up here to translate", param="translate"
            )

    async def _claim_somewhere(self, session: Session, *, is_new: bool) -> int:
        """Become the sender of a session that nobody has worked on, which may live in any cell still.

        A new one is let into the next where one has no room or does not answer. One that was announced goes
        elsewhere only if its cell takes no new sessions any more: another sender may be in there already.
        """
        cells = await _soon(directory.ranked_for, session.key)
        if not is_new and session.cell in cells:
            cells = [session.cell]
        refusals = []
        for cell in cells[:CELLS_TRIED]:
            if cell != session.cell and not await _soon(commits.move_unbegun, session, cell):
                session, _ = await self._find_session()
                return await self._claim(session)
            try:
                return await self._claim(session)
            except ProtocolError as refusal:
                if refusal.code is not ErrorCode.OVERLOADED:
                    raise
                refusals.append(refusal)
        raise refusals[-1]

    async def _claim(self, session: Session) -> int:
        if session.state == Session.State.ENDED:
            raise AudioFinished(session.durable)
        for patience_s in OPEN_ATTEMPT_PAUSES_S:
            try:
                position = await get_transport().open(
                    session.pk,
                    self._sender,
                    durable=session.kept,
                    may_take_over=may_resume(self._join),
                    attempt=self._join.attempt,
                    listener=self,
                    model_set=session.model_set,
                    cell=session.cell,
                )
            except SenderConflict:
                await asyncio.sleep(patience_s)
            except Superseded:
                raise _superseded() from None
            except Overloaded as full:
                raise ProtocolError(ErrorCode.OVERLOADED, str(full), retry_after=full.retry_after_s) from None
            except Unreachable as error:
                raise ProtocolError(
                    ErrorCode.OVERLOADED, str(error), retry_after=UNREACHABLE_RETRY_S
                ) from None
            else:
                self._session_pk = session.pk
                self._cursor.received = position
                return position
        raise ProtocolError(
            ErrorCode.SENDER_CONFLICT, f"session {session.key!r} has a sender already", retry_after=10
        )

    async def _withdraw(self, session: Session) -> None:
        """Leave nothing of a new session whose sender is not let in: it would take up a worker."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DATABASE_S):
                await in_database(commits.withdraw, session.pk)

    # Receiving.

    async def _receive_audio(self, data: bytes) -> None:
        if self._converter:
            data = self._converter.convert(data).tobytes()
        for piece in pieces(data):  # none if it only keeps the socket open
            await self._append(piece)

    async def _append_held_back(self) -> None:
        """Add what resampling waits with, before something that stands behind all audio so far."""
        if self._converter and (rest := self._converter.flush().tobytes()):
            await self._append(rest)

    async def _append(self, data: bytes) -> None:
        self._is_held = True
        try:
            end = await self._in_log(lambda: get_transport().append(self._session_pk, self._sender, data))
        finally:
            self._is_held = False
            self._note_life()
        if end and end >= samples(settings.MAX_SESSION_S):
            await self._finish()
            raise ProtocolError(
                ErrorCode.TOO_LONG, f"a session is at most {settings.MAX_SESSION_S / 3600:g} hours long"
            )

    def _count_bad(self, error: ProtocolError) -> None:
        if error.code is not ErrorCode.BAD_COMMAND:
            return
        self._bad_messages += 1
        if self._bad_messages >= MAX_BAD_MESSAGES:
            raise ProtocolError(
                ErrorCode.TOO_MANY_BAD_COMMANDS, f"{self._bad_messages} messages were no commands"
            ) from error

    async def _flush(self) -> None:
        self._flush_limit.admit(asyncio.get_running_loop().time())
        await self._append_held_back()
        position = await self._in_log(lambda: get_transport().flush(self._session_pk, self._sender))
        if position is not None:
            self._cursor.flushes.append(position)
            self._on_change()

    async def _finish(self) -> None:
        if self._watch:
            self._watch.cancel()
        await self._in_log(lambda: get_transport().finish(self._session_pk, self._sender))
        self._is_over = self._has_finished = True  # a client's buffers may still run dry after its "close"
        self._cursor.release()
        self._on_change()

    async def _in_log(self, request: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Ask the transport; open the log anew if it was lost. None if the session has ended meanwhile."""
        while True:
            try:
                return await request()
            except LogLost:
                if self._resumes:
                    raise _begun_anew() from None
                session, _ = await self._find_session()
                try:
                    await self._claim(session)
                except AudioFinished as finished:
                    self._is_over = True
                    if session.closed_by == ClosedBy.ABSENCE:
                        raise ended_in_absence(finished.position) from None
                    return None

    def _note_life(self) -> None:
        self._heard_at = asyncio.get_running_loop().time()

    async def _watch_idleness(self) -> None:
        """Close on a sender from which nothing comes: its other end may be gone without a word."""
        longest_s = settings.SENDER_IDLE_S
        while not self._is_over:
            left_s = self._heard_at + longest_s - asyncio.get_running_loop().time()
            if left_s > 0:
                await asyncio.sleep(left_s)
            elif self._is_held:
                await asyncio.sleep(longest_s)
            else:
                self._on_error(ProtocolError(ErrorCode.IDLE, f"nothing was sent for {longest_s:g} s"))
                return


async def _soon(work: Callable[..., Answer], *args: object) -> Answer:
    """Ask the database for a newcomer.

    Raises:
        ProtocolError: OVERLOADED, if it does not answer.
    """
    try:
        async with asyncio.timeout(DATABASE_S):
            return await in_database(work, *args)
    except TimeoutError:
        raise database_away() from None


def database_away() -> ProtocolError:
    """Return the error for who comes while the database does not answer."""
    return ProtocolError(
        ErrorCode.OVERLOADED, "the database does not answer", retry_after=UNREACHABLE_RETRY_S
    )


def may_resume(join: JoinRequest) -> bool:
    """Tell whether a sender may take over from an earlier one of this session."""
    return resuming.key_of(join.resume) == join.session_key


def continued_key(join: JoinRequest) -> str:
    """Return the key of the session that a new one is to go on with; empty for none.

    Raises:
        ProtocolError: BAD_PARAMETER, if the sender has no right to.
    """
    if not join.continues:
        return ""
    key = resuming.key_of(join.continues)
    if not key:
        raise ProtocolError(
            ErrorCode.BAD_PARAMETER,
            "continues is not what hello gave as resume in an earlier session",
            param="continues",
        )
    return key


def as_served(join: JoinRequest) -> JoinRequest:
    """Return the request with the model set that it means.

    Raises:
        ProtocolError: BAD_PARAMETER, if that is not served, with the names of those that are.
    """
    served = model_sets.names()
    if join.models in ("", *served):
        return join
    if join.may_substitute:
        return replace(join, models="")
    raise ProtocolError(
        ErrorCode.BAD_PARAMETER,
        f"models={join.models!r:.40} is not served: use one of {', '.join(served)}",
        param="models",
    )


def _keeps_its_models(session: Session) -> ProtocolError:
    return ProtocolError(
        ErrorCode.BAD_PARAMETER,
        f"session {session.key!r} is recognised with the models {session.model_set}, and keeps them",
        param="models",
    )


def _is_from_file(session: Session) -> ProtocolError:
    return ProtocolError(
        ErrorCode.SENDER_CONFLICT,
        f"session {session.key!r} is transcribed from a file: take another id",
        param="session_id",
    )


def _superseded() -> ProtocolError:
    return ProtocolError(ErrorCode.SUPERSEDED, "another connection sends for this session now")


def _begun_anew() -> ProtocolError:
    """Return the error for a sender that resumes: it still has its audio, and is told where to go on."""
    return ProtocolError(ErrorCode.GOING_AWAY, "the audio must be sent again in part: connect again")
