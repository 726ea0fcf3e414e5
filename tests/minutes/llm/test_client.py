"""One request to a language model, whatever its server does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from minutes.llm import addresses
from minutes.llm.answers import Part
from minutes.llm.client import ATTEMPTS, Client, Server
from minutes.llm.exceptions import ModelFailed, NotAllowed, ServerAway
from tests.support.language_model import Reply, StandIn, stand_in

EMPTY: dict[str, Any] = {"summary": [], "chapters": [], "decisions": [], "actions": [], "questions": []}
GOOD = json.dumps(EMPTY | {"summary": [{"text": "预算通过了", "lines": [1]}]}, ensure_ascii=False)
MESSAGES = [{"role": "user", "content": "[1] 林静: 预算通过了。"}]


async def ask(*replies: Reply, **options: Any) -> tuple[Any, StandIn]:
    """Ask a server that answers with these, the last one again and again."""
    left = list(replies)
    async with stand_in(lambda _body: left.pop(0) if len(left) > 1 else left[0]) as server:
        client = Client(Server(server.url, "small", **({"pause_s": 0.0, "silence_s": 5.0} | options)))
        try:
            return await client.ask(MESSAGES, Part), server
        finally:
            await client.close()


async def test_an_answer_that_comes_piece_by_piece_is_read_with_what_it_cost() -> None:
    (answer, used), server = await ask(Reply(GOOD, usage=321), key="secret")
    assert answer.summary[0].text == "预算通过了"
    assert used.tokens == 321
    assert server.authorizations == ["Bearer secret"]


async def test_the_form_is_asked_for_as_a_strict_schema_and_no_tools_are_offered() -> None:
    _answer, server = await ask(Reply(GOOD))
    [request] = server.requests
    form = request["response_format"]
    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    assert request["stream"] is True
    assert request["model"] == "small"
    assert not request.keys() & {"tools", "functions", "tool_choice"}


async def test_a_server_that_does_not_count_tokens_is_counted_for() -> None:
    (_answer, used), _server = await ask(Reply(GOOD, usage=None))
    assert used.tokens > 10


@pytest.mark.parametrize(
    "bad",
    [
        Reply("no JSON at all"),
        Reply('{"summary": ['),
        Reply('{"summary": "one"}'),
        Reply(json.dumps(EMPTY | {"links": ["http://x"]})),
        Reply(""),
        Reply(refusal="I would rather not."),
        Reply(GOOD[:20], finish="length"),
        Reply("", finish="content_filter"),
    ],
)
async def test_an_answer_of_no_use_is_asked_for_again_and_then_given_up(bad: Reply) -> None:
    (answer, used), server = await ask(bad, Reply(GOOD))
    assert answer.summary
    assert (len(server.requests), used.tokens > 100) == (2, True)
    with pytest.raises(ModelFailed, match="small: "):
        await ask(bad)


@pytest.mark.parametrize("away", [Reply(status=429), Reply(status=503), Reply(GOOD, breaks_off=True)])
async def test_a_server_that_is_away_is_tried_again(away: Reply) -> None:
    (answer, _used), server = await ask(away, Reply(GOOD))
    assert answer.summary
    assert len(server.requests) == 2


async def test_a_server_that_stays_away_is_told_from_a_model_that_fails() -> None:
    with pytest.raises(ServerAway, match="too much to do"):
        await ask(Reply(status=429))
    with pytest.raises(ServerAway, match="does not answer"):
        await ask(Reply(is_silent=True), silence_s=0.05)


async def test_nobody_listening_is_a_server_that_is_away() -> None:
    async with stand_in(lambda _body: Reply(GOOD)) as server:
        url = server.url
    client = Client(Server(url, "small", pause_s=0.0))
    with pytest.raises(ServerAway):
        await client.ask(MESSAGES, Part)
    await client.close()


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_request_that_is_refused_is_not_repeated(status: int) -> None:
    left = [Reply(status=status)]
    async with stand_in(lambda _body: left[0]) as server:
        client = Client(Server(server.url, "small", pause_s=0.0))
        with pytest.raises(ModelFailed, match=str(status)):
            await client.ask(MESSAGES, Part)
        await client.close()
        assert len(server.requests) == 1 < ATTEMPTS


async def test_a_redirection_is_not_followed() -> None:
    async with stand_in(lambda _body: Reply(GOOD)) as elsewhere:
        away = Reply(status=307, headers={"Location": f"{elsewhere.url}/chat/completions"})
        with pytest.raises(ModelFailed):
            await ask(away)
        assert elsewhere.requests == []


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand_in(lambda _body: Reply(GOOD)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        (answer, _used), _server = await ask(Reply(GOOD))
        assert answer.summary
        assert proxy.requests == []


async def test_an_answer_that_is_not_wanted_any_more_is_broken_off() -> None:
    async with stand_in(lambda _body: Reply(is_silent=True)) as server:
        client = Client(Server(server.url, "small"))
        asking = asyncio.create_task(client.ask(MESSAGES, Part))
        while not server.requests:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await client.close()


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.9",
            "172.16.5.5",
            "::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "169.254.1.1",
        ],
    )
    def test_of_this_machine_and_of_private_networks_are_inside(self, address: str) -> None:
        assert addresses.is_private(address)

    @pytest.mark.parametrize(
        "address",
        ["8.8.8.8", "2001:4860:4860::8888", "172.32.0.1", "::ffff:8.8.8.8", "0.0.0.0"],  # noqa: S104
    )
    def test_all_others_are_outside(self, address: str) -> None:
        assert not addresses.is_private(address)

    def test_outside_nothing_is_sent_unless_it_is_allowed(self) -> None:
        with pytest.raises(NotAllowed, match="LLM_EXTERNAL=1"):
            addresses.check("https://8.8.8.8/v1", is_external_allowed=False)
        addresses.check("https://8.8.8.8/v1", is_external_allowed=True)
        addresses.check("http://127.0.0.1:11434/v1", is_external_allowed=False)

    async def test_a_client_asks_before_it_sends(self) -> None:
        client = Client(Server("http://8.8.8.8/v1", "large"))
        with pytest.raises(NotAllowed):
            await client.ask(MESSAGES, Part)
        await client.close()

    def test_a_name_that_nobody_knows_is_a_server_that_is_away(self) -> None:
        with pytest.raises(ServerAway):
            addresses.check("http://no-such-host.invalid/v1", is_external_allowed=False)
