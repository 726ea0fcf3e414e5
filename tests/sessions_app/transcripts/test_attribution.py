"""What people say about whose a line is."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from sessions_app.models import Session, Utterance, Voice
from sessions_app.store.voices import pairs_of
from sessions_app.transcripts import attribution
from speakers import lifecycle, notify
from speakers.voiceprints.tracking import VoicesMerged, VoiceState
from tests.sessions_app.store.test_voices import ONE, THREE, TWO, VoicesTests
from tests.speakers.people import make_speaker


class AttributionTests(VoicesTests):
    def setup_method(self) -> None:
        super().setup_method()
        self.commit(ONE, TWO, ONE, THREE)

    def voice(self, key: uuid.UUID) -> Voice:
        return Voice.objects.get(uuid=key)


class TestNameVoice(AttributionTests):
    def test_all_lines_of_the_voice_get_the_name_and_readers_are_told(self) -> None:
        attribution.name_voice(self.voice(ONE), make_speaker("Alice"))

        assert self.names() == ["Alice", "Speaker 2", "Alice", "Speaker 3"]
        assert self.revised() == [1, 3]

    def test_the_second_voice_that_gets_a_name_joins_the_first(self) -> None:
        alice = make_speaker("Alice")
        attribution.name_voice(self.voice(ONE), alice)

        joined = attribution.name_voice(self.voice(TWO), alice)

        assert joined.uuid == ONE
        assert self.names() == ["Alice", "Alice", "Alice", "Speaker 3"]
        assert self.voice(TWO).merged_into == self.voice(ONE)

    def test_a_name_can_be_taken_back(self) -> None:
        attribution.name_voice(self.voice(TWO), make_speaker("Alice"))

        attribution.name_voice(self.voice(TWO), None)

        assert self.names()[1] == "Speaker 2"
        assert self.voice(TWO).is_named_by_person

    def test_a_name_for_a_voice_that_was_just_merged_is_for_what_it_was_merged_into(self) -> None:
        stale = self.voice(TWO)
        self.commit(revisions=[VoicesMerged(ONE, TWO)])

        attribution.name_voice(stale, make_speaker("Alice"))

        assert self.names() == ["Alice", "Alice", "Alice", "Speaker 3"]


class TestMerge(AttributionTests):
    def test_all_lines_move_also_those_given_by_hand(self) -> None:
        self.lock(2)

        attribution.merge_voices(self.voice(ONE), self.voice(TWO))

        assert self.names() == ["Speaker 1", "Speaker 1", "Speaker 1", "Speaker 3"]

    def test_what_was_merged_into_the_merged_one_follows(self) -> None:
        attribution.merge_voices(self.voice(TWO), self.voice(THREE))

        attribution.merge_voices(self.voice(ONE), self.voice(TWO))

        assert self.voice(THREE).merged_into == self.voice(ONE)

    def test_a_voice_merged_with_itself_stays(self) -> None:
        attribution.merge_voices(self.voice(ONE), self.voice(ONE))

        assert self.voice(ONE).merged_into is None

    def test_voices_of_different_sessions_are_not_merged(self) -> None:
        stranger = Voice.objects.create(session=Session.objects.create(key="other"), number=1)

        with pytest.raises(ValueError, match="different sessions"):
            attribution.merge_voices(self.voice(ONE), stranger)


class TestGiveLine(AttributionTests):
    def line(self, seq: int) -> Utterance:
        return Utterance.objects.get(seq=seq)

    def test_one_line_goes_to_another_voice_for_good(self) -> None:
        attribution.give_line(self.line(1), self.voice(TWO))

        self.commit(revisions=[VoicesMerged(ONE, TWO)])

        assert self.names()[0] == "Speaker 2"
        assert self.line(1).is_voice_locked

    def test_who_did_it_is_on_record(self) -> None:
        editor = User.objects.create_user("editor")

        attribution.give_line(self.line(1), self.voice(TWO), by=editor)

        assert self.line(1).history.latest().history_user == editor

    def test_a_speaker_who_has_no_voice_here_gets_one(self) -> None:
        alice = make_speaker("Alice")

        attribution.give_line(self.line(1), attribution.voice_of(self.session, alice))
        attribution.give_line(self.line(2), attribution.voice_of(self.session, alice))

        assert self.names()[:2] == ["Alice", "Alice"]
        assert Voice.objects.filter(speaker=alice).count() == 1

    def test_one_more_stranger_gets_the_next_number(self) -> None:
        attribution.give_line(self.line(3), attribution.voice_of(self.session, None))

        assert self.names()[2] == "Speaker 4"


class TestSpeaker(AttributionTests):
    def setup_method(self) -> None:
        super().setup_method()
        self.alice, self.bob = make_speaker("Alice"), make_speaker("Bob")
        self.commit(states=[VoiceState(ONE, self.alice.pk), VoiceState(TWO, self.bob.pk)])

    def test_a_new_name_is_told_to_the_readers_of_live_sessions(self) -> None:
        lifecycle.rename(self.alice, name="Alicia", note="", by=None)

        assert self.names()[0] == "Alicia"
        assert self.revised() == [1, 3]

    def test_a_session_of_long_ago_is_left_alone(self) -> None:
        Session.objects.update(state=Session.State.ENDED, ended_at=timezone.now() - timedelta(days=2))

        lifecycle.rename(self.alice, name="Alicia", note="", by=None)

        assert self.revised() == []

    def test_after_merging_two_speakers_their_voices_in_a_session_are_one(self) -> None:
        lifecycle.merge(self.alice, self.bob, by=None)

        assert self.names() == ["Alice", "Alice", "Alice", "Speaker 3"]

    def test_a_voice_of_a_merged_speaker_gets_the_other_name(self) -> None:
        carol = make_speaker("Carol")

        lifecycle.merge(carol, self.bob, by=None)

        assert self.names() == ["Alice", "Carol", "Alice", "Speaker 3"]

    def test_a_forgotten_speaker_leaves_a_stranger_behind(self) -> None:
        lifecycle.forget(self.alice, by=None)

        assert self.names() == ["Speaker 1", "Bob", "Speaker 1", "Speaker 3"]
        assert self.revised() == [1, 3]

    def test_the_admins_log_does_not_remember_the_name(self) -> None:
        LogEntry.objects.create(
            user=User.objects.create_user("staff"),
            content_type=ContentType.objects.get_for_model(Voice),
            object_id=str(self.voice(ONE).pk),
            object_repr="Alice",
            action_flag=CHANGE,
        )

        lifecycle.forget(self.alice, by=None)

        assert not LogEntry.objects.filter(object_repr="Alice").exists()


class TestSeparate(AttributionTests):
    def test_the_voice_is_one_of_its_own_again_with_its_lines(self) -> None:
        lines = list(self.voice(TWO).utterances.values_list("pk", flat=True))
        attribution.merge_voices(self.voice(ONE), self.voice(TWO))

        attribution.separate_voice(self.voice(TWO), lines)

        assert self.names() == ["Speaker 1", "Speaker 2", "Speaker 1", "Speaker 3"]
        assert self.voice(TWO).merged_into is None
        assert self.revised()[-1] == 2

    def test_the_machine_does_not_merge_them_again(self) -> None:
        lines = list(self.voice(TWO).utterances.values_list("pk", flat=True))
        attribution.merge_voices(self.voice(ONE), self.voice(TWO))
        attribution.separate_voice(self.voice(TWO), lines)

        self.commit(revisions=[VoicesMerged(ONE, TWO)])

        assert self.names()[1] == "Speaker 2"

    def test_a_live_tracker_learns_that_they_are_two(self) -> None:
        lines = list(self.voice(TWO).utterances.values_list("pk", flat=True))
        attribution.merge_voices(self.voice(ONE), self.voice(TWO))

        attribution.separate_voice(self.voice(TWO), lines)

        assert pairs_of(self.voice(TWO)) == {ONE}
        assert pairs_of(self.voice(ONE)) == {TWO}

    def test_lines_of_another_session_are_not_taken(self) -> None:
        other = Session.objects.create(key="other")
        theirs = Utterance.objects.create(session=other, start=0, end=1, text="x")
        attribution.merge_voices(self.voice(ONE), self.voice(TWO))

        attribution.separate_voice(self.voice(TWO), [theirs.pk])

        theirs.refresh_from_db()
        assert theirs.voice is None


class TestAcross(AttributionTests):
    """A person's word about one session says nothing about another."""

    def other(self) -> Utterance:
        session = Session.objects.create(key="other")
        voice = Voice.objects.create(session=session, number=1)
        return Utterance.objects.create(session=session, start=0, end=1, text="x", voice=voice)

    def test_a_line_is_not_given_to_a_voice_of_another_session(self) -> None:
        with pytest.raises(ValueError, match="different sessions"):
            attribution.give_line(self.other(), self.voice(ONE))

    def test_a_name_is_given_in_one_session(self) -> None:
        other = self.other()

        attribution.name_voice(self.voice(ONE), make_speaker("Alice"))

        other.refresh_from_db()
        assert other.voice is not None
        assert (other.voice.speaker, other.revision) == (None, 0)

    def test_a_speaker_who_is_forgotten_is_so_in_all_of_them(self) -> None:
        alice = make_speaker("Alice")
        other = self.other()
        for voice in (self.voice(ONE), other.voice):
            assert voice is not None
            attribution.name_voice(voice, alice)

        lifecycle.forget(alice, by=None)

        assert not Voice.objects.exclude(speaker=None).exists()
        assert set(Voice.objects.values_list("is_named_by_person", flat=True)) == {False}


class TestForgotten(AttributionTests):
    def test_a_voice_that_was_merged_away_forgets_the_name_as_well(self) -> None:
        alice = make_speaker("Alice")
        attribution.name_voice(self.voice(TWO), alice)
        attribution.merge_voices(self.voice(ONE), self.voice(TWO))

        lifecycle.forget(alice, by=None)

        assert self.voice(TWO).speaker is None
        assert self.names() == ["Speaker 1", "Speaker 1", "Speaker 1", "Speaker 3"]

    def test_nothing_is_left_of_how_the_voice_sounded(self) -> None:
        alice = make_speaker("Alice")
        attribution.name_voice(self.voice(ONE), alice)
        Voice.objects.filter(uuid=ONE).update(sealed_mean=b"sealed", speech_s=9.0)

        lifecycle.forget(alice, by=None)

        kept = self.voice(ONE)
        assert (kept.sealed_mean, kept.speech_s) == (None, 0.0)

    def test_a_voice_that_never_was_a_stranger_becomes_the_next_one(self) -> None:
        alice = make_speaker("Alice")
        voice = attribution.voice_of(self.session, alice)
        attribution.give_line(Utterance.objects.get(seq=1), voice)

        lifecycle.forget(alice, by=None)

        assert self.names()[0] == "Speaker 4"


class TestTelling(AttributionTests):
    def test_readers_and_the_worker_are_told_once_it_is_committed(
        self, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[str] = []
        monkeypatch.setattr(notify, "send", lambda group, message: told.append(message["type"]))

        with django_capture_on_commit_callbacks(execute=True):
            attribution.name_voice(self.voice(ONE), None)
            assert told == []

        assert "session.corrected" in told
        assert len(told) == 2
