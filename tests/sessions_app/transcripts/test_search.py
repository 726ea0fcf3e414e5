"""Finding what was said. Runs on SQLite, and again on PostgreSQL (see test_on_postgres.py)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.catalogue import listing
from sessions_app.models import Session, Utterance
from sessions_app.transcripts import retention, search
from sessions_app.transcripts.search import find, find_newest, pairs, places, search_text
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice, owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return make_session()


def found(text: str, **options: Any) -> list[str]:
    return [line.text for line in find(Utterance.objects.all(), text, **options)]


class TestFind:
    @pytest.mark.parametrize(
        ("said", "looked_for"),
        [
            ("今天讨论预算。", "预算"),
            ("今天讨论预算。", "算"),
            ("今天讨论预算。", "今"),
            ("今天讨论预算。", "今天讨论预算"),
            ("我们讨论，预算", "讨论预算"),
            ("我们讨论预算", "讨论，预算！"),
            ("张三来了", "张三"),
            ("用 GPU 算", "用gpu算"),
            ("ＧＰＵ很贵", "gpu"),
            ("Hello, World", "hello world"),
            ("Hello World", "O WOR"),
            ("café", "CAFE\u0301"),
            ("Straße", "strasse"),
            ("増えるデータ", "デ\uff70タ"),
            ("100%_sure", "100"),
            ("第１２页", "12"),
            ("𠮷野家", "𠮷野"),
        ],
    )
    def test_a_line_is_found_by_any_piece_of_it(self, session: Session, said: str, looked_for: str) -> None:
        make_lines(session, ["别的话。", said, "Something else."])
        assert found(looked_for) == [said]

    @pytest.mark.parametrize(
        ("said", "looked_for"),
        [
            ("完成了80%。", "百分之八十"),
            ("完成了百分之八十。", "80%"),
            ("12月15号上线。", "十二月十五号"),
            ("十二月十五号上线。", "12月15号"),
            ("下周一上午9:30再见。", "上午九点半"),
            ("增加了2万元。", "两万元"),
            ("房间是二零三。", "203"),
        ],
    )
    def test_a_number_is_found_however_it_is_spelled(
        self, session: Session, said: str, looked_for: str
    ) -> None:
        make_lines(session, ["别的话。", said, "第五项。"])
        assert found(looked_for) == [said]
        assert places(said, looked_for) != []

    @pytest.mark.parametrize(
        ("said", "looked_for"),
        [
            ("我們討論預算。", "讨论预算"),
            ("我们讨论预算。", "討論預算"),
            ("頭髮很長。", "头发"),
            ("我们在台湾发展。", "臺灣發展"),
            ("增加了2萬元。", "两万元"),
            ("增加了两万元。", "2萬元"),
            ("完成了80%的項目。", "百分之八十的项目"),
        ],
    )
    def test_a_line_is_found_in_either_script(self, session: Session, said: str, looked_for: str) -> None:
        make_lines(session, ["别的话。", said, "第五项。"])
        assert found(looked_for) == [said]
        assert places(said, looked_for) != []

    def test_a_share_of_one_digit_is_not_taken_for_every_such_digit(self, session: Session) -> None:
        make_lines(session, ["第5项。", "百分之五。"])
        assert found("百分之五") == ["百分之五。"]

    @pytest.mark.parametrize(
        ("said", "looked_for"),
        [
            ("今天讨论预算。", "算预"),
            ("预谋和计算", "预算"),
            ("论预 算讨 讨论", "讨论预算"),
            ("hello world", "helloworld"),
            ("hello world", "low"),
            ("abc", "a%c"),
            ("abc", "a_c"),
            ("abc", "。！"),
            ("abc", ""),
            ("abc", '"'),
            ("abc", "a* OR b"),
        ],
    )
    def test_and_by_nothing_else(self, session: Session, said: str, looked_for: str) -> None:
        make_lines(session, [said])
        assert found(looked_for) == []

    def test_the_newest_comes_first_and_pages_go_on_behind_their_last(self, session: Session) -> None:
        lines = make_lines(session, ["预算一", "预算二", "预算三"])
        assert found("预算") == ["预算三", "预算二", "预算一"]
        assert found("预算", before=lines[2].pk) == ["预算二", "预算一"]

    def test_among_the_lines_that_are_asked_for(self, session: Session) -> None:
        make_lines(session, ["预算一"])
        make_lines(make_session("another"), ["预算二"])
        lines = Utterance.objects.filter(session=session)
        assert [line.text for line in find(lines, "预算")] == ["预算一"]

    def test_removed_lines_are_not_found(self, session: Session) -> None:
        make_lines(session, ["预算"])
        Utterance.objects.update(is_removed=True)
        assert found("预算") == []

    @pytest.mark.parametrize("text", ["预算", "预", "决算", "算一算", "没人说过"])
    def test_the_newest_few_are_the_same_however_many_were_looked_through(
        self, session: Session, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        monkeypatch.setattr(search, "READ_THROUGH", 3)
        monkeypatch.setattr(search, "LOOKED_UP", 6)
        lines = make_lines(
            session, ["预算一", "决算", "预算二", "算一算", "预算三", "别的", "预算四", "预算五"]
        )
        for count in range(1, len(lines) + 1):
            for before in (None, lines[-1].pk, lines[4].pk, lines[0].pk):
                everything = Utterance.objects.all()
                expected = list(find(everything, text, before=before)[:count])
                assert find_newest(everything, text, count, before=before) == [line.pk for line in expected]

    @settings(max_examples=40)
    @given(st.text(max_size=12), st.integers(0, 12), st.integers(1, 12))
    def test_every_piece_of_whatever_was_said_is_found(self, said: str, begin: int, length: int) -> None:
        said = said.replace("\0", "").encode("utf-8", "ignore").decode()
        piece = said[begin : begin + length]
        if not search_text(piece) or search_text(piece) not in search_text(said):
            return
        session = make_session()
        make_lines(session, [said])
        try:
            if connection.vendor == "sqlite":  # PostgreSQL's tables of letters may be of another year
                assert found(piece) == [said]
        finally:
            session.delete()


class TestIndex:
    """Whatever changes a line, the index follows."""

    def test_new_and_deleted_lines(self, session: Session) -> None:
        make_lines(session, ["预算"])
        session.delete()
        assert found("预算") == []
        make_lines(make_session(), ["别的"])
        assert found("别的") == ["别的"]

    def test_a_line_that_is_saved(self, session: Session) -> None:
        [line] = make_lines(session, ["预算"])
        line.text = "决算"
        line.save()
        assert (found("预算"), found("决算")) == ([], ["决算"])

    def test_lines_that_are_changed_by_the_database(self, session: Session) -> None:
        make_lines(session, ["预算"])
        Utterance.objects.update(text="决算")
        assert (found("预算"), found("决算")) == ([], ["决算"])

    def test_lines_changed_without_their_text(self, session: Session) -> None:
        make_lines(session, ["预算"])
        Utterance.objects.update(score=0.5)
        assert found("预算") == ["预算"]

    @pytest.mark.django_db(transaction=True)
    def test_keeps_nothing_of_a_deleted_session(self, session: Session) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("on PostgreSQL the index is vacuumed with its table")

        def is_on_disk(pair: str) -> bool:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT block FROM {search.INDEX}_data")  # noqa: S608
                # Without its first byte, which it shares with the word before.
                return any(pair.encode()[1:] in block for (block,) in cursor.fetchall())

        make_lines(session, ["海里有鲸鱼"])
        make_lines(make_session("other"), ["别的话"])
        assert is_on_disk("鲸鱼")
        retention.delete_session(session)
        assert not is_on_disk("鲸鱼")
        assert found("别的") == ["别的话"]

    @pytest.mark.django_db(transaction=True)
    def test_installing_again_changes_nothing(self, session: Session) -> None:
        make_lines(session, ["预算"])
        search.install("default")
        assert found("预算") == ["预算"]

    @pytest.mark.django_db(transaction=True)
    def test_an_index_that_is_missing_is_made_of_what_is_there(self, session: Session) -> None:
        make_lines(session, ["预算"])
        search.uninstall("default")
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE sessions_app_utterance DROP COLUMN search_text")
        search.install("default")
        assert found("预算") == ["预算"]
        make_lines(session, ["决算"])
        assert found("决算") == ["决算"]


class TestPlaces:
    @given(
        st.text(st.sampled_from("预算 ，aßÀ\u0301ﾃﾞ１½·_") | st.characters(), max_size=search.MAX_LENGTH // 4)
    )
    def test_find_whatever_the_index_sees(self, text: str) -> None:
        assert bool(places(text, text)) == bool(search_text(text))

    def test_say_where_the_text_has_it(self) -> None:
        assert places("预 算，预算。", "预算") == [(0, 3), (4, 6)]
        assert places("Straße", "strasse") == [(0, 6)]
        assert places("abc", "x") == []
        assert places("abc", "。") == []

    def test_pairs_are_the_words_of_the_index(self) -> None:
        assert pairs("预算，会 A b") == "预算 算会 会a a_ _b b"
        assert pairs("") == ""


class TestPage:
    def get(self, query: str, client: Client | None = None) -> str:
        return (client or Client()).get("/", {"q": query}).content.decode()

    def test_shows_the_line_in_its_session_with_what_was_found_marked(self) -> None:
        session = make_session("m-1", title="周会")
        [line] = make_lines(session, ["今天讨论预算。"], voice=make_voice(session, "张三"))
        page = self.get("预算")
        assert "今天讨论<mark>预算</mark>。" in page
        assert f'href="{reverse("session", args=["m-1"])}#line-{line.pk}"' in page
        assert "周会" in page
        assert "张三" in page

    def test_what_was_said_is_text_and_no_markup(self) -> None:
        session = make_session()
        make_lines(session, ["<b>预算</b>"], voice=make_voice(session, "<i>张三"))
        page = self.get("预算")
        assert "&lt;b&gt;<mark>预算</mark>&lt;/b&gt;" in page
        assert page.count("&lt;i&gt;张三") == 2  # beside the line, and among those who can be chosen
        assert "<i>" not in page

    def test_lines_stand_under_the_session_they_are_from(self) -> None:
        first, second = make_session("m-1", title="周会"), make_session("m-2", title="月会")
        make_lines(first, ["预算一", "预算二"])
        make_lines(second, ["预算三"])
        page = self.get("预算")
        assert page.count('class="hit-session"') == 2
        assert page.index("月会") < page.index("三</span>") < page.index("周会") < page.index("二</span>")

    def test_costs_the_same_number_of_queries_however_many_lines_it_shows(
        self,
    ) -> None:
        client = Client()
        counts = []
        for number in range(10):
            session = make_session(f"m-{number}")
            make_lines(session, ["预算"], voice=make_voice(session, f"人{number}"))
            with CaptureQueriesContext(connection) as queries:
                self.get("预算", client)
            counts.append(len(queries))
        assert counts == [counts[0]] * 10

    def test_titles_are_found_too(self) -> None:
        make_session("m-1", title="预算会议")
        assert "预算会议" in self.get("预算")

    def test_only_in_what_one_may_see(self) -> None:
        make_lines(make_session("own", owner=make_user("me", "transcriber")), ["我的预算"])
        make_lines(make_session("other"), ["别人的预算"])
        client = Client(REMOTE_ADDR="203.0.113.9")
        client.force_login(owner_of(Session.objects.get(key="own")))
        page = self.get("预算", client)
        assert "我的<mark>预算</mark>" in page
        assert "别人" not in page

    @pytest.mark.parametrize("few", [0, 1000])
    def test_filters_narrow_what_is_found(self, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
        monkeypatch.setattr(listing, "FEW", few)
        session = make_session()
        make_lines(session, ["预算一"], voice=make_voice(session, "张三"))
        make_lines(session, ["预算二"], voice=make_voice(session, "李四"))
        who = str(session.voices.get(speaker__name="李四").speaker_id)
        page = Client().get("/", {"q": "预算", "speaker": who, "state": "ended"}).content.decode()
        assert "<mark>预算</mark>二" in page
        assert "<mark>预算</mark>一" not in page

    def test_nothing_found_says_so(self) -> None:
        assert "Nobody said" in self.get("预算")

    def test_a_very_long_question_is_no_problem(self) -> None:
        assert Client().get("/", {"q": "预" * 5000}).status_code == 200
