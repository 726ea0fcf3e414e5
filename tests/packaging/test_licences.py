"""Every package that is installed has a licence that we know and may use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deploy import licences
from deploy.licences import ALLOWED, REFUSED, identifiers, licence_said


def test_the_page_is_what_the_packages_say() -> None:
    assert licences.PAGE.read_text() == licences.page(licences.everything()), "run python -m deploy.licences"


@pytest.mark.parametrize("lock", licences.LOCKS)
def test_no_package_is_without_a_licence(lock: str) -> None:
    assert set(licences.locked(lock)) <= licences.listed().keys()


@pytest.mark.parametrize("name", [name for name in licences.listed() if name not in REFUSED])
def test_a_licence_is_one_of_those_that_are_allowed(name: str) -> None:
    found = identifiers(licences.listed()[name])
    assert found and set(found) <= ALLOWED


def test_what_is_refused_is_never_loaded() -> None:
    # As in the image, where it is not installed.
    code = """if True:
        import importlib, sys
        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in sys.argv[1:]:
                    raise ModuleNotFoundError(name)
        sys.meta_path.insert(0, Missing())
        from recognition.funasr import embedding, loading, offline, punctuation, streaming, vad
        from recognition.funasr import whisper, xvector
        with loading.lean_import():
            for module in set(loading.MODULES.values()):
                importlib.import_module(module)
        import recognition.whisper.offline, recognition.whisper.streaming, recognition.evaluation.checking
    """
    subprocess.run([sys.executable, "-c", code, *REFUSED], check=True, cwd=licences.ROOT)


@pytest.mark.parametrize(
    ("expression", "words", "classifiers", "licence"),
    [
        ("MIT AND PSF-2.0", "whatever", [], "MIT AND PSF-2.0"),
        ("", "Apache-2.0", [], "Apache-2.0"),
        ("", "MPL-2.0 AND MIT", [], "MPL-2.0 AND MIT"),
        ("", "Copyright (c) 2014", ["License :: OSI Approved :: MIT License"], "MIT"),
        ("", "BSD", ["License :: OSI Approved"], "BSD-3-Clause"),
        ("", "", ["License :: OSI Approved :: BSD License"], "BSD-3-Clause"),
        ("", "SOFTWARE LICENSE AGREEMENT FOR EVALUATION", [], ""),
        ("", "", ["Programming Language :: Python"], ""),
    ],
)
def test_a_package_says_it_in_one_way_or_another(
    expression: str, words: str, classifiers: list[str], licence: str
) -> None:
    assert licence_said(expression, words, classifiers) == licence


def test_an_exception_is_no_licence_of_its_own() -> None:
    assert identifiers("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception") == ["BSD-2-Clause", "Apache-2.0"]
