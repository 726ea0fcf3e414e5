"""One action on several meetings."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sessions_app.catalogue import trash
from sessions_app.catalogue.actions import MAX_AT_ONCE, Action, BadAction, clean_name, understand
from sessions_app.models import Favourite, Folder, Session, Tag
from tests.sessions_app.meetings import make_session, make_user


class TestUnderstanding:
    def test_an_action_names_its_meetings(self) -> None:
        wanted = understand({"action": "tag", "keys": ["a", "b"], "name": "  第三  季度\n"})
        assert (wanted.action, wanted.keys, wanted.name) == (Action.TAG, ["a", "b"], "第三 季度")

    @pytest.mark.parametrize(
        "asked",
        [
            None,
            [],
            "trash",
            {},
            {"action": "burn", "keys": ["a"]},
            {"action": ["trash"], "keys": ["a"]},
            {"action": "trash"},
            {"action": "trash", "keys": []},
            {"action": "trash", "keys": "abc"},
            {"action": "trash", "keys": [1]},
            {"action": "trash", "keys": ["a"] * (MAX_AT_ONCE + 1)},
            {"action": "tag", "keys": ["a"]},
            {"action": "tag", "keys": ["a"], "name": " \u200b\n"},
            {"action": "tag", "keys": ["a"], "name": 7},
            {"action": "tag", "keys": ["a"], "name": "x" * 51},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, asked: Any) -> None:
        with pytest.raises(BadAction):
            understand(asked)

    def test_a_name_is_what_people_see_of_it(self) -> None:
        assert clean_name("e\u0301té\x00 ") == "été"

    def test_no_name_is_out_of_any_folder(self) -> None:
        assert understand({"action": "move", "keys": ["a"]}).name == ""


@pytest.fixture
def anna() -> User:
    return make_user("anna", "transcriber")


def ask(by: User | None, action: str, *keys: str, name: str = "") -> tuple[int, dict[str, Any]]:
    client = Client(REMOTE_ADDR="203.0.113.9")
    if by:
        client.force_login(by)
    body = {"action": action, "keys": keys, "name": name}
    headers: Any = {"Accept": "application/json"}
    answer = client.post(reverse("actions"), body, content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


@pytest.mark.django_db
class TestDoing:
    def test_trash_restore_and_delete_for_good(self, anna: User) -> None:
        for key in ("a", "b"):
            make_session(key, owner=anna)

        assert ask(anna, "trash", "a", "b") == (200, {"done": ["a", "b"], "live": [], "refused": 0})
        assert ask(anna, "restore", "a")[1]["done"] == ["a"]
        assert ask(anna, "delete", "a")[0] == 403  # not in the trash any more
        assert ask(anna, "delete", "b")[1]["done"] == ["b"]
        assert list(Session.objects.values_list("key", "trashed_at")) == [("a", None)]

    def test_what_goes_on_is_left_and_told(self, anna: User) -> None:
        make_session("live", owner=anna, is_live=True)
        make_session("over", owner=anna)
        assert ask(anna, "trash", "live", "over")[1] == {"done": ["over"], "live": ["live"], "refused": 0}

    def test_what_is_not_ones_own_is_left_as_it_is(self, anna: User) -> None:
        make_session("hers", owner=anna)
        make_session("theirs", owner=make_user("boris", "transcriber"))

        assert ask(anna, "trash", "hers", "theirs", "nobodys")[1] == {
            "done": ["hers"],
            "live": [],
            "refused": 2,
        }
        assert Session.objects.get(key="theirs").trashed_at is None
        assert ask(anna, "trash", "theirs")[0] == 403

    def test_without_a_login_nothing_is_done(self) -> None:
        make_session("a")
        assert ask(None, "trash", "a")[0] == 401

    @pytest.mark.parametrize("action", ["trash", "tag", "untag", "move", "delete", "restore"])
    def test_who_may_only_read_changes_nothing(self, action: str) -> None:
        session = make_session("a")
        if action in ("delete", "restore"):
            trash.put(session)
        assert ask(make_user("viewer", "viewer"), action, "a", name="x")[0] == 403
        assert Session.objects.filter(key="a").exists()

    def test_a_tag_is_one_for_all_and_gone_when_nobody_has_it(self, anna: User) -> None:
        for key in ("a", "b"):
            make_session(key, owner=anna)
        ask(anna, "tag", "a", name="预算")
        ask(anna, "tag", "a", "b", name="预算")
        assert [tag.sessions.count() for tag in Tag.objects.all()] == [2]
        ask(anna, "untag", "a", "b", name="预算")
        assert not Tag.objects.exists()

    def test_a_meeting_is_in_one_folder(self, anna: User) -> None:
        make_session("a", owner=anna)
        ask(anna, "move", "a", name="2026")
        ask(anna, "move", "a", name="2027")
        assert [folder.name for folder in Folder.objects.all()] == ["2027"]
        ask(anna, "move", "a")
        assert not Folder.objects.exists()
        assert Session.objects.filter(key="a", folder=None).exists()

    def test_a_favourite_is_of_whoever_marked_it(self, anna: User) -> None:
        make_session("a", owner=anna)
        reader = make_user("reader", "viewer")
        assert ask(reader, "favourite", "a")[0] == 200
        assert ask(reader, "favourite", "a")[0] == 200
        assert [(mark.user, mark.session.key) for mark in Favourite.objects.all()] == [(reader, "a")]
        ask(anna, "unfavourite", "a")
        assert Favourite.objects.count() == 1
        ask(reader, "unfavourite", "a")
        assert not Favourite.objects.exists()

    def test_a_body_that_is_no_json_is_a_bad_request(self, anna: User) -> None:
        client = Client()
        client.force_login(anna)
        assert client.post(reverse("actions"), "{", content_type="application/json").status_code == 400
