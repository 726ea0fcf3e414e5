"""docs/clients.md says what each dialect can do: the table is made by asking them.

python -m tests.sessions_app.wire.test_clients_document   # writes it anew
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sessions_app.wire.dashscope import DashScope
from sessions_app.wire.deepgram import Deepgram
from sessions_app.wire.dialects import Audio, Command, Dialect, Handshake, Join
from sessions_app.wire.funasr import FunAsr
from sessions_app.wire.openai_realtime import OpenAiRealtime
from sessions_app.wire.own_protocol import OwnProtocol
from sessions_app.wire.pcm import PcmConverter, PcmFormat
from sessions_app.wire.protocol import (
    Flush,
    Hello,
    Line,
    Mode,
    PartialLine,
    ProtocolError,
    Revision,
    SpeakerRef,
    Word,
)
from tests.support.funasr_clients import wav_header
from tests.support.server import ROOT

DOCUMENT = ROOT / "docs" / "clients.md"
BEGIN, END = "<!-- matrix -->\n", "<!-- /matrix -->"

SOUND = bytes(640)
LINE = Line(1, 1, 1_500, 2_500, "大家好。", SpeakerRef("a", "林静", 0.98, is_enrolled=True))
WORDS = (Word(0, 1, 1_510, 1_620), Word(1, 2, 1_630, 1_740), Word(2, 3, 1_750, 1_860))


def texts(*fields: dict[str, Any] | str) -> list[str]:
    return [each if isinstance(each, str) else json.dumps(each) for each in fields]


def append(audio: bytes) -> str:
    return json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(audio).decode()})


def openai_format(chosen: dict[str, Any]) -> dict[str, Any]:
    return {"type": "session.update", "session": {"audio": {"input": {"format": chosen}}}}


def run_task(parameters: dict[str, Any]) -> dict[str, Any]:
    header = {"action": "run-task", "task_id": "t", "streaming": "duplex"}
    return {"header": header, "payload": {"model": "paraformer-realtime-v2", "parameters": parameters}}


def listen(query: str) -> Handshake:
    return Handshake(query=f"interim_results=true&diarize=true&{query}")


Start = Sequence[str] | Handshake
"""The first messages of a client; or its opening, if that says all."""


@dataclass(frozen=True)
class Client:
    """How a dialect's clients speak: before their audio, and what else they can say."""

    dialect: Callable[[], Dialect]
    path: str
    opening: Handshake = Handshake()
    hello: Sequence[str] = ()
    with_rate: Callable[[int], Start] | None = None
    mulaw: Start | None = None
    stereo: Start | None = None
    audio: Callable[[bytes], str | bytes] = bytes
    flush: str | None = None


CLIENTS = {
    "own, v1": Client(OwnProtocol, "/ws/asr/ID", Handshake("m", "mode=sender")),
    "own, v2": Client(
        OwnProtocol,
        "/ws/asr/ID?v=2",
        Handshake("m", "mode=sender&v=2"),
        flush='{"command": "flush"}',
    ),
    "FunASR": Client(
        FunAsr,
        "/",
        hello=texts({"mode": "2pass"}),
        with_rate=lambda rate: texts({"mode": "2pass", "audio_fs": rate}),
    ),
    "FunASR realtime": Client(FunAsr, "/", hello=["START"], flush="COMMIT"),
    "DashScope": Client(
        DashScope,
        "/api-ws/v1/inference",
        hello=texts(run_task({})),
        with_rate=lambda rate: texts(run_task({"sample_rate": rate})),
    ),
    "Deepgram": Client(
        Deepgram,
        "/v1/listen",
        listen("encoding=linear16&sample_rate=16000"),
        with_rate=lambda rate: listen(f"encoding=linear16&sample_rate={rate}"),
        mulaw=listen("encoding=mulaw&sample_rate=8000"),
        stereo=listen("encoding=linear16&sample_rate=16000&channels=2&multichannel=true"),
        flush='{"type": "Finalize"}',
    ),
    "OpenAI Realtime": Client(
        OpenAiRealtime,
        "/v1/realtime",
        with_rate=lambda rate: texts(openai_format({"type": "audio/pcm", "rate": rate})),
        mulaw=texts(openai_format({"type": "audio/pcmu"})),
        audio=append,
        flush='{"type": "input_audio_buffer.commit"}',
    ),
}


def said(dialect: Dialect, message: str | bytes) -> list[Command]:
    if isinstance(message, str):
        return [*dialect.receive(message, None)]
    return [*dialect.receive(None, message)]


def begun(client: Client, start: Start | None = None, audio: bytes = SOUND) -> tuple[Dialect, list[Command]]:
    """A dialect whose client has sent audio, and all that it understood."""
    dialect = client.dialect()
    commands = [*dialect.open(start if isinstance(start, Handshake) else client.opening)]
    for text in client.hello if start is None or isinstance(start, Handshake) else start:
        commands += said(dialect, text)
    commands += said(dialect, client.audio(audio))
    dialect.encode(Hello("m", Mode.SENDER, 1, "live", 0, 0))
    return dialect, commands


def join_of(commands: Sequence[Command]) -> Join:
    [join] = [command for command in commands if isinstance(command, Join)]
    return join


def heard(client: Client, *messages: Any) -> str:
    dialect, _ = begun(client)
    return " ".join(text for message in messages for text in dialect.encode(message))


def takes_format(client: Client, start: Start | None, expected: PcmFormat) -> bool:
    return start is not None and join_of(begun(client, start)[1]).capabilities.pcm == expected


def has_partials(client: Client) -> bool:
    return "大家" in heard(client, PartialLine(1_500, "大家"))


def has_speakers(client: Client) -> bool:
    return "林静" in heard(client, LINE)


def has_line_times(client: Client) -> bool:
    return any(form in heard(client, LINE) for form in ("1500", "1.5"))


def has_word_times(client: Client) -> bool:
    dialect, commands = begun(client)
    told = "".join(dialect.encode(replace(LINE, words=WORDS)))
    return join_of(commands).capabilities.wants_words and any(form in told for form in ("1630", "1.63"))


def has_revisions(client: Client) -> bool:
    return bool(heard(client, Revision(1, LINE)))


def takes_any_rate(client: Client) -> bool:
    return client.with_rate is not None and takes_format(
        client, client.with_rate(44_100), PcmFormat("s16le", 44_100)
    )


def takes_telephones(client: Client) -> bool:
    return takes_format(client, client.mulaw, PcmFormat("mulaw", 8_000))


def tells_channels_apart(client: Client) -> bool:
    if client.stereo is None:
        return False
    silence_and_sound = bytes([0, 0, 0, 64]) * 16_000
    dialect, _ = begun(client, client.stereo, silence_and_sound)
    return "[1, 2]" in "".join(dialect.encode(replace(LINE, start_ms=0, end_ms=900)))


def takes_integers(client: Client) -> bool:
    pcm = join_of(begun(client)[1]).capabilities.pcm
    return pcm is not None and pcm.encoding == "s16le"


def takes_wav(client: Client) -> bool:
    try:
        dialect, commands = begun(client, audio=wav_header(len(SOUND), 22_050))
        commands += said(dialect, client.audio(SOUND))
    except ProtocolError:
        return False
    return join_of(commands).capabilities.pcm == PcmFormat("s16le", 22_050)


def takes_half_samples(client: Client) -> bool:
    try:
        dialect, commands = begun(client, audio=SOUND[:3])
        commands += said(dialect, client.audio(SOUND[:5]))
    except ProtocolError:
        return False
    converter = PcmConverter(join_of(commands).capabilities.pcm or PcmFormat())
    sizes = [len(converter.convert(command.data)) for command in commands if isinstance(command, Audio)]
    return len(sizes) == 2


def ends_utterances(client: Client) -> bool:
    if client.flush is None:
        return False
    dialect, _ = begun(client)
    return any(isinstance(command, Flush) for command in said(dialect, client.flush))


def goes_on_with_another(client: Client) -> bool:
    return join_of(begun(client)[1]).capabilities.lingers_s > 0


def returns(client: Client) -> bool:
    return join_of(begun(client)[1]).capabilities.resumes


def names_its_session(client: Client) -> bool:
    return join_of(begun(client)[1]).request.session_key != ""


FEATURES: dict[str, Callable[[Client], bool]] = {
    "text while somebody is speaking": has_partials,
    "speakers' names": has_speakers,
    "times of lines": has_line_times,
    "times of words": has_word_times,
    "corrections of earlier lines": has_revisions,
    "16-bit audio": takes_integers,
    "any sample rate from 8 to 48 kHz": takes_any_rate,
    "telephones' audio (G.711)": takes_telephones,
    "WAV files with their header": takes_wav,
    "lines by the channel they came by": tells_channels_apart,
    "messages that end within a sample": takes_half_samples,
    "ends an utterance at a command": ends_utterances,
    "several recordings on one socket": goes_on_with_another,
    "goes on after a lost connection": returns,
    "chooses the session's id": names_its_session,
}


ONLY_OURS = {"corrections of earlier lines", "goes on after a lost connection", "chooses the session's id"}


def matrix() -> str:
    rows = [
        f"| | {' | '.join(CLIENTS)} |",
        "|---|" + "---|" * len(CLIENTS),
        f"| address | {' | '.join(f'`{client.path}`' for client in CLIENTS.values())} |",
    ]
    for feature, has in FEATURES.items():
        cells = ("yes" if has(client) else "-" for client in CLIENTS.values())
        rows.append(f"| {feature} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def test_the_document_has_the_table_that_the_dialects_give() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert written.partition(BEGIN)[2].partition(END)[0] == matrix()


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_is_had_by_one_client_besides_our_own(feature: str) -> None:
    ours = feature in ONLY_OURS
    others = [client for name, client in CLIENTS.items() if not name.startswith("own")]
    assert any(FEATURES[feature](client) for client in others) is not ours


def write() -> None:
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + matrix() + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    write()
