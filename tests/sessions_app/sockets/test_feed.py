from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.sockets.feed import REMEMBERED, Behind, Cursor, SessionFeed
from sessions_app.wire.protocol import (
    Ack,
    ClosedBy,
    ErrorCode,
    Flushed,
    Line,
    Message,
    NotesChange,
    PartialLine,
    Revision,
    SessionEnd,
    SpeakerRef,
    StateChange,
)

END = SessionEnd(3, 144_000, 144_000)


def line(seq: int, text: str = "") -> Line:
    return Line(seq, seq, 1000 * seq, 1000 * seq + 900, text or f"第{seq}句。", SpeakerRef())


def feed(*seqs: int) -> SessionFeed:
    made = SessionFeed()
    for seq in seqs:
        made.receive_line(line(seq))
    return made


def taken(cursor: Cursor, here: SessionFeed) -> list[Message]:
    found = cursor.take(here)
    assert not isinstance(found, Behind)
    return found


def seqs(messages: Sequence[Message]) -> list[int]:
    """Of messages that must all be lines."""
    assert all(isinstance(message, Line) for message in messages)
    return [message.seq for message in messages if isinstance(message, Line)]


class TestRoom:
    def test_lines_in_order_leave_no_gap(self) -> None:
        made = feed(1, 2, 3)
        assert not made.has_gap
        assert made.lines_after(1) == [line(2), line(3)]

    def test_a_line_that_comes_twice_counts_once(self) -> None:
        assert feed(1, 2, 2, 1).lines_after(0) == [line(1), line(2)]

    def test_a_missing_line_is_a_gap_until_it_is_found(self) -> None:
        made = feed(1, 3)
        assert made.has_gap
        assert made.lines_after(0) == [line(1)]
        for found in (line(2), line(3)):
            made.receive_line(found)
        assert not made.has_gap
        assert made.lines_after(0) == [line(1), line(2), line(3)]

    def test_the_database_may_know_more(self) -> None:
        made = feed(1)
        made.receive_numbers(state="live", epoch=1, last_seq=2, last_revision=0)
        assert made.has_gap

    def test_a_final_takes_its_partial_away(self) -> None:
        made = SessionFeed()
        made.receive_partial(PartialLine(0, "你"))
        made.receive_line(line(1))
        assert made.partial is None

    def test_has_ended_only_when_every_line_is_there(self) -> None:
        made = feed(1, 2)
        made.receive_end(END)
        assert not made.has_ended
        made.receive_line(line(3))
        assert made.has_ended

    def test_forgets_what_is_old(self) -> None:
        made = feed(*range(1, REMEMBERED + 11))
        assert made.lines_after(5) is None
        assert len(made.lines_after(10) or ()) == REMEMBERED

    def test_what_was_skipped_is_not_remembered_but_no_gap(self) -> None:
        made = SessionFeed()
        made.receive_numbers(state="live", epoch=1, last_seq=57, last_revision=2)
        made.skip()
        assert not made.has_gap
        assert made.lines_after(56) is None
        assert made.lines_after(57) == []
        made.receive_line(line(58))
        assert made.lines_after(57) == [line(58)]

    def test_revisions_may_leave_numbers_out(self) -> None:
        made = SessionFeed()
        made.receive_revision(Revision(1, line(1)))
        made.receive_revision(Revision(4, line(2)))
        assert made.last_revision == 4
        assert [change.revision for change in made.revisions_after(1) or ()] == [4]


class TestReader:
    def test_is_given_each_line_once(self) -> None:
        cursor, here = Cursor(), feed(1, 2)
        assert cursor.take(here) == [line(1), line(2)]
        assert cursor.take(here) == []
        here.receive_line(line(3))
        assert cursor.take(here) == [line(3)]

    def test_goes_on_behind_what_it_knows(self) -> None:
        assert Cursor(seq=1).take(feed(1, 2)) == [line(2)]

    def test_one_who_is_far_behind_is_sent_to_the_database(self) -> None:
        cursor, here = Cursor(seq=2), feed(*range(1, REMEMBERED + 11))
        assert cursor.take(here) == Behind(2, 0)
        cursor.take_history([line(seq) for seq in range(3, 12)], [])
        assert taken(cursor, here)[0] == line(12)

    def test_history_and_live_lines_overlap_without_doubles(self) -> None:
        cursor = Cursor()
        assert cursor.take_history([line(1), line(2)], []) == [line(1), line(2)]
        assert cursor.take_history([line(2), line(3)], []) == [line(3)]

    def test_version_one_hears_of_nothing_but_lines(self) -> None:
        here = feed(1)
        here.receive_partial(PartialLine(0, "你"))
        here.receive_revision(Revision(1, line(1)))
        here.state = "live"
        assert Cursor().take(here) == [line(1)]

    def test_events_come_after_lines(self) -> None:
        here = feed(1)
        here.state = "live"
        here.receive_partial(PartialLine(2000, "你"))
        taken = Cursor(wants_events=True).take(here)
        assert taken == [line(1), StateChange("live"), PartialLine(2000, "你")]

    def test_only_the_newest_partial_is_told_and_only_once(self) -> None:
        cursor, here = Cursor(wants_events=True), SessionFeed()
        here.receive_partial(PartialLine(0, "你"))
        here.receive_partial(PartialLine(0, "你好"))
        assert cursor.take(here) == [PartialLine(0, "你好")]
        assert cursor.take(here) == []

    def test_one_who_comes_late_is_told_what_is_being_said_with_its_tail(self) -> None:
        here = feed(1)
        here.receive_partial(PartialLine(2000, "你", "好吗"))
        assert Cursor(seq=1, wants_events=True).take(here) == [PartialLine(2000, "你", "好吗")]

    def test_a_tail_that_changes_is_told(self) -> None:
        cursor, here = Cursor(wants_events=True), SessionFeed()
        for tail in ("好", "号"):
            here.receive_partial(PartialLine(0, "你", tail))
            assert cursor.take(here) == [PartialLine(0, "你", tail)]

    def test_acknowledgements_are_for_those_who_send(self) -> None:
        here = SessionFeed()
        here.receive_progress(received=16_000, durable=8_000)
        assert Cursor(wants_events=True, received=16_000).take(here) == []
        sender = Cursor(wants_events=True, wants_acks=True, received=16_000)
        assert sender.take(here) == [Ack(16_000, 8_000)]

    def test_where_the_log_keeps_audio_what_was_received_need_not_be_sent_again(self) -> None:
        sender = Cursor(wants_events=True, wants_acks=True, received=16_000, is_kept=True)
        assert sender.take(SessionFeed()) == [Ack(16_000, 16_000)]

    def test_a_little_progress_is_not_acknowledged_before_the_end(self) -> None:
        here, sender = feed(1, 2, 3), Cursor(wants_events=True, wants_acks=True, is_kept=True, seq=3)
        sender.received = 15_999
        assert sender.take(here) == []
        here.receive_end(END)
        assert sender.take(here) == [StateChange("ended"), Ack(15_999, 15_999)]

    def test_a_sender_that_may_not_read_is_told_no_more_lines_than_it_can_hold(self) -> None:
        here, sender = feed(*range(1, 21)), Cursor(max_untaken=15)
        assert seqs(taken(sender, here)) == list(range(1, 16))
        assert sender.take(here) == []
        sender.release()
        assert seqs(taken(sender, here)) == list(range(16, 21))

    def test_what_it_could_not_hold_comes_with_the_end(self) -> None:
        here, sender = feed(*range(1, 21)), Cursor(max_untaken=15, wants_end=True)
        sender.take(here)
        end = SessionEnd(20, 144_000, 144_000)
        here.receive_end(end)
        assert seqs(taken(sender, here)[:-1]) == list(range(16, 21))
        assert sender.is_done

    def test_for_how_long_an_absent_sender_is_waited_for_is_told_when_it_changes(self) -> None:
        here, reader = SessionFeed(), Cursor(wants_events=True)
        for until in ("06:35", "06:35", "06:40"):
            here.receive_numbers(state="paused", epoch=1, last_seq=0, last_revision=0, until=until)
            here.receive_numbers(state="paused", epoch=1, last_seq=0, last_revision=0, until=until)
            reader.take(here)
        assert reader.take(here) == []
        here.receive_numbers(state="live", epoch=1, last_seq=0, last_revision=0)
        assert reader.take(here) == [StateChange("live")]

    def test_a_sender_that_was_away_for_too_long_is_told_so_unless_it_can_compare(self) -> None:
        absence = SessionEnd(3, 144_000, 144_000, ClosedBy.ABSENCE)
        for end, sends_once, messages in [
            (absence, True, []),
            (absence, False, [absence]),
            (END, True, [END]),
        ]:
            here, sender = feed(1, 2, 3), Cursor(seq=3, wants_end=True, sends_once=sends_once)
            here.receive_end(end)
            assert sender.take(here) == messages
            assert sender.is_done
        error = Cursor(sends_once=True).error_at_end(absence)
        assert error
        assert (error.code, error.message) == (
            ErrorCode.SESSION_ENDED,
            "the session ended at 9.0 s, while its sender was away: what followed is lost",
        )

    def test_history_counts_as_lines(self) -> None:
        sender = Cursor(max_untaken=2)
        assert sender.take_history([line(1), line(2), line(3)], []) == [line(1), line(2)]

    def test_is_done_when_everything_is_told(self) -> None:
        cursor, here = Cursor(), feed(1, 2, 3)
        here.receive_end(END)
        assert cursor.take(here) == [line(1), line(2), line(3)]
        assert cursor.is_done

    def test_one_who_waits_for_it_is_told_the_end_last(self) -> None:
        here = feed(1, 2, 3)
        here.receive_end(END)
        assert taken(Cursor(wants_end=True), here)[-1] == END

    def test_that_a_session_failed_is_told_by_an_error_unless_the_reader_stays(self) -> None:
        here = feed(1, 2, 3)
        here.receive_end(replace(END, closed_by=ClosedBy.FAILURE))
        leaves, stays = Cursor(wants_end=True), Cursor(wants_end=True, stays=True)
        assert leaves.take(here) == [line(1), line(2), line(3)]
        assert leaves.is_done
        assert taken(stays, here)[-1] == here.end

    def test_one_who_stays_is_told_the_end_once_and_corrections_after_it(self) -> None:
        cursor, here = Cursor(wants_events=True, wants_end=True, stays=True), feed(1, 2, 3)
        here.receive_end(END)
        assert taken(cursor, here)[-1] == END
        here.receive_revision(Revision(1, line(2, "改过的。")))
        assert cursor.take(here) == [Revision(1, line(2, "改过的。"))]
        assert not cursor.is_done

    def test_is_not_done_while_lines_are_missing(self) -> None:
        cursor, here = Cursor(), feed(1)
        here.receive_end(END)
        cursor.take(here)
        assert not cursor.is_done


@given(
    st.integers(1, 40),
    st.floats(0, 0.6),
    st.integers(0, 40),
    st.randoms(use_true_random=False),
)
def test_whatever_is_lost_doubled_or_late_a_reader_gets_every_line_once_in_order(
    count: int, loss: float, joins_at: int, rng: random.Random
) -> None:
    """A lossy layer, a cursor that joins at any time, and a database that knows the truth."""
    got: list[Message] = []
    stored: list[Line] = []
    here, cursor = SessionFeed(), Cursor()

    def read() -> None:
        while isinstance(taken := cursor.take(here), Behind):
            got.extend(cursor.take_history([x for x in stored if x.seq > taken.seq], []))
        got.extend(taken)

    for seq in range(1, count + 1):
        stored.append(line(seq))
        for _ in range(rng.choice([1, 1, 2])):
            if rng.random() >= loss:
                here.receive_line(rng.choice([stored[-1], rng.choice(stored)]))
        if seq >= joins_at and rng.random() < 0.5:
            read()
    here.receive_end(SessionEnd(count, 1, 1))
    if here.has_gap:
        for missing in stored[here.last_seq :]:
            here.receive_line(missing)
    read()

    assert seqs(got) == list(range(1, count + 1))
    assert cursor.is_done


@pytest.mark.parametrize("seq", [0, 5, 199, 400])
def test_a_feed_serves_a_mark_completely_or_not_at_all(seq: int) -> None:
    here = feed(*range(1, 401))
    lines = here.lines_after(seq)
    assert lines is None or [x.seq for x in lines] == list(range(seq + 1, 401))


class TestFlushes:
    def cursor(self) -> Cursor:
        return Cursor(wants_events=True, flushes=[16_000, 32_000])

    def told(self, cursor: Cursor, made: SessionFeed) -> list[Flushed]:
        taken = cursor.take(made)
        assert not isinstance(taken, Behind)
        return [message for message in taken if isinstance(message, Flushed)]

    def test_are_told_when_all_before_them_is_permanent_and_once(self) -> None:
        cursor, made = self.cursor(), feed(1)
        assert self.told(cursor, made) == []
        made.receive_progress(received=40_000, durable=16_000, last_seq=1)
        assert self.told(cursor, made) == [Flushed(16_000, 1)]
        assert self.told(cursor, made) == []
        made.receive_progress(received=40_000, durable=40_000, last_seq=1)
        assert self.told(cursor, made) == [Flushed(32_000, 1)]

    def test_come_behind_their_lines(self) -> None:
        cursor, made = self.cursor(), feed(1, 2)
        made.receive_progress(received=16_000, durable=16_000, last_seq=2)
        assert taken(cursor, made)[:3] == [line(1), line(2), Flushed(16_000, 2)]

    def test_wait_for_a_line_that_the_layer_lost(self) -> None:
        cursor, made = self.cursor(), feed(1)
        made.receive_progress(received=16_000, durable=16_000, last_seq=2)
        assert self.told(cursor, made) == []
        made.receive_line(line(2))
        assert self.told(cursor, made) == [Flushed(16_000, 2)]

    def test_come_before_the_end(self) -> None:
        cursor, made = self.cursor(), feed(1, 2, 3)
        cursor.wants_end = True
        made.receive_progress(received=40_000, durable=40_000, last_seq=3)
        made.receive_end(END)
        taken = cursor.take(made)
        assert not isinstance(taken, Behind)
        assert taken.index(Flushed(32_000, 3)) < taken.index(END)


class TestNotes:
    def test_changes_are_told_once_and_the_latest_only(self) -> None:
        made, cursor = feed(), Cursor(wants_events=True)
        made.receive_numbers(state="", epoch=1, last_seq=0, last_revision=0, last_note=1)
        made.receive_numbers(state="", epoch=1, last_seq=0, last_revision=0, last_note=3)
        assert taken(cursor, made) == [NotesChange(3)]
        assert taken(cursor, made) == []

    def test_version_1_hears_nothing_of_them(self) -> None:
        made = feed()
        made.receive_numbers(state="live", epoch=1, last_seq=0, last_revision=0, last_note=1)
        assert taken(Cursor(), made) == []

    def test_translations_are_due_to_who_asks_for_them_and_once(self) -> None:
        made, cursor, other = feed(), Cursor(wants_events=True, translation=2), Cursor(wants_events=True)
        made.receive_numbers(state="", epoch=1, last_seq=0, last_revision=0, last_translation=5)
        assert cursor.translations_due(made) == (2, 5)
        cursor.translation = 5
        assert cursor.translations_due(made) is None
        assert other.translations_due(made) is None

    def test_translations_come_after_their_lines(self) -> None:
        made, cursor = feed(), Cursor(wants_events=True, translation=0)
        made.receive_line(line(1))
        made.receive_numbers(state="", epoch=1, last_seq=1, last_revision=0, last_translation=1)
        assert cursor.translations_due(made) is None
        cursor.take(made)
        assert cursor.translations_due(made) == (0, 1)

    def test_are_told_after_the_end_to_who_stays(self) -> None:
        made, cursor = feed(), Cursor(wants_events=True, stays=True)
        made.receive_end(SessionEnd(0, 0, 0))
        taken(cursor, made)
        made.receive_numbers(state="ended", epoch=1, last_seq=0, last_revision=0, last_note=1)
        assert taken(cursor, made) == [NotesChange(1)]
