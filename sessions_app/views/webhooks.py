"""The pages of webhooks: their addresses, events and secrets, and what became of each delivery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from sessions_app.webhooks import endpoints
from sessions_app.wire.untrusted import whole_number
from speakers.permissions import needs, user_of

from ..forms import EVENTS, WebhookForm
from ..models import Delivery, Webhook

CHANGE = "sessions_app.change_webhook"
"""Who has this is told whatever is said here, so nobody has it but administrators."""

SHOWN = 50
UNDERWAY = timedelta(seconds=30)
"""So long a page looks again whether something was delivered."""


@needs(CHANGE)
def webhook_list(request: HttpRequest) -> HttpResponse:
    """Show all webhooks."""
    waiting = Count("deliveries", filter=Q(deliveries__state=Delivery.State.WAITING))
    return render(request, "webhooks/list.html", {"hooks": Webhook.objects.annotate(waiting=waiting)})


@needs(CHANGE)
@never_cache
def add_webhook(request: HttpRequest) -> HttpResponse:
    """Make a webhook; its secret is shown once."""
    form = WebhookForm(request.POST or None, initial={"events": list(EVENTS), "is_active": True})
    if form.is_valid():
        known = form.cleaned_data
        hook, secret = endpoints.make(
            name=known["name"], url=known["url"], events=known["events"], by=user_of(request)
        )
        return render(request, "webhooks/secret.html", {"hook": hook, "secret": secret})
    return render(request, "webhooks/add.html", {"form": form})


@needs(CHANGE)
def webhook(request: HttpRequest, key: int) -> HttpResponse:
    """Show one webhook and its latest deliveries."""
    hook = get_object_or_404(Webhook, pk=key)
    rows = hook.deliveries.select_related("session").order_by("-pk")
    if before := _before(request):
        rows = rows.filter(pk__lt=before)
    shown = list(rows[: SHOWN + 1])
    context: dict[str, Any] = {
        "hook": hook,
        "events": [EVENTS[name] for name in hook.events if name in EVENTS],
        "deliveries": [_told(row) for row in shown[:SHOWN]],
        "next_before": shown[SHOWN - 1].pk if len(shown) > SHOWN else None,
        "is_first": before is None,
        "waiting": hook.deliveries.filter(state=Delivery.State.WAITING).count(),
        "is_underway": hook.is_active and _is_underway(shown),
    }
    return render(request, "webhooks/webhook.html", context)


@needs(CHANGE)
def change_webhook(request: HttpRequest, key: int) -> HttpResponse:
    """Change name, address and events of a webhook, and switch it on or off."""
    hook = get_object_or_404(Webhook, pk=key)
    form = WebhookForm(request.POST or None, instance=hook)
    if form.is_valid():
        endpoints.change(form.save(commit=False), by=user_of(request))
        messages.success(request, _("Saved."))
        return redirect("webhook", hook.pk)
    return render(request, "webhooks/change.html", {"hook": get_object_or_404(Webhook, pk=key), "form": form})


@require_POST
@needs(CHANGE)
def test_webhook(request: HttpRequest, key: int) -> HttpResponse:
    """Send a message that says nothing."""
    hook = get_object_or_404(Webhook, pk=key)
    if not hook.is_active:
        messages.error(request, _("This webhook is switched off."))
    else:
        endpoints.test(hook)
    return redirect("webhook", hook.pk)


@require_POST
@needs(CHANGE)
def send_again(request: HttpRequest, key: int, delivery: int) -> HttpResponse:
    """Send one delivery once more."""
    row = get_object_or_404(Delivery.objects.select_related("webhook"), pk=delivery, webhook=key)
    endpoints.send_again(row)
    return redirect("webhook", key)


@never_cache
@require_POST
@needs(CHANGE)
def renew_secret(request: HttpRequest, key: int) -> HttpResponse:
    """Give a webhook another secret, shown once."""
    hook = get_object_or_404(Webhook, pk=key)
    secret = endpoints.renew_secret(hook, by=user_of(request))
    return render(request, "webhooks/secret.html", {"hook": hook, "secret": secret, "is_another": True})


@require_POST
@needs(CHANGE)
def delete_webhook(request: HttpRequest, key: int) -> HttpResponse:
    """Delete a webhook."""
    hook = get_object_or_404(Webhook, pk=key)
    endpoints.delete(hook, by=user_of(request))
    messages.success(request, _("“%(name)s” is deleted.") % {"name": hook})
    return redirect("webhook-list")


def _told(row: Delivery) -> dict[str, Any]:
    return {
        "row": row,
        "event": EVENTS.get(row.event, _("Test")),
        "is_settled": row.state != row.State.WAITING,
    }


def _is_underway(rows: list[Delivery]) -> bool:
    """Tell whether something was asked for a moment ago, and not sent yet."""
    since = timezone.now() - UNDERWAY
    return any(
        row.state == Delivery.State.WAITING and not row.attempts and row.waiting_since > since for row in rows
    )


def _before(request: HttpRequest) -> int | None:
    return whole_number(request.GET.get("before", ""))
