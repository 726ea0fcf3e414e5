"""Transcripts of odd sessions to take away: empty, long, silent, from another zone, with odd names."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import docx
import pysubs2
import pytest
from django.utils import timezone, translation

from recognition.audio import samples
from sessions_app.models import Session, Utterance
from sessions_app.transcripts.exports import FORMATS, file_name, prepare
from sessions_app.wire.untrusted import one_line

from ..meetings import make_lines, make_session, make_voice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english() -> None:
    translation.activate("en")


def written(session: Session, format_: str, **options: bool) -> str:
    return FORMATS[format_].write(prepare(session, **options)).decode("utf-8", "replace")


class TestEmpty:
    @pytest.mark.parametrize("format_", FORMATS)
    def test_a_session_in_which_nobody_spoke_is_a_file_too(self, format_: str) -> None:
        content = FORMATS[format_].write(prepare(make_session("a", title="Silence")))

        assert content or format_ in ("srt", "rttm")

    def test_programs_read_that_there_are_no_lines(self) -> None:
        content = json.loads(written(make_session("a"), "json"))

        assert (content["lines"], content["duration_ms"], content["title"]) == ([], 0, "a")

    def test_players_read_no_cue(self) -> None:
        session = make_session("a")

        assert len(pysubs2.SSAFile.from_string(written(session, "vtt"), format_="vtt")) == 0
        assert written(session, "srt") == ""


class TestOrder:
    def test_lines_stand_in_the_order_in_which_they_were_said(self) -> None:
        """Not that of their numbers: one that a person put between has none."""
        session = make_session()
        make_lines(session, ["one.", "two."])
        Utterance.objects.create(session=session, seq=None, start=samples(2), end=samples(2), text="between.")
        Utterance.objects.filter(text="two.").update(start=samples(2) + 1)

        lines = [line["text"] for line in json.loads(written(session, "json"))["lines"]]

        assert lines == ["one.", "between.", "two."]

    def test_a_line_of_nobody_has_no_head_of_its_own(self) -> None:
        session = make_session()
        make_lines(session, ["Hello."])

        text = written(session, "txt", has_times=False)

        assert text.split("\n\n")[1:] == ["Hello.\n"]

    def test_two_people_of_one_name_have_turns_of_their_own(self) -> None:
        session = make_session()
        for _ in range(2):
            make_lines(session, ["Hello."], make_voice(session))
        session.voices.update(number=None)

        text = written(session, "txt", has_times=False)

        assert text.count("Unknown speaker\nHello.") == 2


class TestTimes:
    AT = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    def session(self) -> Session:
        session = make_session("a", title="New Year")
        Session.objects.filter(pk=session.pk).update(created_at=self.AT, durable=samples(36_061.5))
        session.refresh_from_db()
        return session

    @pytest.mark.parametrize(
        ("zone", "day", "words"),
        [
            ("UTC", "2026-12-31", "31 Dec 2026, 23:30"),
            ("Asia/Shanghai", "2027-01-01", "1 Jan 2027, 07:30"),
        ],
    )
    def test_its_day_is_that_of_the_installation(self, zone: str, day: str, words: str) -> None:
        with timezone.override(ZoneInfo(zone)):
            session = self.session()

            assert file_name(session, "txt") == f"New Year {day}.txt"
            assert words in written(session, "txt")
            started = json.loads(written(session, "json"))["started_at"]

        assert datetime.fromisoformat(started) == self.AT
        assert started.startswith(day)

    def test_hours_are_written_out(self) -> None:
        session = self.session()

        assert "10:01:01" in written(session, "md")
        assert json.loads(written(session, "json"))["duration_ms"] == 36_061_500

    def test_chinese_readers_get_chinese_times(self) -> None:
        with translation.override("zh-hans"):
            assert "年" in written(self.session(), "txt")


class TestNames:
    @pytest.mark.parametrize(
        ("title", "name"),
        [
            ("周会 🎤", "周会 🎤"),
            ("محمد", "محمد"),
            ("a\x00b", "a b"),
            ("a\tb\nc", "a b c"),
            ("CON", "CON"),
            ("..", "session"),
            ("  . ", "session"),
            ("a/../b", "a .. b"),
            ("~/.ssh/id", "~ .ssh id"),
            ('a"b|c', "a b c"),
            ("x" * 200, "x" * 80),
        ],
    )
    def test_a_title_becomes_the_name_of_a_file_in_this_folder(self, title: str, name: str) -> None:
        session = make_session("a", title=title)

        made = file_name(session, "txt")

        assert made.startswith(f"{name} 20")
        assert made.endswith(".txt")
        assert "/" not in made

    def test_without_a_title_it_is_the_key(self) -> None:
        assert file_name(make_session("weekly"), "srt").startswith("weekly 20")

    @pytest.mark.parametrize("name", ["张三", "=cmd()", "a: b", "<v x>", "A\nB", "🎤", "\u202eecilA", "**"])
    def test_whatever_somebody_is_called_every_format_has_the_name(self, name: str) -> None:
        session = make_session("a")
        make_lines(session, ["Hello."], make_voice(session, name))
        clean = one_line(name)

        speakers = [line["speaker"] for line in json.loads(written(session, "json"))["lines"]]
        document = docx.Document(io.BytesIO(FORMATS["docx"].write(prepare(session))))

        assert speakers == [clean]
        assert clean in document.paragraphs[2].text
        assert clean in written(session, "txt")
        for format_ in ("srt", "vtt"):
            assert len(pysubs2.SSAFile.from_string(written(session, format_), format_=format_)) == 1

    def test_without_speakers_no_name_is_in_any_format_for_people(self) -> None:
        session = make_session("a")
        make_lines(session, ["Hello."], make_voice(session, "Alice"))

        for format_ in ("txt", "md", "srt", "vtt"):
            assert "Alice" not in written(session, format_, has_speakers=False)
