import pytest

from recognition.shapes import filled_up


@pytest.mark.parametrize(
    ("count", "filled"),
    [(0, 0), (1, 1), (4, 4), (5, 5), (8, 8), (9, 10), (16, 16), (17, 20), (400, 448), (513, 640)],
)
def test_counts_are_filled_up_to_the_next_of_four_sizes_in_an_octave(count: int, filled: int) -> None:
    assert filled_up(count) == filled


def test_at_most_a_quarter_is_filled_up_and_there_are_few_sizes() -> None:
    counts = range(1, 3000)

    assert all(count <= filled_up(count) <= 1.25 * count for count in counts)
    assert len({filled_up(count) for count in counts}) < 45


def test_what_is_filled_up_stays_as_it_is() -> None:
    assert all(filled_up(filled_up(count)) == filled_up(count) for count in range(3000))
