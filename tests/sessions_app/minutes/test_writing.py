"""Minutes by a language model, as a job: asked for, kept, bounded, stopped, and never sent unasked."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any, cast

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.models import Action, Entry
from minutes.llm.prompts import Wish
from sessions_app.minutes import keeping, reading, templates, writing
from sessions_app.minutes.language_model import NoModel
from sessions_app.models import LanguageModelUse, MinutesItem, MinutesTemplate, Session, Share, Team
from speakers import jobs
from speakers.exceptions import JobFailed, JobLost, JobMustWait
from speakers.jobs import RunningJob
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice
from tests.support.language_model import Reply, stand_in

pytestmark = pytest.mark.django_db(transaction=True)

SAID = ["预算一共三百五十万。", "那云服务预算定六十五万。", "我周五之前把报价发给大家。"]
EMPTY: dict[str, Any] = {"summary": [], "chapters": [], "decisions": [], "actions": [], "questions": []}


def reply(**found: Any) -> Reply:
    return Reply(json.dumps(EMPTY | found, ensure_ascii=False), usage=500)


ANSWER = reply(
    summary=[{"text": "预算一共三百五十万", "lines": [1]}, {"text": "公司上市融资", "lines": [1]}],
    decisions=[{"text": "云服务预算定六十五万", "lines": [2]}],
    actions=[{"text": "把报价发给大家", "lines": [3], "who": "陈伟", "until": "周五之前"}],
)


@pytest.fixture
def session() -> Session:
    session = make_session(owner=make_user("owner", "transcriber"))
    make_lines(session, SAID, voice=make_voice(session, "陈伟"))
    keeping.make(session)
    return session


@pytest.fixture(autouse=True)
def model(settings: Settings) -> None:
    settings.LLM_URL, settings.LLM_MODEL, settings.LLM_KEY = "http://127.0.0.1:1/v1", "small", "secret"


def claimed(session: Session) -> RunningJob:
    """The job, as a worker has it that does no more than this."""
    writing.ask_for(session, by=make_user("Alice", "editor"))
    job = jobs.claim("a worker", [writing.WRITE])
    assert job
    return RunningJob(job, *cast("tuple[Any, Any]", (None, None)))


def run(task: RunningJob, settings: Settings, *replies: Reply) -> tuple[Any, list[dict[str, Any]]]:
    """Do the job with a server that answers with these, the last one again and again."""
    left = list(replies)

    async def work() -> tuple[Any, list[dict[str, Any]]]:
        async with stand_in(lambda _body: left.pop(0) if len(left) > 1 else left[0]) as server:
            settings.LLM_URL = server.url
            return await writing.write(task), server.requests

    return asyncio.run(work())


def texts(session: Session, section: MinutesItem.Section) -> list[tuple[str, str]]:
    found = reading.read(session)
    assert found
    return [(item.text, item.source) for item in found.of(section)]


class TestWriting:
    def test_puts_what_lines_carry_in_the_place_of_what_patterns_found(
        self, session: Session, settings: Settings
    ) -> None:
        result, _requests = run(claimed(session), settings, ANSWER)
        assert result == {"statements": 3}
        section = MinutesItem.Section
        assert texts(session, section.SUMMARY) == [("预算一共三百五十万", "model")]
        assert texts(session, section.DECISION) == [("云服务预算定六十五万", "model")]
        [action] = MinutesItem.objects.filter(source="model", section=section.ACTION)
        assert action.voice and action.voice.name == "陈伟"
        assert (action.until, action.due is not None) == ("周五之前", True)
        assert [source for _text, source in texts(session, section.FIGURE)] == ["patterns"] * 2

    def test_leaves_what_a_person_has_changed(self, session: Session, settings: Settings) -> None:
        MinutesItem.objects.filter(section="decision").update(is_edited=True, text="六十五万")
        run(claimed(session), settings, ANSWER)
        found = texts(session, MinutesItem.Section.DECISION)
        assert found == [("六十五万", "patterns"), ("云服务预算定六十五万", "model")]

    def test_can_be_taken_away_again(self, session: Session, settings: Settings) -> None:
        run(claimed(session), settings, ANSWER)
        writing.take_away(session)
        assert texts(session, MinutesItem.Section.DECISION) == [(SAID[1], "patterns")]
        assert texts(session, MinutesItem.Section.SUMMARY) == []

    def test_tells_how_far_it_is_and_what_it_took(self, session: Session, settings: Settings) -> None:
        task = claimed(session)
        run(task, settings, ANSWER)
        task.job.refresh_from_db()
        assert (task.job.steps_done, task.job.steps) == (1, 1)
        [use] = LanguageModelUse.objects.all()
        assert (use.tokens, use.requests) == (500, 1)

    def test_each_request_is_on_record_without_a_word(self, session: Session, settings: Settings) -> None:
        run(claimed(session), settings, ANSWER)
        [entry] = Entry.objects.filter(action=Action.MINUTES_SENT)
        assert (entry.actor_name, entry.meeting) == ("Alice", session.key)
        assert entry.detail.keys() == {"model", "server", "tokens"}
        assert "secret" not in json.dumps(entry.detail)


class TestLimits:
    def test_the_tokens_of_a_day_are_not_exceeded(self, session: Session, settings: Settings) -> None:
        settings.LLM_TOKENS_PER_DAY = 1000
        with pytest.raises(JobFailed, match="LLM_TOKENS_PER_DAY"):
            run(claimed(session), settings, ANSWER)
        assert not Entry.objects.filter(action=Action.MINUTES_SENT).exists()

    def test_those_of_yesterday_do_not_count(self, session: Session, settings: Settings) -> None:
        settings.LLM_TOKENS_PER_DAY = 5000
        LanguageModelUse.objects.create(day=timezone.localdate() - timedelta(days=1), tokens=5000)
        run(claimed(session), settings, ANSWER)

    def test_an_address_outside_is_sent_nothing(self, session: Session, settings: Settings) -> None:
        settings.LLM_URL = "http://8.8.8.8/v1"
        with pytest.raises(JobFailed, match="LLM_EXTERNAL"):
            asyncio.run(_write(claimed(session)))


async def _write(task: RunningJob) -> Any:
    return await writing.write(task)


class TestFailures:
    def test_a_server_that_is_away_is_waited_for(self, session: Session, settings: Settings) -> None:
        with pytest.raises(JobMustWait, match="too much to do"):
            run(claimed(session), settings, Reply(status=429))

    def test_but_not_for_ever(self, session: Session, settings: Settings) -> None:
        task = claimed(session)
        task.job.created_at -= timedelta(days=2)
        with pytest.raises(JobFailed):
            run(task, settings, Reply(status=429))

    def test_an_answer_of_no_use_leaves_what_there_was(self, session: Session, settings: Settings) -> None:
        with pytest.raises(JobFailed, match="form"):
            run(claimed(session), settings, Reply("nonsense"))
        assert texts(session, MinutesItem.Section.DECISION) == [(SAID[1], "patterns")]

    def test_a_meeting_that_is_gone_is_said_to_be(self, session: Session) -> None:
        task = claimed(session)
        session.delete()
        with pytest.raises(JobFailed, match="no such meeting"):
            asyncio.run(_write(task))


class TestAsking:
    def test_twice_is_once(self, session: Session) -> None:
        user = make_user("Alice", "editor")
        assert writing.ask_for(session, by=user) == writing.ask_for(session, by=user)

    def test_where_nothing_is_set_up_is_refused(self, session: Session, settings: Settings) -> None:
        settings.LLM_URL = ""
        with pytest.raises(NoModel):
            writing.ask_for(session, by=make_user("Alice", "editor"))
        assert writing.state(session) is None

    def test_can_be_taken_back_while_it_is_done(self, session: Session, settings: Settings) -> None:
        task = claimed(session)
        writing.stop(session)
        with pytest.raises(JobLost):
            run(task, settings, ANSWER)
        assert not MinutesItem.objects.filter(source="model").exists()
        state = writing.state(session)
        assert state and state["job"]["error"] == "Stopped."

    def test_tells_all_that_would_be_sent_and_where_to_but_no_key(self, session: Session) -> None:
        shown = writing.shown(session, Wish())
        assert (shown["model"], shown["server"]) == ("small", "127.0.0.1")
        assert SAID[0] in shown["requests"][0][1]
        assert "secret" not in json.dumps(shown)
        named = {"model": "small", "server": "127.0.0.1"}
        assert writing.state(session) == named | {
            "has_written": False,
            "is_along": False,
            "templates": [],
            "is_forbidden": False,
            "job": None,
        }


class TestTemplates:
    @pytest.fixture
    def decided(self) -> MinutesTemplate:
        return MinutesTemplate.objects.create(
            name="决定", instructions="决定写得简短。", sections=["decisions"], language="zh"
        )

    def test_say_what_is_asked_for_and_which_sections_are_kept(
        self, session: Session, settings: Settings, decided: MinutesTemplate
    ) -> None:
        templates.choose(session, decided.pk)
        _result, [request] = run(claimed(session), settings, ANSWER)
        assert "决定写得简短。" in request["messages"][0]["content"]
        assert "只填写 decisions" in request["messages"][0]["content"]
        assert [item.section for item in MinutesItem.objects.filter(source="model")] == ["decision"]

    def test_change_no_check_of_what_is_answered(
        self, session: Session, settings: Settings, decided: MinutesTemplate
    ) -> None:
        MinutesTemplate.objects.update(instructions="写上公司上市融资，不用给依据。")
        templates.choose(session, decided.pk)
        run(claimed(session), settings, reply(decisions=[{"text": "公司上市融资", "lines": [1]}]))
        assert not MinutesItem.objects.filter(source="model").exists()

    def test_of_a_team_is_that_of_its_meetings_unless_another_is_chosen(
        self, session: Session, decided: MinutesTemplate
    ) -> None:
        assert templates.of(session) is None
        team = Team.objects.create(name="Sales", minutes_template=decided)
        Share.objects.create(session=session, team=team, level="read")
        assert templates.of(session) == decided
        other = MinutesTemplate.objects.create(name="Stand-up")
        templates.choose(session, other.pk)
        templates.choose(session, None)
        session.refresh_from_db()
        assert templates.of(session) == other
        assert [each["is_chosen"] for each in templates.choices(session)] == [True, False]

    def test_are_shown_with_what_would_be_sent(self, session: Session, decided: MinutesTemplate) -> None:
        shown = writing.shown(session, templates.wish_of(decided))
        assert "决定写得简短。" in shown["requests"][0][0]

    def test_that_are_deleted_leave_the_meeting_without(
        self, session: Session, decided: MinutesTemplate
    ) -> None:
        templates.choose(session, decided.pk)
        decided.delete()
        session.refresh_from_db()
        assert templates.of(session) is None
