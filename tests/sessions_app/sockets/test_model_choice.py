"""A sender chooses the model set of its session, and a session keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sessions_app.models import Session
from sessions_app.store import commits
from sessions_app.transport.memory import MemoryTransport
from tests.sessions_app.sockets.reaching import reaching
from tests.sessions_app.sockets.test_consumers import connect, disconnect, message
from tests.support.communicator import Communicator


@pytest.fixture(autouse=True)
async def transport(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[MemoryTransport]:
    """A service of two sets: own, the default, and second."""
    for name in ("own", "second"):
        (tmp_path / f"{name}.toml").write_text(f'title = "{name}"\nchecksum = true\n')
    settings.MODEL_SETS = [str(tmp_path / "own.toml"), str(tmp_path / "second.toml")]
    async with reaching(MemoryTransport(), settings, monkeypatch) as transport:
        yield transport


async def join(query: str) -> tuple[Communicator, dict[str, Any]]:
    """The socket, and the first that it is told."""
    socket = await connect(query)
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    return socket, await message(socket)


async def hello(query: str) -> dict[str, Any]:
    socket, told = await join(f"v=2&{query}")
    await disconnect(socket)
    event: dict[str, Any] = told["event"]
    return event


async def refusal(query: str) -> dict[str, Any]:
    socket, told = await join(query)
    assert (await socket.receive_output(10))["code"] == 4400
    await disconnect(socket)
    error: dict[str, Any] = told["error"]
    return error


def kept() -> list[str]:
    return list(Session.objects.values_list("model_set", flat=True))


async def test_without_a_choice_it_is_the_default() -> None:
    assert (await hello("mode=sender"))["models"] == "own"
    assert await asyncio.to_thread(kept) == ["own"]


@pytest.mark.parametrize("version", [1, 2])
async def test_a_chosen_set_is_the_sessions(version: int) -> None:
    socket = await connect(f"mode=sender&models=second&v={version}")
    assert (await socket.receive_output(10))["type"] == "websocket.accept"
    await disconnect(socket)

    assert await asyncio.to_thread(kept) == ["second"]


async def test_readers_are_told_which_it_is() -> None:
    assert (await hello("mode=receiver"))["models"] == ""
    await hello("mode=sender&models=second")

    assert (await hello("mode=receiver"))["models"] == "second"


@pytest.mark.parametrize("version", [1, 2])
async def test_one_that_is_not_served_is_refused_with_those_that_are(version: int) -> None:
    error = await refusal(f"mode=sender&models=whisper&v={version}")

    assert (error["code"], error["param"], error["retryable"]) == ("bad_parameter", "models", False)
    assert error["message"] == "models='whisper' is not served: use one of own, second"
    assert await asyncio.to_thread(kept) == []


@pytest.mark.parametrize("choice", ["", "&models=second"])
async def test_a_session_keeps_its_set_when_its_sender_returns(choice: str) -> None:
    resume = (await hello("mode=sender&models=second"))["resume"]

    assert (await hello(f"mode=sender{choice}&resume={resume}"))["models"] == "second"


async def test_another_set_than_the_sessions_is_refused() -> None:
    resume = (await hello("mode=sender&models=second"))["resume"]

    error = await refusal(f"mode=sender&models=own&resume={resume}")

    assert (error["code"], error["param"]) == ("bad_parameter", "models")
    assert error["message"] == "session 'meeting' is recognised with the models second, and keeps them"


async def test_a_set_that_no_recogniser_has_is_named_and_leaves_no_session(
    transport: MemoryTransport,
) -> None:
    await transport.join_workers(8, model_sets=["own"])

    socket, told = await join("mode=sender&models=second")
    await disconnect(socket)

    assert told["error"]["code"] == "overloaded"
    assert told["error"]["message"] == "no recogniser has the model set second at present"
    assert await asyncio.to_thread(kept) == []


async def test_a_session_of_a_set_that_is_had_is_let_in_beside(transport: MemoryTransport) -> None:
    await transport.join_workers(8, model_sets=["own"])

    assert (await hello("mode=sender&models=own"))["models"] == "own"


async def test_a_session_from_before_goes_by_the_set_it_has() -> None:
    await asyncio.to_thread(commits.get_or_create_session, "meeting", model_set="gone")

    assert (await hello("mode=sender"))["models"] == "gone"
