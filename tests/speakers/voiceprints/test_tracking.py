"""One session's voices, line after line: stable labels, names, second thoughts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.audio import samples
from speakers.voiceprints import clustering
from speakers.voiceprints.clustering import ClusteringOptions
from speakers.voiceprints.identification import Gallery, IdentificationOptions
from speakers.voiceprints.overlaps import HeardLine
from speakers.voiceprints.tracking import (
    Decision,
    LineMoved,
    Revision,
    SpeakerTracker,
    TrackingOptions,
    VoiceIdentified,
    VoicesMerged,
    VoiceState,
)
from tests.speakers.voices import (
    DIMENSION,
    People,
    Transcript,
    gallery_of,
    numbered_keys,
    scoring,
    voice,
)

ALICE, BOB = 11, 22  # keys of enrolled speakers


class TrackerTests:
    def setup_method(self) -> None:
        self.people = People()
        self.tracker = self.make()
        self.line = 0
        self.transcript = Transcript()
        self.revisions: list[Revision] = []

    def make(self, enrolled: dict[int, int] | None = None, **changes: Any) -> SpeakerTracker:
        """A tracker; `enrolled` says which person has which key."""
        voices = {key: self.people.person(number) for number, key in (enrolled or {}).items()}
        gallery = gallery_of(voices)
        return SpeakerTracker(gallery, new_key=numbered_keys(), **changes)

    def enroll(self, enrolled: dict[int, int]) -> None:
        voices = {key: self.people.person(number) for number, key in enrolled.items()}
        self.tracker.set_gallery(gallery_of(voices))

    def say(self, person: int, seconds: float = 3.0) -> Decision:
        return self.say_embedding(self.people.line(person, seconds), seconds)

    def say_embedding(self, embedding: np.ndarray | None, seconds: float = 3.0) -> Decision:
        self.line += 1
        decision = self.tracker.identify(self.line, embedding, seconds)
        self.transcript.add(self.line, decision)
        self.take()
        return decision

    def say_at_once(self, *people: int, seconds: float = 3.0, keys: tuple[int, ...] = ()) -> list[Decision]:
        """Lines of these people, all over the same seconds."""
        heard = [self.people.line(person, seconds) for person in people]
        return self.say_over([(embedding, 0.0, seconds) for embedding in heard], keys)

    def say_over(
        self, spoken: Sequence[tuple[np.ndarray | None, float, float]], keys: tuple[int, ...] = ()
    ) -> list[Decision]:
        """Lines of one utterance: voice, start and end in seconds."""
        keys = keys or tuple(range(self.line + 1, self.line + 1 + len(spoken)))
        self.line = max(self.line, *keys)
        lines = [
            HeardLine(key, embedding, end - start, samples(start), samples(end))
            for key, (embedding, start, end) in zip(keys, spoken, strict=True)
        ]
        decisions = self.tracker.identify_all(lines)
        for key, decision in zip(keys, decisions, strict=True):
            self.transcript.add(key, decision)
        self.take()
        return decisions

    def take(self) -> None:
        revisions = self.tracker.take_revisions()
        self.transcript.revise(revisions)
        self.revisions += revisions

    def assert_revisions(self, *expected: Revision) -> None:
        self.take()
        assert self.revisions == list(expected)


class TestStranger(TrackerTests):
    def test_the_first_line_founds_the_first_voice(self) -> None:
        decision = self.say(1)

        assert decision == Decision(voice(1), None, None, is_uncertain=False, is_new=True)

    def test_everyone_keeps_a_voice_of_their_own(self) -> None:
        order = [1, 2, 1, 3, 2, 3, 1, 1, 2, 3] * 5

        voices = [self.say(person).voice for person in order]

        assert voices == [voice(person) for person in order]
        self.assert_revisions()

    def test_a_known_voice_comes_with_the_likeness_to_it(self) -> None:
        self.say(1)

        decision = self.say(1)

        assert (decision.score or 0) > 0.6
        assert not decision.is_new

    def test_a_short_line_goes_to_the_likeliest_voice_and_is_uncertain(self) -> None:
        for person in (1, 2, 1, 2):
            self.say(person)

        decision = self.say_embedding(self.people.person(1), 0.5)

        assert decision.voice == voice(1)
        assert decision.is_uncertain

    def test_a_short_line_never_shapes_a_voice(self) -> None:
        self.say(1)
        self.tracker.changed_voices()
        before = self.tracker_state(voice(1)).mean

        self.say_embedding(self.people.person(2), 0.3)

        np.testing.assert_array_equal(self.tracker_state(voice(1)).mean, before)

    def test_a_line_without_an_embedding_is_guessed_to_continue_the_last_one(self) -> None:
        self.say(1)
        self.say(2)

        decision = self.say_embedding(None, 0.2)

        assert decision == Decision(voice(2), None, None, is_uncertain=True)

    def test_a_first_line_without_an_embedding_still_gets_a_voice_which_the_next_line_takes_over(
        self,
    ) -> None:
        first = self.say_embedding(None, 0.2)

        second = self.say(1)

        assert first == Decision(voice(1), None, None, is_uncertain=True, is_new=True)
        assert second.voice == voice(1)

    def test_a_broken_embedding_says_nothing(self) -> None:
        self.say(1)

        for broken in (np.nan, np.inf, 0.0):
            decision = self.say_embedding(np.full(DIMENSION, broken, np.float32))
            assert decision == Decision(voice(1), None, None, is_uncertain=True)

        assert self.say(1).voice == voice(1)

    def test_an_embedding_of_another_model_is_refused(self) -> None:
        with pytest.raises(ValueError, match="shape"):
            self.say_embedding(np.ones(DIMENSION + 1, np.float32))

    def tracker_state(self, key: uuid.UUID) -> VoiceState:
        return next(v.state for v in self.tracker._voices.values() if v.key == key)


class TestExpected(TrackerTests):
    """Of whom it is known before that they may speak."""

    DOUBTFUL = TrackingOptions(IdentificationOptions(threshold=19.0, expected=12.0))

    def speakers(self, expected: list[int], *, lines: int = 3) -> list[int | None]:
        """Whose the lines of somebody are taken for who sounds a bit unlike Alice."""
        self.tracker = self.make({1: ALICE, 2: BOB}, options=self.DOUBTFUL, expected=expected)
        unlike = self.people.person(1) + 0.7 * self.people.person(9)
        return [self.say_embedding(unlike, 1.2).speaker for _ in range(lines)]

    def test_are_named_at_once_and_stay_one_voice(self) -> None:
        assert self.speakers([], lines=1) == [None]
        assert self.speakers([ALICE]) == [ALICE] * 3
        assert len(self.tracker._voices) == 1

    def test_make_no_difference_to_others(self) -> None:
        assert self.speakers([BOB], lines=1) == [None]

    def test_others_can_still_appear(self) -> None:
        self.tracker = self.make({1: ALICE, 2: BOB}, expected=[ALICE])

        assert [self.say(person).speaker for person in (2, 3, 1)] == [BOB, None, ALICE]

    def test_who_is_enrolled_later_is_expected_all_the_same(self) -> None:
        self.tracker = self.make({2: BOB}, options=self.DOUBTFUL, expected=[ALICE])
        unlike = self.people.person(1) + 0.7 * self.people.person(9)
        self.say_embedding(unlike, 1.2)

        self.enroll({1: ALICE, 2: BOB})

        assert self.say_embedding(unlike, 1.2).speaker == ALICE


class TestEnrolled(TrackerTests):
    def test_an_enrolled_speaker_is_named_at_the_first_line(self) -> None:
        self.tracker = self.make({1: ALICE})

        decision = self.say(1)

        assert (decision.voice, decision.speaker) == (voice(1), ALICE)
        assert (decision.score or 0) > 0.5
        self.assert_revisions()

    def test_strangers_and_enrolled_speakers_are_told_apart(self) -> None:
        self.tracker = self.make({1: ALICE, 2: BOB})

        speakers = [self.say(person).speaker for person in (1, 3, 2, 3, 1, 2, 3)]

        assert speakers == [ALICE, None, BOB, None, ALICE, BOB, None]

    def test_a_voice_that_becomes_clear_with_time_is_named_and_its_lines_with_it(self) -> None:
        """Each line is short and a bit unlike Alice; all together leave no doubt."""
        self.tracker = self.make({1: ALICE}, options=TrackingOptions(IdentificationOptions(threshold=19.0)))
        unlike = self.people.person(1) + 0.7 * self.people.person(9)

        decisions = [self.say_embedding(unlike, 1.2) for _ in range(10)]

        assert decisions[0].speaker is None
        assert decisions[-1].speaker == ALICE
        self.assert_revisions(VoiceIdentified(voice(1), ALICE))

    def test_enrolling_somebody_names_the_voice_that_has_been_speaking(self) -> None:
        self.say(1)
        self.say(2)

        self.enroll({1: ALICE})

        self.assert_revisions(VoiceIdentified(voice(1), ALICE))
        assert self.say(1).speaker == ALICE

    def test_two_voices_of_one_enrolled_speaker_become_one(self) -> None:
        """Far from the microphone Alice sounded like somebody else, until both ways were enrolled."""
        near, far = self.people.person(1), self.people.person(2)
        self.say_embedding(near)
        self.say_embedding(far)
        between = near + far

        self.tracker.set_gallery(gallery_of({ALICE: between}))

        self.assert_revisions(VoiceIdentified(voice(1), ALICE), VoicesMerged(voice(1), voice(2)))

    def test_forgetting_a_speaker_makes_a_stranger_and_drops_how_they_sound(self) -> None:
        self.tracker = self.make({1: ALICE, 2: BOB})
        self.say(1)
        self.say(2)
        self.tracker.changed_voices()

        self.enroll({2: BOB})

        self.assert_revisions(VoiceIdentified(voice(1), None))
        (forgotten,) = self.tracker.changed_voices()
        assert forgotten.voice == voice(1)
        assert forgotten.mean is None
        assert not self.knows(self.people.person(1))

    def test_a_speaker_who_is_enrolled_anew_is_the_same_voice(self) -> None:
        self.tracker = self.make({1: ALICE})
        self.say(1)

        self.tracker.set_gallery(gallery_of({ALICE: self.people.line(1, 9.0)}))

        self.assert_revisions()
        assert self.say(1).voice == voice(1)

    def knows(self, person: np.ndarray) -> bool:
        lines = [line.embedding for line in self.tracker._lines]
        centroids = [
            v.cluster.centroid for v in self.tracker._voices.values() if v.cluster.centroid is not None
        ]
        return any(float(known @ person) > 0.8 for known in [*lines, *centroids])


class TestSecondThought(TrackerTests):
    def test_one_person_who_noise_split_at_first_is_one_voice_in_the_end(self) -> None:
        self.people = People(seed=3, noise=2.0)

        early = {self.say(1, 2.0).voice for _ in range(3)}
        for _ in range(60):
            self.say(1, 2.0)

        assert len(early) > 2
        ours = [key for key in self.transcript.voices.values() if key == voice(1)]
        assert len(ours) >= 60  # of 63

    def test_two_settled_voices_that_are_alike_are_merged_into_the_older(self) -> None:
        near, far = self.people.person(1), self.people.person(1) + 2.5 * self.people.person(2)
        for _ in range(3):
            self.say_embedding(near)
            self.say_embedding(far)
        assert len(set(self.transcript.voices.values())) == 2

        for _ in range(40):
            self.say_embedding(near + far)

        assert set(self.transcript.voices.values()) == {voice(1)}

    def test_two_people_with_names_are_never_merged(self) -> None:
        twin = self.people.person(1) + 0.2 * self.people.person(2)
        gallery = gallery_of({ALICE: self.people.person(1), BOB: twin})
        options = TrackingOptions(IdentificationOptions(margin=0.0))
        self.tracker = SpeakerTracker(gallery, options, new_key=numbered_keys())

        for _ in range(10):
            self.say_embedding(self.people.person(1))
            self.say_embedding(twin)

        assert not any(isinstance(revision, VoicesMerged) for revision in self.revisions)

    def test_a_guess_is_corrected_when_its_voice_is_heard(self) -> None:
        """Line 2 is too short to found a voice and goes to the only one there is; then its owner speaks."""
        self.say(1)
        short = self.say_embedding(self.people.person(2), 1.0)
        assert (short.voice, short.is_uncertain) == (voice(1), True)

        self.say(2)

        (moved,) = self.revisions
        assert isinstance(moved, LineMoved)
        assert (moved.line, moved.voice) == (2, voice(2))

    def test_the_only_line_of_a_voice_moves_no_easier_than_two_voices_merge(self) -> None:
        """Line 1 becomes likelier the other voice's than not, but by less than makes one of two voices."""
        first, second = self.people.person(1), self.people.person(2)
        self.say_embedding(first)
        self.say_embedding(first + 3.0 * second)
        for _ in range(6):
            self.say_embedding(first + 2.1 * second)

        (one, other) = (held.cluster for held in self.tracker._voices.values())
        odds = float(
            clustering.log_odds(clustering.as_voices([one], scoring(), DIMENSION), [other], scoring())[0, 0]
        )
        options = self.tracker.options.clustering
        assert options.join < odds < options.merge, "the case that is meant"
        self.assert_revisions()
        assert self.transcript.voices[1] == voice(1)

    def test_a_corrected_line_does_not_move_again(self) -> None:
        self.say(1)
        self.say(2)
        self.tracker.assign(2, voice(1))

        for _ in range(10):
            self.say(2)
            self.say(1)

        assert 2 not in [r.line for r in self.revisions if isinstance(r, LineMoved)]

    def test_a_line_of_long_ago_moves_no_more(self) -> None:
        self.tracker = self.make(options=TrackingOptions(recent_lines=5))
        self.say(1)
        self.say_embedding(self.people.person(2), 1.0)
        for _ in range(5):
            self.say(1)

        self.say(2)

        self.assert_revisions()


class TestPerson(TrackerTests):
    def test_a_name_that_a_person_gave_holds_whatever_it_sounds_like(self) -> None:
        self.tracker = self.make({1: ALICE, 2: BOB})
        self.say(1)

        self.tracker.adopt(VoiceState(voice(1), BOB, is_named_by_person=True))

        assert [self.say(1).speaker for _ in range(5)] == [BOB] * 5
        self.assert_revisions()

    def test_a_voice_that_a_person_named_takes_in_the_other_one_of_that_name(self) -> None:
        self.say(1)
        self.say(2)
        self.tracker.adopt(VoiceState(voice(2), ALICE, is_named_by_person=True))

        self.enroll({1: ALICE})

        self.assert_revisions(VoicesMerged(voice(2), voice(1)))

    def test_a_name_that_a_person_gave_holds_for_somebody_who_is_not_enrolled(self) -> None:
        self.say(1)
        self.tracker.adopt(VoiceState(voice(1), BOB, is_named_by_person=True))

        self.enroll({2: ALICE})

        assert self.say(1).speaker == BOB

    def test_voices_that_a_person_merged_stay_one(self) -> None:
        for person in (1, 2, 1, 2):
            self.say(person)

        self.tracker.merge(voice(1), voice(2))

        assert {self.say(person).voice for person in (1, 2, 1, 2)} == {voice(1)}

    def test_a_voice_that_a_person_added_is_known(self) -> None:
        self.say(1)

        self.tracker.adopt(VoiceState(voice(99), ALICE, is_named_by_person=True))
        self.tracker.assign(1, voice(99))

        assert self.say(1).voice == voice(99)

    def test_words_about_unknown_voices_and_lines_are_ignored(self) -> None:
        self.say(1)

        self.tracker.merge(voice(1), voice(7))
        self.tracker.assign(99, voice(1))
        self.tracker.assign(1, voice(7))

        assert self.say(1).voice == voice(1)


class TestOverlap(TrackerTests):
    """Whoever sounds at once is not one voice."""

    def alike(self, lean: float = 0.3) -> np.ndarray:
        """A voice that passes for the first person's."""
        return self.people.person(1) + lean * self.people.person(2)

    def test_of_two_who_speak_at_once_one_is_somebody_new_however_alike_they_sound(self) -> None:
        self.say(1)

        first, second = self.say_at_once(1, 1)

        assert (first.voice, second.voice) == (voice(1), voice(2))

    def test_the_longest_speech_has_the_first_choice_and_answers_keep_their_order(self) -> None:
        self.say(1)

        short, long = self.say_over([(self.alike(), 1.0, 3.0), (self.people.line(1), 0.0, 6.0)])

        assert (short.voice, long.voice) == (voice(2), voice(1))

    def test_lines_one_after_the_other_may_be_of_one_person(self) -> None:
        first, second = self.say_over([(self.people.line(1), 0.0, 3.0), (self.people.line(1), 3.0, 6.0)])

        assert first.voice == second.voice == voice(1)

    def test_strangers_are_numbered_in_the_order_in_which_they_begin(self) -> None:
        decisions = self.say_over([(self.people.line(1), 0.0, 2.0), (self.people.line(2), 1.0, 6.0)])

        states = self.tracker.changed_voices()
        assert [state.voice for state in states] == [decision.voice for decision in decisions]

    def test_known_voices_are_told_apart_when_they_speak_at_once(self) -> None:
        for person in (1, 2, 3):
            self.say(person)

        decisions = self.say_at_once(3, 1)

        assert [decision.voice for decision in decisions] == [voice(3), voice(1)]

    def test_a_short_word_beside_the_only_voice_is_somebody_elses(self) -> None:
        self.say(1)

        _, word = self.say_over([(self.people.line(1), 0.0, 4.0), (self.people.line(2), 1.0, 1.8)])

        assert word.voice == voice(2)
        assert word.is_new

    def test_speech_that_says_nothing_is_of_who_spoke_last_but_not_here(self) -> None:
        self.say(2)
        self.say(1)

        _, unheard = self.say_over([(self.people.line(1), 0.0, 4.0), (None, 1.0, 1.3)])

        assert (unheard.voice, unheard.is_uncertain) == (voice(1), True)

    def test_who_only_spoke_during_the_line_of_another_does_not_go_on(self) -> None:
        lines = [(self.people.line(1), 0.0, 4.0), (self.people.line(2), 1.0, 3.0)]
        spoken, _ = self.say_over(lines, (1, -1))

        assert self.say_embedding(None, 0.2).voice == spoken.voice

    def test_speech_that_says_nothing_beside_the_only_voice_is_a_strangers(self) -> None:
        _, unheard = self.say_over([(self.people.line(1), 0.0, 4.0), (None, 1.0, 1.3)])

        assert unheard.voice == voice(2)
        assert self.say(2).voice == voice(2), "the next stranger is meant"

    def test_a_line_without_a_voice_continues_the_one_before_it_in_its_utterance(self) -> None:
        decisions = self.say_over(
            [(self.people.line(1), 0, 3), (None, 3, 3.3), (self.people.line(2), 3.3, 9)]
        )

        assert decisions[1].voice == decisions[0].voice

    def test_a_name_is_given_to_one_of_two_who_speak_at_once(self) -> None:
        self.tracker = self.make({1: ALICE})

        first, second = self.say_at_once(1, 1)

        assert [first.speaker, second.speaker] == [ALICE, None]

    def test_two_voices_heard_at_once_are_never_merged(self) -> None:
        together = self.people.person(1)
        self.say_at_once(1, 1)

        for _ in range(40):
            self.say_over([(together, 0.0, 3.0), (self.alike(), 0.0, 3.0)])

        assert set(self.transcript.voices.values()) == {voice(1), voice(2)}
        assert self.revisions == []

    def test_who_is_apart_from_a_named_voice_does_not_get_its_name(self) -> None:
        self.say_at_once(1, 1, seconds=9.0)

        self.enroll({1: ALICE})

        self.assert_revisions(VoiceIdentified(voice(1), ALICE))
        assert len(set(self.transcript.voices.values())) == 2

    def test_a_line_does_not_move_onto_a_voice_that_speaks_at_the_same_time(self) -> None:
        """The short line is like the voice beside it, and would go there by its sound alone."""
        self.say(2)
        self.say(1)
        self.say_over([(self.people.line(1), 0.0, 5.0), (self.people.person(1), 1.0, 3.0)])

        for _ in range(10):
            self.say(1)

        assert not any(isinstance(revision, LineMoved) for revision in self.revisions)
        assert self.transcript.voices[3] != self.transcript.voices[4]

    def test_a_line_still_moves_to_a_voice_that_was_silent(self) -> None:
        """Line 3 is too short to found a voice; when its owner is known it goes there, off a third one."""
        self.say(1)
        self.say(2)
        self.say_over([(self.people.line(1), 0.0, 4.0), (self.people.person(3), 1.0, 2.0)])

        self.say(3)

        assert self.transcript.voices[4] == self.transcript.voices[5] == voice(3)

    def test_what_a_moved_line_said_of_its_voice_is_taken_back(self) -> None:
        """Lines that were apart from its first voice are no longer, but from the one it moved to."""
        self.test_a_line_still_moves_to_a_voice_that_was_silent()

        apart = {state.voice: state.apart for state in self.tracker.changed_voices()}

        assert apart == {voice(1): {voice(3)}, voice(2): frozenset(), voice(3): {voice(1)}}

    def test_a_mark_without_words_is_never_told_to_move(self) -> None:
        self.say(1)
        self.say(2)
        self.say_over([(self.people.line(1), 0.0, 4.0), (self.people.person(3), 1.0, 2.0)], keys=(3, -1))

        for _ in range(5):
            self.say(3)

        assert self.transcript.voices[-1] == voice(2)
        assert not any(isinstance(revision, LineMoved) for revision in self.revisions)

    def test_a_mark_without_words_follows_its_voice(self) -> None:
        self.say_at_once(1, 2, keys=(1, -1))

        self.tracker.merge(voice(1), voice(2))
        self.take()

        assert self.transcript.voices == {1: voice(1), -1: voice(1)}

    def test_a_person_may_make_one_of_two_that_were_heard_at_once(self) -> None:
        self.say_at_once(1, 2, seconds=6.0)

        self.tracker.merge(voice(1), voice(2))
        for person in (1, 2, 1, 2):
            self.say(person)

        assert set(self.transcript.voices.values()) == {voice(1)}
        assert [state.apart for state in self.tracker.changed_voices()] == [frozenset()]

    def test_what_a_person_made_one_is_apart_from_whom_either_was(self) -> None:
        self.say_at_once(1, 3)
        self.say(2)

        self.tracker.merge(voice(3), voice(1))

        apart = {state.voice: state.apart for state in self.tracker.changed_voices()}
        assert apart[voice(1)] == {voice(2)}
        assert apart[voice(2)] == {voice(1)}

    def test_a_person_may_give_a_line_to_a_voice_that_speaks_at_the_same_time(self) -> None:
        self.say_at_once(1, 2)

        self.tracker.assign(2, voice(1))
        for _ in range(5):
            self.say(2)
            self.say(1)

        assert 2 not in [revision.line for revision in self.revisions if isinstance(revision, LineMoved)]

    def test_an_empty_voice_is_not_taken_in_by_one_it_was_heard_with(self) -> None:
        self.say_at_once(1, 2)

        self.tracker.assign(2, voice(1))
        self.take()

        assert VoicesMerged(voice(1), voice(2)) not in self.revisions

    def test_another_worker_knows_whom_it_must_not_merge(self) -> None:
        self.say_at_once(1, 1, seconds=6.0)
        self.tracker = self.make(voices=self.tracker.changed_voices())

        for _ in range(20):
            self.say_embedding(self.people.person(1))
            self.say_embedding(self.alike())

        assert not any(isinstance(revision, VoicesMerged) for revision in self.revisions)

    def test_without_that_knowledge_they_would_be_one(self) -> None:
        self.say_at_once(1, 1, seconds=6.0)
        states = [replace(state, apart=frozenset()) for state in self.tracker.changed_voices()]
        self.tracker = self.make(voices=states)

        for _ in range(20):
            self.say_embedding(self.people.person(1))
            self.say_embedding(self.alike())

        assert VoicesMerged(voice(1), voice(2)) in self.revisions

    def test_a_pair_is_known_whichever_of_the_two_is_taken_over_first(self) -> None:
        apart = [VoiceState(voice(1), apart=frozenset({voice(2)})), VoiceState(voice(2))]

        for states in (apart, apart[::-1]):
            self.tracker = self.make(voices=states)
            self.tracker.adopt(VoiceState(voice(2), BOB, is_named_by_person=True))
            assert self.tracker._pairs.of(voice(2)) == {voice(1)}

    def test_a_forgotten_speakers_lines_are_kept_beside_nobody(self) -> None:
        self.tracker = self.make({1: ALICE})
        self.say_at_once(1, 2)

        self.enroll({2: BOB})

        assert all(not line.beside for line in self.tracker._lines)

    def test_a_voice_that_is_busy_makes_no_room_for_another(self) -> None:
        options = TrackingOptions(clustering=ClusteringOptions(most_voices=1))
        self.tracker = self.make(options=options)

        first, second = self.say_at_once(1, 2)

        assert first.voice != second.voice
        assert {first.voice, second.voice} == set(self.tracker._voices)

    def test_of_many_new_people_at_once_every_answer_is_a_voice(self) -> None:
        self.tracker = self.make(options=TrackingOptions(clustering=ClusteringOptions(most_voices=2)))

        spoken = [(self.people.line(person), 3.0 * person, 3.0 * person + 3) for person in range(6)]
        self.say_over([*spoken, (None, 20.0, 20.2)])

        assert self.transcript.voices[7] in self.tracker._voices
        assert len(self.tracker._voices) <= 2

    def test_an_embedding_of_another_model_is_refused_before_anything_is_decided(self) -> None:
        wrong = np.ones(DIMENSION + 1, np.float32)

        with pytest.raises(ValueError, match="shape"):
            self.say_over([(self.people.line(1), 0.0, 3.0), (wrong, 1.0, 2.0)])

        assert self.tracker.changed_voices() == []

    def test_of_no_lines_nothing_follows(self) -> None:
        assert self.tracker.identify_all([]) == []


class TestTakeover(TrackerTests):
    def test_another_tracker_goes_on_with_the_same_voices(self) -> None:
        self.tracker = self.make({1: ALICE})
        order = [1, 2, 3]
        before = {person: self.say(person).voice for person in order * 2}
        kept = {state.voice: state for state in self.tracker.changed_voices()}

        self.tracker = self.make({1: ALICE}, voices=kept.values())

        assert {person: self.say(person).voice for person in order} == before

    def test_only_what_changed_needs_to_be_stored(self) -> None:
        self.say(1)
        self.say(2)
        assert {s.voice for s in self.tracker.changed_voices()} == {voice(1), voice(2)}

        self.say(2)

        assert {s.voice for s in self.tracker.changed_voices()} == {voice(2)}
        assert self.tracker.changed_voices() == []

    def test_a_name_that_a_person_gave_outlives_the_worker(self) -> None:
        self.say(1)
        self.tracker.adopt(VoiceState(voice(1), BOB, is_named_by_person=True))
        self.say(1)
        kept = self.tracker.changed_voices()

        self.tracker = self.make({1: ALICE}, voices=kept)

        assert self.say(1).speaker == BOB


LINES = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, None]), st.sampled_from([0.3, 0.8, 2.0, 5.0])), max_size=25
)
DrawnLines = list[tuple[int | None, float]]
UTTERANCES = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, 3, None]),
            st.sampled_from([0.0, 0.5, 2.0]),
            st.sampled_from([0.4, 2.0, 5.0]),
        ),
        min_size=1,
        max_size=4,
    ),
    max_size=8,
)
DrawnUtterances = list[list[tuple[int | None, float, float]]]


class TestAnyMeeting:
    """What holds whoever speaks, in any order, however briefly."""

    def hold(self, lines: DrawnLines, enrolled: dict[int, int], noise: float = 1.5) -> TrackerTests:
        meeting = TrackerTests()
        meeting.setup_method()
        meeting.people = People(noise=noise)
        meeting.tracker = meeting.make(enrolled)
        for person, seconds in lines:
            embedding = None if person is None else meeting.people.line(person, seconds)
            meeting.say_embedding(embedding, seconds)
        return meeting

    @given(LINES)
    @settings(max_examples=25)
    def test_readers_end_with_the_voices_that_the_tracker_has(self, lines: DrawnLines) -> None:
        """Whoever applies answers and revisions in order knows no voice that is gone, and every name."""
        meeting = self.hold(lines, {1: ALICE, 2: BOB})

        known = {state.voice: state.speaker for state in meeting.tracker.changed_voices()}

        assert set(meeting.transcript.voices.values()) <= known.keys()
        for key, speaker in meeting.transcript.speakers.items():
            if key in known:
                assert known[key] == speaker

    @given(LINES)
    @settings(max_examples=25)
    def test_no_two_voices_have_one_name(self, lines: DrawnLines) -> None:
        meeting = self.hold(lines, {1: ALICE, 2: BOB})

        names = [state.speaker for state in meeting.tracker.changed_voices() if state.speaker is not None]

        assert len(names) == len(set(names))

    @given(LINES)
    @settings(max_examples=25)
    def test_only_who_is_enrolled_gets_a_name(self, lines: DrawnLines) -> None:
        meeting = self.hold(lines, {1: ALICE})

        assert set(meeting.transcript.speakers.values()) <= {ALICE, None}

    @given(LINES)
    @settings(max_examples=25)
    def test_the_same_meeting_again_is_told_the_same(self, lines: DrawnLines) -> None:
        once, again = self.hold(lines, {1: ALICE}), self.hold(lines, {1: ALICE})

        assert once.transcript.voices == again.transcript.voices
        assert once.revisions == again.revisions

    @given(LINES)
    @settings(max_examples=25)
    def test_who_is_forgotten_has_no_line_and_no_sound_left(self, lines: DrawnLines) -> None:
        meeting = self.hold(lines, {1: ALICE, 2: BOB})

        meeting.enroll({2: BOB})
        meeting.take()

        assert ALICE not in meeting.transcript.speakers.values()
        assert all(state.speaker != ALICE for state in meeting.tracker.changed_voices())

    @given(LINES)
    @settings(max_examples=25)
    def test_a_likeness_is_a_probability(self, lines: DrawnLines) -> None:
        meeting = self.hold([], {1: ALICE})

        for person, seconds in lines:
            embedding = None if person is None else meeting.people.line(person, seconds)
            decision = meeting.say_embedding(embedding, seconds)
            assert decision.score is None or 0 < decision.score < 1


class TestAnyOverlap:
    """What holds however people talk over each other."""

    def hold(self, utterances: DrawnUtterances, enrolled: dict[int, int] | None = None) -> TrackerTests:
        meeting = TrackerTests()
        meeting.setup_method()
        meeting.people = People(noise=1.5)
        meeting.tracker = meeting.make(enrolled)
        self.together: list[tuple[int, int]] = []
        for spoken in utterances:
            first = meeting.line + 1
            heard = [
                (None if person is None else meeting.people.line(person, length), start, start + length)
                for person, start, length in spoken
            ]
            meeting.say_over(heard)
            self.together += [
                (first + one, first + other)
                for one, (_, start, end) in enumerate(heard)
                for other, (_, since, until) in enumerate(heard[:one])
                if min(end, until) - max(start, since) > 0.2
            ]
        return meeting

    @given(UTTERANCES)
    @settings(max_examples=40)
    def test_no_two_lines_that_sound_at_once_are_ever_of_one_voice(self, spoken: DrawnUtterances) -> None:
        meeting = self.hold(spoken, {1: ALICE})

        for one, other in self.together:
            assert meeting.transcript.voices[one] != meeting.transcript.voices[other]

    @given(UTTERANCES)
    @settings(max_examples=40)
    def test_readers_end_with_the_voices_that_the_tracker_has(self, spoken: DrawnUtterances) -> None:
        meeting = self.hold(spoken, {1: ALICE, 2: BOB})

        known = {state.voice: state.speaker for state in meeting.tracker.changed_voices()}

        assert set(meeting.transcript.voices.values()) <= known.keys()
        for key, speaker in meeting.transcript.speakers.items():
            if key in known:
                assert known[key] == speaker

    @given(UTTERANCES)
    @settings(max_examples=40)
    def test_pairs_are_of_voices_that_are_there_and_mutual(self, spoken: DrawnUtterances) -> None:
        meeting = self.hold(spoken)

        apart = {state.voice: state.apart for state in meeting.tracker.changed_voices()}

        for key, others in apart.items():
            assert key not in others
            assert all(key in apart[other] for other in others)

    @given(UTTERANCES)
    @settings(max_examples=20)
    def test_lines_are_ready_to_be_compared_as_the_gallery_compares(self, spoken: DrawnUtterances) -> None:
        meeting = self.hold(spoken, {1: ALICE, 2: BOB})
        meeting.enroll({2: BOB})
        meeting.say(3)

        tracker = meeting.tracker
        tracker.set_gallery(Gallery("model-1", scoring(noise=2.0), DIMENSION))

        expected = scoring(noise=2.0).voices(
            np.stack([line.embedding for line in tracker._lines]),
            np.array([line.speech_s for line in tracker._lines]),
        )
        for column in ("rows", "scales", "shifts", "reach"):
            np.testing.assert_allclose(getattr(tracker._heard, column), getattr(expected, column))

    @given(UTTERANCES)
    @settings(max_examples=40)
    def test_another_worker_holds_the_same_pairs(self, spoken: DrawnUtterances) -> None:
        meeting = self.hold(spoken)
        kept = meeting.tracker.changed_voices()

        other = meeting.make(voices=kept)

        for state in kept:
            assert other._pairs.of(state.voice) == state.apart


class TestLongMeeting(TrackerTests):
    def test_labels_stay_and_memory_is_bounded_over_three_hours_of_ten_voices(self) -> None:
        self.people = People(noise=1.0)
        random = np.random.default_rng(7)
        people = random.integers(1, 11, size=3600).tolist()
        seconds = random.uniform(0.3, 6.0, size=3600).tolist()

        for person, length in zip(people, seconds, strict=True):
            self.say(person, length)

        owners: dict[uuid.UUID, set[int]] = {}
        for line, (person, length) in enumerate(zip(people, seconds, strict=True), 1):
            if length >= 1.5:
                owners.setdefault(self.transcript.voices[line], set()).add(person)
        assert sorted(owners.values(), key=min) == [{person} for person in range(1, 11)]
        assert len(self.tracker._lines) <= self.tracker.options.recent_lines
        assert len(self.tracker._voices) <= 12

    def test_half_an_hour_of_eight_voices_who_talk_over_each_other(self) -> None:
        """Labels stay, and what is kept of lines and of pairs is bounded."""
        self.people = People(noise=1.0)
        random = np.random.default_rng(8)
        owners: dict[uuid.UUID, set[int]] = {}
        for _ in range(300):
            one, other = (int(person) for person in random.choice(np.arange(1, 9), 2, replace=False))
            start, length = float(random.uniform(0.0, 5.0)), float(random.uniform(0.5, 4.0))
            said = [(self.people.line(one, 4.0), 0.0, 4.0)]
            said.append((self.people.line(other, length), start, start + length))
            first = self.line + 1
            self.say_over(said)
            owners.setdefault(self.transcript.voices[first], set()).add(one)

        assert sorted(owners.values(), key=min) == [{person} for person in range(1, 9)]
        assert len(self.tracker._lines) <= self.tracker.options.recent_lines
        assert len(self.tracker._voices) <= 10
        assert all(len(line.beside) <= 1 for line in self.tracker._lines)

    def test_no_more_voices_than_allowed_are_told_apart(self) -> None:
        for person in range(1000):
            self.say(person)

        assert len(self.tracker._voices) <= self.tracker.options.clustering.most_voices
