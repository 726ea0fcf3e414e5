"""Finished lines of a session are written as it asks for, from the worker to whoever reads and edits them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from recognition.core.events import Partial
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from recognition.writing.changes import Change
from recognition.writing.rules import Rule
from recognition.writing.writer import Writer
from sessions_app.models import Session
from sessions_app.store import commits, queries, writing_rules
from sessions_app.store.commits import NewLine
from sessions_app.transcripts import editing, word_times
from sessions_app.transcripts.edit_requests import ChangeText, Seen
from sessions_app.transport.memory import MemoryTransport
from sessions_app.wire.protocol import Rewrite
from sessions_app.worker.line_writing import LineWriting
from tests.sessions_app.meetings import make_user, new_line
from tests.support.senders import Socket

from .at_work import worker_at_work

SCRIPT = Script(
    [ScriptedLine("完成了百分之八十。", seconds=2.0), ScriptedLine("十二月十五号上线。", seconds=2.0)]
)


@pytest.fixture
async def transport(settings: Any, tmp_path: Any) -> AsyncIterator[MemoryTransport]:
    settings.MEDIA_ROOT = tmp_path
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    async with worker_at_work(scripted_models(SCRIPT)) as transport:
        yield transport


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(is_so):
            await asyncio.sleep(0.05)


async def hold_meeting(transport: MemoryTransport, **wishes: Any) -> Session:
    session, _ = await asyncio.to_thread(lambda: commits.get_or_create_session("m", **wishes))
    await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
    await transport.append(session.pk, "sender", SCRIPT.audio().tobytes())
    await transport.finish(session.pk, "sender")
    await until(lambda: Session.objects.get(pk=session.pk).has_ended)
    return session


@pytest.mark.django_db(transaction=True)
class TestAMeeting:
    async def test_has_its_numbers_in_digits_and_what_was_heard(self, transport: MemoryTransport) -> None:
        session = await hold_meeting(transport)

        def check() -> None:
            first, second = queries.lines_after(session.pk, 0, limit=9)
            assert (first.text, second.text) == ("完成了80%。", "12月15号上线。")
            assert (first.heard, second.heard) == ("完成了百分之八十。", "十二月十五号上线。")
            assert first.changes == (Rewrite(3, 6, "百分之八十"),)
            assert [each.machine_text for each in session.utterances.order_by("seq")] == [
                "完成了百分之八十。",
                "十二月十五号上线。",
            ]

        await asyncio.to_thread(check)

    async def test_knows_when_a_number_was_said(self, transport: MemoryTransport) -> None:
        session = await hold_meeting(transport)

        def check() -> None:
            line = queries.lines_after(session.pk, 0, limit=1)[0]
            words = word_times.of_lines([line.line_id])[line.line_id]
            assert [line.text[word.begin : word.stop] for word in words] == ["完", "成", "了", "80"]
            eighty = words[-1]
            # Five of eight characters were the number.
            share = (eighty.end_ms - eighty.start_ms) / (eighty.end_ms - words[0].start_ms)
            assert share == pytest.approx(5 / 8, abs=0.05)

        await asyncio.to_thread(check)

    async def test_keeps_them_in_words_if_it_was_asked_to(self, transport: MemoryTransport) -> None:
        session = await hold_meeting(transport, itn=False)

        def check() -> None:
            lines = queries.lines_after(session.pk, 0, limit=9)
            assert [line.text for line in lines] == ["完成了百分之八十。", "十二月十五号上线。"]
            assert [line.changes for line in lines] == [(), ()]

        await asyncio.to_thread(check)

    async def test_is_edited_by_nobody_who_writes_what_the_machine_did(
        self, transport: MemoryTransport
    ) -> None:
        session = await hold_meeting(transport)

        def check() -> None:
            editor = make_user("Alice", "editor")
            line = session.utterances.get(seq=1)
            for text, is_edited, shown in (
                ("完成了90%。", True, 0),
                ("完成了80%。", False, 1),
                ("完成了百分之八十。", False, 0),
                ("已经完成了80%。", True, 0),
                ("完成了80%吗？", True, 1),
            ):
                line.refresh_from_db()
                seen = Seen(line=line.pk, revision=line.revision)
                editing.apply(session, ChangeText(seen=seen, text=text), by=editor)
                line.refresh_from_db()
                assert (line.text, line.is_edited) == (text, is_edited)
                assert len(queries.as_line(line).changes) == shown

        await asyncio.to_thread(check)

    async def test_is_written_in_traditional_characters_if_it_was_asked_to(
        self, transport: MemoryTransport
    ) -> None:
        session = await hold_meeting(transport, script="traditional")

        def check() -> None:
            first, second = queries.lines_after(session.pk, 0, limit=9)
            assert (first.text, second.text) == ("完成了80%。", "12月15號上線。")
            assert second.heard == "十二月十五號上線。"
            words = word_times.of_lines([second.line_id])[second.line_id]
            assert [second.text[word.begin : word.stop] for word in words] == [
                *("12", "月", "15", "號", "上", "線")
            ]

        await asyncio.to_thread(check)


class TestScript:
    async def test_numbers_are_found_and_written_in_it(self) -> None:
        writing = LineWriting(with_digits=True, script="traditional")
        [line] = await writing.write([new_line(0, 100, "还差两万元。")])
        assert line.written
        assert (line.written.text, line.final.text) == ("還差2萬元。", "還差兩萬元。")

    async def test_rules_hold_in_whichever_script_they_are(self) -> None:
        async def rules() -> tuple[Rule, ...]:
            return (Rule(1, "体系", "系統"), Rule(2, "發展", "进展"))

        writing = LineWriting(with_digits=False, script="traditional", rules=rules)
        [line] = await writing.write([new_line(0, 100, "体系的发展。")])
        assert line.written
        assert line.written.text == "系統的進展。"

    async def test_what_is_heard_is_shown_in_it_as_well(self) -> None:
        writing = LineWriting(with_digits=True, script="traditional")
        shown = await writing.write_partial(Partial(0, 0, "我们的头", tail="发"))
        assert (shown.text, shown.tail) == ("我們的頭", "髮")
        usual = Partial(0, 0, "我们")
        assert await LineWriting(with_digits=True).write_partial(usual) is usual


class TestWriting:
    async def test_without_lines_nothing_is_loaded(self) -> None:
        def load() -> Writer:
            raise AssertionError("nobody needs it")

        assert await LineWriting(with_digits=True, load=load).write([]) == []
        line = new_line(0, 100, "十二个。")
        assert await LineWriting(with_digits=False, load=load).write([line]) == [line]

    async def test_a_line_is_kept_as_it_was_heard_where_wetext_gives_up(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(Writer):
            def changes(self, text: str) -> list[Change]:
                raise RuntimeError("no path")

        writing = LineWriting(with_digits=True, load=lambda: Broken(str, str, frozenset()))  # type: ignore[arg-type]
        [written] = await writing.write([new_line(0, 100, "十二个。")])
        assert written.written is None
        assert "a line of 4 characters" in caplog.text
        assert "十二" not in caplog.text  # nothing of what was said goes to the log

    async def test_lines_stay_in_order(self) -> None:
        lines: list[NewLine] = [
            new_line(at, at + 10, f"{number}个。") for at, number in ((0, "十二"), (10, "三十"))
        ]
        written = await LineWriting(with_digits=True).write(lines)
        assert [each.written.text for each in written if each.written] == ["12个。", "30个。"]


RULES = (Rule(7, "上线", "发布"), Rule(8, "百分之", "百分点"))


async def some_rules() -> tuple[Rule, ...]:
    return RULES


class TestRules:
    async def test_are_asked_for_with_each_line_and_come_before_numbers(self) -> None:
        lines = [new_line(0, 100, "十二月十五号上线。"), new_line(100, 200, "百分之八十。")]
        written = await LineWriting(with_digits=True, rules=some_rules).write(lines)
        first, second = (each.written for each in written)
        assert first
        assert second
        assert (first.text, second.text) == ("12月15号发布。", "百分点八十。")
        assert [each.rule for each in first.rewrites] == [0, 0, 7]

    async def test_hold_where_numbers_stay_in_words(self) -> None:
        [written] = await LineWriting(with_digits=False, rules=some_rules).write(
            [new_line(0, 100, "十二月十五号上线。")]
        )
        assert written.written
        assert written.written.text == "十二月十五号发布。"


@pytest.mark.django_db(transaction=True)
class TestAMeetingWithRules:
    async def test_writes_what_people_asked_for_and_marks_it(self, transport: MemoryTransport) -> None:
        await asyncio.to_thread(writing_rules.add, "上线", "发布")
        session = await hold_meeting(transport, itn=False, rules=[("百分之八十", "八成")])

        def check() -> None:
            first, second = queries.lines_after(session.pk, 0, limit=9)
            assert (first.text, second.text) == ("完成了八成。", "十二月十五号发布。")
            assert first.changes == (Rewrite(3, 5, "百分之八十", by_rule=True),)
            assert second.heard == "十二月十五号上线。"
            words = word_times.of_lines([first.line_id])[first.line_id]
            assert [first.text[word.begin : word.stop] for word in words] == ["完", "成", "了", "八", "成"]

        await asyncio.to_thread(check)
