"""Rules and hotwords in the admin: each change is on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from audit.models import Action, Entry
from sessions_app.models import CommonHotword, WritingRule

ROWS: list[Any] = [
    pytest.param(WritingRule, {"wrong": "王雷", "right": "王磊"}, {"right": "王累"}, "rule", id="rule"),
    pytest.param(CommonHotword, {"text": "王磊", "weight": "20"}, {"weight": "40"}, "hotword", id="hotword"),
]


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def changes(called: str) -> list[tuple[int, str]]:
    action = {"rule": Action.RULE_CHANGED, "hotword": Action.HOTWORD_CHANGED}[called]
    details = [entry.detail for entry in Entry.objects.filter(action=action).order_by("pk")]
    return [(each[called], each["change"]) for each in details]


def address(model: type[Model], page: str, *arguments: int) -> str:
    return reverse(f"admin:sessions_app_{model._meta.model_name}_{page}", args=arguments)


@pytest.mark.parametrize(("model", "fields", "changed", "called"), ROWS)
def test_making_changing_and_deleting_one(
    admin: Client, model: Any, fields: dict[str, str], changed: dict[str, str], called: str
) -> None:
    admin.post(address(model, "add"), fields)
    row = model.objects.get()
    admin.post(address(model, "change", row.pk), fields | changed)
    admin.post(address(model, "delete", row.pk), {"post": "yes"})
    assert not model.objects.exists()
    assert changes(called) == [(row.pk, "made"), (row.pk, "changed"), (row.pk, "deleted")]


@pytest.mark.parametrize(("model", "fields", "changed", "called"), ROWS)
def test_deleting_several_at_once(
    admin: Client, model: Any, fields: dict[str, str], changed: dict[str, str], called: str
) -> None:
    others = {"wrong": "小张", "right": "晓章"} if called == "rule" else {"text": "提测", "weight": "20"}
    for each in (fields, others):
        admin.post(address(model, "add"), each)
    keys = list(model.objects.values_list("pk", flat=True))
    chosen = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    admin.post(address(model, "changelist"), chosen)
    assert not model.objects.exists()
    assert sorted(key for key, change in changes(called) if change == "deleted") == sorted(keys)


def test_a_rule_has_the_name_of_who_made_it(admin: Client) -> None:
    admin.post(address(WritingRule, "add"), {"wrong": "王雷", "right": "王磊"})
    rule = WritingRule.objects.get()
    assert rule.made_by
    assert rule.made_by.username == "admin"
