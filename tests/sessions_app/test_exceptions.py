"""One tree of exceptions: whoever calls this package can catch all that it raises on purpose."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from sessions_app import exceptions
from sessions_app.exceptions import SessionsError

ROOT = Path(exceptions.__file__).parent
TREE = re.findall(r"[├└]── (\w+) +(?:(\S+/\S+): )?", exceptions.__doc__ or "")
MODULES = sorted(file for file in ROOT.rglob("*.py") if "migrations" not in file.parts)


def errors_of(file: Path) -> dict[str, set[str]]:
    """The classes of a module that are exceptions by the name of a base, with their bases."""
    classes = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)]
    bases = {each.name: {ast.unparse(base) for base in each.bases} for each in classes}
    known = {"SessionsError", "TransportError", "EditError", *(name for name, _ in TREE)}
    own = {name for name in dir(builtins) if name.endswith(("Error", "Exception"))}
    return {name: found for name, found in bases.items() if found & (known | own)}


DEFINED = {
    name: (file, bases)
    for file in MODULES
    for name, bases in errors_of(file).items()
    if name != "SessionsError" and not name.startswith("_")
}


def test_the_tree_names_every_error_and_no_other() -> None:
    assert sorted(name for name, _ in TREE) == sorted(DEFINED)


@pytest.mark.parametrize("name", sorted(DEFINED))
def test_each_error_belongs_to_the_tree(name: str) -> None:
    file, _ = DEFINED[name]
    module = import_module(".".join(["sessions_app", *file.relative_to(ROOT).with_suffix("").parts]))
    assert issubclass(getattr(module, name), SessionsError)


@pytest.mark.parametrize(("name", "place"), [entry for entry in TREE if entry[1]])
def test_each_stands_where_the_tree_says(name: str, place: str) -> None:
    assert DEFINED[name][0] == ROOT / f"{place}.py"


def test_pure_modules_may_use_it() -> None:
    code = "import sys, sessions_app.exceptions; print({'django', 'asyncio'} & {*sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
