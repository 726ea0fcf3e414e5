"""The log as its reader sees it, with the settings of the service."""

from __future__ import annotations

import os

import pytest

from tests.support import warm_python

PROGRAM = """
import logging, os
os.environ["DJANGO_SETTINGS_MODULE"] = "asrsite.settings"
import django
django.setup()
from redis.exceptions import ConnectionError as RedisConnectionError
try:
    raise {error}
except Exception:
    logging.getLogger("{logger}").exception("it went wrong in %s", "a task")
"""


def logged(error: str, logger: str = "channels_redis.pubsub") -> list[str]:
    program = PROGRAM.format(error=error, logger=logger)
    done = warm_python.run(["-c", program], environment=os.environ)
    assert done.returncode == 0
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    "error",
    [
        "RedisConnectionError('Connection closed by server.')",
        "ConnectionRefusedError('Connection closed by server.')",
    ],
)
def test_a_redis_that_does_not_answer_is_told_in_one_line(error: str) -> None:
    (line,) = logged(error)
    assert line.endswith(
        "WARNING channels_redis.pubsub: it went wrong in a task: Connection closed by server."
    )


def test_so_is_a_subscriber_that_reads_while_its_connection_is_made_anew() -> None:
    (line,) = logged(
        "RuntimeError('read() called while another coroutine is already waiting for incoming data')"
    )
    assert "WARNING channels_redis.pubsub: it went wrong in a task: read() called" in line


def test_a_fault_of_the_program_is_told_with_its_traceback() -> None:
    lines = logged("KeyError('channel')")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "KeyError: 'channel'"


def test_an_outage_that_our_own_code_did_not_expect_is_a_fault() -> None:
    assert logged("OSError('no')", logger="sessions_app.sockets.fanout")[-1] == "OSError: no"
