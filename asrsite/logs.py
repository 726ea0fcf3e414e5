"""Logs of libraries, made readable for who runs the service."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError


class OutagesInALine(logging.Filter):
    """Filter that tells of a server that does not answer in one line: no traceback says more about it."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, (OSError, RedisError)):
            record.msg, record.args = f"{record.getMessage()}: {error}", ()
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
