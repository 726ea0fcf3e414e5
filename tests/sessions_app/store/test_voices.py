"""What a tracker decides becomes rows; what people said is never written over."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from sessions_app.models import Utterance, Voice
from sessions_app.store import commits, voices
from sessions_app.store.commits import Lease
from sessions_app.store.voices import VoiceChanges
from sessions_app.wire.protocol import ClosedBy
from speakers.models import Speaker
from speakers.voiceprints.tracking import LineMoved, Revision, VoiceIdentified, VoicesMerged, VoiceState
from tests.sessions_app.meetings import new_line
from tests.speakers.people import make_speaker

ONE, TWO, THREE = (uuid.UUID(int=n) for n in (1, 2, 3))
SOUND = np.array([1, 0, 0], np.float32)


@pytest.mark.django_db
class VoicesTests:
    def setup_method(self) -> None:
        self.session, _ = commits.get_or_create_session("meeting")
        lease = commits.acquire(self.session.pk)
        assert lease is not None
        self.lease: Lease = lease

    def commit(
        self,
        *lines: uuid.UUID,
        states: list[VoiceState] | None = None,
        revisions: list[Revision] | None = None,
    ) -> list[Utterance]:
        """Commit one line per voice; by default every one of them is a stranger."""
        if states is None:
            states = [VoiceState(key) for key in dict.fromkeys(lines)]
        start = self.lease.durable
        new = [new_line(start + i, start + i + 1, voice=key, score=0.8) for i, key in enumerate(lines)]
        self.lease, kept = commits.commit(
            self.lease,
            durable=start + len(lines),
            lines=new,
            changes=VoiceChanges("model-1", states, revisions or []),
        )
        return kept

    def names(self) -> list[str]:
        """Whose each line is, as a reader sees it."""
        lines = Utterance.objects.filter(session=self.session).order_by("seq")
        return [line.voice.name if line.voice else "" for line in lines.select_related("voice__speaker")]

    def revised(self) -> list[int | None]:
        """The seq of each line that readers are told of, in order."""
        lines = Utterance.objects.filter(session=self.session, revision__gt=0).order_by("revision")
        return [line.seq for line in lines]

    def lock(self, seq: int) -> None:
        Utterance.objects.filter(session=self.session, seq=seq).update(is_voice_locked=True)


class TestStore(VoicesTests):
    def test_strangers_are_numbered_in_order_of_appearance(self) -> None:
        self.commit(ONE, TWO)
        self.commit(ONE, THREE)

        assert self.names() == ["Speaker 1", "Speaker 2", "Speaker 1", "Speaker 3"]

    def test_enrolled_speakers_take_no_numbers(self) -> None:
        alice = make_speaker("Alice")

        self.commit(ONE, TWO, states=[VoiceState(ONE, alice.pk), VoiceState(TWO)])

        assert self.names() == ["Alice", "Speaker 1"]

    def test_a_speaker_who_was_forgotten_meanwhile_is_a_stranger(self) -> None:
        alice = make_speaker("Alice")
        key = alice.pk
        alice.delete()

        self.commit(ONE, states=[VoiceState(ONE, key, mean=SOUND, speech_s=3.0)])

        assert self.names() == ["Speaker 1"]
        assert Voice.objects.get().sealed_mean is None

    def test_another_worker_finds_how_the_voices_sound(self) -> None:
        alice = make_speaker("Alice")
        self.commit(ONE, TWO, states=[VoiceState(ONE, alice.pk, mean=SOUND, speech_s=3.5), VoiceState(TWO)])

        known = voices.known_voices(self.session.pk, "model-1")

        assert [(v.voice, v.speaker, v.speech_s) for v in known] == [(ONE, alice.pk, 3.5), (TWO, None, 0)]
        np.testing.assert_array_equal(known[0].mean, SOUND)
        assert known[1].mean is None

    def test_what_another_model_heard_is_not_used(self) -> None:
        self.commit(ONE, states=[VoiceState(ONE, mean=SOUND, speech_s=3.5)])

        (known,) = voices.known_voices(self.session.pk, "model-2")

        assert known.mean is None

    def test_how_a_voice_sounds_is_not_readable_in_the_database(self) -> None:
        self.commit(ONE, states=[VoiceState(ONE, mean=SOUND, speech_s=3.5)])

        sealed = bytes(Voice.objects.get().sealed_mean or b"")

        assert SOUND.tobytes() not in sealed

    def test_after_the_session_nothing_is_kept_of_how_its_voices_sound(self) -> None:
        self.commit(ONE, states=[VoiceState(ONE, mean=SOUND, speech_s=3.5)])

        commits.end(self.lease, ClosedBy.SENDER)

        assert Voice.objects.get().sealed_mean is None

    def test_a_voice_that_was_merged_before_it_was_stored_leaves_its_lines_with_the_other(self) -> None:
        kept = self.commit(ONE, TWO, states=[VoiceState(ONE)], revisions=[VoicesMerged(ONE, TWO)])

        assert [line.voice.name for line in kept if line.voice] == ["Speaker 1", "Speaker 1"]
        assert Voice.objects.count() == 1

    def test_a_voice_that_the_tracker_gave_up_still_has_its_line(self) -> None:
        self.commit(ONE, states=[])

        assert self.names() == ["Speaker 1"]


class TestApart(VoicesTests):
    """Voices that were heard at once are two people, for whoever goes on with the session."""

    def heard_at_once(self) -> None:
        self.commit(ONE, TWO, THREE, states=[self.state(ONE, TWO), self.state(TWO, ONE), self.state(THREE)])

    def state(self, key: uuid.UUID, *apart: uuid.UUID) -> VoiceState:
        return VoiceState(key, apart=frozenset(apart))

    def known(self) -> dict[uuid.UUID, frozenset[uuid.UUID]]:
        return {state.voice: state.apart for state in voices.known_voices(self.session.pk, "model-1")}

    def row(self, key: uuid.UUID) -> Voice:
        return Voice.objects.get(uuid=key)

    def test_another_worker_knows_who_was_heard_at_once(self) -> None:
        self.heard_at_once()

        assert self.known() == {ONE: {TWO}, TWO: {ONE}, THREE: frozenset()}

    def test_what_the_tracker_takes_back_is_taken_back(self) -> None:
        self.heard_at_once()

        self.commit(states=[self.state(ONE), self.state(TWO)])

        assert self.known() == {ONE: frozenset(), TWO: frozenset(), THREE: frozenset()}

    def test_it_outlives_the_session_for_who_identifies_its_speakers_again(self) -> None:
        self.heard_at_once()

        commits.end(self.lease, ClosedBy.SENDER)

        assert self.known()[ONE] == {TWO}

    def test_a_merge_by_a_person_wins(self) -> None:
        self.heard_at_once()

        voices.merge_rows(self.row(ONE), self.row(TWO))

        assert self.known() == {ONE: frozenset(), THREE: frozenset()}

    def test_what_two_were_apart_from_is_apart_from_what_they_become(self) -> None:
        states = [self.state(ONE), self.state(TWO, THREE), self.state(THREE, TWO)]
        self.commit(ONE, TWO, THREE, states=states)

        voices.merge_rows(self.row(ONE), self.row(TWO))

        assert self.known() == {ONE: {THREE}, THREE: {ONE}}
        assert self.row(TWO).apart == []

    def test_a_tracker_that_has_not_heard_of_a_merge_yet_does_not_undo_it(self) -> None:
        self.heard_at_once()
        voices.merge_rows(self.row(ONE), self.row(TWO))

        self.commit(states=[self.state(ONE, TWO), self.state(THREE, TWO)])

        assert self.known() == {ONE: frozenset(), THREE: {ONE}}

    def test_two_that_a_person_parts_are_apart_for_the_tracker_as_well(self) -> None:
        self.commit(ONE, TWO)
        Voice.objects.filter(uuid=TWO).update(is_named_by_person=True)

        voices.part(self.row(ONE), self.row(TWO))

        (said,) = voices.corrections(self.session.pk).voices
        assert said.voice == TWO
        assert said.apart == {ONE}
        assert self.known() == {ONE: {TWO}, TWO: {ONE}}

    def test_in_another_session_they_are_apart_as_what_they_became(self) -> None:
        self.heard_at_once()
        other, _ = commits.get_or_create_session("other")
        before = [self.row(key) for key in (ONE, TWO, THREE)]
        after = [Voice.objects.create(session=other, number=number) for number in (1, 2, 3)]

        voices.carry_pairs(list(zip(before, after, strict=True)))

        apart = [voices.pairs_of(Voice.objects.get(pk=row.pk)) for row in after]
        assert apart == [{after[1].uuid}, {after[0].uuid}, set()]

    def test_who_was_there_already_stays_apart_from_others(self) -> None:
        self.heard_at_once()
        other, _ = commits.get_or_create_session("other")
        here = Voice.objects.create(session=other, number=1, apart=[str(THREE)])
        one, two = self.row(ONE), self.row(TWO)

        voices.carry_pairs([(one, here), (two, two)])

        assert voices.pairs_of(here) == {THREE, TWO}
        assert voices.pairs_of(self.row(TWO)) == {here.uuid}

    def test_of_two_that_became_one_nothing_is_apart_from_itself(self) -> None:
        self.heard_at_once()
        other, _ = commits.get_or_create_session("other")
        here = Voice.objects.create(session=other, number=1)

        voices.carry_pairs([(self.row(ONE), here), (self.row(TWO), here)])

        assert Voice.objects.get(pk=here.pk).apart == []


class TestRevise(VoicesTests):
    def test_naming_a_voice_renames_all_its_lines_and_tells_the_readers(self) -> None:
        alice = make_speaker("Alice")
        self.commit(ONE, TWO, ONE)

        self.commit(states=[VoiceState(ONE, alice.pk)], revisions=[VoiceIdentified(ONE, alice.pk)])

        assert self.names() == ["Alice", "Speaker 2", "Alice"]
        assert self.revised() == [1, 3]

    def test_a_voice_that_loses_its_name_gets_a_number(self) -> None:
        alice = make_speaker("Alice")
        self.commit(ONE, TWO, states=[VoiceState(ONE, alice.pk), VoiceState(TWO)])

        self.commit(states=[VoiceState(ONE)], revisions=[VoiceIdentified(ONE, None)])

        assert self.names() == ["Speaker 2", "Speaker 1"]

    def test_merging_moves_the_lines_but_not_those_that_a_person_corrected(self) -> None:
        self.commit(ONE, TWO, TWO)
        self.lock(2)

        self.commit(revisions=[VoicesMerged(ONE, TWO)])

        assert self.names() == ["Speaker 1", "Speaker 2", "Speaker 1"]
        assert self.revised() == [3]

    def test_one_line_moves_alone(self) -> None:
        self.commit(ONE, TWO, TWO)

        self.commit(revisions=[LineMoved(2, ONE, 0.66)])

        assert self.names() == ["Speaker 1", "Speaker 1", "Speaker 2"]
        assert self.revised() == [2]
        assert Utterance.objects.get(seq=2).score == 0.66

    def test_a_line_that_a_person_corrected_does_not_move(self) -> None:
        self.commit(ONE, TWO)
        self.lock(2)

        self.commit(revisions=[LineMoved(2, ONE, 0.9)])

        assert self.names() == ["Speaker 1", "Speaker 2"]
        assert self.revised() == []

    def test_a_line_of_the_same_commit_is_corrected_before_anybody_sees_it_twice(self) -> None:
        self.commit(ONE, TWO, revisions=[LineMoved(1, TWO, 0.9)])

        assert self.names() == ["Speaker 2", "Speaker 2"]

    def test_every_corrected_line_has_a_revision_number_of_its_own(self) -> None:
        alice = make_speaker("Alice")
        self.commit(*[ONE] * 5)
        self.commit(states=[VoiceState(ONE, alice.pk)], revisions=[VoiceIdentified(ONE, alice.pk)])
        self.commit(revisions=[LineMoved(1, ONE, 0.5)])

        numbers = Utterance.objects.order_by("seq").values_list("revision", flat=True)

        assert list(numbers) == [6, 2, 3, 4, 5]
        self.session.refresh_from_db()
        assert self.session.last_revision == 6


class TestPerson(VoicesTests):
    def setup_method(self) -> None:
        super().setup_method()
        self.alice, self.bob = make_speaker("Alice"), make_speaker("Bob")
        self.commit(ONE, TWO)

    def name_by_hand(self, key: uuid.UUID, speaker: Speaker) -> None:
        Voice.objects.filter(uuid=key).update(speaker=speaker, is_named_by_person=True)

    def test_a_name_that_a_person_gave_is_not_written_over(self) -> None:
        self.name_by_hand(ONE, self.bob)

        self.commit(
            ONE,
            states=[VoiceState(ONE, self.alice.pk, mean=SOUND, speech_s=2.0)],
            revisions=[VoiceIdentified(ONE, self.alice.pk)],
        )

        assert self.names() == ["Bob", "Speaker 2", "Bob"]

    def test_the_tracker_is_told_of_names_merges_and_lines(self) -> None:
        self.name_by_hand(ONE, self.bob)
        self.lock(1)
        self.commit(THREE)
        two = Voice.objects.get(uuid=TWO)
        Voice.objects.filter(uuid=THREE).update(merged_into=two)

        said = voices.corrections(self.session.pk)

        assert [(v.voice, v.speaker, v.is_named_by_person) for v in said.voices] == [(ONE, self.bob.pk, True)]
        assert said.merged == [(TWO, THREE)]
        assert said.lines == [(1, ONE)]

    def test_a_line_for_a_voice_that_a_person_merged_goes_to_what_it_was_merged_into(self) -> None:
        one = Voice.objects.get(uuid=ONE)
        Voice.objects.filter(uuid=TWO).update(merged_into=one)

        self.commit(TWO)

        assert self.names()[-1] == "Speaker 1"
