"""What the kernel holds for a connection on this machine (Linux; IPv4)."""

from __future__ import annotations

from pathlib import Path

CONNECTIONS = Path("/proc/net/tcp")


def unacknowledged(local_port: int, remote_port: int) -> int:
    """Bytes written at the local end that did not reach the remote one; 0 if there is no connection."""
    return _queues(CONNECTIONS.read_text(), local_port, remote_port)[0]


def unread(local_port: int, remote_port: int) -> int:
    """Bytes that reached the local end and were not read there; 0 if there is no connection."""
    return _queues(CONNECTIONS.read_text(), local_port, remote_port)[1]


def _queues(table: str, local_port: int, remote_port: int) -> tuple[int, int]:
    for row in table.splitlines()[1:]:
        _, local, remote, _, queues, *_ = row.split()
        if (_port(local), _port(remote)) == (local_port, remote_port):
            sent, received = queues.split(":")
            return int(sent, 16), int(received, 16)
    return 0, 0


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)
