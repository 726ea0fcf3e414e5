"""The pages of webhooks, for those who administer the installation."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.models import Action, Entry
from sessions_app.models import Delivery, Webhook
from speakers.encryption import decrypt
from tests.sessions_app.meetings import make_session, make_user
from tests.sessions_app.webhooks.hooks import fill, make_hook

pytestmark = pytest.mark.django_db

NEW = {"name": "n8n", "url": "https://example.com/hook", "events": ["line.final"], "is_active": "on"}


@pytest.fixture
def client(settings: Settings, tmp_path: Path) -> Client:
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("root"))
    return client


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def shown_secret(response: Any) -> str:
    [secret] = re.findall(r"whsec_[\w+/=]+", response.content.decode())
    return str(secret)


class TestMaking:
    def test_shows_the_secret_once(self, client: Client) -> None:
        secret = shown_secret(client.post("/webhooks/new/", NEW))
        hook = Webhook.objects.get()
        assert decrypt(bytes(hook.sealed_secret)).decode() == secret
        assert (hook.name, hook.url, hook.events, hook.is_active) == (
            "n8n", "https://example.com/hook", ["line.final"], True,
        )  # fmt: skip
        for page in ("/webhooks/", f"/webhooks/{hook.pk}/", f"/webhooks/{hook.pk}/change/"):
            assert "whsec_" not in client.get(page).content.decode()

    def test_is_kept_by_no_cache(self, client: Client) -> None:
        assert "no-store" in client.post("/webhooks/new/", NEW)["Cache-Control"]

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://example.com", "example.com", "https://", "javascript:alert(1)", "https://a b.example/",
            "https://user:secret@example.com/", "https://例子.example/", "http://x:99999/",
            "https://x\r\ny: z",
            "https://[::1", "http://x:0/", "",
        ],
    )  # fmt: skip
    def test_refuses_what_is_no_address(self, url: str, client: Client) -> None:
        response = client.post("/webhooks/new/", NEW | {"url": url})
        assert 'class="field-error"' in response.content.decode()
        assert not Webhook.objects.exists()

    @pytest.mark.parametrize("events", [[], ["nonsense"], ["test"]])
    def test_refuses_events_that_there_are_not(self, events: list[str], client: Client) -> None:
        assert (
            'class="field-error"' in client.post("/webhooks/new/", NEW | {"events": events}).content.decode()
        )
        assert not Webhook.objects.exists()

    def test_says_what_it_means(self, client: Client) -> None:
        assert "also those that you do not see" in text(client.get("/webhooks/new/"))


class TestTheList:
    def test_tells_which_are_off_away_and_behind(self, client: Client) -> None:
        make_hook(name="off", is_active=False)
        make_hook(name="away", failures=3)
        fill(make_hook(name="behind"), 3)
        page = text(client.get("/webhooks/"))
        assert all(words in page for words in ("switched off", "not reached", "3 deliveries wait"))

    def test_takes_as_many_queries_for_many_as_for_one(self, client: Client) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                client.get("/webhooks/")
            return len(queries)

        make_hook()
        count()
        few = count()
        for number in range(5):
            make_hook(name=str(number))
        assert count() == few

    def test_says_so_when_there_are_none(self, client: Client) -> None:
        assert "No other program is told anything yet" in text(client.get("/webhooks/"))


class TestOneWebhook:
    def test_shows_what_became_of_each_delivery(self, client: Client) -> None:
        hook = make_hook()
        session = make_session(title="Budget")
        Delivery.objects.create(
            webhook=hook,
            event="line.final",
            session=session,
            state="delivered",
            status=204,
            attempts=2,
            took_ms=31,
        )
        Delivery.objects.create(webhook=hook, event="test", status=422, answer="<b>no</b>", attempts=1)
        page = text(client.get(f"/webhooks/{hook.pk}/"))
        assert all(
            words in page
            for words in (
                "A line is there",
                "Budget",
                "204",
                "delivered",
                "2 attempts",
                "31 ms",
                "&lt;b&gt;no",
            )
        )
        assert page.index("422") < page.index("204")  # the newest first

    def test_says_that_nobody_listens(self, client: Client) -> None:
        hook = make_hook(failures=2, not_before=timezone.now() + timedelta(minutes=1))
        assert "Nobody listened at this address" in text(client.get(f"/webhooks/{hook.pk}/"))

    def test_shows_page_after_page(self, client: Client) -> None:
        hook = make_hook()
        fill(hook, 60)
        first = client.get(f"/webhooks/{hook.pk}/")
        assert len(first.context["deliveries"]) == 50
        second = client.get(f"/webhooks/{hook.pk}/", {"before": first.context["next_before"]})
        assert (len(second.context["deliveries"]), second.context["next_before"]) == (10, None)

    @pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "½"])
    def test_starts_at_the_newest_for_what_makes_no_sense(self, before: str, client: Client) -> None:
        assert client.get(f"/webhooks/{make_hook().pk}/", {"before": before}).context["is_first"]

    def test_looks_again_only_while_something_is_on_its_way(self, client: Client) -> None:
        hook = make_hook()
        assert "data-underway" not in text(client.get(f"/webhooks/{hook.pk}/"))
        client.post(f"/webhooks/{hook.pk}/test/")
        assert "data-underway" in text(client.get(f"/webhooks/{hook.pk}/"))
        Delivery.objects.update(attempts=1)
        assert "data-underway" not in text(client.get(f"/webhooks/{hook.pk}/"))
        Delivery.objects.update(attempts=0, waiting_since=timezone.now() - timedelta(minutes=1))
        assert "data-underway" not in text(client.get(f"/webhooks/{hook.pk}/"))

    def test_takes_as_many_queries_for_many_as_for_one(self, client: Client) -> None:
        hook = make_hook()

        def count() -> int:
            Delivery.objects.create(
                webhook=hook, event="line.final", session=make_session(str(hook.deliveries.count()))
            )
            with CaptureQueriesContext(connection) as queries:
                client.get(f"/webhooks/{hook.pk}/")
            return len(queries)

        count()
        assert count() == count()


class TestChanging:
    def test_keeps_what_was_changed_and_tries_at_once(self, client: Client) -> None:
        hook = make_hook(failures=9, not_before=timezone.now() + timedelta(hours=1))
        client.post(
            f"/webhooks/{hook.pk}/change/", NEW | {"url": "http://other.example:9000/x", "is_active": ""}
        )
        hook.refresh_from_db()
        assert (hook.url, hook.is_active, hook.events) == (
            "http://other.example:9000/x",
            False,
            ["line.final"],
        )
        assert (hook.failures, hook.not_before) == (0, None)

    def test_leaves_secret_and_lease_alone(self, client: Client) -> None:
        hook = make_hook()
        page = client.get(f"/webhooks/{hook.pk}/change/")
        assert page.status_code == 200
        Webhook.objects.update(worker="w", lease_until=timezone.now() + timedelta(minutes=1))
        client.post(f"/webhooks/{hook.pk}/change/", NEW)
        changed = Webhook.objects.get()
        assert changed.worker == "w"
        assert bytes(changed.sealed_secret) == bytes(hook.sealed_secret)

    def test_shows_its_old_name_while_something_is_wrong(self, client: Client) -> None:
        hook = make_hook(name="before")
        page = text(client.post(f"/webhooks/{hook.pk}/change/", NEW | {"name": "after", "url": "x"}))
        assert "<h1>before</h1>" in page
        assert 'value="after"' in page


class TestButtons:
    def test_a_test_is_queued(self, client: Client) -> None:
        hook = make_hook()
        client.post(f"/webhooks/{hook.pk}/test/")
        assert Delivery.objects.get().event == "test"

    def test_nothing_is_tested_that_is_switched_off(self, client: Client) -> None:
        hook = make_hook(is_active=False)
        response = client.post(f"/webhooks/{hook.pk}/test/", follow=True)
        assert "This webhook is switched off." in text(response)
        assert not Delivery.objects.exists()

    def test_a_delivery_is_sent_again(self, client: Client) -> None:
        hook = make_hook()
        fill(hook, 1)
        Delivery.objects.update(state="given-up")
        row = Delivery.objects.get()
        client.post(f"/webhooks/{hook.pk}/deliveries/{row.pk}/again/")
        again = Delivery.objects.get()
        assert (again.state, again.uuid) == ("waiting", row.uuid)

    def test_no_delivery_of_another_webhook_is_sent_again(self, client: Client) -> None:
        hook, other = make_hook(), make_hook(name="other")
        fill(other, 1)
        response = client.post(f"/webhooks/{hook.pk}/deliveries/{Delivery.objects.get().pk}/again/")
        assert response.status_code == 404

    def test_another_secret_is_shown_once(self, client: Client) -> None:
        hook = make_hook()
        before = decrypt(bytes(hook.sealed_secret)).decode()
        response = client.post(f"/webhooks/{hook.pk}/secret/")
        hook.refresh_from_db()
        assert shown_secret(response) == decrypt(bytes(hook.sealed_secret)).decode() != before
        assert "24 hours" in text(response)

    def test_a_webhook_is_deleted_with_what_waits(self, client: Client) -> None:
        hook = make_hook(name="gone")
        fill(hook, 2)
        response = client.post(f"/webhooks/{hook.pk}/delete/", follow=True)
        assert "“gone” is deleted." in text(response)
        assert not Delivery.objects.exists()
        assert Entry.objects.filter(action=Action.WEBHOOK_CHANGED, detail__change="deleted").exists()


def test_the_account_page_leads_here_for_administrators_alone(client: Client) -> None:
    assert "/webhooks/" in client.get("/account/").content.decode()
    manager = Client()
    manager.force_login(make_user("m", "manager"))
    assert "/webhooks/" not in manager.get("/account/").content.decode()
