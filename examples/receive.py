"""Follow a session and print its lines.

python examples/receive.py SESSION
"""

from __future__ import annotations

import argparse
import asyncio

from resuming import Message, Refused, ResumingReceiver, say_trouble


def show(message: Message) -> None:
    if message.get("final"):
        seconds = message["start_ms"] // 1000
        print(
            f"{seconds // 60:3}:{seconds % 60:02}  {message['spk']['speaker_name']}: {message['asr']}",
            flush=True,
        )
    elif message.get("event", {}).get("type") == "revise":
        line = message["event"]["line"]
        print(f"  (corrected)  {line['spk']['speaker_name']}: {line['asr']}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("session")
    parser.add_argument("--server", action="append", help="ws://localhost:8000; several may be given")
    parser.add_argument("--token", default="")
    arguments = parser.parse_args()

    parameters = {"token": arguments.token} if arguments.token else {}
    servers = arguments.server or ["ws://localhost:8000"]
    receiver = ResumingReceiver(
        servers, arguments.session, on_message=show, on_trouble=say_trouble, **parameters
    )
    try:
        asyncio.run(receiver.run())
    except Refused as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
