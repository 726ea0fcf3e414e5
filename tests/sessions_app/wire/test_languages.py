from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.scripts import SCRIPTS
from sessions_app.wire import languages


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("zh", "zh"), ("ZH-cn", "zh"), ("zh_Hant_TW", "zh"), ("cmn-Hans-CN", "zh"), ("en-US", "en"),
        ("Chinese", "zh"), ("中文", "zh"), ("english", "en"), ("日文", "ja"), ("yue", "yue"),
        ("", ""), ("auto", ""), ("multi", ""), (" Auto ", ""),
    ],
)  # fmt: skip
def test_clients_name_a_language_in_many_ways(named: str, code: str) -> None:
    assert languages.code(named) == code


@pytest.mark.parametrize("named", ["z", "klingon", "12", "zh/en", "en-", "..", "zh\0"])
def test_what_names_none_is_told_apart(named: str) -> None:
    assert languages.code(named) is None


@pytest.mark.parametrize(
    ("named", "script"),
    [
        ("zh-TW", "traditional"), ("zh-Hant", "traditional"), ("zh_HK", "traditional"),
        ("cmn-Hant-TW", "traditional"), ("zh-Hans-HK", ""), ("zh-CN", ""), ("zh", ""), ("en-HK", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_some_tags_ask_for_a_script(named: str, script: str) -> None:
    assert languages.script(named) == script


@given(st.text(max_size=30))
def test_a_code_fits_into_its_column(named: str) -> None:
    assert len(languages.code(named) or "") <= 8
    assert languages.script(named) in ("", *SCRIPTS)


class TestChecked:
    def test_a_language_is_told_by_its_code(self) -> None:
        assert languages.checked("zh-TW") == "zh"
        assert languages.checked("auto") == ""

    def test_what_names_none_is_refused_with_what_to_do(self) -> None:
        told = "language='klingon' names no language: use a code as zh or en, or auto"
        with pytest.raises(languages.BadLanguage, match=told):
            languages.checked("klingon")

    @pytest.mark.parametrize(
        ("named", "language", "script"),
        [
            ("", "", ""),
            ("", "zh-TW", "traditional"),
            ("simplified", "zh-TW", "simplified"),
            ("traditional", "zh", "traditional"),
        ],
    )
    def test_a_script_in_so_many_words_counts_before_the_tag(
        self, named: str, language: str, script: str
    ) -> None:
        assert languages.checked_script(named, language) == script

    def test_another_script_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(languages.BadScript, match="'latin' is neither simplified nor traditional"):
            languages.checked_script("latin", "")
