from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

from audit import origin
from audit.origin import Origin, client_address


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.1.2.3", "192.0.2.1, 8.8.8.8", "8.8.8.8"),  # the client wrote the first itself
        ("8.8.4.4", "198.51.100.9", "8.8.4.4"),  # no proxy of ours: anybody can say so
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("::ffff:10.1.2.3", "2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "", "fe80::1"),
        ("/run/asrsite.sock", "8.8.8.8", None),
        (None, "", None),
    ],
)
def test_an_address_is_that_of_the_client_and_no_invention_of_its(
    peer: str | None, forwarded_for: str, address: str | None
) -> None:
    assert client_address(peer, forwarded_for) == address


def test_without_a_request_it_is_the_service_itself() -> None:
    assert origin.current() == Origin()


def test_a_request_is_the_origin_while_it_is_answered(rf: RequestFactory) -> None:
    request = rf.get("/", REMOTE_ADDR="203.0.113.7")
    request.user = user = User(username="anna")
    setattr(request, origin.TOKEN, 7)
    with origin.answering(request):
        assert origin.current() == Origin(user, "203.0.113.7", 7)
        with origin.answering(other := rf.get("/")):
            assert origin.current().user is None
            other.user = AnonymousUser()
            assert origin.current().user is None
        assert origin.current().user is user
    assert origin.current() == Origin()
