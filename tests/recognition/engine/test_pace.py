"""Which sessions are spoken now, and which come faster."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.audio import samples
from recognition.core.session import SessionOptions, TranscriptionSession
from recognition.engine.pace import (
    INTERRUPTED_CREDIT_S,
    MAX_AHEAD_S,
    MAX_CREDIT_S,
    MAX_UNSETTLED,
    Pace,
    is_full,
)


def speak(pace: Pace, seconds: int, *, at: float, speed: float = 1.0) -> float:
    """Let so much audio come, and return the moment of its end."""
    for _ in range(seconds):
        at += 1 / speed
        pace.receive(samples(1), at)
    return at


class TestPace:
    def test_a_meeting_is_never_ahead(self) -> None:
        pace = Pace()
        assert not pace.is_ahead(speak(pace, 3600, at=0.0))

    def test_a_file_is_ahead_within_seconds_and_stays_so(self) -> None:
        pace = Pace()
        assert pace.is_ahead(speak(pace, 5, at=0.0, speed=50))
        assert pace.is_ahead(speak(pace, 600, at=0.1, speed=1.01))

    def test_a_clock_of_a_sound_card_may_be_a_little_fast(self) -> None:
        pace = Pace()
        assert not pace.is_ahead(speak(pace, 3600, at=0.0, speed=1.0005))

    def test_who_was_held_up_makes_up_for_it(self) -> None:
        pace = Pace()
        at = speak(pace, 60, at=0.0) + 90
        assert not pace.is_ahead(speak(pace, 90, at=at, speed=60))

    def test_but_not_without_end(self) -> None:
        pace = Pace()
        at = speak(pace, 60, at=0.0) + 100 * MAX_CREDIT_S
        assert pace.is_ahead(speak(pace, int(MAX_CREDIT_S) + 20, at=at, speed=600))

    def test_a_session_that_comes_from_another_worker_is_not_taken_for_a_file(self) -> None:
        pace = Pace(credit_s=INTERRUPTED_CREDIT_S)
        assert not pace.is_ahead(speak(pace, 20, at=0.0, speed=20))

    @pytest.mark.parametrize("speed", [0.1, 1.0, 50.0])
    def test_a_file_in_the_background_is_never_taken_for_a_meeting_however_slowly_it_comes(
        self, speed: float
    ) -> None:
        pace = Pace(credit_s=INTERRUPTED_CREDIT_S, is_background=True)
        assert pace.is_ahead(0.0)
        assert pace.is_ahead(speak(pace, 60, at=0.0, speed=speed) + 100)

    def test_one_that_is_not_known_as_such_is_once_little_is_done_of_it(self) -> None:
        pace = Pace()
        assert not pace.is_ahead(speak(pace, 60, at=0.0, speed=0.8))

    def test_a_file_that_stops_to_come_is_no_more_ahead_than_it_has_said(self) -> None:
        pace = Pace()
        at = speak(pace, 60, at=0.0, speed=60)
        assert pace.is_ahead(at + 50)
        assert not pace.is_ahead(at + 60)

    def test_a_little_may_come_at_once(self) -> None:
        pace = Pace()
        pace.receive(samples(MAX_AHEAD_S), 0.0)
        assert not pace.is_ahead(0.0)


class TestRoom:
    """How much of a session is taken in."""

    @pytest.fixture
    def session(self) -> TranscriptionSession:
        return TranscriptionSession(SessionOptions(vad_window=1600, vad_frame=160, vad_delay=0, chunk=0))

    @staticmethod
    def let_wait(session: TranscriptionSession, monkeypatch: pytest.MonkeyPatch, *, lines: bool) -> None:
        """All was searched for speech; lines are waited for, or none is."""
        session.receive_audio(np.zeros(MAX_UNSETTLED + 1600, np.float32))
        monkeypatch.setattr(TranscriptionSession, "processed", session.position)
        monkeypatch.setattr(TranscriptionSession, "is_waiting", not lines)

    def test_audio_that_is_not_searched_for_speech_is_a_backlog(self, session: TranscriptionSession) -> None:
        session.receive_audio(np.zeros(samples(2), np.float32))
        assert not is_full(session, Pace(), backlog=samples(2), now=0.0)
        session.receive_audio(np.zeros(1, np.float32))
        assert is_full(session, Pace(), backlog=samples(2), now=0.0)

    def test_a_file_waits_for_its_lines(
        self, session: TranscriptionSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.let_wait(session, monkeypatch, lines=True)
        assert is_full(session, Pace(credit_s=-100), backlog=samples(2), now=0.0)

    def test_a_meeting_is_taken_in_however_late_its_lines_are(
        self, session: TranscriptionSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.let_wait(session, monkeypatch, lines=True)
        assert not is_full(session, Pace(), backlog=samples(2), now=0.0)

    def test_a_file_in_which_nobody_has_finished_to_speak_is_not_waited_for(
        self, session: TranscriptionSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.let_wait(session, monkeypatch, lines=False)
        assert not is_full(session, Pace(credit_s=-100), backlog=samples(2), now=0.0)
