"""How often a sender may end an utterance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.sockets.flush_limit import MAX_FLUSHES, PERIOD_S, FlushLimit
from sessions_app.wire.protocol import ErrorCode, ProtocolError
from tests.support.server import ROOT


def is_admitted(limit: FlushLimit, now: float) -> bool:
    try:
        limit.admit(now)
    except ProtocolError:
        return False
    return True


def test_as_many_as_a_period_takes_are_admitted_at_once() -> None:
    limit = FlushLimit()
    assert [is_admitted(limit, 7.0) for _ in range(MAX_FLUSHES + 2)] == [True] * MAX_FLUSHES + [False] * 2


def test_the_next_is_admitted_when_the_first_is_a_period_old() -> None:
    limit = FlushLimit()
    for number in range(MAX_FLUSHES):
        limit.admit(number / 10)
    assert not is_admitted(limit, PERIOD_S - 0.01)
    assert is_admitted(limit, PERIOD_S)
    assert not is_admitted(limit, PERIOD_S + 0.05)
    assert is_admitted(limit, PERIOD_S + 0.1)


def test_a_refusal_says_how_long_to_wait_that_nothing_is_lost_and_leaves_the_socket_open() -> None:
    limit = FlushLimit()
    for _ in range(MAX_FLUSHES):
        limit.admit(100.0)
    with pytest.raises(ProtocolError, match=r'at most 5 commands "flush".*the audio is kept') as refused:
        limit.admit(100.25)
    assert refused.value.code is ErrorCode.TOO_MANY_FLUSHES
    assert refused.value.retry_after == 0.75
    assert ErrorCode.TOO_MANY_FLUSHES.close is None
    assert is_admitted(limit, 100.25 + refused.value.retry_after)


@given(st.lists(st.integers(0, 512).map(lambda number: number / 1024), max_size=60))
def test_no_period_has_more_and_who_is_slow_enough_is_never_refused(pauses: list[float]) -> None:
    limit, now, admitted = FlushLimit(), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if is_admitted(limit, now):
            admitted.append(now)
        else:
            assert sum(at > now - PERIOD_S for at in admitted) == MAX_FLUSHES
    for at in admitted:
        assert sum(at <= other < at + PERIOD_S for other in admitted) <= MAX_FLUSHES


def test_the_document_names_it() -> None:
    document = (ROOT / "docs" / "protocol.md").read_text()
    assert f"more than {MAX_FLUSHES} commands `flush` in a second" in document
    assert PERIOD_S == 1
