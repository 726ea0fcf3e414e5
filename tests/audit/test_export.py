from __future__ import annotations

import json
import uuid
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import AsyncClient, Client
from django.urls import reverse

from audit import export, log
from audit.models import Action, Entry
from audit.origin import Origin

from ..sessions_app.meetings import make_user
from .test_log import make_old

pytestmark = pytest.mark.django_db

ALICE = uuid.UUID("00000000-0000-4000-8000-000000000001")


def printed(**options: Any) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("audit", stdout=out, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def entries() -> list[Entry]:
    anna = User.objects.create_user("安娜")
    log.record(Action.ENROLLED, by=anna, speaker=ALICE, voiceprint="v")
    log.record(Action.MEETING_READ, whence=Origin(anna, "203.0.113.7"), meeting="周会-42")
    log.record(Action.LOGGED_IN, by=anna)
    return list(Entry.objects.order_by("pk"))


def test_a_line_has_all_of_an_entry(entries: list[Entry]) -> None:
    _first, second, _third = printed()
    assert second == {
        "id": entries[1].pk,
        "at": entries[1].at.isoformat(),
        "actor": entries[1].actor_id,
        "actor_name": "安娜",
        "address": "203.0.113.7",
        "action": "meeting-read",
        "speaker": None,
        "meeting": "周会-42",
        "detail": {},
    }


def test_what_is_new_can_be_asked_for(entries: list[Entry]) -> None:
    assert [row["action"] for row in printed(after=entries[0].pk)] == ["meeting-read", "login"]
    make_old(entries[0], days=400)
    assert len(printed(since=f"{entries[1].at:%Y-%m-%d}T00:00+00:00")) == 2
    assert [row["action"] for row in printed(until="2026-01-01")] == ["enroll"]


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-30T25:00"])
def test_a_time_that_is_none_is_named(text: str) -> None:
    with pytest.raises(CommandError, match=f"--since '{text}' is no time"):
        printed(since=text)


def test_more_than_fit_into_memory_come_page_by_page(
    entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_AT_ONCE", 2)
    pages = list(export.json_lines(Entry.objects.all()))
    assert [page.count("\n") for page in pages] == [2, 1]


class TestPage:
    def test_the_list_leads_to_what_it_shows_as_json_lines(
        self, entries: list[Entry], admin_client: Client
    ) -> None:
        page = admin_client.get(reverse("admin:audit_entry_changelist"), {"q": "周会"})
        assert f"{reverse('admin:audit_entry_export')}?q=%E5%91%A8%E4%BC%9A" in page.content.decode()

    @pytest.mark.django_db(transaction=True)
    async def test_an_export_holds_what_was_looked_for_and_is_on_record(self) -> None:
        root = await User.objects.acreate_superuser("root")
        await Entry.objects.acreate(action="meeting-read", meeting="weekly")
        await Entry.objects.acreate(action="login")
        client = AsyncClient()
        await client.aforce_login(root)
        response = await client.get(reverse("admin:audit_entry_export"), {"action__exact": "meeting-read"})
        text = b"".join([part async for part in response.streaming_content]).decode()  # type: ignore[attr-defined]
        assert [json.loads(line)["meeting"] for line in text.splitlines()] == ["weekly"]
        assert response.headers["Content-Disposition"].endswith('.jsonl"')
        assert await Entry.objects.filter(action="audit-export", actor=root).acount() == 1

    def test_the_list_says_which_account_somebody_tried(self, admin_client: Client) -> None:
        log.record(Action.LOGIN_FAILED, account=4711)
        log.record(Action.MEETING_SHARED, meeting="weekly", account=4712)
        page = admin_client.get(reverse("admin:audit_entry_changelist")).content.decode()
        assert ">account 4711<" in page
        assert ">weekly<" in page and "account 4712" not in page

    def test_a_filter_that_is_none_is_no_fault_of_the_server(self, admin_client: Client) -> None:
        page = reverse("admin:audit_entry_export")
        assert admin_client.get(page, {"at__gte": "never"}).status_code == 404

    def test_an_auditor_reads_it_all_and_a_keeper_of_voices_what_concerns_them(
        self, entries: list[Entry], client: Client
    ) -> None:
        page = reverse("admin:audit_entry_changelist")
        for role, meetings in (("auditor", 1), ("enroller", 0)):
            client.force_login(make_user(f"the-{role}", role, is_staff=True))
            assert client.get(page).content.decode().count(">周会-42<") == meetings
