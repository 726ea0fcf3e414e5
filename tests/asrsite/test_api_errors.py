"""Errors of the API: always JSON with one sentence, in the reader's language, and the right status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.test import Client

from speakers import enrollment
from tests.speakers.people import make_speaker

pytestmark = pytest.mark.django_db

BOSS = "Basic Ym9zczpib3Nz"


@pytest.fixture(autouse=True)
def _storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    User.objects.create_superuser("boss", password="boss")


def ask(path: str, method: str = "get", *, language: str = "en", by: str = BOSS, **options: Any) -> Any:
    client = Client(headers={"accept-language": language} | ({"authorization": by} if by else {}))
    return getattr(client, method)(f"/api/{path}", **options)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Please log in first."), ("zh-hans", "请先登录")], ids=["en", "zh"]
)
def test_nobody_known_is_asked_to_log_in(language: str, words: str) -> None:
    response = ask("speakers", by="", language=language)

    assert response.status_code == 401
    assert words in response.json()["error"]


@pytest.mark.parametrize("header", ["Basic eDp4", "Basic !!!", "Bearer abc", "Basic", "x"])
def test_wrong_credentials_in_any_form_are_nobody(header: str) -> None:
    assert ask("speakers", by=header).status_code == 401


def test_somebody_without_the_right_is_told_so() -> None:
    User.objects.create_user("staff", password="staff", is_staff=True)

    response = ask("speakers", by="Basic c3RhZmY6c3RhZmY=")

    assert response.status_code == 403
    assert response.json() == {"error": "You do not have permission to do this."}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "speakers/00000000-0000-0000-0000-000000000000"),
        ("delete", "speakers/00000000-0000-0000-0000-000000000000"),
        ("get", "speakers/00000000-0000-0000-0000-000000000000/export"),
        ("get", "voiceprints/00000000-0000-0000-0000-000000000000/audio"),
        ("delete", "consents/7"),
    ],
)
def test_what_is_not_there_is_said_without_its_innards(method: str, path: str) -> None:
    response = ask(path, method)

    assert response.status_code == 404
    assert response.json() == {"error": "There is nothing at this address."}


def test_what_is_gone_is_said_in_our_own_words() -> None:
    response = ask("enrollments/00000000-0000-0000-0000-000000000000")

    assert response.status_code == 404
    assert "stored or deleted" in response.json()["error"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "name"),
        ('{"name": ""}', "name"),
        ('{"name": "   "}', "name"),
        ('{"name": 7}', "name"),
        ('{"name": "Alice", "note": null}', "note"),
    ],
)
def test_a_body_that_is_wrong_is_told_by_its_field(body: str, field: str) -> None:
    response = ask("speakers", "post", data=body, content_type="application/json")

    assert response.status_code == 422
    assert field in response.json()["error"]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "offset=-1", "limit=x"])
def test_a_number_that_is_out_of_range_is_told_by_its_name(query: str) -> None:
    response = ask(f"speakers?{query}")

    assert response.status_code == 422
    assert query.split("=")[0] in response.json()["error"]


def test_a_body_that_is_no_json_is_no_failure_of_the_server() -> None:
    response = ask("speakers", "post", data="{", content_type="application/json")

    assert 400 <= response.status_code < 500
    assert response.json()["error"]


def test_voices_without_their_key_say_what_to_do(settings: Any) -> None:
    recording = enrollment.to_flac(np.zeros(1600, np.float32))
    alice = make_speaker("Alice", np.ones(4, np.float32), audio=recording)
    settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]

    response = ask(f"speakers/{alice.uuid}/export")

    assert response.status_code == 503
    assert "Put that key back" in response.json()["error"]


def test_a_page_without_its_csrf_token_may_not_change_anything() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get())

    response = client.post("/api/speakers", {"name": "Alice"}, content_type="application/json")

    assert response.status_code == 403
    assert "CSRF" in response.json()["error"]
