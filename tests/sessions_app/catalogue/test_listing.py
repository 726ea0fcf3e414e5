from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from sessions_app.catalogue import actions, listing
from sessions_app.catalogue.actions import Action, Wanted
from sessions_app.catalogue.listing import ListingForm
from sessions_app.models import Session
from speakers.models import Speaker
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db


def listed(query: str = "") -> list[str]:
    form = ListingForm(QueryDict(query))
    page = listing.read_page(form.narrow(Session.objects.all()), before=None)
    return [row.session.key for row in page.rows]


class TestFilters:
    def test_the_newest_comes_first(self) -> None:
        for key in ("one", "two", "three"):
            make_session(key)
        assert listed() == ["three", "two", "one"]

    def test_by_state(self) -> None:
        make_session("over")
        make_session("on air", is_live=True)
        assert listed("state=live") == ["on air"]
        assert listed("state=ended") == ["over"]

    def test_by_who_spoke(self) -> None:
        for key, name in (("a", "Alice"), ("b", "Bob"), ("c", "Alice"), ("d", "")):
            make_voice(make_session(key), name)
        assert listed(f"speaker={Speaker.objects.get(name='Alice').pk}") == ["c", "a"]

    def test_by_day_in_the_zone_of_the_installation(self, settings: Settings) -> None:
        settings.TIME_ZONE = "Asia/Shanghai"
        session = make_session("late")
        evening = datetime(2026, 11, 22, 23, 30, tzinfo=timezone.get_default_timezone())
        Session.objects.filter(pk=session.pk).update(created_at=evening)
        assert listed("first_day=2026-11-22&last_day=2026-11-22") == ["late"]
        assert listed("first_day=2026-11-23") == []
        assert listed("last_day=2026-11-21") == []

    @pytest.mark.parametrize(
        "query", ["state=x", "speaker=x", "speaker=99", "first_day=x", "last_day=31.12."]
    )
    def test_nonsense_is_ignored(self, query: str) -> None:
        make_session("one")
        assert listed(query) == ["one"]


@pytest.mark.parametrize("few", [0, 1, 2, 1000])
def test_a_search_looks_at_these_sessions_however_many_they_or_the_others_are(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    for key in ("a", "b", "c"):
        make_lines(make_session(key), ["预算"])
    sessions = Session.objects.exclude(key="b")

    found = listing.find(ListingForm(QueryDict("q=预算")), sessions, before=None)

    assert [session.key for session, _ in found.hits] == ["c", "a"]


class TestPages:
    def test_each_page_goes_on_where_the_last_one_stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "PAGE", 2)
        for number in range(5):
            make_session(f"s{number}")
        seen, before = [], None
        while True:
            page = listing.read_page(Session.objects.all(), before=before)
            seen.append([row.session.key for row in page.rows])
            before = page.next_before
            if before is None:
                break
        assert seen == [["s4", "s3"], ["s2", "s1"], ["s0"]]

    def test_a_page_costs_the_same_number_of_queries_however_long(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(12):
            session = make_session(f"s{number}")
            make_lines(session, voice=make_voice(session, f"Speaker {number}"))
        with django_assert_num_queries(3):
            page = listing.read_page(Session.objects.all(), before=None)
            assert [person.name for person in page.rows[0].people] == ["Speaker 11"]
            assert page.rows[0].opening == "大家好，我们开始开会。"

    def test_a_mark_that_makes_no_sense_shows_the_first_page(self) -> None:
        make_lines(make_session("one"))
        for before in ("x", "-1", "9" * 30, "１"):
            assert b"one" in Client().get("/", {"before": before}).content


def test_says_how_long_it_was() -> None:
    session = make_session("standup", title="Standup")
    make_lines(session)
    Session.objects.filter(pk=session.pk).update(created_at=timezone.now() - timedelta(days=1))
    content = Client().get("/").content.decode()
    assert "Standup" in content
    assert "0:08" in content


class TestRows:
    def row(self, session: Session, user: User | None = None) -> listing.Row:
        page = listing.read_page(Session.objects.filter(pk=session.pk), before=None, user=user)
        return page.rows[0]

    def test_people_have_the_colours_of_their_voices_as_on_the_page_of_the_meeting(self) -> None:
        session = make_session("a")
        first, _silent, second = (make_voice(session, name) for name in ("Alice", "Carol", "Bob"))
        make_lines(session, ["a"], first)
        make_lines(session, ["b"], second)
        assert [(person.name, person.colour) for person in self.row(session).people] == [
            ("Alice", 1),
            ("Bob", 3),
        ]

    def test_a_voice_that_turned_out_to_be_anothers_is_not_named_twice(self) -> None:
        session = make_session("a")
        for name in ("Alice", "Alice"):
            make_lines(session, ["a"], make_voice(session, name))
        assert [person.name for person in self.row(session).people] == ["Alice"]

    def test_only_so_many_people_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "MAX_PEOPLE", 2)
        session = make_session("a")
        for _ in range(5):
            make_lines(session, ["a"], make_voice(session))
        row = self.row(session)
        assert (len(row.people), row.more_people) == (2, 3)

    def test_it_has_its_tags_its_folder_and_the_readers_mark(self) -> None:
        anna, boris = make_user("anna"), make_user("boris")
        session = make_session("a")
        wanted = [Wanted(Action.TAG, [], "b"), Wanted(Action.TAG, [], "a"), Wanted(Action.MOVE, [], "2026")]
        for each in [*wanted, Wanted(Action.FAVOURITE, [])]:
            actions.apply(each, [session], anna)
        row = self.row(session, anna)
        assert (list(row.tags), str(row.session.folder), row.is_favourite) == (["a", "b"], "2026", True)
        assert not self.row(session, boris).is_favourite
        assert not self.row(session).is_favourite


class TestLabels:
    @pytest.fixture(autouse=True)
    def meetings(self) -> None:
        anna = make_user("anna")
        rows = [make_session(key) for key in ("a", "b", "c")]
        actions.apply(Wanted(Action.TAG, [], "客户"), rows[:2], anna)
        actions.apply(Wanted(Action.MOVE, [], "2026 & 2027"), rows[1:], anna)
        actions.apply(Wanted(Action.FAVOURITE, []), rows[:1], anna)

    def listed(self, query: str) -> list[str]:
        form = ListingForm(QueryDict(query), User.objects.get(username="anna"))
        page = listing.read_page(form.narrow(Session.objects.all()), before=None)
        return [row.session.key for row in page.rows]

    def test_they_narrow_the_list(self) -> None:
        assert self.listed("tag=客户") == ["b", "a"]
        assert self.listed("folder=2026 %26 2027") == ["c", "b"]
        assert self.listed("tag=客户&folder=2026 %26 2027") == ["b"]
        assert self.listed("favourites=on") == ["a"]

    def test_one_that_is_gone_is_ignored(self) -> None:
        assert self.listed("tag=gone&folder=gone") == ["c", "b", "a"]

    def test_only_those_of_meetings_that_one_may_see_are_offered(self) -> None:
        form = ListingForm(QueryDict("tag=客户"))
        assert form.labels("tag", Session.objects.all()) == [("客户", "客户", True)]
        assert form.labels("folder", Session.objects.filter(key="a")) == []

    def test_favourites_of_nobody_are_all(self) -> None:
        assert listed("favourites=on") == ["c", "b", "a"]


class TestEmptyOnes:
    @pytest.fixture(autouse=True)
    def meetings(self) -> None:
        make_lines(make_session("said"))
        make_session("silent")
        make_session("silent but named", title="Board")
        failed = make_session("failed")
        Session.objects.filter(pk=failed.pk).update(failures=8)
        make_session("running", is_live=True)

    def listed(self, query: str = "") -> set[str]:
        form = ListingForm(QueryDict(query))
        return set(form.hide_empty(form.narrow(Session.objects.all())).values_list("key", flat=True))

    def test_nobody_sees_them_unless_they_are_asked_for(self) -> None:
        assert self.listed() == {"said", "silent but named", "failed", "running"}
        assert self.listed("empty=on") == {"said", "silent", "silent but named", "failed", "running"}

    def test_they_are_counted(self) -> None:
        page = listing.read_page(Session.objects.all(), before=None)
        assert listing.count_empty(Session.objects.all(), page) == 1

    def test_only_those_of_the_time_of_the_page_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "PAGE", 1)
        page = listing.read_page(Session.objects.all(), before=None)
        assert listing.count_empty(Session.objects.all(), page) == 0


class TestLive:
    def live(self) -> list[dict[str, object]]:
        return listing.live_sessions(Session.objects.all())

    def test_the_oldest_comes_first_and_what_is_over_not_at_all(self) -> None:
        for key in ("one", "two"):
            make_session(key, is_live=True)
        make_session("over")

        assert [row["title"] for row in self.live()] == ["one", "two"]

    def test_what_was_said_last_is_the_newest_line_that_is_still_there(self) -> None:
        session = make_session("one", is_live=True)
        make_lines(session, ["a", "b", "c"])
        session.utterances.filter(seq=3).update(is_removed=True)

        [row] = self.live()

        assert (row["last_line"], row["lines"], row["length"]) == ("b", 3, "0:06")

    def test_one_that_has_just_begun_has_said_nothing_and_is_nobodys(self) -> None:
        make_session("one", is_live=True)

        [row] = self.live()

        assert (row["last_line"], row["owner"], row["length"], row["failures"]) == ("", "", "0:00", 0)

    def test_there_are_no_more_than_a_page_can_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "MAX_LIVE", 2)
        for number in range(4):
            make_session(str(number), is_live=True)

        assert [row["title"] for row in self.live()] == ["0", "1"]


class TestForm:
    def test_who_is_chosen_is_marked_among_all(self) -> None:
        alice, bob = (Speaker.objects.create(name=name) for name in ("Alice", "Bob"))

        form = ListingForm(QueryDict(f"speaker={bob.pk}"))

        assert form.speakers == [(alice.pk, "Alice", False), (bob.pk, "Bob", True)]

    @pytest.mark.parametrize(
        ("query", "is_narrowed"), [("", False), ("q=", False), ("state=live", True), ("before=3", False)]
    )
    def test_it_knows_if_anything_was_asked_for(self, query: str, is_narrowed: bool) -> None:
        assert ListingForm(QueryDict(query)).is_narrowed == is_narrowed

    def test_filters_narrow_together(self) -> None:
        for key, name, is_live in (("a", "Alice", True), ("b", "Alice", False), ("c", "Bob", True)):
            make_voice(make_session(key, is_live=is_live), name)

        assert listed(f"state=live&speaker={Speaker.objects.get(name='Alice').pk}") == ["a"]

    def test_days_that_end_before_they_begin_hold_nothing(self) -> None:
        make_session("a")

        assert listed("first_day=2026-11-22&last_day=2026-11-20") == []
