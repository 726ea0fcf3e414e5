"""What is compressed on its way, and what is better left as it is."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import Client, RequestFactory

from asrsite.compression import TextCompressionMiddleware
from tests.sessions_app.meetings import make_lines, make_session

BODY = b"what was said " * 100


def answered(response: HttpResponseBase, accepts: str = "gzip, br") -> Any:
    middleware = TextCompressionMiddleware(lambda request: response)
    return middleware(RequestFactory(headers={"accept-encoding": accepts}).get("/"))


@pytest.mark.parametrize(
    "content_type",
    ["text/html; charset=utf-8", "application/json", "text/plain", "image/svg+xml", "Application/JSON"],
)
def test_text_is(content_type: str) -> None:
    answer = answered(HttpResponse(BODY, content_type=content_type))
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content) == BODY
    assert answer["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(BODY, content_type="audio/wav"),
        HttpResponse(BODY, content_type="application/octet-stream"),
        HttpResponse(BODY, content_type="text/plain", status=206),
        StreamingHttpResponse([BODY], content_type="text/plain"),
        HttpResponse(b"short", content_type="text/plain"),
    ],
    ids=["audio", "peaks", "a part", "made while it is sent", "short"],
)
def test_what_gains_nothing_is_not(response: HttpResponseBase) -> None:
    assert not answered(response).has_header("Content-Encoding")


def test_whoever_cannot_unpack_gets_it_as_it_is() -> None:
    assert answered(HttpResponse(BODY), accepts="identity").content == BODY


def test_lengths_do_not_tell_what_stands_in_a_page() -> None:
    lengths = {len(answered(HttpResponse(BODY)).content) for _ in range(20)}
    assert len(lengths) > 3


@pytest.mark.django_db
def test_a_transcript_is_a_tenth_on_the_wire() -> None:
    session = make_session()
    make_lines(session, ["我们先看上个季度的预算，然后决定下个月的安排。"] * 200)
    address = session.get_absolute_url()
    plain = Client().get(address)
    packed = Client(headers={"accept-encoding": "gzip"}).get(address)
    assert gzip.decompress(packed.content).count(b"seq") == plain.content.count(b"seq")
    assert len(packed.content) < len(plain.content) / 10
