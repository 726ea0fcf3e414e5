"""What people see when something is not there, not theirs, or broken: a page of ours in their language."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sessions_app.catalogue import listing

CHINESE = {"Accept-Language": "zh-CN"}

pytestmark = pytest.mark.django_db


def break_list(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(listing, "ListingForm", broken)


class TestPages:
    def test_nothing_at_an_address_is_said_in_both_languages(self) -> None:
        response = Client().get("/no/such/page/")
        assert response.status_code == 404
        assert "There is nothing at this address." in response.content.decode()
        assert "这个网址上没有内容。" in Client(headers=CHINESE).get("/no/such/page/").content.decode()

    def test_a_page_that_was_open_too_long_says_what_to_do(self) -> None:
        client = Client(enforce_csrf_checks=True, headers=CHINESE)
        response = client.post("/login/", {"username": "a", "password": "b"})
        assert response.status_code == 403
        assert "请重新加载" in response.content.decode()

    def test_a_failure_says_where_to_look_and_none_of_its_details(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        break_list(monkeypatch)
        response = Client(raise_request_exception=False, headers=CHINESE).get("/")
        assert response.status_code == 500
        assert "服务器出错了" in response.content.decode()
        assert "secret detail" not in response.content.decode()

    def test_a_request_for_an_unknown_host_is_refused_in_our_look(self) -> None:
        response = Client().get("/", headers={"host": "evil.example"})
        assert response.status_code == 400
        assert "evil.example" not in response.content.decode()
        assert "add the address to ALLOWED_HOSTS" in response.content.decode()


class TestScripts:
    def test_get_errors_as_json(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client = Client(raise_request_exception=False, headers={"accept": "application/json"})
        assert client.get("/no/such/page/").json() == {"error": "There is nothing at this address."}
        break_list(monkeypatch)
        assert client.get("/").json() == {
            "error": "Something went wrong on the server. Its log has the details."
        }
