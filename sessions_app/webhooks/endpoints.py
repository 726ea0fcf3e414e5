"""Webhooks as people keep them: made, changed, tested; their secrets, and deliveries sent again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from audit import log
from audit.models import Action
from sessions_app.models import Delivery, Webhook
from sessions_app.store.outbox import Event
from speakers.encryption import encrypt

from . import signing

OVERLAP = timedelta(hours=24)
"""So long a secret that was replaced still signs as well."""


def make(*, name: str, url: str, events: Iterable[str], by: User) -> tuple[Webhook, str]:
    """Make a webhook, and return it with its secret, which is told once."""
    secret = signing.new_secret()
    with transaction.atomic():
        hook = Webhook.objects.create(
            name=name, url=url, events=list(events), sealed_secret=encrypt(secret.encode()), created_by=by
        )
        _record(hook, "made", by)
    return hook, secret


def change(hook: Webhook, *, by: User) -> None:
    """Keep what was changed of a webhook; it is tried at once, whatever happened before."""
    with transaction.atomic():
        hook.failures, hook.not_before = 0, None
        hook.save(update_fields=["name", "url", "events", "is_active", "failures", "not_before"])
        _record(hook, "changed", by)


def delete(hook: Webhook, *, by: User) -> None:
    """Delete a webhook with all that waits for it."""
    with transaction.atomic():
        _record(hook, "deleted", by)
        hook.delete()


def renew_secret(hook: Webhook, *, by: User) -> str:
    """Give a webhook another secret, told once; the one before signs as well for a day."""
    secret = signing.new_secret()
    with transaction.atomic():
        hook.sealed_previous, hook.previous_until = hook.sealed_secret, timezone.now() + OVERLAP
        hook.sealed_secret = encrypt(secret.encode())
        hook.save(update_fields=["sealed_secret", "sealed_previous", "previous_until"])
        _record(hook, "secret", by)
    return secret


def test(hook: Webhook) -> Delivery:
    """Send a message that says nothing."""
    _try_now(hook)
    return Delivery.objects.create(webhook=hook, event=Event.TEST)


def send_again(delivery: Delivery) -> None:
    """Send a delivery once more, under its id: a receiver that has it counts it once."""
    _try_now(delivery.webhook)
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.WAITING, waiting_since=timezone.now(), not_before=None, attempts=0
    )


def _try_now(hook: Webhook) -> None:
    Webhook.objects.filter(pk=hook.pk).update(not_before=None)


def _record(hook: Webhook, change: str, by: User) -> None:
    log.record(Action.WEBHOOK_CHANGED, by=by, webhook=hook.pk, change=change)
