"""One tree of exceptions: whoever calls this package can catch all that it raises on purpose."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from speakers import exceptions
from speakers.exceptions import JobError, SpeakersError, Undecipherable

ROOT = Path(exceptions.__file__).parent
ERRORS = [kind for _, kind in inspect.getmembers(exceptions, inspect.isclass)]
PROGRAM = ROOT / "decoder_process.py"  # a process of its own, which imports nothing of ours


@pytest.mark.parametrize("error", ERRORS)
def test_each_error_belongs_to_the_tree_and_is_drawn_in_it(error: type[Exception]) -> None:
    assert issubclass(error, SpeakersError)
    assert error.__name__ in (exceptions.__doc__ or "")


@pytest.mark.parametrize("name", ["JobFailed", "JobMustWait", "JobLost"])
def test_what_stops_a_job_can_be_caught_together(name: str) -> None:
    assert issubclass(getattr(exceptions, name), JobError)


@pytest.mark.parametrize(
    "module", sorted(set(ROOT.rglob("*.py")) - {PROGRAM, ROOT / "exceptions.py"}), ids=lambda path: path.stem
)
def test_no_module_has_errors_of_its_own(module: Path) -> None:
    classes = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ClassDef)]
    bases = {ast.unparse(base) for each in classes for base in each.bases}
    assert not {base for base in bases if base.endswith(("Exception", "Error"))}


def test_a_missing_key_says_what_to_do() -> None:
    assert "Put that key back" in str(Undecipherable())
    assert "VOICEPRINT_KEYS" in str(Undecipherable())


def test_decisions_may_raise_them_without_django() -> None:
    code = "import sys, speakers.exceptions; print('django' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
