"""Calls to Redis: scripts by name, many at once, and again until it answers."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

REDIS_RETRY_S = 0.1

OFFERS = "asr:offers:"
WORKERS = "asr:workers"


def offers_key(model_set: str) -> str:
    return f"{OFFERS}{model_set}"


def session_key(session_pk: int) -> str:
    return f"asr:session:{session_pk}"


def audio_key(session_pk: int) -> str:
    return f"asr:audio:{session_pk}"


class LuaScript(NamedTuple):
    """A script of `lua/`; its first lines say what it takes and returns."""

    source: str
    sha: str


def read_script(name: str) -> LuaScript:
    source = (Path(__file__).parent / "lua" / f"{name}.lua").read_text()
    return LuaScript(source, hashlib.sha1(source.encode()).hexdigest())  # noqa: S324 - Redis names scripts so


class Call(NamedTuple):
    """One run of a script."""

    script: LuaScript
    keys: Sequence[str]
    arguments: Sequence[Any]

    @property
    def parts(self) -> tuple[Any, ...]:
        return (len(self.keys), *self.keys, *self.arguments)


async def run(redis: Redis, script: LuaScript, keys: Sequence[str], *arguments: Any) -> Any:
    """Run one script.

    Raises:
        RedisError: If Redis cannot be reached, or says no.
    """
    return (await run_all(redis, [Call(script, keys, arguments)]))[0]


async def run_all(redis: Redis, calls: Sequence[Call]) -> list[Any]:
    """Run scripts in one round trip, in order but not as one transaction. Raises as `run`."""
    answers = await _ask(redis, calls)
    if any(isinstance(answer, NoScriptError) for answer in answers):
        # Redis has started anew. All calls may be made twice.
        for source in {call.script.source for call in calls}:
            await redis.script_load(source)
        answers = await _ask(redis, calls)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


async def _ask(redis: Redis, calls: Sequence[Call]) -> list[Any]:
    async with redis.pipeline(transaction=False) as pipeline:
        for call in calls:
            pipeline.evalsha(call.script.sha, *call.parts)
        return list(await pipeline.execute(raise_on_error=False))


async def patiently(request: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until Redis answers: for what must not be lost, where the caller can wait."""
    while True:
        try:
            return await request()
        except RedisError as error:
            logger.warning("Redis does not answer: %s", error)
        await asyncio.sleep(REDIS_RETRY_S)
