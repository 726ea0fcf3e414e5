"""The time zone that pages are written in."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from asrsite.time_zone import ReaderTimeZoneMiddleware, zone_of


def written_in(cookie: str | None) -> str:
    request = HttpRequest()
    if cookie is not None:
        request.COOKIES["timezone"] = cookie
    middleware = ReaderTimeZoneMiddleware(lambda _: HttpResponse(timezone.get_current_timezone_name()))
    return middleware(request).content.decode()


def test_a_page_is_written_in_the_zone_that_the_readers_browser_told() -> None:
    assert written_in("America/New_York") == "America/New_York"


@pytest.mark.parametrize("cookie", [None, "", "Mars/Olympus", "/etc/passwd", "../../etc", "x\0", "x" * 5000])
def test_without_a_zone_that_exists_it_is_the_installations(cookie: str | None) -> None:
    assert written_in(cookie) == timezone.get_default_timezone_name()


def test_the_next_request_is_not_written_in_this_readers_zone() -> None:
    written_in("America/New_York")
    assert timezone.get_current_timezone() == timezone.get_default_timezone()


def test_no_name_reads_a_file_that_is_no_zone() -> None:
    assert zone_of("/etc/localtime") is None
    assert zone_of("../../../etc/localtime") is None
