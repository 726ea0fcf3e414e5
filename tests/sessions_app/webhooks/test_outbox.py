"""The outbox: what happens in a session is noted with it, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from recognition.audio import SAMPLE_RATE
from sessions_app.models import Delivery, Session, Utterance, Webhook
from sessions_app.store import commits, voices
from sessions_app.store.commits import Lease
from sessions_app.store.outbox import Event
from sessions_app.transcripts import attribution, editing, retention
from sessions_app.transcripts.edit_requests import ChangeText, Seen
from sessions_app.transport.interface import Fenced
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
            "session.begun", "line.final", "line.revised", "session.ended",
        ]  # fmt: skip

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
