"""The outbox: what happens in a session is noted with it, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from minutes.statements import Kind, Statement
from recognition.audio import SAMPLE_RATE
from sessions_app.forms import EVENTS
from sessions_app.minutes import editing as minutes_of
from sessions_app.minutes import keeping
from sessions_app.minutes.requests import MakeAgain
from sessions_app.models import Delivery, Session, Upload, Utterance, Webhook
from sessions_app.store import commits, voices
from sessions_app.store.commits import Lease
from sessions_app.store.outbox import Event
from sessions_app.transcripts import attribution, editing, retention
from sessions_app.transcripts.edit_requests import ChangeText, Seen
from sessions_app.transport.interface import Fenced
from sessions_app.uploads import store
from sessions_app.uploads.file_log import Facts
from sessions_app.uploads.tus import Announcement
from sessions_app.webhooks import messages
from sessions_app.wire.protocol import ClosedBy
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice, new_line

from .hooks import make_hook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _storage(settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"


def told(hook: Webhook | None = None) -> list[str]:
    rows = Delivery.objects.filter(webhook=hook) if hook else Delivery.objects.all()
    return list(rows.values_list("event", flat=True))


def message(delivery: Delivery) -> Any:
    return json.loads(messages.body_of(delivery))


def lease_of(session: Session) -> Lease:
    lease = commits.acquire(session.pk)
    assert lease
    return lease


class TestASession:
    def test_is_told_from_its_beginning_to_its_end(self) -> None:
        make_hook()
        session, _ = commits.get_or_create_session("m", title="Budget")
        assert told() == []  # nobody has been let in yet
        lease = lease_of(session)
        lease, _ = commits.commit(lease, durable=SAMPLE_RATE, lines=[new_line(0, SAMPLE_RATE)])
        commits.end(lease, ClosedBy.SENDER)
        assert told() == ["session.begun", "line.final", "session.ended"]

    def test_that_goes_on_on_another_worker_begins_once(self) -> None:
        make_hook()
        session, _ = commits.get_or_create_session("m")
        lease_of(session)
        lease_of(session)
        assert told() == ["session.begun"]

    def test_that_another_worker_has_is_not_told_by_the_first(self) -> None:
        make_hook(events=["line.final", "session.ended"])
        session, _ = commits.get_or_create_session("m")
        old = lease_of(session)
        lease_of(session)
        with pytest.raises(Fenced):
            commits.commit(old, durable=1, lines=[new_line(0, 1)])
        with pytest.raises(Fenced):
            commits.end(old, ClosedBy.SENDER)
        assert told() == []

    def test_is_described_as_it_is_when_it_is_told(self) -> None:
        make_hook(events=["session.ended"])
        session, _ = commits.get_or_create_session("m", title="Budget")
        commits.end(lease_of(session), ClosedBy.PERSON)
        [delivery] = Delivery.objects.all()
        body = message(delivery)
        assert (body["type"], body["timestamp"]) == ("session.ended", delivery.created_at.isoformat())
        session_told = body["data"]["session"]
        assert (session_told["id"], session_told["name"]) == ("m", "Budget")
        assert (session_told["state"], session_told["closed_by"]) == ("ended", "person")

    def test_takes_nothing_that_was_said_into_the_outbox(self) -> None:
        make_hook()
        session, _ = commits.get_or_create_session("m")
        commits.commit(lease_of(session), durable=1, lines=[new_line(0, 1, "秘密")])
        rows = list(Delivery.objects.values())
        assert rows
        assert "秘密" not in str(rows)

    def test_that_is_deleted_for_good_is_told_no_more(self) -> None:
        make_hook()
        session, _ = commits.get_or_create_session("m")
        lease, _ = commits.commit(lease_of(session), durable=1, lines=[new_line(0, 1)])
        commits.end(lease, ClosedBy.SENDER)
        session.refresh_from_db()
        retention.delete_sessions([session])
        assert told() == []


class TestALine:
    def test_is_told_as_the_api_tells_it(self) -> None:
        make_hook(events=["line.final"])
        session = make_session(is_live=True)
        lease = lease_of(session)
        _, [line] = commits.commit(lease, durable=SAMPLE_RATE, lines=[new_line(0, SAMPLE_RATE, "好的。")])
        data = message(Delivery.objects.get())["data"]
        assert data["removed"] is False
        wanted = {"id": line.pk, "seq": 1, "text": "好的。", "start_ms": 0, "end_ms": 1000, "revision": 0}
        assert {name: data["line"][name] for name in wanted} == wanted
        assert data["line"]["speaker"]["number"] == 1

    def test_that_a_commit_repeats_is_told_once(self) -> None:
        make_hook(events=["line.final"])
        lease = lease_of(make_session(is_live=True))
        for _ in range(2):
            commits.commit(lease, durable=1, lines=[new_line(0, 1)])
        assert told() == ["line.final"]

    def test_is_told_with_its_commit_or_not_at_all(self) -> None:
        make_hook(events=["line.final"])
        lease = lease_of(make_session(is_live=True))
        with transaction.atomic():
            commits.commit(lease, durable=1, lines=[new_line(0, 1)])
            transaction.set_rollback(True)
        assert (told(), Utterance.objects.count()) == ([], 0)

    def test_that_a_person_corrects_is_told_again(self) -> None:
        make_hook(events=["line.revised"])
        session = make_session(owner=make_user("anna", "transcriber"))
        [line, *_] = make_lines(session)
        seen = Seen(line=line.pk, revision=0)
        editing.apply(session, ChangeText(kind="text", seen=seen, text="改了。"), by=make_user("b", "editor"))
        [delivery] = Delivery.objects.all()
        assert (delivery.line_id, delivery.revision) == (line.pk, 1)
        assert message(delivery)["data"]["line"]["text"] == "改了。"

    def test_whose_voice_is_named_is_told_again_in_order(self) -> None:
        make_hook(events=["line.revised"])
        session = make_session()
        voice = make_voice(session)
        lines = make_lines(session, voice=voice)
        attribution.name_voice(voice, make_voice(make_session("other"), "林静").speaker)
        rows = list(Delivery.objects.values_list("line", "revision"))
        assert rows == [(line.pk, number) for number, line in enumerate(lines, 1)]
        assert message(Delivery.objects.all()[0])["data"]["line"]["speaker"]["speaker_name"] == "林静"

    def test_that_is_taken_out_is_told_so(self) -> None:
        make_hook(events=["line.revised"])
        session = make_session()
        [line, *_] = make_lines(session)
        Utterance.objects.filter(pk=line.pk).update(is_removed=True)
        voices.number_changes(session.pk, [line.pk])
        assert message(Delivery.objects.get())["data"]["removed"] is True


class TestAFile:
    """Told when its worker is through with it."""

    @pytest.fixture(autouse=True)
    def hook(self) -> Webhook:
        return make_hook(events=["upload.done"])

    @pytest.fixture
    def upload(self, settings: Settings) -> Upload:
        settings.MODEL_SETS = ["embedded"]
        store.append(store.begin(Announcement(3, "周会.mp3"), owner=None, token=None), 0, b"abc")
        claimed = store.claim("w", ["embedded"])
        assert claimed
        return claimed

    def transcribe(self, upload: Upload, fault: str = "") -> Session:
        pk = store.open_session(upload, Facts(SAMPLE_RATE, ""))
        commits.end(lease_of(Session.objects.get(pk=pk)), ClosedBy.SENDER)
        store.settle(upload, fault)
        return Session.objects.get(pk=pk)

    def test_that_became_a_meeting_is_told_with_it(self, upload: Upload) -> None:
        session = self.transcribe(upload)
        data = message(Delivery.objects.get())["data"]
        assert data["session"]["id"] == session.key
        assert (data["upload"]["id"], data["upload"]["name"]) == (str(upload.key), "周会.mp3")
        assert (data["upload"]["state"], data["upload"]["error"]) == ("done", "")
        assert (data["upload"]["size"], data["upload"]["duration_ms"]) == (3, 1000)
        assert data["upload"]["finished_at"]

    def test_that_nobody_can_read_is_told_with_the_reason(self, upload: Upload) -> None:
        store.fail(upload, "not_audio")
        data = message(Delivery.objects.get())["data"]
        assert "session" not in data
        assert data["upload"]["state"] == "failed"
        assert "no sound that can be read" in data["upload"]["error"]

    def test_that_is_damaged_within_is_told_with_what_there_is_of_it(self, upload: Upload) -> None:
        session = self.transcribe(upload, "cut_off")
        data = message(Delivery.objects.get())["data"]
        assert (data["session"]["id"], data["upload"]["state"]) == (session.key, "failed")

    def test_is_told_in_the_server_s_language(self, upload: Upload, settings: Settings) -> None:
        settings.LANGUAGE_CODE = "zh-hans"
        store.fail(upload, "empty")
        assert message(Delivery.objects.get())["data"]["upload"]["error"] == "文件中没有音频。"

    def test_that_another_worker_goes_on_with_is_not_told_yet(self, upload: Upload) -> None:
        store.open_session(upload, Facts(SAMPLE_RATE, ""))
        assert store.settle(upload, "") == Upload.State.WAITING
        assert told() == []

    def test_that_was_called_off_is_not_told(self, upload: Upload) -> None:
        store.cancel(upload)
        store.fail(upload, "gone")
        store.settle(upload, "")
        assert told() == []

    def test_that_was_taken_off_the_list_meanwhile_is_told_by_its_meeting(self, upload: Upload) -> None:
        session = self.transcribe(upload)
        store.cancel(Upload.objects.get())
        assert not Upload.objects.exists()
        data = message(Delivery.objects.get())["data"]
        assert (data["session"]["id"], data["upload"]) == (session.key, None)


class TestMinutes:
    @pytest.fixture(autouse=True)
    def hook(self) -> Webhook:
        return make_hook(events=["minutes.ready"])

    @pytest.fixture
    def session(self) -> Session:
        session = make_session()
        make_lines(session, ["我明天把测试报告发给大家。"], voice=make_voice(session, "赵敏"))
        return session

    def test_are_told_as_programs_get_them(self, session: Session) -> None:
        keeping.make(session)
        data = message(Delivery.objects.get())["data"]
        assert data["session"]["id"] == session.key
        [action] = [item for item in data["minutes"]["items"] if item["section"] == "action"]
        assert (action["text"], action["who"]["speaker_name"]) == ("我明天把测试报告发给大家。", "赵敏")
        assert data["minutes"]["is_out_of_date"] is False

    def test_are_told_once_of_every_meeting_that_has_ended(self, session: Session) -> None:
        assert (keeping.make_missing(), keeping.make_missing()) == (1, 0)
        assert told() == ["minutes.ready"]

    def test_are_not_told_while_the_meeting_goes_on(self) -> None:
        session = make_session("live", is_live=True)
        make_lines(session, ["我明天把测试报告发给大家。"])
        keeping.make(session)
        assert told() == []

    def test_are_told_again_when_they_are_made_again(self, session: Session) -> None:
        keeping.make(session)
        minutes_of.apply(session, MakeAgain(kind="again"), by=make_user("b", "editor"))
        assert told() == ["minutes.ready"] * 2

    def test_are_told_again_when_a_language_model_has_written(self, session: Session) -> None:
        keeping.make(session)
        rows = keeping.lines_of(session)
        summary = Statement(Kind.SUMMARY, "测试报告明天发。", (rows[0].pk,))
        keeping.keep_written(session, rows, [summary])
        items = message(Delivery.objects.last())["data"]["minutes"]["items"]  # type: ignore[arg-type]
        assert ("summary", "model") in [(item["section"], item["source"]) for item in items]

    def test_are_told_with_what_they_are_made_of_or_not_at_all(self, session: Session) -> None:
        with transaction.atomic():
            keeping.make(session)
            transaction.set_rollback(True)
        assert told() == []


class TestEvents:
    def test_are_told_to_those_who_want_them(self) -> None:
        ends, lines = (
            make_hook(events=["session.ended"], name="a"),
            make_hook(events=["line.final"], name="b"),
        )
        off = make_hook(name="c", is_active=False)
        lease, _ = commits.commit(lease_of(make_session(is_live=True)), durable=1, lines=[new_line(0, 1)])
        commits.end(lease, ClosedBy.SENDER)
        assert (told(ends), told(lines), told(off)) == (["session.ended"], ["line.final"], [])

    def test_have_an_id_of_their_own_for_each_receiver(self) -> None:
        make_hook(name="a")
        make_hook(name="b")
        lease_of(make_session(is_live=True))
        ids = list(Delivery.objects.values_list("uuid", flat=True))
        assert len(set(ids)) == 2

    def test_of_nobody_s_interest_cost_one_query(self) -> None:
        lease = lease_of(make_session(is_live=True))

        def cost() -> list[str]:
            nonlocal lease
            with CaptureQueriesContext(connection) as queries:
                lease, _ = commits.commit(lease, durable=lease.durable + 1, lines=[new_line(0, 1)])
            return [query["sql"] for query in queries]

        cost()
        own = [sql for sql in cost() if "webhook" in sql or "delivery" in sql]
        assert len(own) == 1
        assert own[0].startswith("SELECT")

    def test_that_can_be_chosen_are_told_by_their_names(self) -> None:
        assert [str(event) for event in Event if event is not Event.TEST] == [
            "session.begun", "line.final", "line.revised", "session.ended", "upload.done", "minutes.ready",
        ]  # fmt: skip
        assert list(EVENTS) == [event for event in Event if event is not Event.TEST]

    def test_have_strangers_in_the_server_s_language(self, settings: Settings) -> None:
        settings.LANGUAGE_CODE = "zh-hans"
        make_hook(events=["line.final"])
        commits.commit(lease_of(make_session(is_live=True)), durable=1, lines=[new_line(0, 1)])
        assert message(Delivery.objects.get())["data"]["line"]["speaker"]["speaker_name"] == "发言人 1"

    def test_have_the_moment_at_which_they_happened(self) -> None:
        make_hook(events=["session.begun"])
        before = timezone.now()
        lease_of(make_session(is_live=True))
        assert before <= Delivery.objects.get().created_at <= timezone.now()
