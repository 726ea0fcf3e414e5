"""The page of writing rules, and the offer where a line was corrected: who may, and what is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from audit.models import Action, Entry
from sessions_app.models import Session, Utterance, WritingRule
from sessions_app.store import writing_rules
from tests.sessions_app.meetings import make_lines, make_session, make_user
from tests.speakers.people import make_speaker

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> User:
    return make_user("Alice", "editor")


@pytest.fixture
def session() -> Session:
    session = make_session(owner=make_user("Bob", "transcriber"))
    make_lines(session)
    return session


def client_of(user: User) -> Client:
    client = Client(REMOTE_ADDR="203.0.113.9")
    client.force_login(user)
    return client


def rules() -> list[tuple[str, str, bool]]:
    return [(rule.wrong, rule.right, rule.session is None) for rule in WritingRule.objects.order_by("pk")]


def on_record() -> list[dict[str, Any]]:
    return [entry.detail for entry in Entry.objects.filter(action=Action.RULE_CHANGED).order_by("pk")]


class TestPage:
    def test_lists_the_rules_of_everybody_and_of_the_meetings_that_are_seen(
        self, editor: User, session: Session
    ) -> None:
        writing_rules.add("汪磊", "王磊", by=editor)
        writing_rules.add("林京", "林静", session=session)
        text = client_of(editor).get(reverse("rule-list")).content.decode()
        assert "汪磊" in text
        assert "林京" in text
        assert "Alice" in text

    def test_adds_and_deletes_and_that_is_on_record_without_a_word(self, editor: User) -> None:
        client = client_of(editor)
        client.post(reverse("add-rule"), {"wrong": "汪磊", "right": "王磊"})
        assert rules() == [("汪磊", "王磊", True)]
        rule = WritingRule.objects.get()
        assert rule.made_by == editor
        client.post(reverse("remove-rule", args=[rule.pk]))
        assert rules() == []
        assert on_record() == [{"rule": rule.pk, "change": "made"}, {"rule": rule.pk, "change": "deleted"}]

    def test_says_why_a_rule_makes_no_sense(self, editor: User) -> None:
        answer = client_of(editor).post(reverse("add-rule"), {"wrong": "王磊", "right": "王磊"}, follow=True)
        assert "Both are the same." in answer.content.decode()
        assert rules() == []

    def test_suggests_what_was_corrected_twice(self, editor: User, session: Session) -> None:
        Utterance.objects.update(machine_text="找汪磊。", text="找王磊。", is_edited=True)
        answer = client_of(editor).get(reverse("rule-list"))
        assert [(each.wrong, each.right) for each in answer.context["suggestions"]] == [("汪磊", "王磊")]
        assert rules() == []

    def test_suggests_nothing_to_whoever_may_add_nothing(self, editor: User, session: Session) -> None:
        Utterance.objects.update(machine_text="找汪磊。", text="找王磊。", is_edited=True)
        editor.groups.first().permissions.remove(*_permission("add_writingrule"))  # type: ignore[union-attr]
        answer = client_of(User.objects.get(pk=editor.pk)).get(reverse("rule-list"))
        assert answer.context["suggestions"] == []

    def test_keeps_others_out(self, session: Session) -> None:
        assert session.owner
        client = client_of(session.owner)
        assert client.get(reverse("rule-list")).status_code == 403
        assert client.post(reverse("add-rule"), {"wrong": "a", "right": "b"}).status_code == 403
        assert rules() == []

    def test_does_not_let_delete_what_is_not_seen(self, session: Session) -> None:
        other = make_user("Carol", "transcriber")
        other.user_permissions.add(*_permission("delete_writingrule"))
        rule = writing_rules.add("a", "b", session=session)
        client = client_of(User.objects.get(pk=other.pk))
        assert client.post(reverse("remove-rule", args=[rule.pk])).status_code == 404
        assert rules() == [("a", "b", False)]


def _permission(codename: str) -> Any:
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename=codename)


class TestOffer:
    def propose(self, user: User, session: Session, before: str, after: str) -> dict[str, Any]:
        address = reverse("propose-rule", args=[session.key])
        answer = client_of(user).get(address, {"before": before, "after": after})
        found: dict[str, Any] = answer.json()
        return found

    def test_is_the_word_that_was_wrong(self, editor: User, session: Session) -> None:
        assert self.propose(editor, session, "找汪磊。", "找王磊。") == {
            "rule": {"wrong": "汪磊", "right": "王磊"},
            "may_everywhere": True,
        }

    def test_knows_the_names_of_the_enrolled(self, editor: User, session: Session) -> None:
        make_speaker("欧阳修")
        found = self.propose(editor, session, "请欧阳休说。", "请欧阳修说。")
        assert found["rule"] == {"wrong": "欧阳休", "right": "欧阳修"}

    @pytest.mark.parametrize("after", ["找汪磊。", "今天开会讨论了很多别的事情，没有人来找谁。", ""])
    def test_is_none_where_no_word_was_replaced(self, editor: User, session: Session, after: str) -> None:
        assert self.propose(editor, session, "找汪磊。", after) == {"rule": None}

    def test_is_none_for_a_rule_that_there_is(self, editor: User, session: Session) -> None:
        writing_rules.add("汪磊", "王磊")
        assert self.propose(editor, session, "找汪磊。", "找王磊。") == {"rule": None}


class TestKeep:
    def keep(self, user: User, session: Session, body: object) -> Any:
        address = reverse("keep-rule", args=[session.key])
        return client_of(user).post(address, json.dumps(body), content_type="application/json")

    def rule(self, *, everywhere: bool, right: str = "王磊") -> dict[str, Any]:
        return {"wrong": "汪磊", "right": right, "everywhere": everywhere}

    def test_who_may_edit_a_meeting_may_say_how_it_is_written_there(self, session: Session) -> None:
        assert session.owner
        assert self.keep(session.owner, session, self.rule(everywhere=False)).status_code == 200
        assert rules() == [("汪磊", "王磊", False)]
        assert Entry.objects.get(action=Action.RULE_CHANGED).meeting == session.key

    def test_but_not_everywhere(self, session: Session) -> None:
        assert session.owner
        assert self.keep(session.owner, session, self.rule(everywhere=True)).status_code == 403
        assert rules() == []

    def test_whom_that_is_permitted_may(self, editor: User, session: Session) -> None:
        answer = self.keep(editor, session, self.rule(everywhere=True))
        assert answer.json() == {"rule": WritingRule.objects.get().pk}
        assert rules() == [("汪磊", "王磊", True)]

    def test_who_only_reads_may_not(self, session: Session) -> None:
        viewer = make_user("Dan", "viewer")
        assert self.keep(viewer, session, self.rule(everywhere=False)).status_code == 403

    def test_a_rule_without_sense_is_refused_with_a_reason(self, editor: User, session: Session) -> None:
        answer = self.keep(editor, session, self.rule(everywhere=False, right="汪磊"))
        assert (answer.status_code, answer.json()) == (422, {"error": "Both are the same."})

    @pytest.mark.parametrize(
        "body", [[], {}, {"wrong": "a", "right": "b"}, {"wrong": 1, "right": "b", "everywhere": True}, "x"]
    )
    def test_what_is_no_rule_is_refused(self, editor: User, session: Session, body: object) -> None:
        assert self.keep(editor, session, body).status_code == 400

    @pytest.mark.parametrize("text", ["{", "[" * 99_999])
    def test_what_is_no_json_is_refused(self, editor: User, session: Session, text: str) -> None:
        address = reverse("keep-rule", args=[session.key])
        answer = client_of(editor).post(address, text, content_type="application/json")
        assert answer.status_code == 400
