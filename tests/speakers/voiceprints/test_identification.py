"""Open-set identification: the right name, or none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakers.voiceprints.identification import (
    CROWD,
    Enrolled,
    Gallery,
    Identification,
    IdentificationOptions,
    identify,
    unit,
)
from speakers.voiceprints.scoring import Cohort, Scoring
from tests.speakers.voices import AXES, embeddings, speech_lengths

ALICE, BOB, CHARLIE = 1, 2, 3
OPTIONS = IdentificationOptions(threshold=3.0, margin=1.0, shortest_speech_s=1.0, doubt=3.0)
SCORING = Scoring(Cohort.unknown(2, 0.15), slope=2.0, bias=-6.0, offset=0.0)


def gallery(**voices: list[float]) -> Gallery:
    names = {"alice": ALICE, "bob": BOB, "charlie": CHARLIE}
    enrolled = {names[n]: Enrolled(np.array(v, np.float32), 20.0) for n, v in voices.items()}
    return Gallery("model-1", SCORING, 2).changed(enrolled)


def at(degrees: float) -> np.ndarray:
    """A voice at this angle from Alice's at [1, 0]."""
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


class TestIdentify:
    def test_the_most_alike_speaker_is_named(self) -> None:
        found = identify(at(10), gallery(alice=[1, 0], bob=[0, 1]), speech_s=3.0, options=OPTIONS)

        assert found.speaker == ALICE
        assert found.log_odds > 3
        assert not found.is_uncertain

    def test_nobody_is_named_while_nobody_is_enrolled(self) -> None:
        found = identify(at(0), gallery(), speech_s=3.0, options=OPTIONS)

        assert found.speaker is None
        assert found.candidate is None
        assert found.log_odds == -np.inf

    def test_a_voice_like_nobody_enrolled_is_a_stranger_without_doubt(self) -> None:
        found = identify(at(-80), gallery(alice=[1, 0], bob=[0, 1]), speech_s=3.0, options=OPTIONS)

        assert found.speaker is None
        assert not found.is_uncertain

    def test_a_voice_just_below_the_threshold_is_uncertain(self) -> None:
        found = identify(at(55), gallery(alice=[1, 0]), speech_s=3.0, options=OPTIONS)

        assert found.speaker is None
        assert found.candidate == ALICE
        assert found.is_uncertain

    def test_between_look_alikes_nobody_is_named(self) -> None:
        twins = gallery(alice=[1, 0], bob=[0.999, 0.0447])

        found = identify(at(1), twins, speech_s=30.0, options=OPTIONS)

        assert found.speaker is None
        assert found.is_uncertain

    def test_too_little_speech_names_nobody_however_alike(self) -> None:
        found = identify(at(0), gallery(alice=[1, 0]), speech_s=0.9, options=OPTIONS)

        assert found.speaker is None
        assert found.candidate == ALICE
        assert found.is_uncertain

    def test_more_speech_makes_the_same_likeness_surer(self) -> None:
        odds = [
            identify(at(20), gallery(alice=[1, 0]), speech_s=seconds, options=OPTIONS).log_odds
            for seconds in (1, 2, 4, 8)
        ]

        assert odds == sorted(odds)
        assert odds[-1] > odds[0] + 1

    def test_the_length_of_an_embedding_does_not_matter(self) -> None:
        people = gallery(alice=[1, 0], bob=[0, 1])

        assert identify(1000 * at(20), people, speech_s=3.0).log_odds == pytest.approx(
            identify(at(20), people, speech_s=3.0).log_odds, abs=5e-6
        )

    def test_an_embedding_of_another_model_is_refused_by_its_dimension(self) -> None:
        with pytest.raises(ValueError, match=r"shape \(3,\), the gallery's \(2,\)"):
            identify(np.ones(3, np.float32), gallery(alice=[1, 0]), speech_s=3.0)

    def test_an_embedding_of_silence_is_refused(self) -> None:
        for broken in (np.zeros(2), np.array([np.nan, 1]), np.array([np.inf, 1])):
            with pytest.raises(ValueError, match="zero or not finite"):
                unit(broken.astype(np.float32))


class TestExpected:
    """Of whom it is known before that they may speak."""

    def found(self, degrees: float, expected: list[int], **voices: list[float]) -> Identification:
        keys = np.array(expected, np.int64)
        return identify(at(degrees), gallery(**voices), speech_s=3.0, options=OPTIONS, expected=keys)

    def test_are_named_with_less_certainty(self) -> None:
        assert self.found(48, [], alice=[1, 0]).speaker is None
        assert self.found(48, [ALICE], alice=[1, 0]).speaker == ALICE

    def test_are_ahead_of_others_by_what_the_options_say(self) -> None:
        surprise, expected = self.found(48, [], alice=[1, 0]), self.found(48, [ALICE], alice=[1, 0])

        assert expected.log_odds - surprise.log_odds == pytest.approx(OPTIONS.expected)

    def test_win_against_those_who_sound_alike(self) -> None:
        twins = {"alice": [1.0, 0.0], "bob": [0.999, 0.0447]}

        assert self.found(1, [], **twins).speaker is None
        assert self.found(1, [BOB], **twins).speaker == BOB

    def test_of_two_who_are_expected_both_may_be_meant(self) -> None:
        assert self.found(1, [ALICE, BOB], alice=[1, 0], bob=[0.999, 0.0447]).speaker is None

    def test_others_can_still_appear(self) -> None:
        assert self.found(5, [BOB], alice=[1, 0], bob=[0, 1]).speaker == ALICE

    def test_strangers_stay_strangers(self) -> None:
        assert self.found(-80, [ALICE], alice=[1, 0]).speaker is None

    def test_too_little_speech_names_not_even_them(self) -> None:
        keys = np.array([ALICE])
        found = identify(at(5), gallery(alice=[1, 0]), speech_s=0.5, options=OPTIONS, expected=keys)

        assert (found.speaker, found.is_uncertain) == (None, True)

    def test_who_was_forgotten_since_is_nobody(self) -> None:
        assert self.found(48, [CHARLIE], alice=[1, 0]) == self.found(48, [], alice=[1, 0])
        assert self.found(48, [CHARLIE]).candidate is None


class TestGallery:
    def test_a_change_replaces_adds_and_takes_out(self) -> None:
        before = gallery(alice=[1, 0], bob=[0, 1])

        after = before.changed(
            {
                CHARLIE: Enrolled(np.array([0, -2], np.float32), 5.0),
                ALICE: None,
                BOB: Enrolled(np.array([3, 4], np.float32), 5.0),
            }
        )

        assert after.speakers.tolist() == [BOB, CHARLIE]
        np.testing.assert_allclose(after.voices.rows, np.array([[0.6, 0.8], [0, -1]]), atol=1e-6)
        assert ALICE not in after
        assert after.voice(ALICE) is None

    def test_the_voice_of_one_speaker_can_be_had(self) -> None:
        voice = gallery(alice=[1, 0], bob=[0, 1]).voice(BOB)

        assert voice is not None
        np.testing.assert_allclose(voice.rows[0], [0, 1])

    def test_a_change_leaves_the_old_gallery_alone(self) -> None:
        before = gallery(alice=[1, 0])

        before.changed({ALICE: None})

        assert ALICE in before

    def test_taking_out_somebody_who_is_not_there_changes_nothing(self) -> None:
        assert gallery(alice=[1, 0]).changed({BOB: None}).speakers.tolist() == [ALICE]

    def test_a_voice_of_another_dimension_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"speaker 2 has shape \(3,\), not \(2,\)"):
            gallery(alice=[1, 0]).changed({BOB: Enrolled(np.ones(3, np.float32), 5.0)})

    def test_who_is_enrolled_in_what_order_makes_no_difference(self) -> None:
        one = gallery(alice=[1, 0], bob=[0, 1], charlie=[-1, 0])
        other = gallery(charlie=[-1, 0], alice=[1, 0]).changed({BOB: Enrolled(at(90), 20.0)})

        for degrees in (5, 95, 175):
            assert (
                identify(at(degrees), one, speech_s=5.0).candidate
                == identify(at(degrees), other, speech_s=5.0).candidate
            )


PEOPLE = st.dictionaries(st.integers(1, 9), embeddings(), min_size=1, max_size=5)
CHANGES = st.lists(st.tuples(st.integers(1, 6), st.none() | embeddings()), max_size=12)
Voice = np.ndarray


def gallery_with(people: dict[int, Voice], speech_s: float = 10.0) -> Gallery:
    empty = Gallery("model-1", Scoring(Cohort.unknown(AXES, 0.3)), AXES)
    return empty.changed({key: Enrolled(voice, speech_s) for key, voice in people.items()})


class TestEdges:
    """Exactly at a limit: the limit itself is enough."""

    def setup_method(self) -> None:
        self.people = gallery(alice=[1, 0], bob=[0, 1])
        self.found = identify(at(20), self.people, speech_s=3.0, options=OPTIONS)
        second = self.people.scoring.log_odds(
            self.people.scoring.voices(at(20)[None], np.array([3.0])), self.people.voices
        )[0, 1]
        self.lead = self.found.log_odds - float(second)

    def named(self, **changes: float) -> int | None:
        return identify(at(20), self.people, speech_s=3.0, options=replace(OPTIONS, **changes)).speaker

    def test_at_the_threshold_there_is_a_name_and_above_it_there_is_none(self) -> None:
        assert self.named(threshold=self.found.log_odds) == ALICE
        assert self.named(threshold=self.found.log_odds + 1e-4) is None

    def test_at_the_margin_there_is_a_name_and_above_it_there_is_none(self) -> None:
        assert self.named(margin=self.lead) == ALICE
        assert self.named(margin=self.lead + 1e-4) is None

    def test_with_just_enough_speech_there_is_a_name(self) -> None:
        assert self.named(shortest_speech_s=3.0) == ALICE
        assert self.named(shortest_speech_s=3.001) is None

    def test_at_the_end_of_doubt_the_answer_is_perhaps_and_below_it_is_no(self) -> None:
        top = self.found.log_odds

        perhaps = identify(
            at(20), self.people, speech_s=3.0, options=replace(OPTIONS, threshold=top + 2.0, doubt=2.0)
        )
        no = identify(
            at(20), self.people, speech_s=3.0, options=replace(OPTIONS, threshold=top + 2.001, doubt=2.0)
        )

        assert (perhaps.speaker, perhaps.is_uncertain) == (None, True)
        assert (no.speaker, no.is_uncertain, no.candidate) == (None, False, ALICE)

    def test_who_is_enrolled_alone_leads_over_nobody(self) -> None:
        alone = gallery(alice=[1, 0])

        found = identify(at(5), alone, speech_s=3.0, options=replace(OPTIONS, margin=1e9))

        assert found.speaker == ALICE

    def test_one_voice_enrolled_under_two_names_gets_neither(self) -> None:
        """A person who was enrolled twice and not merged: no guess which entry is the right one."""
        found = identify(at(0), gallery(alice=[1, 0], bob=[1, 0]), speech_s=30.0, options=OPTIONS)

        assert found.speaker is None
        assert found.is_uncertain


class TestAnyVoice:
    """What holds whoever is enrolled and whoever speaks."""

    @given(PEOPLE, embeddings(), speech_lengths())
    @settings(max_examples=25)
    def test_a_name_has_been_earned(self, people: dict[int, Voice], voice: Voice, speech_s: float) -> None:
        found = identify(voice, gallery_with(people), speech_s=speech_s, options=OPTIONS)

        assert found.candidate in people
        if found.speaker is not None:
            assert found.speaker == found.candidate
            assert found.log_odds >= OPTIONS.threshold
            assert speech_s >= OPTIONS.shortest_speech_s
            assert not found.is_uncertain

    @given(PEOPLE, embeddings(), st.floats(0.01, 100.0))
    @settings(max_examples=25)
    def test_how_loud_an_embedding_is_does_not_matter(
        self, people: dict[int, Voice], voice: Voice, scale: float
    ) -> None:
        enrolled = gallery_with(people)

        plain = identify(voice, enrolled, speech_s=3.0)
        scaled = identify((scale * voice).astype(np.float32), enrolled, speech_s=3.0)

        assert scaled.log_odds == pytest.approx(plain.log_odds, abs=1e-3)

    @given(PEOPLE, embeddings(), st.floats(-2, 8), st.floats(0, 4), st.floats(0, 6))
    @settings(max_examples=25)
    def test_a_stricter_limit_names_nobody_else(
        self, people: dict[int, Voice], voice: Voice, threshold: float, margin: float, least_s: float
    ) -> None:
        """It may take a name away; it never gives one, and never another one."""
        enrolled = gallery_with(people)
        options = IdentificationOptions(threshold, margin, least_s)
        before = identify(voice, enrolled, speech_s=3.0, options=options).speaker

        for stricter in (
            replace(options, threshold=threshold + 1),
            replace(options, margin=margin + 1),
            replace(options, shortest_speech_s=least_s + 1),
        ):
            assert identify(voice, enrolled, speech_s=3.0, options=stricter).speaker in (before, None)

    @given(PEOPLE, embeddings())
    @settings(max_examples=25)
    def test_who_is_taken_out_is_never_found_again(self, people: dict[int, Voice], voice: Voice) -> None:
        enrolled = gallery_with(people)
        gone = identify(voice, enrolled, speech_s=3.0).candidate
        assert gone is not None

        rest = enrolled.changed({gone: None})
        found = identify(voice, rest, speech_s=3.0)

        assert gone not in rest
        assert found.candidate != gone
        assert found.speaker != gone

    @given(PEOPLE, embeddings())
    @settings(max_examples=25)
    def test_somebody_more_never_makes_another_name_likelier(
        self, people: dict[int, Voice], voice: Voice
    ) -> None:
        """Enrolling one more person may take somebody's name away, and can only add that person's."""
        before = identify(voice, gallery_with(people), speech_s=3.0, options=OPTIONS)
        newcomer = 99

        after = identify(voice, gallery_with(people | {newcomer: voice}), speech_s=3.0, options=OPTIONS)

        assert after.speaker in (before.speaker, newcomer, None)
        assert after.log_odds >= before.log_odds - 1e-4

    @given(CHANGES)
    @settings(max_examples=25)
    def test_it_holds_exactly_who_was_enrolled_and_not_taken_out(
        self, changes: list[tuple[int, Voice | None]]
    ) -> None:
        """Whatever comes and goes, one by one or all at once."""
        one_by_one = all_at_once = gallery_with({})
        expected: dict[int, Voice] = {}
        for key, voice in changes:
            enrolled = None if voice is None else Enrolled(3 * voice, 10.0)
            one_by_one = one_by_one.changed({key: enrolled})
            expected = {k: v for k, v in expected.items() if k != key}
            if voice is not None:
                expected[key] = voice
        all_at_once = all_at_once.changed({k: Enrolled(v, 10.0) for k, v in expected.items()})

        for found in (one_by_one, all_at_once):
            assert found.speakers.tolist() == sorted(expected)
            assert len(found) == len(expected)
            for key, voice in expected.items():
                own = found.voice(key)
                assert own is not None
                np.testing.assert_allclose(own.rows[0], voice, atol=1e-5)

    def test_a_voice_without_any_sound_is_not_enrolled(self) -> None:
        with pytest.raises(ValueError, match="zero or not finite"):
            gallery_with({1: np.zeros(AXES, np.float32)})

    def test_a_change_that_fails_leaves_everybody_where_they_were(self) -> None:
        people = gallery(alice=[1, 0], bob=[0, 1])

        with pytest.raises(ValueError, match="not finite"):
            people.changed({ALICE: None, BOB: Enrolled(np.array([np.nan, 1], np.float32), 5.0)})

        assert people.speakers.tolist() == [ALICE, BOB]


class TestCrowd:
    """Of very many voices not all are compared in full; nobody is to notice."""

    DIMENSION = 96
    random: np.random.Generator
    people: dict[int, np.ndarray]
    empty: Gallery
    gallery: Gallery

    @classmethod
    def setup_class(cls) -> None:
        cls.random = np.random.default_rng(0)
        cls.people = {number: cls.draw() for number in range(1, CROWD + 3001)}
        cohort = Cohort.of(np.stack([unit(cls.draw()) for _ in range(300)]))
        cls.empty = Gallery("model-1", Scoring(cohort), cls.DIMENSION)
        cls.gallery = cls.empty.changed({n: Enrolled(v, 10.0) for n, v in cls.people.items()})

    @classmethod
    def draw(cls) -> np.ndarray:
        """Somebody's voice: as models hear them, people differ in some directions more than in others."""
        weights = 0.97 ** np.arange(cls.DIMENSION)
        return np.asarray(cls.random.standard_normal(cls.DIMENSION) * weights, np.float32)

    def lines(self, count: int = 100) -> list[tuple[int, np.ndarray]]:
        who = self.random.choice(list(self.people), count).tolist()
        return [(number, self.people[number] + 0.6 * self.draw()) for number in who]

    def test_the_answer_is_that_of_comparing_with_everybody(self) -> None:
        named = 0
        for _number, line in self.lines():
            found = identify(line, self.gallery, speech_s=3.0)

            scoring = self.gallery.scoring
            voice = scoring.voices(unit(line)[None], np.array([3.0]))
            odds = scoring.log_odds(voice, self.gallery.voices)[0]
            best = self.gallery.speakers[odds.argmax()]
            lead = np.diff(np.sort(odds)[-2:])[0]
            is_clear = odds.max() >= 3.0 and lead >= 1.0
            assert found.candidate == best
            assert found.speaker == (best if is_clear else None)
            named += is_clear
        assert named > 50

    def test_who_came_and_went_is_found_and_is_not(self) -> None:
        gone, newcomer = 17, self.draw()
        changed = self.gallery.changed({gone: None, 0: Enrolled(newcomer, 10.0)})

        assert identify(newcomer, changed, speech_s=3.0).speaker == 0
        assert identify(self.people[gone], changed, speech_s=3.0).candidate != gone
        for number in (1, CROWD, CROWD + 3000):
            assert identify(self.people[number], changed, speech_s=3.0).speaker == number

    def test_who_is_expected_is_compared_in_full_however_unlike_at_a_rough_look(self) -> None:
        line = self.draw()
        rough = self.gallery.promising(self.gallery.scoring.voices(unit(line)[None], np.array([3.0])))
        left_out = np.setdiff1d(self.gallery.speakers, self.gallery.speakers[rough])[:1]
        by_far = IdentificationOptions(expected=1000.0)

        found = identify(line, self.gallery, speech_s=3.0, options=by_far, expected=left_out)

        assert found.speaker == left_out[0]
