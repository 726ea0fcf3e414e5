"""The MCP server as programs start it: the SDK's own client, over stdio, against a server in this process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from mcp import Client, StdioServerParameters
from mcp.server.subscriptions import ResourceUpdated
from pytest_django.live_server_helper import LiveServer

from asrsite.mcp_server import changed
from sessions_app.minutes import keeping
from sessions_app.models import AccessToken, Session, Utterance
from sessions_app.store import voices
from tests.sessions_app.meetings import LINES, make_lines, make_session, make_user, make_voice
from tests.support.server import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow(30)]

TOOLS = ["follow_meeting", "list_meetings", "read_meeting", "read_minutes", "search_meetings"]


@pytest.fixture
def owner() -> User:
    return make_user("owner", "transcriber")


@pytest.fixture
def session(owner: User) -> Session:
    session = make_session("周会 42", title="Budget", owner=owner, is_live=True)
    make_lines(session, voice=make_voice(session, "林静"))
    return session


@asynccontextmanager
async def program(server: str, token: str = "") -> AsyncIterator[Client]:
    """What a user's program has once it has started ours."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["manage.py", "mcp", "--server", server],
        env={"ASR_TOKEN": token},
        cwd=ROOT,
    )
    async with asyncio.timeout(120), Client(command) as client:
        yield client


async def asked(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return text_of(result)


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


def text_of(result: Any) -> str:
    return "\n".join(part.text for part in result.content)


async def test_its_tools_say_what_they_do_and_change_nothing(live_server: LiveServer) -> None:
    async with program(live_server.url) as client:
        tools = (await client.list_tools()).tools
        assert sorted(tool.name for tool in tools) == TOOLS
        for tool in tools:
            assert tool.description and tool.annotations and tool.annotations.read_only_hint
            given = tool.input_schema["properties"]
            assert all("description" in each for each in given.values()), tool.name
        assert "never an instruction" in (client.instructions or "")


async def test_it_lists_searches_and_reads(live_server: LiveServer, session: Session) -> None:
    async with program(live_server.url) as client:
        assert "周会 42 | live" in await asked(client, "list_meetings", state="live")
        assert await asked(client, "list_meetings", state="ended") == "There is no such meeting."
        assert f"周会 42 [0:00:04] 林静: {LINES[2]}" in await asked(client, "search_meetings", text="预算")
        _, _, *rows, mark = (await asked(client, "read_meeting", meeting="周会 42")).splitlines()
        assert [row.partition(": ")[2] for row in rows] == LINES
        assert mark == f"(goes on: after={len(LINES)}, changed_after=0)"
        assert "(goes on: after=1)" in await asked(client, "read_meeting", meeting="周会 42", limit=1)


async def test_it_hears_the_lines_of_a_meeting_that_goes_on(
    live_server: LiveServer, session: Session
) -> None:
    @database_sync_to_async
    def say(text: str) -> None:
        make_lines(session, [text])

    @database_sync_to_async
    def correct(text: str) -> None:
        [line] = Utterance.objects.filter(session=session, seq=1)
        Utterance.objects.filter(pk=line.pk).update(text=text)
        voices.number_changes(session.pk, [line.pk])

    @database_sync_to_async
    def end() -> None:
        Session.objects.update(state="ended")

    async with program(live_server.url) as client:
        seen = {"meeting": "周会 42", "after": len(LINES), "changed_after": 0}
        assert "(nothing new)" in await asked(client, "follow_meeting", wait_s=0, **seen)
        waiting = asyncio.create_task(asked(client, "follow_meeting", wait_s=30, **seen))
        await asyncio.sleep(1.5)
        assert not waiting.done()
        await say("新的一行。")
        assert "新的一行。" in await waiting
        await correct("改了。")
        seen["after"] = len(LINES) + 1
        corrected = await asked(client, "follow_meeting", wait_s=0, **seen)
        assert "[1, 0:00:00] 林静: 改了。" in corrected
        assert corrected.endswith("changed_after=1)")
        await end()
        seen["changed_after"] = 1
        assert await asked(client, "follow_meeting", wait_s=30, **seen) == "(the meeting has ended)"


async def test_it_tells_who_subscribes_that_a_meeting_goes_on(
    live_server: LiveServer, session: Session
) -> None:
    @database_sync_to_async
    def say(text: str) -> None:
        make_lines(session, [text])

    @database_sync_to_async
    def end() -> None:
        Session.objects.update(state="ended")

    address = f"meetings://{quote('周会 42')}/transcript"
    async with program(live_server.url) as client:
        [template] = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "meetings://{meeting}/transcript"
        assert LINES[-1] in read_text(await client.read_resource(address))
        async with client.listen(resource_subscriptions=[address]) as changes:
            await asyncio.sleep(2)  # until it has looked once
            await say("新的一行。")
            assert await anext(aiter(changes)) == ResourceUpdated(address)
            assert "新的一行。" in read_text(await client.read_resource(address))
            await end()
            assert await anext(aiter(changes)) == ResourceUpdated(address)
            assert read_text(await client.read_resource(address)).endswith("(the end)")


def read_text(result: Any) -> str:
    return "\n".join(content.text for content in result.contents)


class TestChanges:
    def test_are_new_lines_corrections_beginnings_and_ends(self) -> None:
        before = {"a": (1, 0), "b": (1, 0), "c": (1, 0), "d": (1, 0)}
        now = {"a": (1, 0), "b": (2, 0), "c": (1, 1), "e": (0, 0)}
        assert changed(before, now) == ["b", "c", "d", "e"]

    def test_are_none_while_nothing_happens(self) -> None:
        assert changed({"a": (1, 0)}, {"a": (1, 0)}) == []


async def test_it_reads_minutes(live_server: LiveServer, owner: User) -> None:
    @database_sync_to_async
    def make() -> None:
        session = make_session("done", owner=owner)
        make_lines(session, ["我明天把测试报告发给大家。"], voice=make_voice(session, "赵敏"))
        keeping.make(session)

    await make()
    async with program(live_server.url) as client:
        told = await asked(client, "read_minutes", meeting="done")
        assert "## action" in told
        assert "赵敏: 我明天把测试报告发给大家。" in told


async def test_it_sees_what_its_token_sees(live_server: LiveServer, session: Session, settings: Any) -> None:
    settings.ASR_ACCESS = "token"

    @database_sync_to_async
    def give_token() -> str:
        make_session("other")
        return AccessToken.issue(name="n8n", role="receiver", session_key="周会 42")[1]

    secret = await give_token()
    async with program(live_server.url, secret) as client:
        assert "other" not in await asked(client, "list_meetings")
        assert LINES[0] in await asked(client, "read_meeting", meeting="周会 42")
        assert await refused(client, "read_meeting", meeting="other")
    async with program(live_server.url, "wrong") as client:
        assert "token" in await refused(client, "list_meetings")


async def test_what_is_wrong_is_told_in_words(live_server: LiveServer) -> None:
    async with program(live_server.url) as client:
        assert "no such meeting" in (await refused(client, "read_meeting", meeting="nobody")).lower()
        assert await refused(client, "read_meeting", meeting="../../admin/")
        assert "limit" in await refused(client, "list_meetings", limit=0)
    async with program("http://127.0.0.1:9") as client:
        assert "cannot be reached" in await refused(client, "list_meetings")


def test_without_the_sdk_it_says_what_to_install() -> None:
    code = """if True:
        import sys
        sys.modules["mcp"] = None
        sys.argv = ["asrsite", "mcp"]
        from asrsite.command_line import main
        main()
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'asrsite[mcp]'" in done.stderr


def test_it_imports_no_django_and_no_model() -> None:
    code = (
        "import sys, asrsite.mcp_server; print([name for name in ('django', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
