"""A program that uses the HTTP API from outside, as `docs/speakers.md` tells it to."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
import uuid
from typing import Any


class Api:
    """
    Args:
        http: Address of the server.
        user: Account that may enter the admin, with its password.
    """

    def __init__(self, http: str, user: str, password: str) -> None:
        self._http = http
        self._login = base64.b64encode(f"{user}:{password}".encode()).decode()

    def call(self, method: str, path: str, **body: Any) -> Any:
        """The answer, from JSON. Raises `urllib.error.HTTPError` for one that says no."""
        data = json.dumps(body).encode() if body else None
        return self._send(method, path, data, "application/json")

    def upload(self, path: str, name: str, file: bytes) -> Any:
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="voice.flac"\r\n\r\n'
        data = head.encode() + file + f"\r\n--{boundary}--\r\n".encode()
        return self._send("POST", path, data, f"multipart/form-data; boundary={boundary}")

    def enroll(self, name: str, recording: bytes) -> str:
        """From a name to a voiceprint; the speaker's key."""
        speaker: str = self.call("POST", "speakers", name=name)["id"]
        self.call("POST", f"speakers/{speaker}/consents", text=self.call("GET", "consent-text")["id"])
        draft = self.upload(f"speakers/{speaker}/enrollments", "recording", recording)["id"]
        while (heard := self.call("GET", f"enrollments/{draft}"))["verdict"] is None:
            assert not heard["error"], heard
            time.sleep(0.2)  # whoever runs the test has a time-out
        self.call("POST", f"enrollments/{draft}/store")
        return speaker

    def _send(self, method: str, path: str, data: bytes | None, kind: str) -> Any:
        request = urllib.request.Request(f"{self._http}/api/{path}", data, method=method)  # noqa: S310
        request.add_header("Authorization", f"Basic {self._login}")
        request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None
