"""Meetings by the HTTP API, with nothing but Python: what was said, by whom, files, and new meetings.

    python examples/meetings.py list
    python examples/meetings.py search 预算
    python examples/meetings.py show 周会-42
    python examples/meetings.py follow 周会-42
    python examples/meetings.py export 周会-42 docx > meeting.docx

From another machine with --server and --token, or ASR_TOKEN in the environment. Copy the class `Api`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

SERVER = "http://127.0.0.1:8000"
TIMEOUT_S = 30.0
ASK_EVERY_S = 2.0
MAX_WAIT_S = 60.0


class Failed(Exception):
    """An answer that says no; `status` is that of HTTP, the text is for people."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Meetings of one server.

    Args:
        server: Its address.
        token: An access token; without one this works on the server's own machine.
    """

    def __init__(self, server: str = SERVER, token: str = "") -> None:
        self._base = server.rstrip("/") + "/api/"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def sessions(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Yield the meetings that you may see, the newest first; `state="live"`, `tag="..."` and so on."""
        while True:
            page = self.call("GET", "sessions", **filters)
            yield from page["sessions"]
            if page["next"] is None:
                return
            filters["before"] = page["next"]

    def search(self, text: str) -> Iterator[dict[str, Any]]:
        """Yield the lines that say this, the newest first."""
        before = None
        while True:
            page = self.call("GET", "search", q=text, before=before)
            yield from page["lines"]
            before = page["next"]
            if before is None:
                return

    def session(self, key: str) -> dict[str, Any]:
        """Return one meeting without its lines."""
        return dict(self.call("GET", f"sessions/{_part(key)}"))

    def lines(self, key: str, *, words: bool = False) -> list[dict[str, Any]]:
        """Return the lines of a meeting as they read now."""
        return list(self.call("GET", f"sessions/{_part(key)}/lines", words=words)["lines"])

    def follow(self, key: str, *, every_s: float = ASK_EVERY_S) -> Iterator[dict[str, Any]]:
        """Yield each line when it comes, and again when it changes, until the meeting has ended.

        Lines that are taken out come as `{"id": ..., "removed": True}`. The socket is faster: `receive.py`.
        """
        seq = revision = 0
        while True:
            is_over = self.session(key)["state"] == "ended"
            path = f"sessions/{_part(key)}/lines"
            news = self.call("GET", path, after=seq, changed_after=revision)
            seq, revision = news["seq"], news["revision"]
            yield from news["lines"]
            yield from ({"id": line, "removed": True} for line in news["removed"])
            if is_over:
                return
            time.sleep(every_s)

    def begin(self, **wanted: Any) -> dict[str, Any]:
        """Begin a meeting, `title="..."`, for a sender who connects to its `socket` within ten minutes."""
        return dict(self.call("POST", "sessions", body=wanted))

    def end(self, key: str) -> str:
        """End a meeting, and return the state that it has now: it may take a moment."""
        return str(self.call("POST", f"sessions/{_part(key)}/end")["state"])

    def export(self, key: str, format: str) -> bytes:  # noqa: A002
        """Return a transcript as a file."""
        return self._send("GET", f"sessions/{_part(key)}/export/{format}", None)

    def call(self, method: str, path: str, *, body: object = None, **query: Any) -> Any:
        """Return the answer to one request, read from JSON.

        Raises:
            Failed: If the server says no.
        """
        given = {name: _written(value) for name, value in query.items() if value is not None}
        content = self._send(method, f"{path}?{urlencode(given)}" if given else path, body)
        return json.loads(content) if content else None

    def _send(self, method: str, path: str, body: object) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers | {"Accept": "application/json", "Content-Type": "application/json"}
        request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310
        while True:
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                    return bytes(answer.read())
            except urllib.error.HTTPError as error:
                wait_s = error.headers.get("Retry-After", "")
                if error.code != 429 or not wait_s.isdigit() or int(wait_s) > MAX_WAIT_S:
                    raise Failed(error.code, _reason(error)) from None
                time.sleep(int(wait_s))


def _part(key: str) -> str:
    return quote(key, safe="")


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {error.code}"


def _say(line: dict[str, Any]) -> str:
    if line.get("removed"):
        return f"(line {line['id']} was taken out)"
    seconds = line["start_ms"] // 1000
    return f"{seconds // 60:02d}:{seconds % 60:02d} {line['speaker']['speaker_name']}: {line['text']}"


def _said(api: Api, command: str, words: list[str]) -> Iterator[str]:
    match command, words:
        case "list", []:
            yield from (f"{each['id']}\t{each['state']}\t{each['name']}" for each in api.sessions())
        case "search", [text]:
            yield from (f"{each['session']}\t{each['speaker']}: {each['text']}" for each in api.search(text))
        case "show", [key]:
            yield from map(_say, api.lines(key))
        case "follow", [key]:
            yield from map(_say, api.follow(key))
        case _:
            raise SystemExit(f"{command} takes other arguments: see --help")


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=["list", "search", "show", "follow", "export"])
    parser.add_argument("words", nargs="*", help="an id, or a text to look for")
    parser.add_argument("--server", default=SERVER)
    parser.add_argument("--token", default=os.environ.get("ASR_TOKEN", ""))
    asked = parser.parse_args(arguments)
    api = Api(asked.server, asked.token)
    try:
        if asked.command == "export" and len(asked.words) == 2:
            sys.stdout.buffer.write(api.export(*asked.words))
        else:
            for row in _said(api, asked.command, asked.words):
                print(row, flush=True)
    except Failed as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
