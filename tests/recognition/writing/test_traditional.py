from __future__ import annotations

from recognition.interfaces import Token
from recognition.writing import traditional
from recognition.writing.changes import Change, write
from recognition.writing.rules import Rule
from recognition.writing.traditional import GrowingLine


def tokens(*texts: str) -> list[Token]:
    return [Token(text, at * 100, at * 100 + 100) for at, text in enumerate(texts)]


class TestALine:
    def test_has_its_tokens_in_the_same_script(self) -> None:
        text, told = traditional.line("头发，API 接口。", tokens("头", "发", "API", "接", "口"))
        assert text == "頭髮，API 接口。"
        assert [token.text for token in told] == ["頭", "髮", "API", "接", "口"]
        assert [token.start for token in told] == [0, 100, 200, 300, 400]

    def test_has_tokens_that_are_not_in_its_text(self) -> None:
        _, told = traditional.line("好。", tokens("发", "好"))
        assert [token.text for token in told] == ["發", "好"]

    def test_has_its_changes_in_the_same_places(self) -> None:
        heard = tokens(*"还差两万元")
        text, told = traditional.line("还差两万元。", heard)
        written = write(text, told, traditional.changes([Change(2, 4, "2万")]))
        assert written.text == "還差2萬元。"
        assert (written.rewrites[0].heard, written.rewrites[0].written) == ("兩萬", "2萬")

    def test_is_found_by_rules_of_either_script(self) -> None:
        assert traditional.rules((Rule(1, "体系", "系统"), Rule(2, "體系", "系統"))) == (
            Rule(1, "體系", "系統"),
            Rule(2, "體系", "系統"),
        )


class TestAGrowingLine:
    def test_keeps_what_was_shown(self) -> None:
        line = GrowingLine()
        assert line.shown("他的发", "") == ("他的發", "")
        text, _ = line.shown("他的发型", "")
        assert text.startswith("他的發")
        assert len(text) == 4

    def test_writes_its_end_with_what_probably_follows(self) -> None:
        assert GrowingLine().shown("头", "发很长") == ("頭", "髮很長")

    def test_begins_anew_where_something_else_was_heard(self) -> None:
        line = GrowingLine()
        line.shown("发展", "")
        assert line.shown("头发", "") == ("頭髮", "")
