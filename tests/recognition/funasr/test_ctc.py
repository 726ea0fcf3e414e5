"""A path of CTC, frame by frame, to pieces with their times."""

from __future__ import annotations

import numpy as np
import torch
from funasr.models.sense_voice.utils.ctc_alignment import ctc_forced_align
from hypothesis import given
from hypothesis import strategies as st

from recognition.funasr.ctc import MAX_FRAMES, Piece, pieces

PATHS = st.lists(st.integers(0, 4), max_size=40)


def found(*path: int, longest: int = 0) -> list[tuple[int, int, int]]:
    return [(each.id, each.start, each.end) for each in pieces(np.array(path, int), longest=longest)]


def test_nothing_and_blanks_have_no_pieces() -> None:
    assert found() == found(0) == found(0, 0, 0) == []


def test_a_piece_is_there_as_long_as_it_is_shown() -> None:
    assert found(0, 7, 7, 0) == [(7, 1, 3)]


def test_the_same_twice_without_a_blank_is_one_piece() -> None:
    assert found(7, 7) == [(7, 0, 2)]
    assert found(7, 0, 7) == [(7, 0, 1), (7, 2, 3)]


def test_another_blank_than_0_can_be_named() -> None:
    assert pieces(np.array([5, 0, 5]), blank=5, longest=0) == [Piece(0, 1, 2)]


def test_a_piece_lasts_until_the_next_begins_but_not_for_long() -> None:
    assert found(7, 0, 0, 8, 0, longest=10) == [(7, 0, 3), (8, 3, 5)]
    assert found(7, *[0] * 20, 8, longest=MAX_FRAMES) == [(7, 0, 5), (8, 21, 22)]


def test_what_is_shown_for_longer_lasts_as_long_as_that() -> None:
    assert found(7, 7, 7, 7, 0, 8, longest=2) == [(7, 0, 4), (8, 5, 6)]


@given(PATHS)
def test_pieces_follow_each_other_within_the_path(path: list[int]) -> None:
    edges = [edge for _, *span in pieces(np.array(path, int)) for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(path) for edge in edges)


@given(PATHS.filter(any))
def test_they_are_those_of_funasr_s_forced_alignment(path: list[int]) -> None:
    """The likeliest path of all is the likeliest one of its pieces."""
    said = pieces(np.array(path), longest=0)
    scores = torch.full((1, len(path), 5), -4.0)
    scores[0, torch.arange(len(path)), torch.tensor(path)] = -0.1
    targets = torch.tensor([[piece.id for piece in said]])
    aligned = ctc_forced_align(scores, targets, torch.tensor([len(path)]), torch.tensor([len(said)]))
    assert aligned[0].tolist() == path
