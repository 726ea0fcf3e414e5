"""What is done next when a place has failed."""

from __future__ import annotations

import hashlib

import pytest

from recognition.model_sets.attempts import (
    MAX_TRIES,
    Attempt,
    Pace,
    Patience,
    failure,
    innermost,
    mistake,
    next_place,
)
from recognition.model_sets.files import ModelFile

CONTENT = b"weights"
FILE = ModelFile("model.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), ())


class TestNextPlace:
    def test_places_are_tried_in_their_order_each_once(self) -> None:
        attempts: list[Attempt] = []
        order = []
        while (place := next_place(3, attempts)) is not None:
            order.append(place)
            attempts.append(Attempt(place, "it is not there"))
        assert order == [0, 1, 2]

    def test_without_places_there_is_none(self) -> None:
        assert next_place(0, []) is None

    def test_what_broke_off_goes_on_at_the_same_place(self) -> None:
        assert next_place(2, [Attempt(0, "it broke off", gained=10)]) == 0

    def test_what_broke_off_without_anything_new_is_left(self) -> None:
        assert next_place(2, [Attempt(0, "it broke off", gained=10), Attempt(0, "it broke off")]) == 1

    def test_a_place_that_breaks_off_for_ever_is_left(self) -> None:
        attempts = [Attempt(0, "it broke off", gained=1)] * MAX_TRIES
        assert next_place(2, attempts) == 1
        assert next_place(1, attempts) is None

    def test_a_wrong_file_is_not_fetched_again(self) -> None:
        assert next_place(2, [Attempt(0, "wrong", is_wrong=True, gained=0)]) == 1

    def test_what_was_put_together_and_is_wrong_is_fetched_once_more_as_a_whole(self) -> None:
        put_together = Attempt(1, "wrong", continued=True, is_wrong=True)
        assert next_place(3, [Attempt(0, "slow"), put_together]) == 1
        assert next_place(3, [Attempt(0, "slow"), put_together, Attempt(1, "wrong", is_wrong=True)]) == 2


class TestMistake:
    def test_the_right_file_has_none(self) -> None:
        assert mistake(FILE, len(CONTENT), FILE.sha256) == ""

    def test_a_file_cut_short_is_told_by_its_size(self) -> None:
        assert mistake(FILE, 3, "0" * 64) == "it has 3 bytes instead of 7"

    def test_another_content_of_the_same_size_is_told_by_its_hash(self) -> None:
        assert mistake(FILE, 7, "0" * 64) == f"it has another content (sha256 {'0' * 64})"


def test_the_failure_names_the_file_and_each_place_with_its_last_reason() -> None:
    attempts = [Attempt(0, "it broke off", gained=2), Attempt(0, "it is too slow"), Attempt(1, "404")]
    assert failure(FILE, ["the index", "the hub"], attempts) == (
        "model.bin could not be fetched from any place: the index: it is too slow; the hub: 404"
    )


class TestPace:
    @pytest.fixture
    def pace(self) -> Pace:
        return Pace(Patience(window_s=10, window_bytes=100))

    def test_a_place_has_a_window_to_begin(self, pace: Pace) -> None:
        assert not pace.is_too_slow(0, 0)
        assert not pace.is_too_slow(9.9, 0)
        assert pace.is_too_slow(10, 0)

    def test_a_trickle_is_too_slow(self, pace: Pace) -> None:
        assert [pace.is_too_slow(second, second) for second in (0, 5, 11)] == [False, False, True]

    def test_what_comes_steadily_is_waited_for(self, pace: Pace) -> None:
        assert not any(pace.is_too_slow(second, 20 * second) for second in range(100))

    def test_what_stops_in_the_middle_is_too_slow_one_window_later(self, pace: Pace) -> None:
        seconds = [second for second in range(60) if pace.is_too_slow(second, 20 * min(second, 30))]
        assert 36 <= seconds[0] <= 41


@pytest.mark.parametrize(
    ("wrapped", "told"),
    [
        (
            "connection error: HTTPConnectionPool(host='a', port=9): Max retries exceeded (Caused by "
            "NewConnectionError('<HTTPConnection object at 0x7f>: Failed to connect: [Errno 111] refused'))",
            "Failed to connect: [Errno 111] refused",
        ),
        (
            "HTTPSConnection(host='a', port=443): Failed to resolve 'a' ([Errno -2] unknown)",
            "Failed to resolve 'a' ([Errno -2] unknown)",
        ),
        ("it is closed\n", "it is closed"),
    ],
)
def test_of_reasons_that_are_wrapped_the_innermost_is_told(wrapped: str, told: str) -> None:
    assert innermost(wrapped) == told
