"""What is left of a socket that has been closed: nothing, and at once."""

from __future__ import annotations

import subprocess
import sys

SERVER = """
import gc, threading
from deploy.local_servers import free_port
from sessions_app.serving.daphne_server import PatientServer, PatientWebSocket
from twisted.internet import reactor
from twisted.internet.tcp import Server as Connection
from twisted.web.http import HTTPChannel
from websockets.sync.client import connect


async def echo(scope, receive, send):
    await receive()
    scope["extensions"]["asrsite.push"].expect_audio(is_binary=True, max_message_bytes=None)
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(message["bytes"]))})


def visit():
    try:
        for number in range(6):
            with connect(f"ws://127.0.0.1:{port}/") as client:
                client.send(bytes(6400))
                assert client.recv() == "6400"
                if number % 2:
                    client.socket.close()  # without a word
    finally:
        reactor.callLater(3, look)  # daphne clears up once a second
        reactor.wakeUp()


def look():
    kinds = (PatientWebSocket, Connection, HTTPChannel)
    print([type(thing).__name__ for thing in gc.get_objects() if type(thing) in kinds])
    reactor.stop()


async def stop():
    pass


port = free_port()
gc.disable()
server = PatientServer(
    echo,
    endpoints=[f"tcp:port={port}:interface=127.0.0.1"],
    on_stop=stop,
    ready_callable=threading.Thread(target=visit).start,
    signal_handlers=False,
    verbosity=0,
)
server.run()
"""


def test_closed_sockets_do_not_wait_for_the_garbage_collector() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVER], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
