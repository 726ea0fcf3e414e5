"""Fixtures of pytest-django that every test would have, taken from those for which they do nothing.

Most of them look for a mark or a base class that no test here has; with thirteen thousand tests that costs a
minute of the processor.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

WITHOUT_USE = {
    "_django_clear_site_cache": None,
    "_django_isolate_apps": "django_isolate_apps",
    "_django_set_urlconf": "urls",
    "_django_db_marker": "django_db",
    "_template_string_if_invalid_marker": "ignore_template_errors",
}
"""By name, the mark without which a fixture does nothing; None: it is for an app that is not installed."""

OF_OTHERS = {"_live_server_helper": "live_server", "_dj_autoclear_mailbox": "mailoutbox"}
"""By name, the fixture beside which a fixture is needed. (`conftest` empties the mailbox after each test.)"""

OF_CASES = "_django_setup_unittest"
"""For `django.test.TestCase`, which no test is."""


def leave_out(items: Iterable[pytest.Item]) -> None:
    """Take them from tests that have been collected."""
    for item in items:
        if isinstance(item, pytest.Function):
            item.fixturenames = needed(item.fixturenames, {mark.name for mark in item.iter_markers()})


def needed(names: list[str], marks: set[str]) -> list[str]:
    """Return the names of a test's fixtures without those that do nothing, in order.

    Args:
        names: Of all its fixtures.
        marks: Its own, and those of its class and module.
    """
    there = set(names)
    idle = {name for name, mark in WITHOUT_USE.items() if mark not in marks}
    idle |= {name for name, user in OF_OTHERS.items() if user not in there}
    return [name for name in names if name not in idle and name != OF_CASES]
