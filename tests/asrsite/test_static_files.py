"""Static files: addresses that change with them, so that browsers keep them; small; of whichever version."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.templatetags.static import static
from django.test import Client, RequestFactory, override_settings
from pytest_django import Settings

from asrsite import static_files
from asrsite.static_files import FOR_EVER, StaticFilesMiddleware, split_version, without_comments
from tests.support.server import ROOT

MODULE = "js/pages/session.js"


@pytest.fixture(autouse=True)
def is_serving(settings: Settings) -> None:
    """As in a process that serves: in tests static files are otherwise looked for at each request."""
    settings.WHITENOISE_AUTOREFRESH = False


@pytest.fixture(scope="module")
def middleware() -> StaticFilesMiddleware:
    with override_settings(WHITENOISE_AUTOREFRESH=False):
        return StaticFilesMiddleware(lambda request: HttpResponse("no static file", status=404))


def get(middleware: StaticFilesMiddleware, address: str, method: str = "get", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request: HttpRequest = getattr(RequestFactory(headers=named), method)(address)
    return middleware(request)


class TestAddresses:
    def test_each_has_the_version_of_all_of_them(self) -> None:
        assert static(MODULE) == f"/static/v-{static_files.version()}/{MODULE}"

    def test_files_that_are_worked_on_have_none(self, settings: Settings) -> None:
        settings.DEBUG = True
        assert static(MODULE) == f"/static/{MODULE}"

    @pytest.mark.parametrize("changed", ["js/new.js", MODULE, "locale"])
    def test_another_file_or_text_is_another_version(
        self, changed: str, settings: Settings, tmp_path: Path
    ) -> None:
        before = static_files.version.__wrapped__()
        assert before == static_files.version.__wrapped__()
        if changed == "locale":
            (tmp_path / "zh_Hans" / "LC_MESSAGES").mkdir(parents=True)
            (tmp_path / "zh_Hans" / "LC_MESSAGES" / "djangojs.mo").write_bytes(b"x")
            settings.LOCALE_PATHS = [tmp_path]
        else:
            (tmp_path / changed).parent.mkdir(parents=True)
            (tmp_path / changed).write_text("// changed")
            settings.STATICFILES_DIRS = [tmp_path]
        finders.get_finder.cache_clear()  # type: ignore[attr-defined]
        after = static_files.version.__wrapped__()
        finders.get_finder.cache_clear()  # type: ignore[attr-defined]
        assert before != after

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/static/v-0123456789ab/js/a.js", ("0123456789ab", "/static/js/a.js")),
            ("/static/js/a.js", ("", "/static/js/a.js")),
            ("/static/v-short/js/a.js", ("", "/static/v-short/js/a.js")),
            ("/sessions/v-0123456789ab/", ("", "/sessions/v-0123456789ab/")),
            ("/", ("", "/")),
        ],
    )
    def test_a_version_is_found_only_where_it_belongs(self, path: str, expected: tuple[str, str]) -> None:
        assert split_version(path, "/static/") == expected


class TestServing:
    def test_this_version_is_kept_for_good(self, middleware: StaticFilesMiddleware) -> None:
        assert get(middleware, static(MODULE))["Cache-Control"] == FOR_EVER

    @pytest.mark.parametrize("version", ["", "v-0123456789ab/"])
    def test_another_is_served_and_soon_asked_for_again(
        self, middleware: StaticFilesMiddleware, version: str
    ) -> None:
        answer = get(middleware, f"/static/{version}{MODULE}")
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "max-age=60, public"

    def test_text_is_packed_for_those_who_can_unpack_it(self, middleware: StaticFilesMiddleware) -> None:
        plain = get(middleware, static("css/base.css"))
        packed = get(middleware, static("css/base.css"), accept_encoding="gzip, deflate, br")
        assert plain.content == (ROOT / "static" / "css" / "base.css").read_bytes()
        assert gzip.decompress(packed.content) == plain.content
        assert len(packed.content) < len(plain.content) / 2
        for answer in (plain, packed):
            assert answer["Content-Length"] == str(len(answer.content))
            assert answer["Vary"] == "Accept-Encoding"
            assert answer["Content-Type"] == 'text/css; charset="utf-8"'

    def test_what_has_not_changed_is_not_sent_again(self, middleware: StaticFilesMiddleware) -> None:
        first = get(middleware, static(MODULE))
        answer = get(middleware, static(MODULE), if_modified_since=first["Last-Modified"])
        assert answer.status_code == 304
        assert answer["Cache-Control"] == FOR_EVER

    def test_what_is_no_static_file_is_for_others(self, middleware: StaticFilesMiddleware) -> None:
        assert get(middleware, "/static/js/none.js").status_code == 404
        assert get(middleware, "/").content == b"no static file"

    def test_only_the_head_is_only_the_head(self, middleware: StaticFilesMiddleware) -> None:
        assert get(middleware, static(MODULE), "head").getvalue() == b""

    def test_our_modules_come_without_comments(self, middleware: StaticFilesMiddleware) -> None:
        source = (ROOT / "static" / MODULE).read_text()
        sent = get(middleware, static(MODULE)).content.decode()
        assert "@type" in source
        assert "@type" not in sent
        assert sent.count("\n") == source.count("\n")
        assert [line for line in sent.splitlines() if line in source.splitlines()] == sent.splitlines()


class TestWithoutComments:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("// a\nlet b; // c\n", "\nlet b; // c\n"),
            ("/** @type {x} */\nlet b;", "\nlet b;"),
            ("  /**\n   * a\n   */\n  b();", "\n\n\n  b();"),
            ("a(/* b */);\n/* c */ d();", "a(/* b */);\n/* c */ d();"),
            ("let a = `\n// no comment\n/* nor this */\n`;", "let a = `\n// no comment\n/* nor this */\n`;"),
            ("let a = '`'; // `\n// b\nlet c = `d`;", "let a = '`'; // `\n\nlet c = `d`;"),
            ('let a = "\\"`";\n// b', 'let a = "\\"`";\n'),
        ],
    )
    def test_only_those_that_have_lines_of_their_own_go(self, source: str, expected: str) -> None:
        assert without_comments(source.encode()).decode() == expected

    @pytest.mark.parametrize(
        "file", sorted((ROOT / "static" / "js").rglob("*.js")), ids=lambda file: file.name
    )
    def test_no_code_goes_with_them(self, file: Path) -> None:
        source = file.read_text()
        code = re.sub(r"^[ \t]*(//.*|/\*(?s:.*?)\*/[ \t]*)$", "", source, flags=re.MULTILINE)
        sent = without_comments(source.encode()).decode()
        assert [line for line in sent.splitlines() if line.strip()] == [
            line for line in code.splitlines() if line.strip()
        ]


class TestPageModule:
    def test_a_page_asks_at_once_for_all_that_its_module_imports(self) -> None:
        html = Template("{% load page_modules %}{% page_module 'js/pages/session.js' %}").render(Context())
        assert html.startswith(f'<script type="module" src="{static(MODULE)}"></script>')
        preloads = re.findall(r'<link rel="modulepreload" href="([^"]+)">', html)
        assert static("js/lib/dom.js") in preloads
        assert static("js/transcript/voices.js") in preloads  # imported by an import
        assert len(preloads) == len(set(preloads)) > 20

    def test_a_module_that_is_not_there_is_named(self) -> None:
        with pytest.raises(Exception, match=r"there is no static file js/none\.js"):
            Template("{% load page_modules %}{% page_module 'js/none.js' %}").render(Context())

    def test_no_template_loads_a_module_in_another_way(self) -> None:
        templates = [*ROOT.glob("templates/**/*.html")]
        assert templates
        assert [file.name for file in templates if 'type="module"' in file.read_text()] == []


class TestWords:
    def get(self, **query: str) -> Any:
        return Client(headers={"accept-language": "en"}).get("/words.js", query)

    def test_they_are_in_the_language_of_the_page_that_asks(self) -> None:
        def chinese(language: str) -> int:
            return len(re.findall(r"\\u[4-9]", self.get(language=language).content.decode()))

        assert chinese("zh-hans") > 200
        assert chinese("en") == chinese("xx") == 0

    def test_those_of_today_are_kept_for_good(self) -> None:
        version = static_files.version()
        assert self.get(language="zh-hans", v=version)["Cache-Control"] == FOR_EVER
        assert self.get(language="zh-hans", v="another")["Cache-Control"] == "max-age=60"
        assert self.get(language="zh-hans")["Cache-Control"] == "max-age=60"
        assert self.get(language="xx", v=version)["Cache-Control"] == "max-age=60"

    @pytest.mark.parametrize("query", [{}, {"v": ""}], ids=["none", "empty"])
    def test_those_that_are_worked_on_are_soon_asked_for_again(
        self, settings: Settings, query: dict[str, str]
    ) -> None:
        settings.DEBUG = True
        assert self.get(language="zh-hans", **query)["Cache-Control"] == "max-age=60"
