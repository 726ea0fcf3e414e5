"""Logs of libraries, made readable for who runs the service."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError

_READ_TWICE = "another coroutine is already waiting"
"""What a subscriber is told that reads while its connection is made anew; it reads again a second later."""


class OutagesInALine(logging.Filter):
    """Filter that tells of a server that does not answer in one line: no traceback says more about it."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, (OSError, RedisError)) or _READ_TWICE in str(error):
            record.msg, record.args = f"{record.getMessage()}: {error}", ()
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
