"""A stand-in for the index of packages and for both hubs, on loopback; it can be told to misbehave."""

from __future__ import annotations

import contextlib
import io
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Places(ThreadingHTTPServer):
    """Answers by path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.breaks_off_after: list[int] = []
        """Bytes of answers after which the connection is dropped, one answer after the other."""
        self.pause_s = 0.0
        """Between pieces of a hundred bytes."""
        self.ignores_ranges = False
        self.announces_length = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def publish(
        self, project: str, version: str, members: dict[str, bytes], tag: str = "py3-none-any"
    ) -> None:
        """Put a wheel into the index."""
        name = f"{project.replace('-', '_')}-{version}"
        page, wheel = f"/simple/{project}/", f"/packages/{name}-{tag}.whl"
        link = f'<a href="{wheel}">{name}-{tag}.whl</a>\n'
        self.content[page] = self.content.get(page, b"") + link.encode()
        self.content[wheel] = wheel_of(name, tag, members)


class Handler(BaseHTTPRequestHandler):
    server: Places
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Range")))
        content = self.server.content.get(self.path)
        if content is None:
            self.send_error(404)
            return
        wanted = None if self.server.ignores_ranges else self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        kind = "text/html" if self.path.startswith("/simple/") else "application/octet-stream"
        self.send_header("Content-Type", kind)
        if self.server.announces_length:
            self.send_header("Content-Length", str(len(content) - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        self.write(content[start:])

    def write(self, content: bytes) -> None:
        if self.server.breaks_off_after and not self.path.startswith("/simple/"):
            content = content[: self.server.breaks_off_after.pop(0)]
        if self.server.pause_s and not self.path.startswith("/simple/"):
            for at in range(0, len(content), 100):
                self.wfile.write(content[at : at + 100])
                time.sleep(self.server.pause_s)
        else:
            self.wfile.write(content)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the other side has had enough
            super().handle()

    def log_message(self, *args: object) -> None:
        pass


def wheel_of(name: str, tag: str, members: dict[str, bytes]) -> bytes:
    """Return a wheel whose module would say so if it were ever imported."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        info = f"{name}.dist-info"
        project, version = name.rsplit("-", 1)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        archive.writestr(f"{info}/RECORD", "")
        archive.writestr(f"{project}/__init__.py", "raise SystemExit('a package of weights was imported')\n")
        for member, content in members.items():
            archive.writestr(member, content)
    return buffer.getvalue()


@contextmanager
def serving() -> Iterator[Places]:
    """Serve while the context lasts."""
    with Places() as places:
        thread = threading.Thread(target=places.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield places
        places.shutdown()
        thread.join()


def use(places: Places | str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip and both hubs be there, and pip's settings of this machine have no say."""
    url = places if isinstance(places, str) else places.url
    settings: dict[str, Any] = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": f"{url}/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_NO_INDEX": "",
        "HF_ENDPOINT": f"{url}/hf/",
        "MODELSCOPE_ENDPOINT": f"{url}/ms",
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
