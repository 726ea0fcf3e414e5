"""The queue of each webhook: who delivers from it, what is next, and what became of it.

One worker at a time has the lease of a webhook, and sends one message after the other: so they come in order,
and a receiver that hangs holds up nothing but its own. A worker that dies lets its lease run out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from sessions_app.models import Delivery, Webhook
from speakers.encryption import decrypt

from . import messages, signing
from .retries import GIVE_UP_S, Outcome, delay_s, outcome

LEASE = timedelta(seconds=60)
KEEP = timedelta(days=7)
"""So long what was delivered, or given up, can be seen and sent again."""

MAX_ANSWER = 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery, ready to be sent."""

    pk: int
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an attempt: an answer, or why there was none."""

    status: int | None
    text: str
    took_ms: int | None = None


def due(now: datetime | None = None) -> list[int]:
    """Return the webhooks that somebody should deliver to now."""
    now = now or timezone.now()
    waiting = _waiting(now).filter(webhook=OuterRef("pk"))
    return list(_free(now).filter(Exists(waiting)).values_list("pk", flat=True))


def claim(webhook: int, worker: str) -> bool:
    """Take the lease of a webhook, and tell whether that succeeded: any number of workers may try at once."""
    now = timezone.now()
    return bool(_free(now).filter(pk=webhook).update(worker=worker, lease_until=now + LEASE))


def release(webhook: int, worker: str) -> None:
    """Let others deliver."""
    Webhook.objects.filter(pk=webhook, worker=worker).update(lease_until=None, worker="")


def next_parcel(webhook: int, worker: str) -> Parcel | None:
    """Return the next message of a webhook, and keep its lease; None if there is nothing to do for now."""
    now = timezone.now()
    own = Webhook.objects.filter(pk=webhook, worker=worker, is_active=True, lease_until__gt=now)
    own = own.filter(Q(not_before=None) | Q(not_before__lte=now))
    if not own.update(lease_until=now + LEASE):
        return None
    _give_up_old(webhook, now)
    delivery = _waiting(now).filter(webhook=webhook).order_by("pk").select_related("webhook").first()
    return _parcel(delivery, now) if delivery else None


def settle(webhook: int, worker: str, delivery: int, result: Result) -> Outcome:
    """Note what became of an attempt, unless another worker has the webhook now."""
    now, meant = timezone.now(), outcome(result.status)
    with transaction.atomic():
        own = Webhook.objects.select_for_update().filter(pk=webhook, worker=worker)
        if not (row := own.first()):
            return meant
        told: dict[str, Any] = {
            "attempts": F("attempts") + 1,
            "sent_at": now,
            "status": result.status,
            "answer": result.text.replace("\0", " ")[:MAX_ANSWER],
            "took_ms": result.took_ms,
        }
        one = Delivery.objects.filter(pk=delivery, state=Delivery.State.WAITING)
        if meant is Outcome.DELIVERED:
            told["state"] = Delivery.State.DELIVERED
        elif meant is Outcome.REFUSED:
            attempts = one.values_list("attempts", flat=True).first() or 0
            told["not_before"] = now + timedelta(seconds=delay_s(attempts + 1))
        one.update(**told)
        failures = row.failures + 1 if meant is Outcome.AWAY else 0
        not_before = now + timedelta(seconds=delay_s(failures)) if failures else None
        own.update(failures=failures, not_before=not_before)
    return meant


def prune(now: datetime | None = None) -> int:
    """Delete what was settled long ago, and return how much that was."""
    old = Delivery.objects.filter(created_at__lt=(now or timezone.now()) - KEEP)
    return old.exclude(state=Delivery.State.WAITING).delete()[0]


def _free(now: datetime) -> QuerySet[Webhook]:
    """Select the webhooks to which nobody delivers, and which may be tried."""
    unleased = Q(lease_until=None) | Q(lease_until__lt=now)
    return Webhook.objects.filter(unleased, Q(not_before=None) | Q(not_before__lte=now), is_active=True)


def _waiting(now: datetime) -> QuerySet[Delivery]:
    may_be_sent = Q(not_before=None) | Q(not_before__lte=now)
    return Delivery.objects.filter(may_be_sent, state=Delivery.State.WAITING)


def _give_up_old(webhook: int, now: datetime) -> None:
    limit = now - timedelta(seconds=GIVE_UP_S)
    old = Delivery.objects.filter(webhook=webhook, state=Delivery.State.WAITING, waiting_since__lt=limit)
    old.update(state=Delivery.State.GIVEN_UP)


def _parcel(delivery: Delivery, now: datetime) -> Parcel:
    body = messages.body_of(delivery)
    hook = delivery.webhook
    sealed = [hook.sealed_secret]
    if hook.sealed_previous and hook.previous_until and hook.previous_until > now:
        sealed.append(hook.sealed_previous)
    keys = [decrypt(bytes(each)).decode() for each in sealed]
    signed = signing.headers(str(delivery.uuid), int(now.timestamp()), body, keys)
    kind = {"content-type": "application/json", "user-agent": "asrsite-webhooks"}
    return Parcel(delivery.pk, hook.url, kind | signed, body)
