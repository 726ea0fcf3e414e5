"""Request bodies, on servers that ask the application before the body is there."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from sessions_app.serving.body_limits import MAX_BODY_BYTES, MAX_FILE_BODY_BYTES
from sessions_app.serving.bounded_bodies import BoundedBodies, max_body_bytes

KEY = "6f1c4c1e-0f2e-4d0f-9d6b-0d9f0c8f5a10"


class TestLimits:
    @pytest.mark.parametrize(
        "path",
        [
            reverse("enroll", args=[KEY]),
            reverse("record-oneself", args=["x"]),
            reverse("api:enroll", args=[KEY]),
            "/v1/audio/transcriptions",
            "/v1/listen",
            "/v1/listen/",
        ],
    )
    def test_recordings_may_be_sent_where_people_enroll_and_where_programs_have_them_transcribed(
        self, path: str
    ) -> None:
        assert max_body_bytes(path) == MAX_FILE_BODY_BYTES

    @pytest.mark.parametrize(
        "path", ["/", "/login/", "/nothing", "/api/speakers", "//", "/people/new/", "/v1/models"]
    )
    def test_all_else_is_small(self, path: str) -> None:
        assert max_body_bytes(path) == MAX_BODY_BYTES


async def answered(*parts: bytes, length: int | None = None) -> tuple[int, int]:
    """The status of the answer, and how much of a request's body the application was given."""
    given = 0
    sent: list[Any] = []
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal given
        while body := (await receive())["body"]:
            given += len(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [] if length is None else [(b"content-length", b"%d" % length)]
    await BoundedBodies(application)({"type": "http", "path": "/login/", "headers": headers}, receive, send)
    return sent[0]["status"], given


MIB = bytes(2**20)


async def test_what_fits_is_passed_on() -> None:
    assert await answered(MIB, MIB, MIB, length=MAX_BODY_BYTES) == (200, MAX_BODY_BYTES)


async def test_a_length_beyond_the_limit_is_refused_before_the_application_is_asked() -> None:
    assert await answered(MIB, length=MAX_BODY_BYTES + 1) == (413, 0)


async def test_what_has_no_length_is_refused_when_too_much_has_come() -> None:
    assert await answered(MIB, MIB, MIB, b"x", MIB) == (413, MAX_BODY_BYTES)
