"""Minutes of meetings that are over: made once, kept, and known to be out of date."""

from __future__ import annotations

from datetime import date

import pytest

from sessions_app.minutes import keeping, reading
from sessions_app.models import Minutes, MinutesItem, Session, Utterance, Voice
from speakers.models import Speaker
from tests.sessions_app.meetings import make_lines, make_session, make_voice

pytestmark = pytest.mark.django_db

SAID = ["我明天把测试报告发给大家。", "那发布时间就定在下周二。", "预算通过了吗？"]
SECTION = MinutesItem.Section


@pytest.fixture
def session() -> Session:
    session = make_session()
    make_lines(session, SAID, voice=make_voice(session, "赵敏"))
    return session


def texts(session: Session, section: MinutesItem.Section) -> list[str]:
    found = reading.read(session)
    assert found
    return [item.text for item in found.of(section)]


def change_line(session: Session, seq: int, text: str) -> None:
    """As an edit does it: the line, and the number of the last change."""
    session.last_revision += 1
    session.save()
    Utterance.objects.filter(session=session, seq=seq).update(text=text, revision=session.last_revision)


class TestMaking:
    def test_finds_what_was_promised_settled_and_asked_with_its_lines(self, session: Session) -> None:
        keeping.make(session)
        found = reading.read(session)
        assert found
        [action] = found.of(SECTION.ACTION)
        assert (action.text, action.until, action.at_ms) == (SAID[0], "明天", 0)
        assert action.who and action.who.name == "赵敏"
        first = session.utterances.get(seq=1)
        assert action.lines == [(first.pk, 0)]
        assert texts(session, SECTION.DECISION) == [SAID[1]]
        assert texts(session, SECTION.QUESTION) == [SAID[2]]
        [talk] = found.talk
        assert (talk.who.name, talk.spoken_ms, talk.turns, talk.questions) == ("赵敏", 6000, 1, 1)

    def test_takes_the_day_of_the_meeting_for_today(self, session: Session) -> None:
        keeping.make(session)
        [action] = MinutesItem.objects.filter(session=session, section=SECTION.ACTION)
        assert action.due and (action.due - session.created_at.date()).days in (1, 2)

    def test_of_a_stranger_names_nobody_but_says_whose_line_it_is(self) -> None:
        session = make_session()
        make_lines(session, SAID, voice=make_voice(session))
        keeping.make(session)
        found = reading.read(session)
        assert found
        [action] = found.of(SECTION.ACTION)
        assert action.who and action.who.name == "Speaker 1"

    def test_again_replaces_what_the_machine_had(self, session: Session) -> None:
        keeping.make(session)
        change_line(session, 2, "那发布时间就定在周五。")
        keeping.make(session)
        assert texts(session, SECTION.DECISION) == ["那发布时间就定在周五。"]
        assert Minutes.objects.filter(session=session).count() == 1

    @pytest.mark.parametrize("change", [{"is_edited": True, "text": "下周二发布"}, {"is_done": True}])
    def test_again_leaves_what_a_person_has_changed(
        self, session: Session, change: dict[str, object]
    ) -> None:
        keeping.make(session)
        MinutesItem.objects.filter(session=session, section=SECTION.DECISION).update(**change)
        change_line(session, 2, "那发布时间就定在周五。")
        keeping.make(session)
        assert texts(session, SECTION.DECISION) == [change.get("text", SAID[1])]

    def test_again_does_not_bring_back_what_was_taken_out(self, session: Session) -> None:
        keeping.make(session)
        MinutesItem.objects.filter(session=session, section=SECTION.ACTION).update(is_removed=True)
        keeping.make(session)
        assert texts(session, SECTION.ACTION) == []

    def test_again_leaves_what_a_person_wrote(self, session: Session) -> None:
        keeping.make(session)
        own = {"section": SECTION.DECISION, "source": MinutesItem.Source.PERSON, "is_edited": True}
        MinutesItem.objects.create(session=session, text="我们去吃饭", **own)
        keeping.make(session)
        assert "我们去吃饭" in texts(session, SECTION.DECISION)


class TestMissing:
    def test_are_made_of_what_has_ended_the_newest_first(self, session: Session) -> None:
        newer = make_session("newer")
        make_lines(newer, SAID)
        assert keeping.make_missing() == 1
        assert [kept.session for kept in Minutes.objects.all()] == [newer]
        assert keeping.make_missing() == 1
        assert keeping.make_missing() == 0

    def test_are_none_of_a_meeting_that_goes_on_is_in_the_trash_or_without_lines(
        self, session: Session
    ) -> None:
        make_lines(make_session("live", is_live=True), SAID)
        make_session("empty")
        session.trashed_at = session.ended_at
        session.save()
        assert keeping.make_missing() == 0


class TestOutOfDate:
    def is_out_of_date(self, session: Session) -> bool:
        session.refresh_from_db()
        found = reading.read(session)
        assert found
        return found.is_out_of_date

    def test_after_a_correction_until_they_are_made_again(self, session: Session) -> None:
        keeping.make(session)
        assert not self.is_out_of_date(session)
        change_line(session, 1, "我后天把测试报告发给大家。")
        assert self.is_out_of_date(session)
        keeping.make(session)
        assert not self.is_out_of_date(session)

    def test_not_by_a_name_for_a_voice_which_minutes_show_at_once(self) -> None:
        session = make_session()
        voice = make_voice(session)
        make_lines(session, SAID, voice=voice)
        keeping.make(session)
        Voice.objects.filter(pk=voice.pk).update(speaker=Speaker.objects.create(name="陈伟"))
        session.last_revision += 1
        session.save()
        assert not self.is_out_of_date(session)
        found = reading.read(session)
        assert found
        assert [item.who.name for item in found.of(SECTION.ACTION) if item.who] == ["陈伟"]

    def test_when_a_line_is_taken_out_which_takes_its_statements_along(self, session: Session) -> None:
        keeping.make(session)
        Utterance.objects.filter(session=session, seq=2).update(is_removed=True)
        session.last_revision += 1
        session.save()
        assert self.is_out_of_date(session)
        assert texts(session, SECTION.DECISION) == []


def test_voices_that_turn_out_to_be_one_share_their_talk(session: Session) -> None:
    other = make_voice(session)
    make_lines(session, ["好的。"], voice=other)
    keeping.make(session)
    Voice.objects.filter(pk=other.pk).update(merged_into=session.voices.exclude(pk=other.pk).get())
    found = reading.read(session)
    assert found
    assert [(talk.who.name, talk.spoken_ms, talk.turns) for talk in found.talk] == [("赵敏", 8000, 2)]


def test_what_was_said_in_other_meetings_tells_how_usual_a_word_is(session: Session) -> None:
    make_lines(session, ["电梯坏了，电梯要换。", "预算够换电梯，预算批了。"])
    for number in range(30):
        other = make_session(f"other-{number}")
        Minutes.objects.create(
            session=other, made_at=session.created_at, revision=0, digest="", terms=["电梯"]
        )
    keeping.make(session)
    words = [word["word"] for word in Minutes.objects.get(session=session).key_words]
    assert words.index("预算") < words.index("电梯")


def test_without_minutes_there_is_nothing_to_read(session: Session) -> None:
    assert reading.read(session) is None


def test_minutes_go_with_their_meeting(session: Session) -> None:
    keeping.make(session)
    session.delete()
    assert not Minutes.objects.exists()
    assert not MinutesItem.objects.exists()


def test_programs_get_days_as_dates_and_times_in_milliseconds(session: Session) -> None:
    keeping.make(session)
    MinutesItem.objects.filter(section=SECTION.ACTION).update(due=date(2026, 12, 1))
    found = reading.read(session)
    assert found
    answer = reading.as_object(found)
    [action] = [item for item in answer["items"] if item["section"] == "action"]
    assert action["due"] == "2026-12-01"
    assert action["lines"] == [{"line_id": session.utterances.get(seq=1).pk, "start_ms": 0}]
    assert action["who"]["speaker_name"] == "赵敏"
    assert (action["source"], action["is_edited"], action["is_done"]) == ("patterns", False, False)
