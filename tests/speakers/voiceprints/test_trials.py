"""How well voices are told apart, on people who are made so that the answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakers.exceptions import TooFewVoices
from speakers.voiceprints.fitting import Lines, fit
from speakers.voiceprints.identification import IdentificationOptions
from speakers.voiceprints.scoring import Cohort, Scoring
from speakers.voiceprints.trials import (
    LENGTHS_S,
    MAX_THRESHOLD,
    MIN_THRESHOLD,
    Material,
    Trials,
    measure,
    propose,
    try_out,
)
from tests.speakers.voices import DIMENSION, People

COHORT = Cohort.unknown(DIMENSION, DIMENSION**-0.5)

Row = tuple[np.ndarray, float, int, str]
"""A line's embedding, seconds, speaker and recording."""


def recorded(*, people: int = 12, recordings: int = 4, noise: float = 1.0, first: int = 500) -> Material:
    """Everybody in so many recordings, with two pieces of each length in each of them."""
    drawn = People(seed=first, noise=noise)
    voices, pieces = [], []
    for person in range(first, first + people):
        for number in range(recordings):
            key = f"{person}-{number}"
            voices.append((drawn.line(person, 10.0), 10.0, person, key))
            pieces += [(drawn.line(person, s), s, person, key) for s in LENGTHS_S for _ in range(2)]
    return Material(as_lines(voices), as_lines(pieces))


def as_lines(rows: Sequence[Row]) -> Lines:
    return Lines(
        np.stack([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]),
        np.array([row[3] for row in rows]),
    )


def trials(own: list[float], others: list[list[float]], seconds: float = 2.0) -> Trials:
    return Trials(np.full(len(own), seconds), np.array(own), np.array(others))


class TestTrial:
    def test_clear_voices_are_never_confused(self) -> None:
        tried = try_out(recorded(noise=0.1), Scoring(COHORT))
        assert (tried.equal_error_rate, tried.accuracy) == (0.0, 1.0)

    def test_noise_alone_is_told_apart_by_chance(self) -> None:
        tried = try_out(recorded(noise=200.0), Scoring(COHORT))
        assert tried.equal_error_rate == pytest.approx(0.5, abs=0.1)
        assert tried.accuracy == pytest.approx(1 / 12, abs=0.1)

    def test_more_speech_is_recognised_better(self) -> None:
        tried = try_out(recorded(noise=3.0, people=30), Scoring(COHORT))
        rates = [tried.of_length(length).equal_error_rate for length in LENGTHS_S]
        assert rates == sorted(rates, reverse=True)

    def test_nobody_is_tried_against_the_recording_that_the_piece_is_from(self) -> None:
        """Recordings that sound like themselves and not like their speaker teach nothing."""
        material = recorded(noise=0.1)
        rng = np.random.default_rng(0)
        sounds = {key: rng.standard_normal(DIMENSION) for key in material.voices.recordings.tolist()}

        def as_recorded(lines: Lines) -> Lines:
            rows = np.stack([sounds[key] for key in lines.recordings.tolist()]).astype(np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            return Lines(rows, lines.seconds, lines.speakers, lines.recordings)

        tried = try_out(Material(as_recorded(material.voices), as_recorded(material.pieces)), Scoring(COHORT))
        assert tried.equal_error_rate > 0.3

    def test_who_was_recorded_once_is_somebody_to_be_confused_with(self) -> None:
        many, once = recorded(people=3), recorded(people=5, recordings=1, first=900)
        both = Material(
            as_lines([*_rows(many.voices), *_rows(once.voices)]),
            as_lines([*_rows(many.pieces), *_rows(once.pieces)]),
        )
        tried = try_out(both, Scoring(COHORT))
        assert tried.others.shape == (3 * 4 * 2 * len(LENGTHS_S), 8)

    def test_two_people_are_too_few(self) -> None:
        with pytest.raises(TooFewVoices, match="2 speakers, 2 of them with several recordings"):
            try_out(recorded(people=2), Scoring(COHORT))

    def test_one_recording_each_is_too_few(self) -> None:
        with pytest.raises(TooFewVoices, match="12 speakers, 0 of them"):
            try_out(recorded(recordings=1), Scoring(COHORT))


class TestError:
    OPTIONS = IdentificationOptions(threshold=3.0, margin=1.0, shortest_speech_s=1.0)

    def errors(self, own: float, *others: float, seconds: float = 2.0) -> tuple[float, float, float]:
        found = trials([own], [list(others)], seconds).errors(self.OPTIONS)
        return found.false_accepts, found.false_rejects, found.wrong_names

    def test_the_right_name_is_no_error(self) -> None:
        assert self.errors(5, 0, -2) == (0, 0, 0)

    def test_a_stranger_who_sounds_like_somebody_is_a_false_accept(self) -> None:
        assert self.errors(8, 4, -2) == (1, 0, 0)

    def test_a_stranger_who_sounds_like_two_people_gets_no_name(self) -> None:
        assert self.errors(8, 4, 3.5) == (0, 0, 0)

    def test_below_the_threshold_nobody_is_named(self) -> None:
        assert self.errors(2.9, 0, -2) == (0, 1, 0)

    def test_a_lead_below_the_margin_is_a_false_reject(self) -> None:
        assert self.errors(5, 4.5, 4) == (0, 1, 0)

    def test_somebody_else_clearly_in_front_is_a_wrong_name(self) -> None:
        assert self.errors(2, 5, -2) == (1, 1, 1)

    def test_too_little_speech_names_nobody(self) -> None:
        assert self.errors(9, 5, -2, seconds=0.9) == (0, 1, 0)


class TestProposal:
    def test_strangers_of_whom_nothing_is_known_hardly_ever_get_a_name(self) -> None:
        learnt_from, unseen = recorded(people=40, noise=2.0), recorded(people=40, noise=2.0, first=2000)
        scoring = fit(learnt_from.pieces, COHORT)
        options = propose(try_out(learnt_from, scoring))
        errors = try_out(unseen, scoring).errors(options)
        assert errors.false_accepts < 0.03
        assert errors.false_rejects < 0.5

    def test_voices_that_are_easily_confused_need_a_higher_threshold(self) -> None:
        clear, alike = (propose(trials([9.0] * 100, [[top, -9.0]] * 100)).threshold for top in (2.0, 6.0))
        assert (clear, alike) == (2.0, 6.0)

    def test_however_clear_voices_are_a_name_needs_to_be_likely(self) -> None:
        assert propose(trials([9.0], [[-5.0, -9.0]])).threshold == 1.0

    def test_a_crowd_raises_the_threshold(self) -> None:
        tried = trials([9.0] * 10, [[2.0] + [-9.0] * 10] * 10)
        raised = propose(tried, enrolled=1000).threshold - propose(tried, enrolled=10).threshold
        assert raised == pytest.approx(np.log(100))

    def test_speech_too_short_to_name_anybody_is_not_tried(self) -> None:
        both = Trials(np.array([1.0, 2.0]), np.array([-5.0, 9.0]), np.array([[0.0, -1.0], [2.0, -1.0]]))
        assert propose(both).shortest_speech_s == 2.0


class TestMeasure:
    def test_errors_are_measured_on_people_from_whom_nothing_was_learnt(self) -> None:
        measured = measure(recorded(people=20, noise=2.0), COHORT)
        assert (measured.people, measured.recordings) == (20, 80)
        assert list(measured.errors) == list(LENGTHS_S)
        assert measured.errors[5.0].false_rejects < measured.errors[1.0].false_rejects

    def test_with_few_people_only_what_needs_no_settings_is_measured(self) -> None:
        measured = measure(recorded(people=5), COHORT)
        assert measured.errors == {}
        assert list(measured.eer) == list(LENGTHS_S)

    def test_it_is_the_same_each_time(self) -> None:
        material = recorded(people=8, noise=2.0)
        assert measure(material, COHORT) == measure(material, COHORT)

    def test_pieces_too_short_to_cut_are_missing_and_nothing_else(self) -> None:
        material = recorded(people=6)
        is_long = material.pieces.seconds > 1.0
        only_long = Material(material.voices, material.pieces.take(is_long))

        assert list(measure(only_long, COHORT).eer) == [2.0, 3.0, 5.0]

    def test_without_any_piece_it_says_what_is_missing(self) -> None:
        material = recorded(people=6)
        none = material.pieces.take(np.zeros(len(material.pieces), bool))

        with pytest.raises(TooFewVoices, match="no recording has a second of speech"):
            measure(Material(material.voices, none), COHORT)


class TestMaterial:
    def test_who_was_recorded_several_times_is_known(self) -> None:
        many, once = recorded(people=2, recordings=3), recorded(people=2, recordings=1, first=900)
        both = Material(as_lines([*_rows(many.voices), *_rows(once.voices)]), many.pieces)

        assert both.repeated.tolist() == [500, 501]

    def test_some_people_are_taken_with_all_that_is_theirs(self) -> None:
        material = recorded(people=3, recordings=2)

        some = material.of(np.array([501]))

        assert set(some.voices.recordings) == set(some.pieces.recordings) == {"501-0", "501-1"}
        assert len(some.pieces) == 2 * 2 * len(LENGTHS_S)

    def test_nobody_is_nobody(self) -> None:
        none = recorded(people=3).of(np.array([1]))

        assert (len(none.voices), len(none.pieces), none.repeated.tolist()) == (0, 0, [])


SCORES = st.floats(-9, 9)


@st.composite
def tried(draw: st.DrawFn) -> Trials:
    """Pieces of two seconds against four enrolled people, one of whom spoke."""
    count = draw(st.integers(1, 12))
    own = draw(st.lists(SCORES, min_size=count, max_size=count))
    others = [draw(st.lists(SCORES, min_size=3, max_size=3)) for _ in range(count)]
    return trials(own, [[-np.inf, *row] for row in others])


OPTIONS = st.builds(IdentificationOptions, st.floats(-5, 5), st.floats(0.01, 3), st.sampled_from([1.0, 2.0]))


class TestAnyTrials:
    @given(tried(), OPTIONS)
    @settings(max_examples=25)
    def test_errors_are_shares_and_nobody_gets_two_names(
        self, found: Trials, options: IdentificationOptions
    ) -> None:
        errors = found.errors(options)

        for share in (errors.false_accepts, errors.false_rejects, errors.wrong_names):
            assert 0 <= share <= 1
        assert errors.wrong_names <= errors.false_rejects + 1e-9

    @given(tried(), OPTIONS, st.floats(0.1, 5))
    @settings(max_examples=25)
    def test_a_stricter_limit_trades_false_names_for_missing_ones(
        self, found: Trials, options: IdentificationOptions, more: float
    ) -> None:
        before = found.errors(options)

        for name in ("threshold", "margin"):
            after = found.errors(replace(options, **{name: getattr(options, name) + more}))
            assert after.false_accepts <= before.false_accepts
            assert after.wrong_names <= before.wrong_names
            assert after.false_rejects >= before.false_rejects

    @given(tried(), st.randoms(use_true_random=False))
    @settings(max_examples=25)
    def test_the_order_of_pieces_does_not_matter(self, found: Trials, random: Random) -> None:
        order = list(range(len(found)))
        random.shuffle(order)

        shuffled = found.take(np.array(order))

        assert shuffled.accuracy == pytest.approx(found.accuracy)
        assert shuffled.equal_error_rate == pytest.approx(found.equal_error_rate)
        assert propose(shuffled) == propose(found)

    @given(tried(), st.none() | st.integers(0, 10_000), st.integers(0, 10_000))
    @settings(max_examples=25)
    def test_a_proposal_is_one_that_can_be_kept_and_more_people_never_lower_it(
        self, found: Trials, enrolled: int | None, more: int
    ) -> None:
        options, stricter = propose(found, enrolled=enrolled), propose(found, enrolled=(enrolled or 0) + more)

        assert MIN_THRESHOLD <= options.threshold <= stricter.threshold <= MAX_THRESHOLD
        assert options.shortest_speech_s in LENGTHS_S

    @given(tried())
    @settings(max_examples=25)
    def test_at_what_is_proposed_hardly_a_stranger_gets_a_name(self, found: Trials) -> None:
        options = propose(found)
        if options.threshold < MAX_THRESHOLD:
            top = found.others.max(axis=1)
            assert np.mean(top > options.threshold) <= 0.01 + 1 / len(found)


def _rows(lines: Lines) -> list[Row]:
    return list(
        zip(
            lines.embeddings,
            lines.seconds,
            lines.speakers.tolist(),
            lines.recordings.tolist(),
            strict=True,
        )
    )
