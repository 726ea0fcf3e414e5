"""The queue of a webhook: its lease, its order, and what becomes of each message."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from audit.models import Action, Entry
from sessions_app.models import Delivery, Webhook
from sessions_app.webhooks import endpoints, queue
from sessions_app.webhooks.queue import Parcel, Result
from sessions_app.webhooks.retries import GIVE_UP_S, Outcome
from speakers import key_rotation
from tests.support.server import ROOT

from .hooks import fill, make_hook

sys.path.insert(0, str(ROOT / "examples"))

from webhooks import Refused, verified

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _keys(settings: Settings, tmp_path: Path) -> None:
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"


def at_work(hook: Webhook, worker: str = "w") -> Parcel | None:
    """The next message for a worker that has the lease."""
    queue.claim(hook.pk, worker)
    return queue.next_parcel(hook.pk, worker)


def settled(hook: Webhook, status: int | None, worker: str = "w") -> Delivery:
    """The next message of a webhook, after an answer of this status."""
    parcel = at_work(hook, worker)
    assert parcel
    queue.settle(hook.pk, worker, parcel.pk, Result(status, "text", 7))
    return Delivery.objects.get(pk=parcel.pk)


def later(hook: Webhook, seconds: float) -> None:
    """Let so much time go by for a webhook and its messages."""
    back = timedelta(seconds=seconds)
    for row in [Webhook.objects.get(pk=hook.pk), *Delivery.objects.filter(webhook=hook)]:
        for name in ("not_before", "lease_until", "waiting_since"):
            if moment := getattr(row, name, None):
                setattr(row, name, moment - back)
        row.save()


class TestTheLease:
    def test_is_one_worker_s_at_a_time(self) -> None:
        hook = make_hook()
        assert queue.claim(hook.pk, "a")
        assert not queue.claim(hook.pk, "b")
        assert queue.next_parcel(hook.pk, "b") is None
        queue.release(hook.pk, "b")  # not its own
        assert not queue.claim(hook.pk, "b")
        queue.release(hook.pk, "a")
        assert queue.claim(hook.pk, "b")

    def test_of_a_worker_that_died_runs_out(self) -> None:
        hook = make_hook()
        fill(hook, 1)
        assert at_work(hook, "dead")
        assert queue.due() == []
        later(hook, 61)
        assert queue.due() == [hook.pk]
        assert at_work(hook, "b")

    def test_that_ran_out_lets_its_worker_settle_nothing(self) -> None:
        hook = make_hook()
        fill(hook, 1)
        parcel = at_work(hook, "slow")
        later(hook, 61)
        assert at_work(hook, "b")
        assert parcel
        queue.settle(hook.pk, "slow", parcel.pk, Result(200, ""))
        assert Delivery.objects.get().state == Delivery.State.WAITING

    def test_goes_on_as_long_as_something_is_sent(self) -> None:
        hook = make_hook()
        fill(hook, 2)
        settled(hook, 200)
        later(hook, 50)
        assert at_work(hook)
        later(hook, 50)
        assert not queue.claim(hook.pk, "b")


class TestMessages:
    def test_are_sent_in_the_order_in_which_they_happened(self) -> None:
        hook = make_hook()
        ids = fill(hook, 3)
        assert [str(settled(hook, 200).uuid) for _ in range(3)] == ids
        assert at_work(hook) is None

    def test_are_signed_and_have_their_id(self) -> None:
        hook = make_hook()
        secret = endpoints.renew_secret(hook, by=User.objects.get())
        [message_id] = fill(hook, 1)
        parcel = at_work(hook)
        assert parcel
        assert verified(parcel.headers, parcel.body, secret) == {
            "type": "test", "timestamp": Delivery.objects.get().created_at.isoformat(), "data": {},
        }  # fmt: skip
        assert (parcel.headers["webhook-id"], parcel.url) == (message_id, hook.url)

    def test_keep_their_id_at_each_attempt(self) -> None:
        hook = make_hook()
        [message_id] = fill(hook, 1)
        settled(hook, None)
        later(hook, 10)
        parcel = at_work(hook)
        assert parcel
        assert parcel.headers["webhook-id"] == message_id

    def test_are_not_sent_to_a_webhook_that_is_switched_off(self) -> None:
        hook = make_hook(is_active=False)
        fill(hook, 1)
        assert queue.due() == []
        assert not queue.claim(hook.pk, "w")

    def test_note_how_it_went(self) -> None:
        hook = make_hook()
        fill(hook, 1)
        row = settled(hook, 200)
        assert (row.state, row.attempts, row.status, row.answer, row.took_ms) == (
            "delivered",
            1,
            200,
            "text",
            7,
        )
        assert row.sent_at

    def test_note_a_long_answer_in_short(self) -> None:
        hook = make_hook()
        fill(hook, 1)
        parcel = at_work(hook)
        assert parcel
        queue.settle(hook.pk, "w", parcel.pk, Result(200, "\0" + "x" * 9999))
        assert Delivery.objects.get().answer == " " + "x" * 499


class TestAReceiverThatIsAway:
    def test_is_tried_again_after_growing_delays(self) -> None:
        hook = make_hook()
        fill(hook, 2)
        waits = []
        for _ in range(8):
            assert settled(hook, None).state == Delivery.State.WAITING
            hook.refresh_from_db()
            assert hook.not_before
            waits.append(round((hook.not_before - timezone.now()).total_seconds()))
            assert at_work(hook) is None
            later(hook, waits[-1] + 1)
        assert waits == [5, 15, 60, 300, 900, 1800, 3600, 3600]

    def test_is_told_everything_in_order_when_it_is_back(self) -> None:
        hook = make_hook()
        ids = fill(hook, 3)
        settled(hook, 503)
        later(hook, 6)
        assert [str(settled(hook, 200).uuid) for _ in range(3)] == ids
        hook.refresh_from_db()
        assert (hook.failures, hook.not_before) == (0, None)

    def test_for_three_days_misses_what_is_older(self) -> None:
        hook = make_hook()
        old, new = fill(hook, 2)
        Delivery.objects.filter(uuid=old).update(
            waiting_since=timezone.now() - timedelta(seconds=GIVE_UP_S + 1)
        )
        assert str(settled(hook, 200).uuid) == new
        assert Delivery.objects.get(uuid=old).state == Delivery.State.GIVEN_UP

    def test_for_a_day_misses_nothing(self) -> None:
        hook = make_hook()
        fill(hook, 1)
        settled(hook, None)
        later(hook, 25 * 3600)
        assert settled(hook, 200).state == Delivery.State.DELIVERED


class TestAMessageThatIsRefused:
    def test_is_tried_again_later_and_holds_up_no_other(self) -> None:
        hook = make_hook()
        first, second = fill(hook, 2)
        row = settled(hook, 500)
        assert str(row.uuid) == first
        assert row.not_before
        assert str(settled(hook, 200).uuid) == second
        assert at_work(hook) is None
        later(hook, 6)
        row = settled(hook, 400)
        assert (str(row.uuid), row.attempts) == (first, 2)
        assert row.not_before
        assert row.not_before - timezone.now() > timedelta(seconds=10)

    def test_does_not_make_the_webhook_wait(self) -> None:
        hook = make_hook(failures=3)
        fill(hook, 1)
        settled(hook, 400)
        hook.refresh_from_db()
        assert (hook.failures, hook.not_before) == (0, None)


@pytest.mark.parametrize(
    ("status", "meant"), [(200, Outcome.DELIVERED), (404, Outcome.REFUSED), (None, Outcome.AWAY)]
)
def test_what_an_answer_meant_is_returned(status: int | None, meant: Outcome) -> None:
    hook = make_hook()
    fill(hook, 1)
    parcel = at_work(hook)
    assert parcel
    assert queue.settle(hook.pk, "w", parcel.pk, Result(status, "")) is meant


def test_what_was_settled_long_ago_is_deleted_and_what_waits_is_not() -> None:
    hook = make_hook()
    fill(hook, 2)
    settled(hook, 200)
    assert queue.prune() == 0
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert queue.prune() == 1
    assert Delivery.objects.get().state == Delivery.State.WAITING


class TestSecrets:
    def test_are_unreadable_in_the_database(self) -> None:
        hook, secret = endpoints.make(
            name="a", url="https://x.example", events=[], by=User.objects.create(username="r")
        )
        assert secret.removeprefix("whsec_").encode() not in bytes(hook.sealed_secret)

    def test_that_were_renewed_sign_beside_the_new_one_for_a_day(self) -> None:
        hook = make_hook()
        by = User.objects.get()
        old, new = endpoints.renew_secret(hook, by=by), endpoints.renew_secret(hook, by=by)
        fill(hook, 1)
        parcel = at_work(hook)
        assert parcel
        assert all(verified(parcel.headers, parcel.body, each) for each in (old, new))
        Webhook.objects.update(previous_until=timezone.now())
        parcel = queue.next_parcel(hook.pk, "w")
        assert parcel
        with pytest.raises(Refused):
            verified(parcel.headers, parcel.body, old)

    def test_outlive_a_change_of_the_installation_s_key(self) -> None:
        hook = make_hook()
        secret = endpoints.renew_secret(hook, by=User.objects.get())
        key_rotation.add_key()
        key_rotation.rotate()
        key_rotation.drop_old_keys()
        fill(hook, 1)
        parcel = at_work(hook)
        assert parcel
        assert verified(parcel.headers, parcel.body, secret)


class TestByHand:
    def test_a_test_is_sent_at_once_though_nobody_was_there(self) -> None:
        hook = make_hook(failures=5, not_before=timezone.now() + timedelta(hours=1))
        endpoints.test(hook)
        assert queue.due() == [hook.pk]
        assert settled(hook, 200).event == "test"

    @pytest.mark.parametrize("state", ["delivered", "given-up", "waiting"])
    def test_a_message_is_sent_again_under_its_id(self, state: str) -> None:
        hook = make_hook()
        [message_id] = fill(hook, 1)
        Delivery.objects.update(state=state, attempts=9, waiting_since="2020-01-01T00:00Z")
        endpoints.send_again(Delivery.objects.select_related("webhook").get())
        row = settled(hook, 200)
        assert (str(row.uuid), row.attempts, row.state) == (message_id, 1, "delivered")

    def test_changes_are_on_record(self) -> None:
        hook = make_hook()
        by = User.objects.get()
        key = hook.pk
        endpoints.change(hook, by=by)
        endpoints.renew_secret(hook, by=by)
        endpoints.delete(hook, by=by)
        entries: Any = Entry.objects.filter(action=Action.WEBHOOK_CHANGED, actor=by).order_by("pk")
        assert [entry.detail for entry in entries] == [
            {"webhook": key, "change": change} for change in ("made", "changed", "secret", "deleted")
        ]
