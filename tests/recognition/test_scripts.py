from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.scripts import simplified, traditional


class TestTraditional:
    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("我们先看一下上周的进展。", "我們先看一下上週的進展。"),
            ("头发的发展", "頭髮的發展"),
            ("皇后在后面", "皇后在後面"),
            ("里面", "裡面"),
            ("软件和鼠标", "軟件和鼠標"),  # the words stay
            ("API 接口 v2", "API 接口 v2"),
            ("", ""),
        ],
    )
    def test_is_right_for_each_word(self, text: str, written: str) -> None:
        assert traditional(text) == written

    @pytest.mark.parametrize("text", ["我們先看一下進展。", "頭髮的發展", "隨著時間"])
    def test_comes_back(self, text: str) -> None:
        assert traditional(simplified(text)) == text

    @given(st.text(max_size=40))
    def test_every_character_has_one(self, text: str) -> None:
        assert len(traditional(text)) == len(simplified(text)) == len(text)

    def test_of_letters_takes_no_dictionary(self) -> None:
        code = (
            "import sys; from recognition.scripts import traditional; traditional('abc'); "
            "print('opencc' in sys.modules)"
        )
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert told.stdout.strip() == "False"
