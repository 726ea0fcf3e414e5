"""A stand-in for a mail server: SMTP as far as Django speaks it, in a thread, with what it was given."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(slots=True)
class MailServer:
    """A server at work."""

    refused: set[str] = field(default_factory=set)
    """Addresses that it takes nothing for."""

    sender_refusal: str = ""
    """Said to whoever sends; empty for nobody."""

    port: int = 0
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    """To whom, and what."""


class _Conversation(socketserver.StreamRequestHandler):
    server: _Listening

    def handle(self) -> None:
        self._say("220 stand-in")
        to = ""
        while line := self.rfile.readline():
            command = line.decode().strip()
            match command[:4].upper():
                case "MAIL":
                    self._say(self.server.state.sender_refusal or "250 yes")
                case "RCPT":
                    to = command.partition("<")[2].partition(">")[0]
                    self._say("550 no such box" if to in self.server.state.refused else "250 yes")
                case "DATA":
                    self._say("354 go on")
                    self.server.state.taken.append((to, self._read()))
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 yes")

    def _read(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return message_from_bytes(b"".join(lines), policy=policy.default)

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())


class _Listening(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, state: MailServer) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.state = state


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Serve on a free port."""
    state = MailServer()
    with _Listening(state) as listening:
        state.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            listening.shutdown()
            thread.join()
