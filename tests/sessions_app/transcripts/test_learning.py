"""The lines from which a voice is learned: the cleanest that there are."""

from __future__ import annotations

import pytest

from recognition.audio import samples
from sessions_app.models import Overlap, Session, Utterance, Voice
from sessions_app.transcripts.learning import MAX_LEARNED_S, lines_to_learn_from, speech_s
from speakers.models import Speaker
from tests.sessions_app.meetings import make_session, make_voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return make_session()


@pytest.fixture
def alice(session: Session) -> Voice:
    return make_voice(session, "Alice")


@pytest.fixture
def bob(session: Session) -> Voice:
    return make_voice(session, "Bob")


def say(voice: Voice, start_s: float, end_s: float, text: str = "x") -> Utterance:
    return Utterance.objects.create(
        session=voice.session, voice=voice, start=samples(start_s), end=samples(end_s), text=text
    )


def mumble(voice: Voice, line: Utterance, start_s: float, end_s: float) -> None:
    Overlap.objects.create(utterance=line, voice=voice, start=samples(start_s), end=samples(end_s))


def learned(voice: Voice) -> list[tuple[float, float]]:
    assert voice.speaker
    return [(line.start_s, line.end_s) for line in lines_to_learn_from(voice.session, voice.speaker)]


def test_are_the_longest_in_their_order(alice: Voice) -> None:
    for start_s, end_s in [(0, 30), (30, 32), (40, 50), (60, 85)]:
        say(alice, start_s, end_s)

    assert learned(alice) == [(0, 30), (40, 50), (60, 85)]


def test_are_no_laughs(alice: Voice) -> None:
    say(alice, 0, 0.9)
    say(alice, 1, 2)

    assert learned(alice) == [(1, 2)]


class TestWhereOthersSpeak:
    def test_they_are_left_out_whether_words_could_be_told_or_not(self, alice: Voice, bob: Voice) -> None:
        say(alice, 0, 10)
        with_words, without = say(alice, 20, 30), say(alice, 40, 50)
        say(bob, 29, 32)
        mumble(bob, without, 44, 45)

        assert learned(alice) == [(0, 10)]
        assert learned(bob) == [(29, 32)], "there is nothing better"
        assert with_words.voice == alice

    def test_the_end_of_a_word_spoils_no_line(self, alice: Voice, bob: Voice) -> None:
        say(alice, 0, 10)
        say(bob, 9.85, 12)

        assert learned(alice) == [(0, 10)]

    def test_where_they_always_do_these_must_serve(self, alice: Voice, bob: Voice) -> None:
        say(alice, 0, 10)
        say(bob, 2, 8)

        assert learned(alice) == [(0, 10)]

    def test_a_removed_line_disturbs_nobody(self, alice: Voice, bob: Voice) -> None:
        say(alice, 0, 10)
        say(alice, 20, 25)
        line = say(bob, 2, 8)
        Utterance.objects.filter(pk=line.pk).update(is_removed=True)

        assert learned(alice) == [(0, 10), (20, 25)]

    def test_their_own_voice_is_no_other(self, session: Session, alice: Voice) -> None:
        second = Voice.objects.create(session=session, speaker=alice.speaker)
        say(alice, 0, 10)
        say(second, 5, 12)
        say(alice, 20, 22)

        assert learned(alice) == [(0, 10), (5, 12), (20, 22)]

    def test_an_unknown_speaker_is_another(self, session: Session, alice: Voice) -> None:
        say(alice, 0, 10)
        say(alice, 20, 22)
        Utterance.objects.create(session=session, start=samples(3), end=samples(5), text="x")

        assert learned(alice) == [(20, 22)]


def test_no_more_than_tells_something_new(session: Session, alice: Voice) -> None:
    for number in range(20):
        say(alice, 10 * number, 10 * number + 8)

    assert isinstance(alice.speaker, Speaker)
    lines = lines_to_learn_from(session, alice.speaker)
    assert MAX_LEARNED_S <= speech_s(lines) < MAX_LEARNED_S + 8
