"""A transcript as the pages get it."""

from __future__ import annotations

import pytest

from sessions_app.store.voices import merge_rows
from sessions_app.transcripts import transcript
from speakers.models import Speaker
from tests.sessions_app.meetings import make_lines, make_session, make_voice

pytestmark = pytest.mark.django_db


class TestLatestLines:
    def test_come_with_everyone_who_spoke_before_in_order(self) -> None:
        session = make_session()
        first, second = make_voice(session, "林静"), make_voice(session)
        make_lines(session, ["大家好。"], first)
        make_lines(session, ["谁在说话？"])
        make_lines(session, ["是我。", "我来晚了。"], second)
        make_lines(session, ["没关系。"], first)
        latest = transcript.read(session).latest(2)
        assert [line["asr"] for line in latest["lines"]] == ["我来晚了。", "没关系。"]
        assert latest["speakers"] == [first.public_id, second.public_id]
        assert transcript.read(session).as_json()["speakers"] == latest["speakers"]

    def test_name_each_voice_at_its_place_also_one_that_was_another_s(self) -> None:
        session = make_session()
        first, second, third = (make_voice(session) for _ in range(3))
        make_lines(session, ["一"], first)
        make_lines(session, ["二"], second)
        make_lines(session, ["三"], third)
        merge_rows(second, first)
        second.speaker = Speaker.objects.create(name="林静")
        second.save()
        speakers = [str(first.uuid), str(second.speaker.uuid), str(third.uuid)]
        assert transcript.read(session).as_json()["speakers"] == speakers

    def test_are_all_there_are_if_more_are_wanted(self) -> None:
        session = make_session()
        make_lines(session, ["大家好。"], make_voice(session))
        assert transcript.read(session).latest(12) == transcript.read(session).as_json()

    def test_of_a_session_in_which_nobody_spoke_are_none(self) -> None:
        assert transcript.read(make_session()).latest(12) == {
            "seq": 0,
            "revision": 0,
            "speakers": [],
            "lines": [],
        }
