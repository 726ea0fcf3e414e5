"""First lines of docstrings: the imperative or the field's nouns, never a question."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imports import modules

QUESTIONS = {"what", "who", "whom", "whose", "how", "whether", "when", "where", "which", "why", "of", "that"}

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def first_lines(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of everything in a module that has a docstring, with the first line of that."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            yield getattr(node, "name", "the module"), text.splitlines()[0]


def first_word(line: str) -> str:
    return line.split()[0].strip("`'\",.:;()").lower()


@pytest.mark.parametrize("file", modules().values(), ids=modules())
def test_a_docstring_says_what_a_thing_is_or_does_and_asks_nothing(file: Path) -> None:
    assert [found for found in first_lines(file) if first_word(found[1]) in QUESTIONS] == []


def test_a_question_would_be_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        '"""A module."""\nasync def f():\n    """Whether it is so."""\nclass C:\n    """A class."""\n'
    )
    found = dict(first_lines(file))
    assert found == {"the module": "A module.", "C": "A class.", "f": "Whether it is so."}
    assert first_word(found["f"]) in QUESTIONS
    assert first_word(found["C"]) not in QUESTIONS
