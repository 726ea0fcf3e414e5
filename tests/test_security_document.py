"""docs/security.md says what holds, and names a test for it: each of them is there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.imports import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| (?!threat|--)", line)]
NAMED = re.findall(r"`(tests/[^`]+)`", PAGE)


def known_in(path: str) -> set[str]:
    """The names of the tests in a file, those of classes as Class::test."""
    found = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for each in members:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_"):
                found.add(prefix + each.name)
    return found


@pytest.mark.parametrize("named", [name for name in NAMED if "::" in name])
def test_each_test_that_it_names_is_there(named: str) -> None:
    path, _colons, name = named.partition("::")
    assert (ROOT / path).is_file(), path
    assert name in known_in(path)


def test_each_threat_has_its_own_test() -> None:
    assert len(ROWS) > 30
    tests = [row[-1] for row in ROWS]
    assert all(re.fullmatch(r"`tests/[\w/]+\.py::[\w:]+`", test) for test in tests)
    assert len(tests) == len(set(tests))
