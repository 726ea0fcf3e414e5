from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert languages.is_script(languages.script(named))
