"""The socket of a sender or a receiver: messages in, messages out. What they mean is decided elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http.cookie import parse_cookie

from audit import addresses
from audit.later import get_later
from audit.models import Action
from audit.origin import Origin
from recognition.scripts import SIMPLIFIED
from sessions_app.access import decision, quotas, resuming
from sessions_app.access.admission import Admission, Credentials
from sessions_app.serving.frame_limits import MAX_MESSAGE_BYTES
from sessions_app.serving.frames import PUSH, Pushing, text_frame
from sessions_app.store import usage
from sessions_app.transcripts import word_times
from sessions_app.transport.current import get_transport
from sessions_app.wire.audio_frames import MAX_FRAME_BYTES
from sessions_app.wire.dialects import (
    Ask,
    Capabilities,
    Command,
    Dialect,
    Handshake,
    Join,
    Leave,
    Refusal,
    Reply,
    with_session,
)
from sessions_app.wire.own_protocol import OwnProtocol
from sessions_app.wire.protocol import (
    Close,
    ErrorCode,
    Hello,
    JoinRequest,
    Line,
    Message,
    Mode,
    ProtocolError,
    StateChange,
)

from . import rights_watch
from .fanout import get_fanout, read_lines, read_revisions, read_translations
from .feed import REMEMBERED, Behind, Cursor, SessionFeed
from .sender import SenderConnection, as_served, continued_key, database_away

logger = logging.getLogger(__name__)

MAX_INTRUSIONS = 3

RESPONSE = "websocket.http.response"
"""ASGI's name for an HTTP answer in place of a socket, of servers that can give one."""

FIRST_MESSAGE_S = 10.0
MAX_FIRST_BYTES = 64 * 1024
"""How long, and how much, a client may take to say which session it wants; until then nobody knows it."""

RETURN_S = 1.0

TOO_MANY_RETRY_S = 10.0

quota_of = database_sync_to_async(usage.quota_of, thread_sensitive=False)
read_words = database_sync_to_async(word_times.of_lines, thread_sensitive=False)

# A line goes to a thousand receivers in the same words.
frame_once = lru_cache(maxsize=512)(text_frame)


class SessionConsumer(AsyncWebsocketConsumer):
    """One socket at /ws/asr/{session_id}. Joins its session's group through the fanout of this process."""

    # The fanout listens for everyone; a channel of its own would only cost each socket a queue.
    channel_layer_alias = ""

    join: JoinRequest
    credentials: Credentials
    admission: Admission
    capabilities: Capabilities
    feed: SessionFeed
    cursor: Cursor

    def __init__(self, *args: Any, dialect: Callable[[], Dialect] = OwnProtocol, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dialect = dialect()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # As channels', for one source of messages: without a task for each.
        self.scope = scope
        self.base_send = send
        with contextlib.suppress(StopConsumer):
            while True:
                await self.dispatch(await receive())

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Without channels' close_old_connections() for every message: that is a hop to the one thread all
        # synchronous code shares, which costs more than the message and waits for whatever runs there.
        try:
            await getattr(self, get_handler_name(message))(message)
        except ProtocolError as error:
            await self.refuse(error)
        except (StopConsumer, asyncio.CancelledError):
            raise
        except (OperationalError, InterfaceError) as error:
            logger.warning("a socket is sent away: %s", error)
            await self.refuse(database_away())
        except Exception:  # the client must be told, whatever it is
            logger.exception("a socket failed")
            await self.refuse(ProtocolError(ErrorCode.INTERNAL, "the server failed; its log says why"))

    # Coming.

    async def connect(self) -> None:
        self._sender: SenderConnection | None = None
        self._intrusions = 0
        self._first_bytes = 0
        self._waiting_for_join: asyncio.Task[None] | None = None
        self._joining = asyncio.Lock()
        self._is_accepted = False
        self._is_on_record = False
        self._is_refused = False  # and closed: what comes before the client has heard of it is of no interest
        self._writer: asyncio.Task[None] | None = None
        extensions: Any = self.scope.get("extensions") or {}
        self._pushing: Pushing | None = extensions.get(PUSH)
        self._wake = asyncio.Event()
        self._is_idle = False  # the writer, which waits until there is something to send
        self._tasks: set[asyncio.Task[None]] = set()
        if not self._is_origin_allowed():
            await self.close()  # HTTP 403: a page of somebody else's gets no socket at all
            return
        await self._obey(self.dialect.open(self._handshake()))
        if not hasattr(self, "join"):
            self._wait_for_join(self._first_message_s)
            await self._accept()

    def _handshake(self) -> Handshake:
        return Handshake(
            session_id=self.scope["url_route"]["kwargs"].get("session_id", ""),
            query=self.scope["query_string"].decode("latin-1"),
            headers=self._headers,
            subprotocols=tuple(self.scope.get("subprotocols", ())),
            request_id=uuid.uuid4().hex,
            received_at=time.time(),
        )

    @property
    def _headers(self) -> dict[str, str]:
        headers = self.scope["headers"]
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}

    @property
    def _peer(self) -> str | None:
        """The other end of the connection; None for a socket of this machine."""
        client = self.scope.get("client")
        return client[0] if client else None

    @property
    def _first_message_s(self) -> float:
        longest_s = self.dialect.first_message_s
        return FIRST_MESSAGE_S if longest_s is None else longest_s

    def _wait_for_join(self, longest_s: float, *, is_done: bool = False) -> None:
        """Let the client begin within so long.

        Args:
            is_done: It has had a session: nothing is wrong if it begins no other.
        """
        if self._waiting_for_join:
            self._waiting_for_join.cancel()
        waiting = self._expect_join(longest_s, is_done=is_done)
        self._waiting_for_join = asyncio.create_task(waiting, name="first message")

    async def _expect_join(self, longest_s: float, *, is_done: bool) -> None:
        await asyncio.sleep(longest_s)
        async with self._joining:  # who has asked is not late because the database is
            if is_done:
                await self.close(1000)
                return
            await self.refuse(
                ProtocolError(ErrorCode.IDLE, f"no session was asked for within {longest_s:g} s")
            )

    async def _obey(self, commands: Iterable[Command]) -> None:
        for command in commands:
            match command:
                case Join():
                    await self._join(command)
                case Ask(request):
                    await self._ask_ahead(request)
                case Reply(texts):
                    await self._accept()
                    await self._send_texts(texts)
                case Leave():
                    self._is_refused = True
                    await self.close(1000)
                case _ if self._sender:
                    await self._sender.obey(command)

    async def _ask_ahead(self, request: JoinRequest) -> None:
        """Refuse at once who could not begin a session later."""
        request = as_served(with_session(request, new_key=uuid.uuid4().hex))
        async with self._joining:
            self.credentials = self._credentials(request)
            await self._ask()
            self.admission.check(request.mode)

    async def _join(self, command: Join) -> None:
        await self._finish_previous()
        if self._is_refused:
            return
        request = as_served(with_session(command.request, new_key=uuid.uuid4().hex))
        if request.mode is Mode.RECEIVER:
            await self._accept()
        async with self._joining:
            self.credentials = self._credentials(request)
            await self._ask()
            self.admission.check(request.mode)
            await self._check_quota()
            if self._waiting_for_join:
                self._waiting_for_join.cancel()
        self.join, self.capabilities = request, command.capabilities
        await self._follow()
        position = await self._become_sender() if self._is_sending else 0
        self._put_on_record()
        if self._is_sending and self._pushing:
            self._pushing.expect_audio(
                is_binary=self.capabilities.has_binary_audio,
                max_message_bytes=self.capabilities.max_message_bytes,
            )
        # A plain sender sends all it has as soon as it is let in, and can send nothing twice.
        await self._accept()
        await self._say_hello(resume_from=position)
        self._writer = asyncio.create_task(self._write(), name=f"writer of {self.join.mode}")

    async def _finish_previous(self) -> None:
        """Wait until all of the session before was told: what comes meanwhile waits in its socket."""
        if self._sender:
            await self._sender.obey(Close())
        if self._writer:
            await asyncio.wait([self._writer])

    async def _accept(self) -> None:
        if not self._is_accepted:
            self._is_accepted = True
            headers: Any = encoded(self.dialect.headers)  # texts, by channels' types; ASGI's are bytes
            await self.accept(self.dialect.subprotocol, headers)

    def _is_origin_allowed(self) -> bool:
        return decision.is_origin_allowed(
            self._headers,
            scheme=self.scope.get("scheme", "ws"),
            allowed_hosts=settings.ALLOWED_HOSTS,
            trusted_origins=settings.CSRF_TRUSTED_ORIGINS,
        )

    def _credentials(self, join: JoinRequest) -> Credentials:
        return Credentials(
            join.mode,
            join.session_key,
            continues=continued_key(join),
            is_local=decision.is_local(self._peer, self._headers),
            token=join.token,
            login=self._login(),
        )

    def _login(self) -> str:
        """Return the key of a browser's login: its cookie counts with the word of where its page is from."""
        if "origin" not in self._headers:
            return ""
        return str(parse_cookie(self._headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME, ""))

    async def _ask(self) -> None:
        answers = await rights_watch.admit_all([self.credentials])
        self.admission = answers[self.credentials]

    async def _check_quota(self) -> None:
        """Refuse who has enough already; count who has not.

        Raises:
            ProtocolError: TOO_MANY_CONNECTIONS or QUOTA.
        """
        user, watch = self.admission.user_pk, get_fanout().rights
        if user is not None:
            begins = self.credentials.mode is Mode.SENDER and self.admission.session_pk is None
            limits, taken = await quota_of(user, begins=begins)
            if limits.sockets and watch.count_of(user) >= limits.sockets:
                raise ProtocolError(
                    ErrorCode.TOO_MANY_CONNECTIONS,
                    f"this login has {limits.sockets} sockets open: close some",
                    retry_after=TOO_MANY_RETRY_S,
                )
            if begins and (kind := quotas.exceeded(limits, taken)):
                raise ProtocolError(ErrorCode.QUOTA, quotas.in_words(kind, limits))
        watch.add(self)

    def receive_admission(self, admission: Admission) -> None:
        """Go on, or refuse, by what is known of its rights now."""
        self.admission = admission
        try:
            admission.check(self.credentials.mode)
        except ProtocolError as refusal:
            self._spawn(self.refuse(refusal))
        else:
            self._put_on_record()
            self.feed_changed()

    def _put_on_record(self) -> None:
        """Note, once, who sends or reads; who waits at an id that nobody used yet has read nothing."""
        if self._is_on_record or not (self._is_sending or self._may_be_told):
            return
        self._is_on_record = True
        get_later().note(
            Action.MEETING_SENT if self._is_sending else Action.MEETING_READ,
            meeting=self.join.session_key,
            whence=Origin(
                user=self.admission.user,
                address=addresses.of_client(
                    self._peer, self._headers.get("x-forwarded-for", ""), settings.PROXIES
                ),
                token=self.admission.token_pk,
            ),
        )

    @property
    def _may_be_told(self) -> bool:
        """True if it was admitted to this very session, not only to wait at an id that nobody used yet."""
        admission = self.admission
        return admission.is_for_any or admission.covers(get_fanout().session_pk(self.join.session_key))

    @property
    def _is_sending(self) -> bool:
        return self.join.mode is Mode.SENDER

    async def _follow(self) -> None:
        join, capabilities = self.join, self.capabilities
        self.cursor = Cursor(
            seq=join.since,
            revision=join.revision,
            translation=join.translation if capabilities.wants_events else None,
            wants_events=capabilities.wants_events,
            wants_acks=capabilities.wants_acks,
            wants_end=capabilities.wants_end,
            stays=capabilities.stays,
            sends_once=self._is_sending and not capabilities.resumes,
            is_kept=get_transport().keeps_audio,
            max_untaken=capabilities.max_unread,
        )
        self.feed = await get_fanout().follow(join.session_key, self)

    async def _become_sender(self) -> int:
        connection = SenderConnection(
            self.join,
            self.feed,
            self.cursor,
            dialect=self.dialect,
            capabilities=self.capabilities,
            on_change=self.feed_changed,
            on_error=lambda error: self._spawn(self.refuse(error)),
        )
        position = await connection.begin(owner=self.admission.user_pk)
        self._sender = connection
        if not self.admission.is_for_any:
            await self._check_session()
        return position

    async def _check_session(self) -> None:
        """Ask once more whether the session is open to its sender, now that there is one.

        Raises:
            ProtocolError: If somebody else began one of the same id at the same moment.
        """
        await get_fanout().look(self.join.session_key)
        if not self._may_be_told:
            await self._ask()
            self.admission.check(self.join.mode)

    async def _say_hello(self, *, resume_from: int) -> None:
        feed = self.feed
        await self._send(
            Hello(
                session_key=self.join.session_key,
                mode=self.join.mode,
                epoch=feed.epoch,
                state=feed.state,
                last_seq=feed.last_seq,
                last_revision=feed.last_revision,
                models=self._sender.model_set if self._sender else feed.model_set,
                resume_from=resume_from,
                expected=self._sender.expected if self._sender else (),
                itn=bool(self._sender and self._sender.itn),
                script=self._sender.script if self._sender else SIMPLIFIED,
                language=self._sender.language if self._sender else "",
                resume=resuming.token_for(self.join.session_key),
                limits={"frame_bytes": MAX_FRAME_BYTES},
            )
        )

    # Being there.

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._is_refused:
            return
        if hasattr(self, "join") and not self._is_sending:
            self._refuse_intrusion()
        self._check_size(len(bytes_data or text_data or ""))
        if self._sender:
            await self._obey(self._sender.understand(text_data, bytes_data))
        elif not hasattr(self, "join") or self.capabilities.lingers_s:
            await self._obey(self._receive_first(text_data, bytes_data))

    def _check_size(self, size: int) -> None:
        """Refuse what is larger than its dialect takes, on servers that have no such limit.

        Raises:
            ProtocolError: FRAME_TOO_LARGE.
        """
        limit = self.capabilities.max_message_bytes if hasattr(self, "join") else None
        if size > (limit or MAX_MESSAGE_BYTES):
            raise _too_large(size, limit or MAX_MESSAGE_BYTES)

    def _receive_first(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        limit = self.dialect.max_first_bytes or MAX_FIRST_BYTES
        self._first_bytes += len(data or b"") + len(text or "")
        if self._first_bytes > limit:
            raise ProtocolError(
                ErrorCode.FRAME_TOO_LARGE, f"more than {limit} bytes came before a session was asked for"
            )
        if hasattr(self, "join"):  # and its session has ended: another is wanted
            self._wait_for_join(self._first_message_s, is_done=True)
        return self.dialect.receive(text, data)

    def _refuse_intrusion(self) -> None:
        self._intrusions += 1
        if self._intrusions >= MAX_INTRUSIONS:
            raise ProtocolError(
                ErrorCode.STILL_NOT_SENDER, "a receiver only receives; use mode=sender to send"
            )
        raise ProtocolError(ErrorCode.NOT_SENDER, "a receiver only receives; this was ignored")

    # Telling.

    def feed_changed(self) -> None:
        """Send at once what can be sent without waiting, and leave the rest to the writer."""
        can_push = self._is_idle and self._pushing and self._pushing.can_push
        asks = self.capabilities.wants_words or self.cursor.translation is not None
        if not (can_push and self._pushing) or asks:
            self._wake.set()
            return
        if not self._may_be_told:
            self._ask_anew()
            return
        taken = self.cursor.take(self.feed)
        if isinstance(taken, Behind):
            self._wake.set()
            return
        for message in taken:
            for text in self.dialect.encode(message):
                self._pushing.push(frame_once(text))
        if self.cursor.is_done:
            self._wake.set()

    async def _write(self) -> None:
        """Send what the cursor has not been told; wait, for a while, when the client does not read."""
        patience_s = None if self.capabilities.may_never_read else settings.SLOW_READER_S
        self._wake.set()
        try:
            while not self.cursor.is_done:
                self._is_idle = not self._wake.is_set()
                await self._wake.wait()
                self._is_idle = False
                self._wake.clear()
                for message in await self._take():
                    async with asyncio.timeout(patience_s):
                        await self._send(message)
        except TimeoutError:
            await self.refuse(
                ProtocolError(ErrorCode.SLOW_CONSUMER, f"nothing was read for {patience_s:g} s")
            )
        else:
            await self._say_goodbye()
        finally:
            self._is_idle = False

    async def _say_goodbye(self) -> None:
        error = self.feed.end and self.cursor.error_at_end(self.feed.end)
        if error:
            await self.refuse(error)
        elif self.capabilities.lingers_s:
            await self._part()
        else:
            await self.close(1000)

    async def _part(self) -> None:
        """Let go of the session, which has ended; the client may begin another."""
        await self._leave()
        self._first_bytes = 0
        self._is_on_record = False
        self._wait_for_join(self.capabilities.lingers_s, is_done=True)

    def _ask_anew(self) -> None:
        """Find out whether it may read the session that has begun; nothing is said until that is known."""
        if get_fanout().session_pk(self.join.session_key) is not None:
            get_fanout().rights.look([self])

    async def _take(self) -> list[Message]:
        messages = await self._take_untimed()
        messages += await self._take_translations()
        lines = [message for message in messages if isinstance(message, Line)]
        if not (lines and self.capabilities.wants_words):
            return messages
        words = await read_words([line.line_id for line in lines])
        return [
            replace(message, words=words.get(message.line_id, ())) if isinstance(message, Line) else message
            for message in messages
        ]

    async def _take_translations(self) -> list[Message]:
        """Read what is due, or as much as goes into one message; the rest is due after it."""
        session_pk = get_fanout().session_pk(self.join.session_key)
        due = self.cursor.translations_due(self.feed)
        if due is None or session_pk is None or not self._may_be_told:
            return []
        found = await read_translations(session_pk, *due, self.feed.last_revision)
        self.cursor.translation = found.number
        if self.cursor.translations_due(self.feed):
            self._wake.set()
        return [found]

    async def _take_untimed(self) -> list[Message]:
        if not self._may_be_told:
            self._ask_anew()
            return []
        taken = self.cursor.take(self.feed)
        if not isinstance(taken, Behind):
            return taken
        self._wake.set()  # there is more behind what is read now
        session_pk = get_fanout().session_pk(self.join.session_key)
        if session_pk is None:
            return []
        lines = await read_lines(session_pk, taken.seq, limit=REMEMBERED)
        revisions = []
        if self.cursor.wants_events and len(lines) < REMEMBERED:
            revisions = await read_revisions(session_pk, taken.revision, limit=REMEMBERED)
        messages = self.cursor.take_history(lines, revisions)
        if not messages:
            # The numbers in between belong to lines that were removed.
            self.cursor.seq, self.cursor.revision = self.feed.last_seq, self.feed.last_revision
        return messages

    async def _send(self, message: Message) -> None:
        await self._send_texts(self.dialect.encode(message))

    async def _send_texts(self, texts: Iterable[str]) -> None:
        for text in texts:
            await self.send(text_data=text)

    async def refuse(self, error: ProtocolError) -> None:
        """Say what is wrong; close if it is fatal. What was said before is recognised and kept."""
        refusal = self.dialect.encode_error(error)
        if refusal.status and not self._is_accepted and RESPONSE in (self.scope.get("extensions") or {}):
            await self._answer_by_http(refusal)
            return
        await self._say_error(refusal)
        if refusal.close:
            self._is_refused = True
            await self._stop_writing()
            await self._leave()
            with contextlib.suppress(RuntimeError):
                await self.close(refusal.close)

    async def _answer_by_http(self, refusal: Refusal) -> None:
        """Open no socket, and say why as its clients read it."""
        self._is_refused = True
        await self._leave()
        headers = [(b"content-type", b"application/json"), *encoded(self.dialect.headers)]
        send: Any = self.base_send  # channels' types know fewer messages
        await send({"type": f"{RESPONSE}.start", "status": refusal.status, "headers": headers})
        await send({"type": f"{RESPONSE}.body", "body": "".join(refusal.texts).encode()})

    async def _say_error(self, refusal: Refusal) -> None:
        with contextlib.suppress(RuntimeError, TimeoutError):  # the client may be gone already, or not read
            async with asyncio.timeout(RETURN_S):
                await self._accept()
                for text in refusal.texts:
                    await self.send(text_data=text)

    # Going.

    async def websocket_going_away(self, message: dict[str, Any]) -> None:
        """Say that the server stops; what the client sends until it has heard of it is still taken."""
        if self._writer:
            await self._stop_writing()
            await self._send(StateChange("going_away"))
        refusal = self.dialect.encode_error(
            ProtocolError(ErrorCode.GOING_AWAY, "the server restarts: connect again", retry_after=RETURN_S)
        )
        await self._say_error(refusal)
        with contextlib.suppress(RuntimeError):
            await self.close(refusal.close or ErrorCode.GOING_AWAY.close)

    async def websocket_unanswered(self, message: dict[str, Any]) -> None:
        """Let go of a client that answers no ping: it does not read, or is not there any more."""
        is_reading = hasattr(self, "join") and not self._is_sending
        code = ErrorCode.SLOW_CONSUMER if is_reading else ErrorCode.IDLE
        raise ProtocolError(code, "pings are not answered")

    async def websocket_oversized(self, message: dict[str, Any]) -> None:
        """Let go of a client that sends a larger message than is taken."""
        raise _too_large(message["length"], message["limit"])

    async def websocket_flooding(self, message: dict[str, Any]) -> None:
        """Let go of a client that sends more pings than anybody needs."""
        raise ProtocolError(ErrorCode.TOO_MANY_FRAMES, "too many pings came at once")

    async def disconnect(self, code: int) -> None:
        await self._stop_writing()
        await self._leave()

    async def _stop_writing(self) -> None:
        writer, self._writer = self._writer, None
        if writer and writer is not asyncio.current_task():
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _leave(self) -> None:
        waiting, self._waiting_for_join = self._waiting_for_join, None
        if waiting and waiting is not asyncio.current_task():
            waiting.cancel()
        connection, self._sender = self._sender, None
        if connection:
            await connection.leave()
        get_fanout().rights.discard(self)
        if hasattr(self, "feed"):
            await get_fanout().leave(self.join.session_key, self)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as servers send them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _too_large(size: int, limit: int) -> ProtocolError:
    return ProtocolError(
        ErrorCode.FRAME_TOO_LARGE, f"a message of {size} bytes is too large: send at most {limit}"
    )


class UnknownPathConsumer(AsyncWebsocketConsumer):
    """Any other path: refused without a traceback in the log."""

    channel_layer_alias = ""

    async def connect(self) -> None:
        await self.close()
