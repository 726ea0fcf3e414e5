"""The socket of a sender or a receiver: messages in, messages out. What they mean is decided elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from functools import lru_cache
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing

from recognition.audio import samples

from . import access, permissions, services
from .access import Right, Verdict
from .hub import get_hub, read_lines, read_revisions
from .intake import LARGEST_FRAME, Intake
from .models import AccessToken, Session
from .protocol import (
    Fault,
    Hello,
    Join,
    Message,
    Mode,
    ProtocolError,
    encode,
    encode_error,
    parse_command,
    parse_join,
)
from .room import REMEMBERED, Behind, Reader, Room
from .transport import SenderConflict, Superseded, get_transport

logger = logging.getLogger(__name__)

MOST_BAD_MESSAGES = 10
MOST_INTRUSIONS = 3

PATIENCE_S = (0.2, 0.6, 0.0)
"""Who reconnects may be faster than the news that the old connection is gone."""

find_token = database_sync_to_async(AccessToken.find, thread_sensitive=False)
get_or_create_session = database_sync_to_async(services.get_or_create_session, thread_sensitive=False)

has_right = database_sync_to_async(permissions.may, thread_sensitive=False)

# A line goes to a thousand receivers in the same words.
encode_once = lru_cache(maxsize=512)(encode)


class SessionConsumer(AsyncWebsocketConsumer):
    """One socket at /ws/asr/{session_id}. Joins its session's group through the hub of this process."""

    # The hub listens for everyone; a channel of its own would only cost each socket a queue.
    channel_layer_alias = ""

    join: Join
    room: Room
    reader: Reader

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Without channels' close_old_connections() for every message: that is a hop to the one thread all
        # synchronous code shares, which costs more than the message and waits for whatever runs there.
        try:
            await getattr(self, get_handler_name(message))(message)
        except ProtocolError as error:
            await self.refuse(error)
        except (StopConsumer, asyncio.CancelledError):
            raise
        except Exception:  # the client must be told, whatever it is
            logger.exception("a socket failed")
            await self.refuse(ProtocolError(Fault.INTERNAL, "the server failed; its log says why"))

    # Coming.

    async def connect(self) -> None:
        self.sender_id = ""
        self._writer: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        if not self._is_origin_allowed():
            await self.close()  # HTTP 403: a page of somebody else's gets no socket at all
            return
        await self.accept()
        key = self.scope["url_route"]["kwargs"]["session_id"]
        self.join = parse_join(key, self.scope["query_string"].decode("latin-1"))
        await self._authorise()
        await self._follow()
        if self.join.mode is Mode.SENDER:
            await self._become_sender()
        elif self.join.version >= 2:
            await self._say_hello()
        self._writer = asyncio.create_task(self._write(), name=f"writer of {self.join.mode}")

    def _is_origin_allowed(self) -> bool:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]}
        return access.is_origin_allowed(
            headers,
            scheme=self.scope.get("scheme", "ws"),
            allowed_hosts=settings.ALLOWED_HOSTS,
            trusted_origins=settings.CSRF_TRUSTED_ORIGINS,
        )

    async def _authorise(self) -> None:
        header_names = {name.decode("latin-1").lower() for name, _ in self.scope["headers"]}
        client = self.scope.get("client")
        secret = self._token()
        token = await find_token(secret) if secret else None
        right = Right.SEND if self._is_sending else Right.READ
        user = self._user()
        visitor = access.Visitor(
            is_local=access.is_local(client[0] if client else None, header_names),
            has_login=user is not None,
            has_permission=user is not None and await has_right(user, right, self.join.session_key),
            has_token=bool(secret),
            is_token_good=bool(token and token.admits(self.join.mode, self.join.session_key)),
        )
        match access.decide(access.Access(settings.ACCESS), visitor):
            case Verdict.UNKNOWN:
                raise ProtocolError(
                    Fault.UNAUTHORIZED, "a token is needed: add token=... to the address", param="token"
                )
            case Verdict.FORBIDDEN:
                raise ProtocolError(
                    Fault.FORBIDDEN, f"no right to be {self.join.mode} of this session", param="token"
                )

    def _user(self) -> User | None:
        """Who is logged in; only a browser's cookie counts, and browsers say where they come from."""
        user = self.scope.get("user")
        is_browser = b"origin" in dict(self.scope["headers"])
        return user if is_browser and isinstance(user, User) and user.is_authenticated else None

    def _token(self) -> str:
        header = dict(self.scope["headers"]).get(b"authorization", b"").decode("latin-1")
        scheme, _, secret = header.partition(" ")
        return self.join.token or (secret.strip() if scheme.lower() == "bearer" else "")

    @property
    def _is_sending(self) -> bool:
        return self.join.mode is Mode.SENDER

    async def _follow(self) -> None:
        join = self.join
        self.reader = Reader(
            seq=join.since,
            revision=join.revision,
            wants_events=join.version >= 2,
            wants_acks=join.version >= 2 and self._is_sending,
            wants_end=join.version >= 2 or self._is_sending,
            stays=join.stays and join.version >= 2 and not self._is_sending,
        )
        self.room = await get_hub().follow(join.session_key, self)

    async def _become_sender(self) -> None:
        self.intake = Intake()
        self.heard = asyncio.Event()
        self.has_closed = False
        self.bad_messages = 0
        key = self.join.session_key
        user = self._user()
        session = await get_or_create_session(key, owner=user.pk if user else None, title=self.join.title)
        if session.state == Session.State.ENDED:
            raise ProtocolError(
                Fault.SESSION_ENDED,
                f"session {key!r} has ended: take another id for a new one",
                param="session_id",
            )
        sender_id = uuid.uuid4().hex
        position = await self._claim(session, sender_id)
        self.session_pk, self.sender_id = session.pk, sender_id
        self._watch = asyncio.create_task(self._watch_idleness(), name="watch of a sender")
        if self.join.version >= 2:
            await self._say_hello(resume_from=position)

    async def _claim(self, session: Session, sender_id: str) -> int:
        """Become the one sender; where to go on."""
        for patience_s in PATIENCE_S:
            try:
                return await get_transport().open(
                    session.pk,
                    sender_id,
                    durable=session.durable,
                    may_take_over=self._has_right_to_resume(),
                )
            except SenderConflict:
                await asyncio.sleep(patience_s)
        raise ProtocolError(
            Fault.SENDER_CONFLICT, f"session {session.key!r} has a sender already", retry_after=10
        )

    async def _say_hello(self, resume_from: int = 0) -> None:
        room = self.room
        await self._send(
            Hello(
                session_key=self.join.session_key,
                mode=self.join.mode,
                epoch=room.epoch,
                state=room.state,
                last_seq=room.last_seq,
                last_revision=room.last_revision,
                resume_from=resume_from,
                resume=_resume_signer().sign(self.join.session_key),
                limits={"frame_bytes": LARGEST_FRAME},
            )
        )

    def _has_right_to_resume(self) -> bool:
        with contextlib.suppress(signing.BadSignature):
            return _resume_signer().unsign(self.join.resume) == self.join.session_key
        return False

    # Being there.

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._is_sending:
            await self._receive_from_sender(text_data, bytes_data)
        else:
            await self._receive_from_receiver(text_data, bytes_data)

    async def _receive_from_sender(self, text: str | None, frame: bytes | None) -> None:
        if not self.sender_id:
            return  # refused; what was under way is of no interest
        self.heard.set()
        try:
            if frame is not None:
                await self._receive_audio(frame)
            elif text is not None:
                await self._receive_command(text)
        except Superseded:
            if self.room.end is None:
                self.sender_id = ""
                raise ProtocolError(
                    Fault.SUPERSEDED, "another connection sends for this session now"
                ) from None

    async def _receive_audio(self, frame: bytes) -> None:
        if self.has_closed:
            return  # a client's buffers may still run dry after its "close"
        audio = self.intake.receive(frame)
        if len(audio) == 0:
            return  # keeps the socket open, no more
        end = await get_transport().append(self.session_pk, self.sender_id, audio.tobytes())
        self.heard.set()  # being held back is no silence
        if end >= samples(settings.LONGEST_SESSION_S):
            await get_transport().finish(self.session_pk, self.sender_id)
            raise ProtocolError(
                Fault.TOO_LONG, f"a session is at most {settings.LONGEST_SESSION_S / 3600:g} hours long"
            )

    async def _watch_idleness(self) -> None:
        """Close on a sender from which nothing comes: its other end may be gone without a word."""
        while not self.has_closed:
            self.heard.clear()
            try:
                async with asyncio.timeout(settings.SENDER_IDLE_S):
                    await self.heard.wait()
            except TimeoutError:
                if not self.has_closed:
                    await self.refuse(
                        ProtocolError(Fault.IDLE, f"nothing was sent for {settings.SENDER_IDLE_S:g} s")
                    )
                return

    async def _receive_command(self, text: str) -> None:
        try:
            parse_command(text)
        except ProtocolError as error:
            self.bad_messages += 1
            if self.bad_messages >= MOST_BAD_MESSAGES:
                raise ProtocolError(
                    Fault.TOO_MANY_BAD_COMMANDS, f"{self.bad_messages} messages were no commands"
                ) from error
            raise
        if not self.has_closed:
            self.has_closed = True
            self._watch.cancel()
            await get_transport().finish(self.session_pk, self.sender_id)

    async def _receive_from_receiver(self, text: str | None, frame: bytes | None) -> None:
        self.intrusions = getattr(self, "intrusions", 0) + 1
        if self.intrusions >= MOST_INTRUSIONS:
            raise ProtocolError(Fault.STILL_NOT_SENDER, "a receiver only receives; use mode=sender to send")
        raise ProtocolError(Fault.NOT_SENDER, "a receiver only receives; this was ignored")

    # Telling.

    def room_changed(self) -> None:
        self._wake.set()

    async def _write(self) -> None:
        """Send what the reader has not been told. Waits as long as the client does not read."""
        self._wake.set()
        while not self.reader.is_done:
            await self._wake.wait()
            self._wake.clear()
            for message in await self._take():
                await self._send(message)
        await self.close(1000)

    async def _take(self) -> list[Message]:
        taken = self.reader.take(self.room)
        if not isinstance(taken, Behind):
            return taken
        self._wake.set()  # there is more behind what is read now
        session = get_hub().session_pk(self.join.session_key)
        if session is None:
            return []
        lines = await read_lines(session, taken.seq, limit=REMEMBERED)
        revisions = []
        if self.reader.wants_events and len(lines) < REMEMBERED:
            revisions = await read_revisions(session, taken.revision, limit=REMEMBERED)
        messages = self.reader.take_history(lines, revisions)
        if not messages:
            # The numbers in between belong to lines that were removed.
            self.reader.seq, self.reader.revision = self.room.last_seq, self.room.last_revision
        return messages

    async def _send(self, message: Message) -> None:
        text = encode_once(message, version=self.join.version) if _is_shared(message) else None
        text = text or encode(message, version=self.join.version)
        if text is not None:
            await self.send(text_data=text)

    async def refuse(self, error: ProtocolError) -> None:
        """Say what is wrong; close if it is fatal. What was said before is recognised and kept."""
        with contextlib.suppress(RuntimeError):  # the client may be gone already
            await self.send(text_data=encode_error(error))
            if error.fault.close:
                await self._stop_writing()
                await self._leave()
                await self.close(error.fault.close)

    # Going.

    async def disconnect(self, code: int) -> None:
        await self._stop_writing()
        await self._leave()

    async def _stop_writing(self) -> None:
        writer, self._writer = self._writer, None
        if writer and writer is not asyncio.current_task():
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _leave(self) -> None:
        sender_id, self.sender_id = self.sender_id, ""
        if sender_id:
            if self._watch is not asyncio.current_task():
                self._watch.cancel()
            await get_transport().leave(self.session_pk, sender_id)
        if hasattr(self, "room"):
            await get_hub().leave(self.join.session_key, self)


class UnknownPathConsumer(AsyncWebsocketConsumer):
    """Any other path: refused without a traceback in the log."""

    channel_layer_alias = ""

    async def connect(self) -> None:
        await self.close()


def _resume_signer() -> signing.Signer:
    return signing.Signer(salt="resume a sender")


def _is_shared(message: Message) -> bool:
    return not isinstance(message, Hello)
