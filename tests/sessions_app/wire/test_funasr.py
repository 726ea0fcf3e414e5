"""FunASR's protocols: what its clients rely on, beyond the words that are in their golden file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessions_app.wire.dialects import Audio, Command, Handshake, Join, Reply
from sessions_app.wire.funasr import MAX_NAME_LENGTH, FunAsr
from sessions_app.wire.funasr_realtime import SENTENCES_PER_SKIP
from sessions_app.wire.pcm import PcmFormat
from sessions_app.wire.protocol import (
    Close,
    ErrorCode,
    Flush,
    Hello,
    Line,
    Mode,
    PartialLine,
    ProtocolError,
    SessionEnd,
    SpeakerRef,
    Word,
)

HELLO = Hello("key", Mode.SENDER, 1, "live", 0, 0)
SOUND = bytes(range(1, 9))


def line(text: str, seq: int = 1, spoken: SpeakerRef | None = None, *, words: bool = True) -> Line:
    places = [at for at, character in enumerate(text) if character.isalnum()]
    timed = tuple(Word(at, at + 1, 100 * at, 100 * at + 90) for at in places) if words else ()
    return Line(seq, seq, 0, 1000, text, spoken or SpeakerRef(), words=timed)


class Client:
    """One socket, and all that its client was told."""

    def __init__(self, **opening: Any) -> None:
        self.dialect = FunAsr()
        self.told: list[dict[str, Any]] = []
        self.commands: list[Command] = [*self.dialect.open(Handshake(**opening))]

    def say(self, said: str | bytes | dict[str, Any]) -> list[Command]:
        if isinstance(said, bytes):
            commands = [*self.dialect.receive(None, said)]
        else:
            commands = [*self.dialect.receive(said if isinstance(said, str) else json.dumps(said), None)]
        for command in commands:
            if isinstance(command, Reply):
                self.told += map(json.loads, command.texts)
        self.commands += commands
        return commands

    def hear(self, *messages: Any) -> list[dict[str, Any]]:
        heard = [json.loads(text) for message in messages for text in self.dialect.encode(message)]
        self.told += heard
        return heard

    @property
    def kinds(self) -> list[str]:
        return [type(command).__name__ for command in self.commands]

    @property
    def joins(self) -> list[Join]:
        return [command for command in self.commands if isinstance(command, Join)]


def recording(mode: str = "2pass", **hello: Any) -> Client:
    """A client whose recording has begun."""
    client = Client()
    client.say({"mode": mode, "wav_name": "demo", "is_speaking": True} | hello)
    client.say(SOUND)
    client.hear(HELLO)
    return client


class TestOpening:
    @pytest.mark.parametrize(
        ("offered", "selected"),
        [((), None), (("binary",), "binary"), (("chat",), None), (("a", "binary"), "binary")],
    )
    def test_the_subprotocol_is_selected_if_it_is_offered(
        self, offered: tuple[str, ...], selected: str | None
    ) -> None:
        assert Client(subprotocols=offered).dialect.subprotocol == selected

    def test_a_session_begins_with_the_first_audio_and_not_before(self) -> None:
        client = Client()
        client.say({"mode": "2pass", "is_speaking": True})
        client.say(b"")
        assert client.kinds == []
        client.say(SOUND)
        client.say(SOUND)
        assert client.kinds == ["Join", "Audio", "Audio"]

    @pytest.mark.parametrize(
        ("headers", "query", "hello", "token"),
        [
            ({}, "", {}, ""),
            ({"authorization": "Bearer abc"}, "", {}, "abc"),
            ({"authorization": "Bearer; abc"}, "", {}, "abc"),
            ({"authorization": "bearer none"}, "token=q", {}, "q"),
            ({"authorization": "Basic abc"}, "", {"token": "h"}, "h"),
            ({"authorization": "Bearer abc"}, "token=q", {"token": "h"}, "h"),
            ({}, "token=q&token=r", {"token": 5}, "r"),
        ],
    )
    def test_a_token_is_taken_from_wherever_clients_put_it(
        self, headers: dict[str, str], query: str, hello: dict[str, Any], token: str
    ) -> None:
        client = Client(headers=headers, query=query)
        client.say(hello)
        client.say(SOUND)
        assert client.joins[0].request.token == token

    def test_the_name_is_the_title_and_never_the_session(self) -> None:
        client = recording(wav_name="周会\n\u202e" + "x" * 400)
        request = client.joins[0].request
        assert request.session_key == ""
        assert request.title.startswith("周会 xxx")
        assert len(request.title) == MAX_NAME_LENGTH

    @pytest.mark.parametrize(
        ("rate", "taken"), [(8000, 8000), ("44100", 44_100), ("x", 16_000), (True, 16_000), (None, 16_000)]
    )
    def test_any_rate_is_taken(self, rate: object, taken: int) -> None:
        client = recording(audio_fs=rate)
        assert client.joins[0].capabilities.pcm == PcmFormat("s16le", taken)

    def test_a_rate_that_is_impossible_is_refused(self) -> None:
        client = Client()
        client.say({"audio_fs": 384_000})
        with pytest.raises(ProtocolError, match="384000"):
            client.say(SOUND)


class TestAudio:
    def test_a_whole_utterance_comes_in_one_message(self) -> None:
        client = Client()
        client.say({"mode": "2pass"})
        [_, audio] = client.say(bytes(384_000))
        assert isinstance(audio, Audio)
        assert len(audio.data) == 384_000

    def test_a_header_is_read_and_not_heard(self) -> None:
        client = Client()
        client.say({"mode": "offline", "wav_format": "PCM", "audio_fs": 16_000})
        header = bytes.fromhex(
            "52494646ffffffff57415645666d7420100000000100020044ac000010b102000400100064617461ffffffff"
        )
        assert client.say(header[:30]) == []
        assert client.say(header[30:]) == []
        [join, audio] = client.say(SOUND)
        assert isinstance(join, Join)
        assert join.capabilities.pcm == PcmFormat("s16le", 44_100, 2)
        assert isinstance(audio, Audio)
        assert audio.data == SOUND

    @pytest.mark.parametrize("wav_format", ["mp3", "others", "m4a", "flac"])
    @pytest.mark.parametrize("mode", ["2pass", "offline"])
    def test_what_is_neither_pcm_nor_wav_is_refused_and_begins_nothing(
        self, wav_format: str, mode: str
    ) -> None:
        client = Client()
        client.say({"mode": mode, "wav_format": wav_format})
        with pytest.raises(ProtocolError, match=f"'{wav_format}' is not taken here: send PCM or WAV"):
            client.say(b"ID3\x04" + bytes(100))
        assert client.joins == []

    def test_a_wav_file_is_taken_whatever_its_client_calls_it(self) -> None:
        client = Client()
        client.say({"mode": "offline", "wav_format": "others"})
        client.say(
            bytes.fromhex(
                "52494646ffffffff57415645666d74201000000001000100803e0000007d00000200100064617461ffffffff"
            )
            + SOUND
        )
        assert client.kinds == ["Join", "Audio"]


class TestTwoPasses:
    def test_what_is_being_said_comes_in_increments_and_then_the_line(self) -> None:
        client = recording()
        client.hear(
            PartialLine(0, "大家"), PartialLine(0, "大家好"), line("大家好。"), PartialLine(2000, "好")
        )
        assert [(told["mode"], told["text"]) for told in client.told] == [
            ("2pass-online", "大家"),
            ("2pass-online", "好"),
            ("2pass-offline", "大家好。"),
            ("2pass-online", "好"),
        ]

    def test_nothing_but_the_last_message_is_final(self) -> None:
        client = recording()
        client.hear(line("一。", 1), line("二。", 2))
        client.say({"is_speaking": False})
        client.hear(line("三。", 3), line("四。", 4), SessionEnd(4, 1, 1))
        assert [(told["text"], told["is_final"]) for told in client.told] == [
            ("一。", False), ("二。", False), ("三。", False), ("四。", True),
        ]  # fmt: skip

    def test_if_no_line_came_after_the_end_an_empty_message_is_the_last(self) -> None:
        client = recording()
        client.hear(line("一。"))
        client.say({"is_speaking": False})
        [last] = client.hear(SessionEnd(1, 1, 1))
        assert (last["mode"], last["text"], last["is_final"]) == ("2pass-offline", "", True)

    def test_every_message_has_the_keys_that_strict_clients_need(self) -> None:
        client = recording()
        client.hear(PartialLine(0, "一"), line("一。"))
        client.say({"is_speaking": False, "is_end": True})
        client.hear(line("二。", 2, words=False), SessionEnd(2, 1, 1))
        for told in client.told:
            assert {"mode", "text", "wav_name", "is_final"} <= told.keys()
            assert told["wav_name"] == "demo"

    def test_who_asked_for_an_end_is_told_of_it_once(self) -> None:
        client = recording()
        client.say({"is_speaking": False, "is_end": True})
        first = client.hear(SessionEnd(0, 1, 1))
        assert [told.get("is_end") for told in first] == [None, True]
        client.say({"is_speaking": True})
        client.say(SOUND)
        client.say({"is_speaking": False})
        assert [told.get("is_end") for told in client.hear(HELLO, SessionEnd(0, 1, 1))] == [None]

    @pytest.mark.parametrize(
        ("spoken", "name", "score"),
        [
            (SpeakerRef("a", "林静", 0.98765, is_enrolled=True), "林静", 0.9877),
            (SpeakerRef("b", "说话人 1", 1.0, number=1), "说话人 1", 0.0),
            (SpeakerRef("c", "王磊", None, is_enrolled=True), "王磊", 0.0),
            (SpeakerRef(), "unknown", 0.0),
        ],
    )
    def test_a_stranger_is_like_nobody(self, spoken: SpeakerRef, name: str, score: float) -> None:
        [told] = recording().hear(line("好。", spoken=spoken))
        assert (told["spk_name"], told["spk_score"]) == (name, score)

    def test_times_are_a_text_with_a_pair_for_each_word(self) -> None:
        [told] = recording().hear(line("大家好，走。"))
        assert isinstance(told["timestamp"], str)
        assert json.loads(told["timestamp"]) == [[0, 90], [100, 190], [200, 290], [400, 490]]
        assert [(clause["text_seg"], clause["punc"]) for clause in told["stamp_sents"]] == [
            ("大 家 好", "，"), ("走", "。"),
        ]  # fmt: skip
        assert told["stamp_sents"][0]["ts_list"] == [[0, 90], [100, 190], [200, 290]]
        assert (told["stamp_sents"][1]["start"], told["stamp_sents"][1]["end"]) == (400, 490)

    def test_without_all_times_there_are_none(self) -> None:
        [told] = recording().hear(line("好。", words=False))
        assert not {"timestamp", "stamp_sents"} & told.keys()

    def test_a_line_without_a_mark_at_its_end_is_a_clause_as_well(self) -> None:
        [told] = recording().hear(line("好，走"))
        assert [clause["punc"] for clause in told["stamp_sents"]] == ["，", ""]


class TestOnline:
    def test_only_increments_come_and_the_end_is_empty(self) -> None:
        client = recording("online")
        client.hear(PartialLine(0, "大家"), line("大家好。"))
        client.say({"is_speaking": False})
        client.hear(SessionEnd(1, 1, 1))
        assert [(told["mode"], told["text"], told["is_final"]) for told in client.told] == [
            ("online", "大家", False),
            ("online", "好", False),
            ("online", "", True),
        ]

    def test_no_speaker_is_named(self) -> None:
        [told] = recording("online").hear(line("好。", spoken=SpeakerRef("a", "林静", 0.9, is_enrolled=True)))
        assert told.keys() == {"mode", "text", "wav_name", "is_final"}

    def test_a_line_that_adds_nothing_is_not_told(self) -> None:
        assert len(recording("online").hear(PartialLine(0, "好的"), line("好的。"))) == 1


class TestOffline:
    def test_there_is_exactly_one_message_and_it_has_everything(self) -> None:
        client = recording("offline")
        client.hear(PartialLine(0, "一"), line("一。", 1), line("二。", 2))
        assert client.told == []
        client.say({"is_speaking": False})
        [told] = client.hear(SessionEnd(2, 1, 1))
        assert (told["mode"], told["text"], told["is_final"]) == ("offline", "一。二。", True)
        assert json.loads(told["timestamp"]) == [[0, 90], [0, 90]]
        assert len(told["stamp_sents"]) == 2

    def test_words_with_blanks_between_them_keep_them(self) -> None:
        client = recording("offline")
        client.hear(line("Yes.", 1), line("No.", 2), line("好。", 3), line("OK.", 4))
        client.say({"is_speaking": False})
        assert client.hear(SessionEnd(4, 1, 1))[0]["text"] == "Yes. No.好。OK."

    def test_one_is_sent_also_if_nothing_was_said(self) -> None:
        client = recording("offline")
        client.say({"is_speaking": False})
        [told] = client.hear(SessionEnd(0, 1, 1))
        assert (told["text"], told["is_final"]) == ("", True)


class TestEnd:
    def test_a_recording_without_audio_is_answered_at_once(self) -> None:
        client = Client()
        client.say({"mode": "2pass", "wav_name": "x", "is_speaking": True})
        client.say({"is_speaking": False, "is_end": True})
        assert [(told["text"], told["is_final"], told.get("is_end")) for told in client.told] == [
            ("", True, None), ("", True, True),
        ]  # fmt: skip
        assert client.joins == []

    def test_the_end_is_said_once_however_often_it_is_asked_for(self) -> None:
        client = recording()
        assert [type(command) for command in client.say({"is_speaking": False})] == [Close]
        assert client.say({"is_speaking": False}) == []
        assert client.say({"is_finished": True}) == []

    def test_the_next_recording_may_begin_before_the_last_is_answered(self) -> None:
        client = recording(wav_name="first")
        client.say({"is_speaking": False})
        client.say({"mode": "offline", "wav_name": "second", "is_speaking": True})
        client.say(SOUND)
        heard = client.hear(line("一。"), SessionEnd(1, 1, 1), HELLO, line("二。"))
        assert [(told["wav_name"], told["text"], told["is_final"]) for told in heard] == [
            ("first", "一。", True)
        ]
        client.say({"is_speaking": False})
        [last] = client.hear(SessionEnd(1, 1, 1))
        assert (last["wav_name"], last["text"], last["mode"]) == ("second", "二。", "offline")
        assert len(client.joins) == 2

    def test_audio_behind_an_end_that_somebody_else_made_is_for_nobody(self) -> None:
        client = recording()
        client.hear(SessionEnd(0, 1, 1))
        assert client.told[-1]["is_final"] is True
        assert client.say(SOUND) == []
        client.say({"is_speaking": True})
        assert [type(command) for command in client.say(SOUND)] == [Join, Audio]

    @pytest.mark.parametrize("is_end", [True, False])
    def test_an_error_is_the_last_message_if_it_ends_the_socket(self, is_end: bool) -> None:
        client = recording()
        client.say({"is_speaking": False, "is_end": is_end})
        refusal = client.dialect.encode_error(ProtocolError(ErrorCode.RECOGNITION_FAILED, "it failed"))
        told = json.loads(refusal.texts[0])
        assert (told["error"], told["code"], refusal.close) == ("it failed", "recognition_failed", 4501)
        assert told["is_final"] is not is_end
        assert told.get("is_end", False) is is_end

    def test_an_error_that_leaves_it_open_is_not_the_last(self) -> None:
        client = recording()
        with pytest.raises(ProtocolError) as refused:
            client.say("nonsense")
        refusal = client.dialect.encode_error(refused.value)
        assert refusal.close is None
        assert json.loads(refusal.texts[0])["is_final"] is False

    def test_a_mode_that_is_none_is_told_and_taken_for_two_passes(self) -> None:
        client = recording("office")
        [complaint] = client.told
        assert complaint["error"].startswith("mode='office' is unknown")
        assert complaint["is_final"] is False
        assert client.hear(line("好。"))[0]["mode"] == "2pass-offline"


class TestRealtime:
    def test_a_start_is_answered_and_audio_before_it_is_dropped(self) -> None:
        client = Client()
        client.say("LANGUAGE:中文")
        client.say(SOUND)
        assert client.joins == []
        client.say("start")
        assert client.told[-1] == {"event": "started"}
        client.say(SOUND)
        assert client.joins[0].capabilities.pcm == PcmFormat("s16le", 16_000)

    def test_audio_before_the_first_words_is_of_the_other_protocol(self) -> None:
        client = Client()
        client.say(SOUND)
        assert client.hear(HELLO, line("好。"))[0]["mode"] == "2pass-offline"

    def test_every_answer_has_all_sentences(self) -> None:
        client = Client()
        client.say("START")
        client.say(bytes(32_000))
        client.hear(HELLO, line("一。", spoken=SpeakerRef("a", "林静")), PartialLine(1500, "二"))
        assert client.told[-1] == {
            "sentences": [{"text": "一。", "start": 0, "end": 1000, "spk": 0, "spk_name": "林静"}],
            "partial": "二",
            "partial_start_ms": 1500,
            "duration_ms": 1000,
            "is_final": False,
        }

    def test_speakers_are_numbered_as_they_come_and_nobody_has_no_number(self) -> None:
        client = Client()
        client.say("START")
        client.say(SOUND)
        client.hear(HELLO)
        for key in ("a", "b", "", "a"):
            client.hear(line("好。", spoken=SpeakerRef(key, key)))
        assert [sentence.get("spk") for sentence in client.told[-1]["sentences"]] == [0, 1, None, 0]

    def test_a_commit_ends_the_utterance(self) -> None:
        client = Client()
        client.say("START")
        client.say(SOUND)
        assert [type(command) for command in client.say("COMMIT")] == [Flush]

    def test_a_long_list_is_not_sent_with_every_partial(self) -> None:
        client = Client()
        client.say("START")
        client.say(SOUND)
        client.hear(HELLO, *(line("好。", seq) for seq in range(2 * SENTENCES_PER_SKIP)))
        answers = [bool(client.hear(PartialLine(5000, "x"))) for _ in range(30)]
        assert sum(answers) == 10
        assert client.hear(line("好。"))

    def test_the_next_start_forgets_the_last_recording(self) -> None:
        client = Client()
        for _ in range(2):
            client.say("START")
            client.say(SOUND)
            client.hear(HELLO, line("好。"))
            client.say("STOP")
            client.hear(SessionEnd(1, 1, 1))
            assert client.told[-1] == {"event": "stopped"}
            assert len(client.told[-2]["sentences"]) == 1
            assert client.told[-2]["is_final"] is True
        assert len(client.joins) == 2

    @pytest.mark.parametrize("text", ["PAUSE", "", "START NOW", "HOTWORD:a"])
    def test_what_is_no_command_is_told_as_an_event(self, text: str) -> None:
        client = Client()
        client.say("START")
        with pytest.raises(ProtocolError) as refused:
            client.say(text)
        refusal = client.dialect.encode_error(refused.value)
        assert json.loads(refusal.texts[0])["event"] == "error"
        assert refusal.close is None


class TestNumbersInDigits:
    @pytest.mark.parametrize(
        ("said", "itn"),
        [
            ({}, None),
            ({"itn": True}, True),
            ({"itn": False}, False),
            ({"itn": "false"}, None),
            ({"itn": 0}, None),
        ],
    )
    def test_are_as_the_client_says_and_otherwise_as_usual(
        self, said: dict[str, Any], itn: bool | None
    ) -> None:
        client = Client()
        client.say({"mode": "2pass", **said})
        [join] = [each for each in client.say(SOUND) if isinstance(each, Join)]
        assert join.request.itn is itn

    def test_stay_as_they_were_asked_for_in_the_next_recording(self) -> None:
        client = Client()
        client.say({"mode": "2pass", "itn": False})
        client.say(SOUND)
        client.say({"is_speaking": False})
        client.say({"wav_name": "another"})
        joins = [each for each in [*client.commands, *client.say(SOUND)] if isinstance(each, Join)]
        assert [join.request.itn for join in joins] == [False, False]


class TestRulesForWriting:
    def test_are_those_of_the_recordings_that_begin_after_them(self) -> None:
        client = Client()
        client.say("POSTPROCESS_HOTWORDS:汪磊=>王磊, jango => Django，无,=>x")
        assert client.told[-1]["postprocess_hotwords"] == {"汪磊": "王磊", "jango": "Django"}
        client.say("START")
        [join] = [each for each in client.say(SOUND) if isinstance(each, Join)]
        assert join.request.rules == (("汪磊", "王磊"), ("jango", "Django"))

    def test_are_none_without_the_command(self) -> None:
        client = Client()
        client.say("START")
        [join] = [each for each in client.say(SOUND) if isinstance(each, Join)]
        assert join.request.rules == ()
