"""Static files: addresses that change with them, so that browsers keep them; small; of whichever version."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.templatetags.static import static
from django.test import Client, RequestFactory, override_settings
from pytest_django import Settings
from rjsmin import jsmin

from asrsite import static_files
from asrsite.static_files import FOR_EVER, StaticFilesMiddleware, split_version
from tests.sessions_app.meetings import make_lines, make_session, make_voice
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

    @pytest.mark.parametrize(
        ("accepted", "packing"),
        [
            ("gzip, deflate", "gzip"),
            ("gzip, deflate, br, zstd", "br"),
            ("GZIP;q=0.5", "gzip"),
            ("br;q=0, gzip;q=1.0", "gzip"),
            ("gzip; q=0.0", ""),
            ("zstd, brotli", ""),
            ("", ""),
        ],
    )
    def test_text_is_packed_for_those_who_can_unpack_it(
        self, middleware: StaticFilesMiddleware, accepted: str, packing: str
    ) -> None:
        plain = get(middleware, static("css/base.css"))
        packed = get(middleware, static("css/base.css"), accept_encoding=accepted)
        unpack = {"gzip": gzip.decompress, "br": brotli.decompress, "": bytes}[packing]
        assert packed.headers.get("Content-Encoding", "") == packing
        assert unpack(packed.content) == plain.content
        assert len(packed.content) < len(plain.content) / 2 or not packing
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

    def test_our_modules_and_styles_come_without_what_is_for_their_readers(
        self, middleware: StaticFilesMiddleware
    ) -> None:
        for name, comment in [(MODULE, "@type"), ("css/session.css", "/*")]:
            source = (ROOT / "static" / name).read_text()
            sent = get(middleware, static(name)).content.decode()
            assert comment in source
            assert comment not in sent
            assert len(sent) < len(source)

    def test_what_others_wrote_is_sent_as_it_is(self, middleware: StaticFilesMiddleware) -> None:
        name = "admin/js/theme.js"
        found = finders.find(name)
        assert isinstance(found, str)
        assert get(middleware, static(name)).content == Path(found).read_bytes()


class TestSmallerModules:
    @pytest.mark.parametrize(
        "file", sorted((ROOT / "static" / "js").rglob("*.js")), ids=lambda file: file.name
    )
    def test_no_code_goes(self, file: Path) -> None:
        source = file.read_text()
        code = re.sub(r"^[ \t]*//.*$|(?<=\s)// .*$|/\*(?s:.*?)\*/", "", source, flags=re.MULTILINE)
        sent = jsmin(source)
        assert "".join(sent.split()) == "".join(code.split())

    @pytest.mark.parametrize(
        "code",
        [
            "let a=`\n// no comment\n/* nor this */\n`;",
            "let a=`${b('// c')}  d`;",
            'let a="\\"  // `";',
            "let a=/[/]\\/\\/  b/.test(c);",
            "return/ {2}/u.exec(a)",
        ],
    )
    def test_what_looks_like_a_comment_or_a_gap_and_is_none_stays(self, code: str) -> None:
        assert jsmin(f"// a\n{code} // b\n") == code


@pytest.mark.django_db
def test_a_meetings_page_is_at_most_sixty_kilobytes_on_the_wire(middleware: StaticFilesMiddleware) -> None:
    session = make_session("weekly")
    make_lines(session, ["大家好，我们开始今天的例会。"] * 20, make_voice(session, "林静"))
    page = Client(headers={"accept-encoding": "gzip"}).get(session.get_absolute_url())
    html = gzip.decompress(page.content).decode()
    addresses = set(re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css))"', html))
    words = Client(headers={"accept-encoding": "gzip"}).get("/words.js", {"language": "zh-hans"})
    sizes = {each: len(get(middleware, each, accept_encoding="br, gzip").content) for each in addresses}
    assert len(sizes) > 40
    assert len(page.content) + len(words.content) + sum(sizes.values()) <= 60_000


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
