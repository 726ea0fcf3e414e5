"""Webhooks and what waits for them, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User

from sessions_app.forms import EVENTS
from sessions_app.models import Delivery, Webhook
from sessions_app.store.outbox import Event
from sessions_app.webhooks import endpoints

ALL = [*EVENTS]


def make_hook(
    url: str = "https://example.com/hook", *, events: Iterable[str] = ALL, name: str = "n8n", **columns: Any
) -> Webhook:
    by, _ = User.objects.get_or_create(username="root", is_superuser=True)
    hook, _ = endpoints.make(name=name, url=url, events=events, by=by)
    if columns:
        Webhook.objects.filter(pk=hook.pk).update(**columns)
    return hook


def fill(hook: Webhook, count: int) -> list[str]:
    """So many messages that wait; their ids."""
    rows = Delivery.objects.bulk_create(Delivery(webhook=hook, event=Event.TEST) for _ in range(count))
    return [str(row.uuid) for row in rows]
