"""Send a recording, or what a microphone hears, and print what is said.

python examples/send.py sessions_app/sample/meeting.flac --models embedded
arecord -q -t raw -f FLOAT_LE -r 16000 -c 1 | python examples/send.py -
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from resuming import FRAME, SAMPLE_BYTES, SAMPLE_RATE, Message, Refused, ResumingSender, say_trouble


def open_file(path: str) -> Any:
    """Open a sound file; what is wrong with it is told before there is a session."""
    import soundfile

    if not Path(path).is_file():
        raise SystemExit(f"there is no file {path}")
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise SystemExit(f"{path} cannot be read: {error.error_string}") from error
    if file.samplerate != SAMPLE_RATE or file.channels != 1:
        raise SystemExit(
            f"{path} has {file.channels} channel(s) at {file.samplerate} Hz, not 1 at {SAMPLE_RATE}. "
            f"This converts it:\nffmpeg -i {path} -ac 1 -ar {SAMPLE_RATE} converted.wav"
        )
    return file


async def from_file(file: Any, *, speed: float) -> AsyncIterator[bytes]:
    """A sound file as if it were being recorded."""
    begun = time.monotonic()
    with file:
        while len(piece := file.read(FRAME // SAMPLE_BYTES, dtype="float32")):
            yield piece.tobytes()
            due = begun + file.tell() / SAMPLE_RATE / speed
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def from_standard_input() -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(sys.stdin.buffer.read, FRAME):
        yield piece


def show(message: Message) -> None:
    if message.get("final"):
        print(f"{message['spk']['speaker_name']}: {message['asr']}", flush=True)
    elif error := message.get("error"):
        print(f"({error['message']})", file=sys.stderr, flush=True)


def show_next(session: str, start_s: float) -> None:
    print(f"(the server waited no longer; from {start_s:.1f} s on in session {session})", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", help="a WAV or FLAC file, mono at 16 kHz; - for raw 32-bit floats")
    parser.add_argument("--server", action="append", help="ws://localhost:8000; several may be given")
    parser.add_argument("--session", default=f"example-{time.strftime('%Y%m%d-%H%M%S')}")
    parser.add_argument("--models", default="", help="a model set of the server's; otherwise its default")
    parser.add_argument("--token", default="")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster than it was recorded")
    arguments = parser.parse_args()

    is_live = arguments.file == "-"
    audio = from_standard_input() if is_live else from_file(open_file(arguments.file), speed=arguments.speed)
    asked = {"token": arguments.token, "models": arguments.models}
    parameters = {name: value for name, value in asked.items() if value}
    servers = arguments.server or ["ws://localhost:8000"]
    sender = ResumingSender(
        servers,
        arguments.session,
        audio,
        on_message=show,
        on_trouble=say_trouble,
        on_next=show_next,
        **parameters,
    )
    print(f"session {arguments.session}", file=sys.stderr)
    try:
        asyncio.run(sender.run())
    except Refused as error:
        raise SystemExit(str(error)) from error
    if sender.lost:
        print(
            f"({sender.lost / SAMPLE_RATE:.1f} s are missing: the server lost them too late)", file=sys.stderr
        )


if __name__ == "__main__":
    main()
