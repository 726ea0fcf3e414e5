"""Programs that use the sessions' API, as different askers."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from sessions_app.models import AccessToken

REMOTE = "203.0.113.9"


class Program:
    """One that shows this in `Authorization`, from another machine."""

    def __init__(self, authorization: str = "", *, address: str = REMOTE, **headers: str) -> None:
        shown = {"authorization": authorization} if authorization else {}
        self._client = Client(REMOTE_ADDR=address, headers={"accept-language": "en", **shown, **headers})

    def ask(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """The response to one request."""
        sent: Any = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(self._client, method)(f"/api/{path}", **sent, **options)

    def get(self, path: str, **query: Any) -> Any:
        """The content of an answer, which must be one."""
        response = self._client.get(f"/api/{path}", query)
        assert response.status_code == 200, response.content
        return response.json()


def by_password(user: User) -> Program:
    user.set_password("secret")
    user.save()
    return Program("Basic " + base64.b64encode(f"{user.username}:secret".encode()).decode())


def by_token(**options: Any) -> Program:
    """Somebody with a token; for reading everything unless it is said otherwise."""
    _, secret = AccessToken.issue(**{"name": "a program", "role": "receiver"} | options)
    return Program(f"Bearer {secret}")
