"""Receives webhooks, with nothing but Python: checks who sent them, and counts none twice.

    python examples/webhooks.py --secret whsec_... --port 9000

Copy `verified` and `Seen`; the rest is a small server that prints what comes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_AGE_S = 300.0
"""An older message may be one that somebody has caught and sends again."""

MAX_BODY = 1024 * 1024


class Refused(Exception):
    """A message that is not from our server."""


def verified(headers: Mapping[str, str], body: bytes, secret: str, *, now: float | None = None) -> Any:
    """Return the message in a request.

    Args:
        headers: Names in lower case.
        secret: As it was shown, with `whsec_`.

    Raises:
        Refused: If it was not signed with this secret, or long ago.
    """
    message_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs((time.time() if now is None else now) - int(sent)) > MAX_AGE_S:
        raise Refused("it has no time, or was signed too long ago")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    right = hmac.digest(key, f"{message_id}.{sent}.".encode() + body, hashlib.sha256)
    # While a secret is being replaced there are two signatures.
    for signature in headers.get("webhook-signature", "").split():
        version, _, given = signature.partition(",")
        if version == "v1" and hmac.compare_digest(given, base64.b64encode(right).decode()):
            return json.loads(body)
    raise Refused("it was not signed with this secret")


class Seen:
    """Ids of messages that have come: one whose answer got lost comes again. A real receiver keeps them."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def is_new(self, message_id: str) -> bool:
        """Tell whether a message comes for the first time."""
        if message_id in self._ids:
            return False
        self._ids.add(message_id)
        return True


class Receiver(BaseHTTPRequestHandler):
    """Prints each message once."""

    secret = ""
    seen = Seen()

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(min(int(headers.get("content-length", "0")), MAX_BODY))
        try:
            message = verified(headers, body, self.secret)
        except Refused as reason:
            self.send_error(401, str(reason))
            return
        if self.seen.is_new(headers["webhook-id"]):
            print(json.dumps(message, ensure_ascii=False), flush=True)
        self.send_response(204)
        self.end_headers()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--port", type=int, default=9000)
    asked = parser.parse_args()
    Receiver.secret = asked.secret
    ThreadingHTTPServer(("127.0.0.1", asked.port), Receiver).serve_forever()


if __name__ == "__main__":
    main()
