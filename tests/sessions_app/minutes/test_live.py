"""Notes on meetings that go on: made every few minutes, and by a language model where somebody asked."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any, cast

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.models import Action, Entry
from recognition.audio import samples
from sessions_app.minutes import keeping, live, reading, writing
from sessions_app.minutes.language_model import NoModel
from sessions_app.models import LiveNotes, Minutes, MinutesItem, Session
from speakers import jobs
from speakers.exceptions import JobFailed, JobMustWait
from speakers.jobs import RunningJob
from speakers.models import Job
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice
from tests.support.language_model import Reply, stand_in

pytestmark = pytest.mark.django_db(transaction=True)

SAID = ["我明天把测试报告发给大家。", "那发布时间就定在下周二。"]
MORE = ["那云服务预算就定在六十五万。"]
NOW = timezone.now()


@pytest.fixture
def session() -> Session:
    session = make_session(is_live=True, owner=make_user("owner", "transcriber"))
    make_lines(session, SAID, voice=make_voice(session, "赵敏"))
    age(session, minutes=5)
    return session


def age(session: Session, **time: float) -> None:
    """Let so much time pass since it began, and since its notes were made."""
    Session.objects.filter(pk=session.pk).update(created_at=timezone.now() - timedelta(**time))
    Minutes.objects.filter(session=session).update(made_at=timezone.now() - timedelta(**time))


def end(session: Session) -> None:
    session.refresh_from_db()
    session.state, session.ended_at = Session.State.ENDED, timezone.now()
    session.save()


def decisions(session: Session) -> list[tuple[str, str]]:
    found = reading.read(session)
    assert found
    return [(item.text, item.source) for item in found.of(MinutesItem.Section.DECISION)]


class TestWhenTheyAreDue:
    def test_is_every_two_minutes_at_first(self) -> None:
        assert not live.is_due(NOW - timedelta(seconds=119), 600, NOW)
        assert live.is_due(NOW - timedelta(seconds=120), 600, NOW)

    def test_is_less_often_in_a_long_meeting(self) -> None:
        three_hours = 3 * 3600
        assert not live.is_due(NOW - timedelta(minutes=5), three_hours, NOW)
        assert live.is_due(NOW - timedelta(minutes=6), three_hours, NOW)


class TestByPatterns:
    def test_they_are_of_what_was_said_so_far(self, session: Session) -> None:
        assert live.refresh() == 1
        found = reading.read(session)
        assert found
        assert (found.is_so_far, found.is_out_of_date) == (True, False)
        assert decisions(session) == [(SAID[1], "patterns")]

    def test_they_wait_for_two_minutes_and_for_something_new(self, session: Session) -> None:
        live.refresh()
        make_lines(session, MORE)
        assert live.refresh() == 0
        age(session, minutes=3)
        assert live.refresh() == 1
        assert [text for text, _source in decisions(session)] == [SAID[1], *MORE]
        age(session, minutes=3)
        assert live.refresh() == 0

    def test_the_end_of_the_meeting_makes_its_minutes_of_all_of_it(self, session: Session) -> None:
        live.refresh()
        make_lines(session, MORE)
        end(session)
        assert keeping.make_missing() == 1
        found = reading.read(session)
        assert found
        assert not found.is_so_far
        assert len(decisions(session)) == 2
        assert keeping.make_missing() == 0

    def test_a_meeting_that_is_over_or_in_the_trash_has_none(self, session: Session) -> None:
        session.trashed_at = timezone.now()
        session.save()
        over = make_session("over")
        make_lines(over, SAID)
        age(over, minutes=5)
        assert live.refresh() == 0

    def test_one_look_takes_on_one_meeting_the_one_that_waited_longest(self, session: Session) -> None:
        live.refresh()
        make_lines(session, MORE)
        age(session, minutes=3)
        other = make_session("other", is_live=True)
        make_lines(other, SAID)
        age(other, minutes=9)
        Minutes.objects.create(
            session=other, made_at=NOW - timedelta(minutes=9), revision=0, digest="", seq_so_far=0
        )
        assert live.refresh() == 1
        assert Minutes.objects.get(session=other).seq_so_far == 2
        assert live.refresh() == 1
        assert live.refresh() == 0


def reply(**found: Any) -> Reply:
    empty: dict[str, Any] = {"summary": [], "chapters": [], "decisions": [], "actions": [], "questions": []}
    return Reply(json.dumps(empty | found, ensure_ascii=False), usage=500)


def written_along(session: Session, settings: Settings, answer: Reply) -> list[str]:
    """Do the job that is due, if one is; what was sent in it."""
    live.send_due()
    job = jobs.claim("a worker", [live.WRITE_ALONG])
    if job is None:
        return []
    task = RunningJob(job, *cast("tuple[Any, Any]", (None, None)))

    async def work() -> list[str]:
        async with stand_in(lambda _body: answer) as server:
            settings.LLM_URL = server.url
            try:
                await live.write_along(task)
            finally:
                await jobs.in_database(Job.objects.filter(pk=job.pk).update, state=Job.State.DONE)
        return [request["messages"][1]["content"] for request in server.requests]

    return asyncio.run(work())


def next_piece(session: Session) -> None:
    LiveNotes.objects.filter(session=session).update(next_at=timezone.now())


class TestByALanguageModel:
    @pytest.fixture(autouse=True)
    def model(self, settings: Settings, session: Session) -> None:
        settings.LLM_URL, settings.LLM_MODEL, settings.LLM_KEY = "http://127.0.0.1:1/v1", "small", "secret"

    @pytest.fixture
    def followed(self, session: Session) -> Session:
        live.ask_for(session, by=make_user("Alice", "editor"))
        return session

    def test_nothing_is_sent_unless_somebody_asked(self, session: Session) -> None:
        assert live.send_due() == 0
        assert not Job.objects.exists()

    def test_each_line_is_sent_once_and_what_it_carries_is_added(
        self, followed: Session, settings: Settings
    ) -> None:
        first = written_along(followed, settings, reply(decisions=[{"text": "发布定在下周二", "lines": [2]}]))
        assert [text.count("\n") + 1 for text in first] == [2]
        make_lines(followed, MORE, voice=make_voice(followed, "陈伟"))
        assert written_along(followed, settings, reply()) == []  # not yet
        next_piece(followed)
        second = written_along(
            followed, settings, reply(decisions=[{"text": "云服务预算六十五万", "lines": [1]}])
        )
        assert second == [f"[1] 陈伟: {MORE[0]}"]
        assert decisions(followed) == [("发布定在下周二", "model"), ("云服务预算六十五万", "model")]

    def test_what_no_line_carries_is_not_kept(self, followed: Session, settings: Settings) -> None:
        written_along(followed, settings, reply(decisions=[{"text": "公司上市融资", "lines": [1]}]))
        assert decisions(followed) == [(SAID[1], "patterns")]

    def test_each_request_is_on_record_and_counts(self, followed: Session, settings: Settings) -> None:
        written_along(followed, settings, reply())
        [entry] = Entry.objects.filter(action=Action.MINUTES_SENT)
        assert (entry.actor_name, entry.meeting) == ("Alice", followed.key)
        settings.LLM_TOKENS_PER_DAY = 600
        make_lines(followed, MORE)
        next_piece(followed)
        with pytest.raises(JobFailed, match="LLM_TOKENS_PER_DAY"):
            written_along(followed, settings, reply())

    def test_the_end_is_sent_as_well_and_then_nothing_more(
        self, followed: Session, settings: Settings
    ) -> None:
        written_along(followed, settings, reply())
        make_lines(followed, MORE)
        end(followed)
        next_piece(followed)
        assert len(written_along(followed, settings, reply())) == 1
        next_piece(followed)
        assert written_along(followed, settings, reply()) == []
        assert not live.is_followed(followed)

    def test_a_server_that_is_away_has_lines_sent_later(self, followed: Session, settings: Settings) -> None:
        with pytest.raises(JobMustWait):
            written_along(followed, settings, Reply(status=429))
        next_piece(followed)
        assert len(written_along(followed, settings, reply())) == 1

    def test_stopped_it_is_sent_nothing(self, followed: Session, settings: Settings) -> None:
        live.send_due()
        live.stop(followed)
        assert not live.is_followed(followed)
        assert jobs.claim("a worker", [live.WRITE_ALONG]) is None
        assert written_along(followed, settings, reply()) == []

    def test_a_job_that_was_asked_for_before_the_stop_sends_nothing(
        self, followed: Session, settings: Settings
    ) -> None:
        live.send_due()
        LiveNotes.objects.all().delete()
        assert written_along(followed, settings, reply()) == []

    def test_pages_are_told_that_it_goes_on(self, session: Session) -> None:
        state = writing.state(session)
        assert state
        assert (state["is_along"], state["job"]) == (True, None)
        live.ask_for(session, by=make_user("Alice", "editor"))
        state = writing.state(session)
        assert state
        assert state["job"]["is_at_work"]

    def test_without_one_it_cannot_be_asked_for(self, session: Session, settings: Settings) -> None:
        settings.LLM_URL = ""
        with pytest.raises(NoModel):
            live.ask_for(session, by=make_user("Alice", "editor"))


def test_lengths_are_counted_in_what_was_recognised(session: Session) -> None:
    live.refresh()
    make_lines(session, MORE)
    age(session, minutes=3)
    Session.objects.filter(pk=session.pk).update(durable=samples(3 * 3600))
    assert live.refresh() == 0
