"""The pages as an application that browsers install."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.sessions_app.meetings import make_user

pytestmark = pytest.mark.django_db


def found(address: str) -> bytes:
    """A static file, by its address."""
    path = finders.find(address.removeprefix("/static/"))
    assert path, address
    return Path(path).read_bytes()


class TestManifest:
    def test_names_icons_that_are_there_in_the_size_they_say(self) -> None:
        icons = Client().get(reverse("manifest")).json()["icons"]
        assert {icon.get("purpose", "any") for icon in icons} == {"any", "maskable"}
        for icon in icons:
            content = found(icon["src"])
            if icon["type"] == "image/png":
                width, height = struct.unpack(">II", content[16:24])
                assert f"{width}x{height}" == icon["sizes"]
            else:
                assert content.startswith(b"<svg")

    def test_speaks_the_reader_s_language(self) -> None:
        english, chinese = (
            Client(headers={"accept-language": language}).get(reverse("manifest")).json()
            for language in ("en", "zh-hans")
        )
        assert (english["lang"], chinese["lang"]) == ("en", "zh-hans")
        assert english["shortcuts"][0]["name"] == "New recording"
        assert chinese["shortcuts"][0]["name"] != "New recording"

    def test_is_named_by_pages(self) -> None:
        page = Client().get(reverse("session-list")).content.decode()
        assert f'rel="manifest" href="{reverse("manifest")}"' in page
        assert f'data-worker="{reverse("service-worker")}"' in page


class TestOfflinePage:
    def test_is_the_same_for_everybody_and_tells_of_nobody(self) -> None:
        somebody = Client(headers={"accept-language": "zh-hans"})
        somebody.force_login(make_user("anna", "editor"))
        page, theirs = (client.get(reverse("offline")) for client in (Client(), somebody))
        assert page.content == theirs.content
        assert "csrf" not in page.content.decode()
        assert not page.cookies

    def test_says_it_in_both_languages(self) -> None:
        page = Client().get(reverse("offline")).content.decode()
        assert "The server cannot be reached." in page
        assert "无法连接服务器" in page


def test_the_worker_is_served_from_the_root_and_asked_for_every_time() -> None:
    response = Client().get("/service-worker.js")
    [script] = re.findall(r'^import "(.+)";$', response.content.decode().strip())
    assert b"addEventListener" in found(script)
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert response.headers["Cache-Control"] == "no-cache"


def test_a_shared_file_that_no_worker_took_leads_to_the_recording_page() -> None:
    client = Client(enforce_csrf_checks=True)
    shared = SimpleUploadedFile("meeting.m4a", b"x", "audio/mp4")
    response = client.post(reverse("share-target"), {"file": shared})
    assert (response.status_code, response.headers["Location"]) == (302, "/record/?source=file")
