"""Files sent by HTTP, as tus has it: whose they are, what is refused, and what is told of them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django.test import Client
from django.utils import translation

from audit.models import Entry
from recognition.audio import samples
from recognition.funasr.spelling import Spelling
from sessions_app import hotword_spelling
from sessions_app.models import AccessToken, Session, Upload
from sessions_app.uploads import store
from sessions_app.uploads.file_log import Facts
from tests.sessions_app.meetings import make_session, make_user

pytestmark = pytest.mark.django_db

State = Upload.State
REMOTE = "203.0.113.9"
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def anna() -> User:
    return make_user("anna", "transcriber")


@pytest.fixture
def page(anna: User) -> Client:
    client = Client(REMOTE_ADDR=REMOTE)
    client.force_login(anna)
    return client


def metadata(**words: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in words.items())


def create(client: Client, size: int = 6, **words: str) -> Any:
    headers = TUS | {
        "Upload-Length": str(size),
        "Upload-Metadata": metadata(**{"filename": "周会.mp3"} | words),
    }
    return client.post("/api/uploads/", headers=headers)


def place(client: Client, size: int = 6, **words: str) -> str:
    answer = create(client, size, **words)
    assert answer.status_code == 201, answer.content
    address: str = answer["Location"]
    return address


def send(client: Client, address: str, data: bytes, offset: int = 0, **headers: Any) -> Any:
    kind = "application/offset+octet-stream"
    return client.patch(
        address, data, content_type=kind, headers=TUS | {"Upload-Offset": str(offset)} | headers
    )


def reason(answer: Any) -> str:
    error: str = answer.json()["error"]
    return error


class TestTus:
    def test_a_file_comes_in_pieces_and_waits_then(self, page: Client) -> None:
        address = place(page)
        answer = send(page, address, b"abc")
        assert (answer.status_code, answer["Upload-Offset"], answer["Tus-Resumable"]) == (204, "3", "1.0.0")
        assert page.get(address).json()["state"] == "receiving"
        assert send(page, address, b"def", 3)["Upload-Offset"] == "6"
        told = page.get(address).json()
        assert (told["state"], told["received"], told["name"]) == ("waiting", 6, "周会.mp3")

    def test_whoever_was_cut_off_asks_where_to_go_on(self, page: Client) -> None:
        address = place(page)
        send(page, address, b"abc")
        answer = page.head(address, headers=TUS)
        assert (answer.status_code, answer["Upload-Offset"], answer["Upload-Length"]) == (200, "3", "6")
        assert answer["Cache-Control"] == "no-store"

    def test_a_piece_of_another_place_is_a_conflict(self, page: Client) -> None:
        address = place(page)
        assert send(page, address, b"abc", 2).status_code == 409

    def test_clients_are_told_what_is_spoken(self, settings: Any) -> None:
        settings.MAX_UPLOAD_MB = 3
        answer = Client(REMOTE_ADDR=REMOTE).options("/api/uploads/")
        assert (answer.status_code, answer["Tus-Version"]) == (204, "1.0.0")
        assert answer["Tus-Extension"] == "creation,termination"
        assert answer["Tus-Max-Size"] == str(3 * 2**20)

    @pytest.mark.parametrize("method", ["post", "patch", "head"])
    def test_another_version_is_refused(self, page: Client, method: str) -> None:
        address = "/api/uploads/" if method == "post" else place(page)
        answer = getattr(page, method)(address, headers={"Tus-Resumable": "2.0"})
        assert answer.status_code == 412

    def test_a_form_is_no_piece(self, page: Client) -> None:
        answer = page.patch(
            place(page), b"abc", content_type="text/plain", headers=TUS | {"Upload-Offset": "0"}
        )
        assert answer.status_code == 415
        assert "application/offset+octet-stream" in reason(answer)

    def test_a_file_that_nobody_knows_is_not_found(self, page: Client) -> None:
        address = "/api/uploads/00000000-0000-4000-8000-000000000000"
        assert page.head(address, headers=TUS).status_code == 404
        assert send(page, address, b"abc").status_code == 404

    def test_it_can_be_called_off(self, page: Client) -> None:
        address = place(page)
        assert page.delete(address, headers=TUS).status_code == 204
        assert page.get(address).json()["state"] == "cancelled"
        assert page.delete(address).status_code == 204
        assert page.get(address).status_code == 404


class TestRefusals:
    def test_too_large(self, page: Client, settings: Any) -> None:
        settings.MAX_UPLOAD_MB = 1
        answer = create(page, 2**20 + 1)
        assert (answer.status_code, reason(answer)) == (413, "a file may have 1 MB at most")

    def test_words_and_languages_that_the_models_do_not_know_are_refused_by_name(
        self, page: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hotword_spelling, "_spelling", lambda *_: Spelling(["王", "磊"]))
        answer = create(page, hotwords="王磊,王燊")
        assert (answer.status_code, "王燊 (燊)" in reason(answer)) == (400, True)
        answer = create(page, language="fr")
        assert (answer.status_code, "language fr" in reason(answer)) == (400, True)
        assert not Upload.objects.exists()

    def test_a_translation_is_refused_where_there_is_no_language_model(self, page: Client) -> None:
        answer = create(page, translate="en")
        assert (answer.status_code, "No language model" in reason(answer)) == (400, True)

    def test_digits_and_translation_are_those_of_the_meeting(self, page: Client, settings: Any) -> None:
        settings.LLM_URL = "http://127.0.0.1:9/v1"
        place(page, itn="0", translate="en")
        upload = Upload.objects.get()
        assert (upload.itn, upload.translate) == (False, "en")

    def test_script_and_language_are_those_of_the_meeting(self, page: Client) -> None:
        place(page, script="traditional", language="zh")
        upload = Upload.objects.get()
        assert (upload.script, upload.language) == ("traditional", "zh")

    def test_models_that_are_not_served(self, page: Client) -> None:
        answer = create(page, models="gpt")
        assert answer.status_code == 400
        assert "embedded" in reason(answer)

    def test_an_id_that_is_taken(self, page: Client) -> None:
        make_session("weekly")
        assert create(page, key="weekly").status_code == 409
        assert create(page, key="a/b").status_code == 400
        assert create(page, key="weekly-2").status_code == 201

    def test_minutes_that_are_used_up(self, page: Client, anna: User, settings: Any) -> None:
        settings.QUOTA_MINUTES = 1
        session = make_session("long", owner=anna)
        Session.objects.filter(pk=session.pk).update(durable=samples(60))
        answer = create(page)
        assert (answer.status_code, "minutes" in reason(answer)) == (403, True)

    def test_meetings_that_go_on_keep_no_file_away(self, page: Client, anna: User, settings: Any) -> None:
        settings.QUOTA_SESSIONS = 1
        make_session("live", owner=anna, is_live=True)
        assert create(page).status_code == 201


class TestRights:
    @pytest.fixture
    def address(self, page: Client) -> str:
        return place(page)

    def statuses(self, client: Client, address: str, **headers: Any) -> list[int]:
        answers: list[HttpResponseBase] = [
            client.get("/api/uploads/", headers=headers),
            client.get(address, headers=headers),
            client.head(address, headers=headers | TUS),
            send(client, address, b"abc", **headers),
            client.delete(address, headers=headers),
        ]
        return [answer.status_code for answer in answers]

    def test_nobody_comes_in_without_a_login(self, address: str) -> None:
        assert self.statuses(Client(REMOTE_ADDR=REMOTE), address) == [401] * 5

    def test_readers_may_not(self, address: str) -> None:
        client = Client(REMOTE_ADDR=REMOTE)
        client.force_login(make_user("vera", "viewer"))
        assert self.statuses(client, address) == [403] * 5

    def test_what_others_send_is_nobodys_business(self, address: str) -> None:
        client = Client(REMOTE_ADDR=REMOTE)
        client.force_login(make_user("otto", "transcriber"))
        assert self.statuses(client, address) == [200, 404, 404, 404, 404]
        assert client.get("/api/uploads/").json() == []
        assert Upload.objects.get().state == State.RECEIVING

    def test_somebody_at_this_machine_needs_no_login_but_sees_only_what_came_without(
        self, address: str
    ) -> None:
        client = Client()
        assert self.statuses(client, address)[:2] == [200, 404]
        assert client.get(place(client)).json()["state"] == "receiving"
        assert len(client.get("/api/uploads/").json()) == 1

    def test_pages_of_others_cannot_use_that(self) -> None:
        answer = Client().post("/api/uploads/", headers=TUS | {"Origin": "https://evil.example"})
        assert answer.status_code == 403

    def test_a_page_shows_that_it_is_ours(self, anna: User) -> None:
        client = Client(enforce_csrf_checks=True, REMOTE_ADDR=REMOTE)
        client.force_login(anna)
        assert create(client).status_code == 403

    def test_a_program_sends_by_its_token(self, address: str) -> None:
        client = Client(REMOTE_ADDR=REMOTE)
        _, secret = AccessToken.issue(name="n8n", role="sender")
        mine: dict[str, Any] = {"Authorization": f"Bearer {secret}"}
        answer = client.post("/api/uploads/", headers=TUS | {"Upload-Length": "3"} | mine)
        assert answer.status_code == 201
        assert send(client, answer["Location"], b"abc", 0, **mine).status_code == 204
        assert self.statuses(client, address, **mine)[:2] == [200, 404]
        assert len(client.get("/api/uploads/", headers=mine).json()) == 1

    @pytest.mark.parametrize(
        ("columns", "status"),
        [({"role": "receiver"}, 403), ({"role": "sender", "session_key": "one"}, 403)],
    )
    def test_tokens_for_something_else_are_refused(self, columns: dict[str, Any], status: int) -> None:
        _, secret = AccessToken.issue(name="x", **columns)
        client = Client(REMOTE_ADDR=REMOTE)
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.get("/api/uploads/", headers=headers).status_code == status

    def test_a_token_that_was_revoked_is_none(self) -> None:
        token, secret = AccessToken.issue(name="x", role="sender")
        AccessToken.objects.filter(pk=token.pk).update(is_revoked=True)
        client = Client(REMOTE_ADDR=REMOTE)
        assert client.get("/api/uploads/", headers={"Authorization": f"Bearer {secret}"}).status_code == 401

    def test_a_program_may_log_in_by_password(self, anna: User) -> None:
        anna.set_password("swordfish-1")
        anna.save()
        login = base64.b64encode(b"anna:swordfish-1").decode()
        client = Client(REMOTE_ADDR=REMOTE)
        assert client.get("/api/uploads/", headers={"Authorization": f"Basic {login}"}).json() == []

    def test_it_is_on_record(self, page: Client, anna: User) -> None:
        place(page, key="weekly")
        entry = Entry.objects.get(action="meeting-send")
        assert (entry.actor, entry.meeting) == (anna, "weekly")


class TestTold:
    @pytest.fixture
    def upload(self, page: Client) -> Upload:
        send(page, place(page, 3), b"abc")
        return Upload.objects.get()

    def told(self, page: Client) -> Any:
        [found] = page.get("/api/uploads/").json()
        return found

    def test_how_many_are_before_it(self, page: Client, upload: Upload) -> None:
        address = place(page, 3)
        send(page, address, b"abc")
        assert page.get(address).json()["before"] == 1
        assert page.get(f"/api/uploads/{upload.key}").json()["before"] == 0

    def test_how_far_it_is(self, page: Client, upload: Upload) -> None:
        session_pk = store.open_session(upload, Facts(samples(100), ""))
        Session.objects.filter(pk=session_pk).update(durable=samples(25))
        told = self.told(page)
        assert (told["duration_ms"], told["done_ms"]) == (100_000, 25_000)
        assert told["url"] == f"/sessions/{told['session']}/"

    def test_why_it_failed_in_the_readers_language(self, page: Client, upload: Upload) -> None:
        Upload.objects.update(state=State.FAILED, error="not_audio", finished_at="2026-11-30T00:00Z")
        assert self.told(page)["error"] == "It has no sound that can be read: it is damaged, or no recording."
        chinese = page.get("/api/uploads/", headers={"Accept-Language": "zh-hans"}).json()[0]["error"]
        assert chinese != self.told(page)["error"]

    def test_the_list_costs_the_same_however_long(self, page: Client, django_assert_num_queries: Any) -> None:
        page.get("/api/uploads/")
        with django_assert_num_queries(6):  # the login, its rights, and both lists
            page.get("/api/uploads/")
        for _ in range(5):
            send(page, place(page, 3), b"abc")
        with django_assert_num_queries(6):
            assert len(page.get("/api/uploads/").json()) == 5


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield
