"""The groups of an installation: what they may, and that they stay as an administrator left them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.utils import translation

from sessions_app.access import roles
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
    extra = Group.objects.get(name="enroller").permissions.all()[0]
    viewer.permissions.set([extra])
    Group.objects.get(name="editor").delete()
    call_command("setup_groups")
    assert permissions("viewer") >= set(ROLES["viewer"])
    assert extra in viewer.permissions.all()
    assert "editor: made\n" in capsys.readouterr().out


def test_every_permission_of_a_role_exists() -> None:
    for names in ROLES.values():
        for name in names:
            app, codename = name.split(".")
            assert Permission.objects.filter(content_type__app_label=app, codename=codename).exists(), name


def test_who_only_looks_changes_nothing() -> None:
    """The role that is given to most people: nothing in it writes."""
    verbs = {name.partition(".")[2].partition("_")[0] for name in ROLES["viewer"]}

    assert verbs == {"view"}


def test_voices_are_for_enrollers_alone() -> None:
    for name, wanted in ROLES.items():
        has_voices = any("voiceprint" in permission or "enroll" in permission for permission in wanted)
        assert has_voices == (name == "enroller")


def test_what_an_administrator_changed_is_not_changed_back_by_an_update() -> None:
    Group.objects.get(name="viewer").permissions.clear()
    Group.objects.get(name="editor").delete()

    roles.set_up_groups_after_migrate(sender=None)

    assert permissions("viewer") == set()
    assert not Group.objects.filter(name="editor").exists()


def test_groups_that_are_all_gone_come_back_with_the_next_update() -> None:
    Group.objects.all().delete()

    roles.set_up_groups_after_migrate(sender=None)

    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


def test_while_permissions_are_still_being_made_there_are_no_half_groups() -> None:
    """Django makes them app by app: the groups come with the last of them."""
    Group.objects.all().delete()
    Permission.objects.filter(codename="enroll_speaker").delete()

    roles.set_up_groups_after_migrate(sender=None)

    assert not Group.objects.exists()


def test_setting_up_says_what_is_new() -> None:
    Group.objects.get(name="editor").delete()

    made = roles.set_up_groups()

    assert made == {
        "viewer": False,
        "transcriber": False,
        "editor": True,
        "enroller": False,
        "manager": False,
        "auditor": False,
    }


def test_a_misspelt_app_is_an_error_and_no_missing_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "ROLES", {"viewer": ["speekers.view_speaker"]})
    with pytest.raises(KeyError, match="speekers"):
        roles.set_up_groups()


class TestLabel:
    def label(self, name: str, language: str) -> str:
        app, _, codename = name.partition(".")
        permission = Permission.objects.get(content_type__app_label=app, codename=codename)
        with translation.override(language):
            return roles.permission_label(permission)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("speakers.delete_speaker", "Speakers | speaker | Can delete: speaker"),
            ("speakers.enroll_speaker", "Speakers | speaker | Can enroll voices"),
            ("sessions_app.view_all_session", "Meetings | meeting | Can see everyone's meetings"),
            ("sessions_app.view_session", "Meetings | meeting | Can view: meeting"),
        ],
    )
    def test_it_says_what_one_may_do(self, name: str, words: str) -> None:
        assert self.label(name, "en") == words

    @pytest.mark.parametrize("name", sorted({name for names in ROLES.values() for name in names}))
    def test_in_chinese_no_english_is_left(self, name: str) -> None:
        label = self.label(name, "zh-hans")

        assert "Can " not in label
        assert not label.isascii()
