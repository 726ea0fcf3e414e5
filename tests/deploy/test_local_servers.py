"""Ports for servers that are about to start."""

from __future__ import annotations

import socket

import pytest

from deploy.local_servers import free_port


def listen(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


def test_a_server_can_listen_at_a_port_given_to_it_and_again_after_a_restart() -> None:
    port = free_port()
    for _start in range(2):
        with listen(port), socket.create_connection(("127.0.0.1", port)) as client:
            assert client.getpeername() == ("127.0.0.1", port)


def test_nobody_answers_at_a_port_before_its_server() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free_port()))


def test_a_port_is_given_once_and_to_no_connection() -> None:
    ports = {free_port() for _ in range(50)}
    with listen(0) as server:
        server.settimeout(10)
        connections = [socket.create_connection(server.getsockname()) for _ in range(50)]
        taken = {connection.getsockname()[1] for connection in connections}
        for connection in connections:
            connection.close()
    assert len(ports) == 50
    assert not ports & taken
