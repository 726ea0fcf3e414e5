"""Python's code of product and tests, compiled before several processes would all do it at the same time."""

from __future__ import annotations

import compileall
import multiprocessing
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    *(
        "asrsite",
        "audit",
        "benchmarks",
        "deploy",
        "minutes",
        "recognition",
        "sessions_app",
        "speakers",
        "training",
    ),
    "tests",
)


def compile_all(config: pytest.Config) -> None:
    """Compile what is not yet, on all cores; else each process would at each first import."""
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    with multiprocessing.get_context("fork").Pool(initializer=_begin, initargs=(config,)) as pool:
        pool.map(_compile, files, chunksize=8)


def _begin(config: pytest.Config) -> None:
    _configs.append(config)


_configs: list[pytest.Config] = []


def _compile(file: Path) -> None:
    if file.name.startswith("test_") or file.name == "conftest.py":
        _rewrite(file, _configs[0])
    else:
        compileall.compile_file(file, quiet=2)


def _rewrite(file: Path, config: pytest.Config) -> None:
    """Write what pytest reads for a file of tests, whose `assert` tell what they compare."""
    state = config.stash[rewrite.assertstate_key]
    folder = rewrite.get_cache_dir(file)
    kept = folder / f"{file.stem}{rewrite.PYC_TAIL}"
    if rewrite.try_makedirs(folder) and rewrite._read_pyc(file, kept) is None:
        source_hash, code = rewrite._rewrite_test(file, config)
        rewrite._write_pyc(state, code, source_hash, kept)
