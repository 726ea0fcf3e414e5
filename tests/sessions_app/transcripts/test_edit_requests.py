from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.transcripts.edit_requests import (
    BadEdit,
    ChangeText,
    GiveLine,
    ReplaceText,
    Seen,
    Who,
    parse_edit,
    replace_in,
)
from sessions_app.wire.untrusted import one_line

SEEN = {"line": 1, "revision": 2}


def parse(**request: object) -> object:
    return parse_edit(json.dumps(request).encode())


class TestParse:
    def test_a_text_becomes_one_line(self) -> None:
        assert parse(kind="text", seen=SEEN, text=" 你好\n世界 ") == ChangeText(
            seen=Seen(line=1, revision=2), text="你好 世界"
        )

    def test_somebody_is_said_in_exactly_one_way(self) -> None:
        assert parse(kind="speaker", seen=SEEN, who={"name": "张三"}) == GiveLine(
            seen=Seen(line=1, revision=2), who=Who(name="张三")
        )
        for who in ({}, {"name": "a", "stranger": True}, {"stranger": False}):
            with pytest.raises(BadEdit, match="say who it is by exactly one of"):
                parse(kind="speaker", seen=SEEN, who=who)

    @pytest.mark.parametrize(
        ("request_", "message"),
        [
            ({}, "Unable to extract tag"),
            ({"kind": "explode"}, "Input tag 'explode' found"),
            ({"kind": "text", "seen": SEEN}, "text: Field required"),
            ({"kind": "text", "seen": SEEN, "text": "  "}, "there is no text"),
            ({"kind": "text", "seen": SEEN, "text": "x" * 10_001}, "at most 10000 characters"),
            ({"kind": "text", "seen": {"line": "1", "revision": 2}, "text": "x"}, "seen.line: "),
            ({"kind": "text", "seen": SEEN, "text": "x", "is_superuser": True}, "Extra inputs"),
            ({"kind": "split", "seen": SEEN, "first": "x", "second": " "}, "there is no text"),
            ({"kind": "replace", "find": "", "replacement": "", "lines": [SEEN]}, "find: "),
        ],
    )
    def test_says_what_is_wrong(self, request_: dict[str, Any], message: str) -> None:
        with pytest.raises(BadEdit, match=message):
            parse(**request_)

    @given(st.binary(max_size=60))
    def test_whatever_comes_there_is_an_answer(self, body: bytes) -> None:
        with pytest.raises(BadEdit):
            parse_edit(body)


class TestReplace:
    def replaced(self, text: str, find: str, replacement: str, *, matches_case: bool = False) -> str:
        edit = ReplaceText(
            find=find, replacement=replacement, matches_case=matches_case, lines=[Seen(line=1, revision=0)]
        )
        return replace_in(text, edit)

    def test_every_occurrence(self) -> None:
        assert self.replaced("张三和张三", "张三", "李四") == "李四和李四"

    def test_in_any_case_unless_asked(self) -> None:
        assert self.replaced("GPU gpu Gpu", "gpu", "CPU") == "CPU CPU CPU"
        assert self.replaced("GPU gpu", "gpu", "CPU", matches_case=True) == "GPU CPU"

    def test_letters_that_fold_to_more_than_one(self) -> None:
        assert self.replaced("Straße", "STRASSE", "Weg") == "Weg"
        assert self.replaced("İstanbul", "istanbul", "x") == "İstanbul"

    def test_what_is_found_is_no_pattern(self) -> None:
        assert self.replaced("a.c abc", "a.c", "x") == "x abc"
        assert self.replaced("abc", "b", r"\1") == r"a\1c"

    @given(st.text(max_size=30), st.text(min_size=1, max_size=4))
    def test_replacing_by_the_same_in_the_same_case_changes_only_blanks(self, text: str, find: str) -> None:
        replaced = self.replaced(text, find, find, matches_case=True)
        assert replaced == one_line(text)
