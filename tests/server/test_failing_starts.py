"""A start that fails ends the process, and says in one line which file, table and key it was."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.local_servers import free_port
from recognition.model_sets.reading import read_model_set
from tests.recognition.model_sets.tone_family import BREAKS
from tests.support import warm_python
from tests.support.server import Server

pytestmark = pytest.mark.slow(25)

MISSPELT = 'base = "embedded"\nstreaming.options.chunck = 3\n'

COMMANDS = {
    "serve": ["manage.py", "serve", "--port", str(free_port())],
    "recognize": ["manage.py", "recognize"],
    "uvicorn": ["-m", "uvicorn", "asrsite.asgi:application", "--port", str(free_port())],
}


def start(folder: Path, command: str, model_set: str, **environment: str) -> tuple[int, str]:
    """Start with this model set, wait until it has ended, and return its status and what it said."""
    installation = Server(folder)
    installation.migrate()
    file = folder / "own.toml"
    file.write_text(model_set, encoding="utf-8")
    own = {**installation.environment, **environment, "ASR_MODELS": str(file)}
    done = warm_python.run(COMMANDS[command], environment=own, does="networks", timeout_s=120)
    return done.returncode, (done.stdout + done.stderr).replace(f"{folder}/", "")


def test_an_option_that_is_misspelt_stops_the_server_and_is_named(tmp_path: Path) -> None:
    """Fault 1: the server stayed up, and nobody was told."""
    status, said = start(tmp_path, "serve", MISSPELT)
    assert status == 1
    assert (
        "own.toml: [streaming.options]: there is no key chunck, which is 3 here (did you mean chunk?)" in said
    )
    assert "Traceback" not in said


def test_a_model_that_fails_when_it_is_loaded_stops_the_server_and_is_named(tmp_path: Path) -> None:
    status, said = start(tmp_path, "serve", BREAKS.replace("HOW", "memory"))
    assert status == 1
    assert "own.toml: [offline]: there is not enough memory for it" in said
    assert "Traceback" not in said


def test_weights_that_were_damaged_stop_the_server_and_are_named(tmp_path: Path) -> None:
    source = read_model_set("embedded").sources["punctuation"]
    folder = tmp_path / "punctuation"
    folder.mkdir()
    for file in Path(source.path).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = folder / "model.pt"
    weights.write_bytes(weights.read_bytes()[:100_000])
    status, said = start(tmp_path, "serve", 'base = "embedded"\npunctuation.path = "punctuation"\n')
    assert status == 1
    assert "own.toml: [punctuation]: punctuation/model.pt holds no weights, or was cut short: " in said
    assert "Traceback" not in said


def test_recognition_workers_end_as_well(tmp_path: Path) -> None:
    status, said = start(
        tmp_path, "recognize", BREAKS.replace("HOW", "run"), REDIS_URL="redis://127.0.0.1:1/0"
    )
    assert status == 1
    assert re.search(r"own.toml: \[offline\]: it cannot be loaded or run: RuntimeError: mat1 and mat2", said)
    assert "Traceback" not in said


def test_uvicorn_ends_as_well(tmp_path: Path) -> None:
    status, said = start(tmp_path, "uvicorn", BREAKS.replace("HOW", "load"))
    assert status == 3  # uvicorn's for a start that failed
    assert "own.toml: [offline]: it cannot be loaded or run: RuntimeError: the library has a bad day" in said
    assert "Traceback" not in said


def test_an_end_silence_that_is_none_stops_every_command_by_its_name(tmp_path: Path) -> None:
    status, said = start(tmp_path, "serve", MISSPELT, ASR_END_SILENCE_MS="-5")
    assert status == 1
    assert "ASR_END_SILENCE_MS='-5' is not understood: use a whole number from 50 to 10000" in said
