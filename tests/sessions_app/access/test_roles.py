from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from sessions_app.access.roles import ROLES

pytestmark = pytest.mark.django_db


def permissions(group: str) -> set[str]:
    rows = Group.objects.get(name=group).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_a_new_database_has_the_groups() -> None:
    assert {name: permissions(name) for name in ROLES} == {
        name: set(wanted) for name, wanted in ROLES.items()
    }


def test_setting_up_again_repairs_and_takes_nothing_away(capsys: pytest.CaptureFixture[str]) -> None:
    viewer = Group.objects.get(name="viewer")
    extra = Group.objects.get(name="enroller").permissions.first()
    viewer.permissions.set([extra])
    Group.objects.get(name="editor").delete()
    call_command("setup_groups")
    assert permissions("viewer") >= set(ROLES["viewer"])
    assert extra in viewer.permissions.all()
    assert "editor: made\n" in capsys.readouterr().out
