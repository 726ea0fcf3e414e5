"""Open-set identification: the right name, or none."""

from __future__ import annotations

import numpy as np
import pytest

from speakers.voiceprints.identification import (
    CROWD,
    Enrolled,
    Gallery,
    IdentificationOptions,
    identify,
    unit,
)
from speakers.voiceprints.scoring import Cohort, Scoring

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
        np.testing.assert_allclose(after.voices.rows, [[0.6, 0.8], [0, -1]], atol=1e-6)
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


class TestCrowd:
    """Of very many voices not all are compared in full; nobody is to notice."""

    DIMENSION = 96

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
        return (cls.random.standard_normal(cls.DIMENSION) * weights).astype(np.float32)

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
