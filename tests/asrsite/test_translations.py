"""Every text of the pages, the admin and the errors is there in Simplified Chinese, and compiled."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import polib
import pytest
from django.test import Client
from django.utils import translation

from tests.support.server import ROOT

DOMAINS = ["django", "djangojs"]
SOURCES = [
    "asrsite",
    "audit",
    "minutes",
    "recognition",
    "sessions_app",
    "speakers",
    "static",
    "templates",
    "locale",
]
COMMITTED = Path("locale/zh_Hans/LC_MESSAGES")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue's folder as `make translations` would leave it."""
    if not shutil.which("xgettext"):
        if os.environ.get("CI") == "true":
            pytest.fail("gettext is not installed, and in CI nothing is left out")
        pytest.skip("gettext is not installed")
    folder = tmp_path_factory.mktemp("texts")
    for name in SOURCES:
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "model_sets")
        )
    for domain in DOMAINS:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "django",
                "makemessages",
                "-l",
                "zh_Hans",
                "-d",
                domain,
                "--no-location",
                "-v0",
            ],
            cwd=folder,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": ""},
            check=True,
        )
    return folder / COMMITTED


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[sd]|%[sd]|<\w+>", text))


def translations_of(entry: polib.POEntry | polib.MOEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def texts(entries: Iterable[polib.POEntry | polib.MOEntry]) -> dict[str, list[str]]:
    return {entry.msgid: translations_of(entry) for entry in entries}


@pytest.mark.parametrize("domain", DOMAINS)
class TestCatalogue:
    def test_everything_that_the_code_says_is_translated(self, domain: str, collected: Path) -> None:
        entries = polib.pofile(str(collected / f"{domain}.po"))
        missing = [entry.msgid for entry in entries if not entry.obsolete and not entry.translated()]
        assert not missing, "`make translations`, then translate these in locale/, then compile"

    def test_nothing_is_kept_that_the_code_no_longer_says(self, domain: str, collected: Path) -> None:
        entries = polib.pofile(str(collected / f"{domain}.po"))
        assert [entry.msgid for entry in entries if entry.obsolete] == []

    def test_translations_have_the_placeholders_of_the_original(self, domain: str) -> None:
        for entry in polib.pofile(str(ROOT / COMMITTED / f"{domain}.po")):
            wanted = placeholders(entry.msgid_plural or entry.msgid)
            for text in translations_of(entry):
                assert placeholders(text) == wanted, entry.msgid

    def test_what_is_compiled_is_what_is_written(self, domain: str) -> None:
        written = polib.pofile(str(ROOT / COMMITTED / f"{domain}.po")).translated_entries()
        compiled = polib.mofile(str(ROOT / COMMITTED / f"{domain}.mo"))
        assert texts(compiled) == texts(written)


class TestReaders:
    @pytest.mark.parametrize("header", ["zh-CN,zh;q=0.9", "zh-Hans", "zh-hans-cn,en;q=0.5"])
    def test_chinese_browsers_get_chinese_pages(self, header: str) -> None:
        page = Client(HTTP_ACCEPT_LANGUAGE=header).get("/login/").content.decode()
        assert "登录" in page and 'lang="zh-hans"' in page

    def test_others_get_english_pages(self) -> None:
        page = Client(HTTP_ACCEPT_LANGUAGE="fr").get("/login/").content.decode()
        assert "Log in" in page and 'lang="en"' in page

    def test_scripts_get_the_catalogue_in_the_page_s_language(self) -> None:
        words = Client(HTTP_ACCEPT_LANGUAGE="zh-CN").get("/words.js").content.decode()
        assert "\\u53d1\\u8a00\\u4eba" in words or "发言人" in words

    def test_times_and_counts_read_as_chinese_write_them(self) -> None:
        with translation.override("zh-hans"):
            assert translation.gettext("Speaker %(number)d") % {"number": 2} == "发言人 2"
            assert (
                translation.ngettext(
                    "%(count)d entry was merged into %(name)s.",
                    "%(count)d entries were merged into %(name)s.",
                    2,
                )
                % {"count": 2, "name": "李芳"}
                == "2 个条目已并入李芳。"
            )
