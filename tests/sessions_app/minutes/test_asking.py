"""Questions to meetings: lines at once, answers by a language model, and nothing that must not be sent."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from audit.models import Action, Entry
from sessions_app.minutes import asking, language_model, live, writing
from sessions_app.minutes.asking import Found, NotAsked
from sessions_app.minutes.language_model import NoModel
from sessions_app.models import Question, Session, Share, Team, Utterance
from speakers import jobs
from speakers.exceptions import JobFailed, JobMustWait
from speakers.jobs import RunningJob
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice
from tests.support.language_model import Reply, stand_in

pytestmark = pytest.mark.django_db(transaction=True)

SAID = ["今天讨论预算。", "云服务预算定多少？", "六十五万。", "大家辛苦了。"]
ASKED = "云服务的预算是多少？"


@pytest.fixture
def session() -> Session:
    session = make_session(owner=make_user("owner", "transcriber"))
    make_lines(session, SAID, voice=make_voice(session, "陈伟"))
    return session


@pytest.fixture
def alice() -> User:
    return make_user("Alice", "editor")


@pytest.fixture(autouse=True)
def model(settings: Settings) -> None:
    settings.LLM_URL, settings.LLM_MODEL, settings.LLM_KEY = "http://127.0.0.1:1/v1", "small", "secret"


def texts(rows: Any) -> list[str]:
    return [row.text for row in rows]


def everywhere(question: str) -> Found:
    return asking.in_candidates(
        question, Utterance.objects.values_list("pk", flat=True), Session.objects.all()
    )


def answered(question: Question, settings: Settings, reply: Reply) -> list[dict[str, Any]]:
    """Send it, do the job, and return what the server was sent."""
    asking.ask(question)
    job = jobs.claim("a worker", [asking.ANSWER])
    assert job
    task = RunningJob(job, *cast("tuple[Any, Any]", (None, None)))

    async def work() -> list[dict[str, Any]]:
        async with stand_in(lambda _body: reply) as server:
            settings.LLM_URL = server.url
            await asking.answer(task)
        return server.requests

    requests = asyncio.run(work())
    question.refresh_from_db()
    return requests


def reply(*answers: tuple[str, list[int]]) -> Reply:
    found = [{"text": text, "lines": lines} for text, lines in answers]
    return Reply(json.dumps({"answers": found}, ensure_ascii=False), usage=300)


def kept(session: Session | None, by: User, found: Found | None = None) -> Question:
    found = found or (asking.in_meeting(ASKED, session) if session else everywhere(ASKED))
    question = asking.keep(ASKED, found, session=session, by=by)
    assert question
    return question


class TestLines:
    def test_of_a_meeting_come_best_first(self, session: Session) -> None:
        assert texts(asking.in_meeting(ASKED, session).best) == [SAID[1], SAID[0]]

    def test_a_model_is_sent_the_whole_meeting_where_it_has_room(self, session: Session) -> None:
        assert texts(asking.in_meeting(ASKED, session).sent) == SAID

    def test_else_what_matches_with_the_lines_beside_it(self, session: Session, settings: Settings) -> None:
        make_lines(session, ["今天天气不错，我们随便聊聊。" * 4] * 300)
        settings.LLM_CONTEXT_TOKENS = 4000
        sent = texts(asking.in_meeting(ASKED, session).sent)
        assert sent == SAID[:3] or sent[:3] == SAID[:3]
        assert len(sent) < 100

    def test_of_many_meetings_are_those_that_one_may_see(self, session: Session) -> None:
        other = make_session("other")
        make_lines(other, ["云服务预算批了。"])
        assert len(everywhere(ASKED).best) == 3
        mine = Session.objects.filter(pk=session.pk)
        found = asking.in_candidates(ASKED, Utterance.objects.values_list("pk", flat=True), mine)
        assert {row.session for row in found.best} == {session}


class TestAnswers:
    def test_cite_lines_that_carry_them(self, session: Session, settings: Settings, alice: User) -> None:
        question = kept(session, alice)
        answered(question, settings, reply(("云服务预算六十五万", [2, 3]), ("公司上市", [1])))
        state = asking.state(question)
        [answer] = state["answers"]
        assert answer["text"] == "云服务预算六十五万"
        assert [line["text"] for line in answer["lines"]] == SAID[1:3]

    def test_of_all_meetings_know_a_person_of_several(
        self, session: Session, settings: Settings, alice: User
    ) -> None:
        other = make_session("other")
        make_lines(other, ["云服务预算陈伟去谈。"], voice=make_voice(other, "陈伟"))
        question = kept(None, alice)
        place = question.lines.index(other.utterances.get().pk) + 1
        answered(question, settings, reply(("云服务预算陈伟去谈", [place])))
        [answer] = asking.state(question)["answers"]
        assert answer["lines"][0]["session"] == str(other)

    def test_what_is_sent_is_what_was_shown(self, session: Session, settings: Settings, alice: User) -> None:
        question = kept(session, alice)
        shown = asking.shown(question)
        [sent] = answered(question, settings, reply())
        assert [[message["content"] for message in sent["messages"]]] == shown["requests"]
        assert "secret" not in json.dumps(shown)

    def test_each_is_on_record_and_counts(self, session: Session, settings: Settings, alice: User) -> None:
        answered(kept(session, alice), settings, reply())
        [entry] = Entry.objects.filter(action=Action.MINUTES_SENT)
        assert (entry.actor_name, entry.meeting) == ("Alice", session.key)
        assert ASKED not in json.dumps(entry.detail, ensure_ascii=False)
        settings.LLM_TOKENS_PER_DAY = 400
        with pytest.raises(JobFailed, match="LLM_TOKENS_PER_DAY"):
            answered(kept(session, alice), settings, reply())

    def test_go_where_no_line_is_left_that_carries_them(
        self, session: Session, settings: Settings, alice: User
    ) -> None:
        question = kept(session, alice)
        answered(question, settings, reply(("六十五万", [3])))
        session.utterances.filter(seq=3).update(is_removed=True)
        assert asking.state(question)["answers"] == []

    def test_a_server_that_is_away_is_waited_for_a_little(
        self, session: Session, settings: Settings, alice: User
    ) -> None:
        question = kept(session, alice)
        with pytest.raises(JobMustWait):
            answered(question, settings, Reply(status=429))
        assert asking.state(question)["is_at_work"]

    def test_an_address_outside_is_sent_nothing(
        self, session: Session, settings: Settings, alice: User
    ) -> None:
        asking.ask(kept(session, alice))
        job = jobs.claim("a worker", [asking.ANSWER])
        assert job
        settings.LLM_URL = "http://8.8.8.8/v1"
        with pytest.raises(JobFailed, match="LLM_EXTERNAL"):
            asyncio.run(_answer(RunningJob(job, *cast("tuple[Any, Any]", (None, None)))))

    def test_are_forgotten_after_a_day(self, session: Session, alice: User) -> None:
        question = kept(session, alice)
        assert asking.forget_old() == 0
        Question.objects.filter(pk=question.pk).update(asked_at=timezone.now() - timedelta(days=2))
        assert asking.forget_old() == 1

    def test_go_with_their_meeting(self, session: Session, alice: User) -> None:
        kept(session, alice)
        session.delete()
        assert not Question.objects.exists()


async def _answer(task: RunningJob) -> Any:
    return await asking.answer(task)


class TestForbidden:
    def test_a_meeting_may_be_kept_from_models(self, session: Session, alice: User) -> None:
        language_model.forbid(session, True)
        assert asking.keep(ASKED, asking.in_meeting(ASKED, session), session=session, by=alice) is None
        with pytest.raises(NoModel):
            writing.ask_for(session, by=alice)
        with pytest.raises(NoModel):
            live.ask_for(session, by=alice)
        language_model.forbid(session, False)
        writing.ask_for(session, by=alice)

    def test_so_may_all_of_a_team(self, session: Session) -> None:
        team = Team.objects.create(name="HR", no_language_model=True)
        assert not language_model.is_forbidden(session)
        Share.objects.create(session=session, team=team, level="read")
        assert language_model.is_forbidden(session)

    def test_lines_of_such_meetings_are_found_and_not_sent(self, session: Session) -> None:
        other = make_session("other")
        make_lines(other, ["云服务预算批了。"])
        language_model.forbid(session, True)
        found = everywhere(ASKED)
        assert len(found.best) == 3
        assert texts(found.sent) == ["云服务预算批了。"]

    def test_a_question_that_waits_sends_nothing_of_what_was_forbidden_since(
        self, session: Session, settings: Settings, alice: User
    ) -> None:
        other = make_session("other")
        make_lines(other, ["云服务预算批了。"])
        question = kept(None, alice)
        language_model.forbid(session, True)
        [sent] = answered(question, settings, reply())
        assert "批了" in sent["messages"][1]["content"]
        assert "讨论" not in sent["messages"][1]["content"]


@pytest.mark.parametrize("text", [None, "", "  ", "x" * 301, 7])
def test_what_is_no_question_is_refused(text: object) -> None:
    with pytest.raises(NotAsked):
        asking.question_of(text)


def test_without_a_model_nothing_is_kept(session: Session, settings: Settings, alice: User) -> None:
    settings.LLM_URL = ""
    found = asking.in_meeting(ASKED, session)
    assert texts(found.best)
    assert asking.keep(ASKED, found, session=session, by=alice) is None
