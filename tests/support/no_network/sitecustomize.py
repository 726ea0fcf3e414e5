"""Python imports this by itself when its folder is in PYTHONPATH: nothing beyond loopback can be reached.

What was tried is written to the file that NETWORK_ATTEMPTS names, one line each.
"""

import os
import sys
from pathlib import Path
from typing import Any

_ATTEMPTS = Path(os.environ["NETWORK_ATTEMPTS"])
_LOOPBACK = ("127.", "::1", "localhost")


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path: a socket of this machine
    else:
        return
    if host is None or str(host).startswith(_LOOPBACK):
        return
    with _ATTEMPTS.open("a") as attempts:
        attempts.write(f"{event} {host}\n")
    raise OSError(f"{event} {host}: this test allows loopback only")


sys.addaudithook(_forbid)
