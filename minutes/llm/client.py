"""The client of a language model's server: one request, answered in the form that was asked for.

Errors say whether it is worth to try again. Neither proxies of the environment nor redirections are followed:
what is sent goes where the settings say, and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import openai
from openai.lib.streaming.chat import AsyncChatCompletionStream
from pydantic import BaseModel, ValidationError

from . import addresses
from .exceptions import ModelFailed, NoUsableAnswer, ServerAway
from .prompts import ANSWER_TOKENS, Message, size, tokens

Answer = TypeVar("Answer", bound=BaseModel)

ATTEMPTS = 3
"""For an answer in the right form: small models sometimes fail."""

SILENCE_S = 120.0
"""So long a server may say nothing: a small machine reads a long prompt for a minute and more."""

MAX_ANSWER = 200_000
"""Characters of an answer; one that goes on is broken off."""

PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server as the settings have it."""

    url: str
    model: str
    key: str = ""
    is_external_allowed: bool = False
    silence_s: float = SILENCE_S
    pause_s: float = PAUSE_S


@dataclass(frozen=True, slots=True)
class Used:
    """Tokens that a request took: as the server says, or about."""

    tokens: int


class Client:
    """Asks one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._openai = openai.AsyncOpenAI(
            base_url=server.url,
            api_key=server.key or "none",
            timeout=openai.Timeout(server.silence_s, connect=10.0),
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False, trust_env=False),
        )

    async def close(self) -> None:
        await self._openai.close()

    async def ask(self, messages: Sequence[Message], form: type[Answer]) -> tuple[Answer, Used]:
        """Return an answer in this form.

        Raises:
            ServerAway: If nobody answers.
            NoUsableAnswer: If nothing that can be used was answered, several times.
            ModelFailed: If the request was refused.
            NotAllowed: If the server's address is outside, and that is not allowed.
        """
        await asyncio.to_thread(
            addresses.check, self._server.url, is_external_allowed=self._server.is_external_allowed
        )
        spent = 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer, used = await self._ask_once(messages, form)
            except _Unusable as error:
                spent += error.used
                if attempt == ATTEMPTS:
                    raise NoUsableAnswer(f"{self._server.model}: {error}") from error
            except ServerAway:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(self._server.pause_s * attempt)
            else:
                return answer, Used(spent + used)
        raise AssertionError("unreachable")

    async def _ask_once(self, messages: Sequence[Message], form: type[Answer]) -> tuple[Answer, int]:
        asked = size(messages)
        try:
            async with self._openai.chat.completions.stream(
                model=self._server.model,
                messages=list(messages),  # type: ignore[arg-type]  # plain dictionaries of roles and texts
                response_format=form,
                temperature=0,
                max_tokens=ANSWER_TOKENS,
                stream_options={"include_usage": True},
            ) as stream:
                return await _read(stream, form, asked)
        except openai.RateLimitError as error:
            raise ServerAway("The language model's server has too much to do.") from error
        except (openai.APITimeoutError, openai.APIConnectionError) as error:
            raise ServerAway("The language model's server does not answer.") from error
        except openai.APIStatusError as error:
            raise _by_status(error) from error
        except openai.LengthFinishReasonError as error:
            raise _Unusable("its answer was too long.", asked + ANSWER_TOKENS) from error
        except openai.ContentFilterFinishReasonError as error:
            raise _Unusable("its filter let no answer through.", asked) from error
        except (openai.OpenAIError, ValidationError, ValueError) as error:
            raise _Unusable("its answer was not in the form that was asked for.", asked) from error


class _Unusable(Exception):
    """An answer of no use."""

    def __init__(self, message: str, used: int) -> None:
        super().__init__(message)
        self.used = used


def _by_status(error: openai.APIStatusError) -> Exception:
    if error.status_code >= 500:
        return ServerAway(f"The language model's server failed ({error.status_code}).")
    return ModelFailed(f"The language model's server refused the request ({error.status_code}).")


async def _read(
    stream: AsyncChatCompletionStream[Answer], form: type[Answer], asked: int
) -> tuple[Answer, int]:
    """Read an answer to its end."""
    length = 0
    async for event in stream:
        length += len(event.delta) if event.type == "content.delta" else 0
        if length > MAX_ANSWER:
            raise _Unusable("its answer did not end.", asked + length)
    completion = await stream.get_final_completion()
    choice = completion.choices[0] if completion.choices else None
    if choice is None or choice.message.refusal:
        raise _Unusable("it refused to answer.", asked)
    text = choice.message.content or ""
    used = completion.usage.total_tokens if completion.usage else asked + tokens(text)
    return form.model_validate_json(text), used
