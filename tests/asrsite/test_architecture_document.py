"""The map of the house: docs/architecture.md has a line for every module, and only for those."""

from __future__ import annotations

import ast
import functools
import re

from tests.support.imports import ROOT, modules

DOCUMENT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def described() -> dict[str, str]:
    """The modules of the map by path, with what is said of them."""
    rows = re.findall(r"^\| `([\w/]+\.py)` \| (.+) \|$", DOCUMENT, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a module stands twice in docs/architecture.md"
    return dict(rows)


@functools.cache
def first_lines() -> dict[str, str]:
    """The first docstring line of every module that has code."""
    files = {str(file.relative_to(ROOT)): file for file in modules().values()}
    return {
        path: (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]
        for path, file in files.items()
    }


def test_every_module_has_its_line_and_no_line_has_lost_its_module() -> None:
    assert {*described()} == {*first_lines()}


def test_a_line_says_what_the_module_says_of_itself() -> None:
    assert described() == first_lines()


def test_every_module_says_what_it_is_in_words_of_the_field() -> None:
    questions = re.compile(r"^(What|Who|How|Whether|Where|Which|Of)\b")
    assert [path for path, line in first_lines().items() if not line or questions.match(line)] == []


def test_the_map_names_only_places_that_exist() -> None:
    named = re.findall(r"`((?:sessions_app|speakers|recognition|asrsite|tests|docs)/[\w/.-]+)`", DOCUMENT)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
