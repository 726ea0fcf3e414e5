from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

from audit import origin
from audit.origin import Origin


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
