"""The comparison of dialects: what its clients say is understood, and what is told of the turns."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.dialects import CLIENTS, FRAME, OWN, SENTENCE, Conversation, dialect_ms, figures_of

QUIET = np.zeros(FRAME, np.float32)


@pytest.mark.parametrize("name", CLIENTS)
class TestClients:
    def test_each_brings_all_of_its_audio(self, name: str) -> None:
        conversation = Conversation(CLIENTS[name])
        assert [conversation.hear(CLIENTS[name].audio(QUIET)) for _ in range(3)] == [FRAME] * 3

    def test_each_is_told_what_is_said_while_it_is_and_afterwards(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        conversation = Conversation(CLIENTS[name])
        conversation.hear(CLIENTS[name].audio(QUIET))
        told: list[str] = []
        encode = conversation.dialect.encode
        monkeypatch.setattr(conversation.dialect, "encode", lambda message: told.extend(encode(message)))
        for step in range(60):
            conversation.tell(step)
        assert len(told) >= 11
        assert SENTENCE in "".join(told)

    def test_it_takes_some_time(self, name: str) -> None:
        assert dialect_ms(CLIENTS[name], seconds=1, times=1) > 0


def test_the_least_of_each_counts_and_ours_is_the_measure() -> None:
    found = figures_of({OWN: [2.5, 2.0], "FunASR": [9.0, 2.25]}, {OWN: 0.1, "FunASR": 0.35})
    assert found["dialect_over_v2_ms"] == {"FunASR": 0.25}
    assert found["cpu_ms"] == {OWN: 2.0, "FunASR": 2.25}
    assert found["over_v2_ms"] == {"FunASR": 0.25}
    assert found["turns_ms"]["FunASR"] == [9.0, 2.25]


def test_dialects_may_be_measured_without_a_service() -> None:
    assert figures_of({}, {OWN: 0.1}) == {"dialect_ms": {OWN: 0.1}, "dialect_over_v2_ms": {}}
