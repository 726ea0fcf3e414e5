"""The rules that browsers get with each answer."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from asrsite.security import POLICY, ContentSecurityPolicyMiddleware

RULES = dict(rule.split(" ", 1) for rule in POLICY.split("; "))


def answered(**headers: str) -> HttpResponse:
    return ContentSecurityPolicyMiddleware(lambda request: HttpResponse(headers=headers))(HttpRequest())


@pytest.mark.parametrize("kind", ["default-src", "script-src", "style-src", "connect-src", "form-action"])
def test_what_a_page_loads_or_sends_to_is_this_site_alone(kind: str) -> None:
    assert RULES[kind] == "'self'"


@pytest.mark.parametrize("kind", ["object-src", "base-uri", "frame-ancestors"])
def test_what_no_page_of_ours_needs_is_forbidden(kind: str) -> None:
    assert RULES[kind] == "'none'"


@pytest.mark.parametrize("loophole", ["'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:"])
def test_a_transcript_can_never_become_a_script(loophole: str) -> None:
    assert loophole not in POLICY.split()


def test_every_answer_carries_the_rules() -> None:
    response = answered()
    assert response["Content-Security-Policy"] == POLICY
    assert response["Permissions-Policy"] == "microphone=(self)"


def test_a_page_with_stricter_rules_keeps_them() -> None:
    response = answered(**{"Content-Security-Policy": "default-src 'none'"})
    assert response["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/login/", "/no/such/page/", "/healthz", "/api/speakers"])
def test_pages_errors_and_the_api_alike_carry_them(address: str) -> None:
    assert Client().get(address).headers["Content-Security-Policy"] == POLICY


class TestStrictRequests:
    @pytest.mark.parametrize("address", ["/sessions/a%00b/", "/people/%00", "/api/speakers%00"])
    def test_a_nul_in_a_path_cannot_be_understood(self, address: str) -> None:
        assert Client().get(address).status_code == 400

    @pytest.mark.parametrize("address", ["/healthz", "/login/", "/nothing"])
    def test_nothing_answers_to_trace(self, address: str) -> None:
        response = Client().trace(address)
        assert response.status_code == 405
        assert "GET" in response["Allow"]
