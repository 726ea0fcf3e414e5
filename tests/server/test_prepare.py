"""What `make run` does before it serves, with the network and without."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.support.server import ROOT, Server

SET = """
base = "embedded"
title = "Ours"
[speaker]
title = "Voices"
licence = "MIT"
kind = "campplus"
[speaker.files."campplus_cn_en_common.pt"]
sha256 = "{sha256}"
size = 7
places = [
    {{ wheels = ["weights==1.0:weights/a.pt"] }},
    {{ huggingface = "somebody/weights@abc:a.pt" }},
    {{ modelscope = "somebody/weights@abc:a.pt" }},
]
"""


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """An installation where only loopback can be reached."""
    server = Server(
        tmp_path,
        ASR_MODELS="auto",
        ASR_CAPACITY="2",
        PYTHONPATH=str(ROOT / "tests" / "support" / "no_network"),
        NETWORK_ATTEMPTS=str(tmp_path / "attempts"),
    )
    server.migrate()
    return server


def attempts(server: Server) -> str:
    file = server.data_dir / "attempts"
    return file.read_text() if file.exists() else ""


def test_without_a_network_it_is_done_all_the_same_and_says_what_is_missing_in_one_line(
    server: Server,
) -> None:
    said = server.manage("prepare").splitlines()

    [line] = [line for line in said if "could not be fetched" in line]
    assert line.startswith(
        "Whisper, multilingual could not be fetched, and people will not be recognised: model.bin "
    )
    assert line.endswith("To try again: python manage.py models pull people [--from FOLDER]")
    assert len(said) == 3  # and the password
    assert "huggingface.co" in attempts(server)


def test_what_is_there_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "a.pt").write_bytes(b"weights")
    own = tmp_path / "own.toml"
    own.write_text(SET.format(sha256=hashlib.sha256(b"weights").hexdigest()))
    server.environment["ASR_MODELS"] = str(own)
    server.manage("models", "pull", str(own), "--from", str(tmp_path / "stick"))

    said = server.manage("prepare")

    assert "Voices" not in said
    assert attempts(server) == ""


@pytest.mark.slow(10)
def test_with_the_set_for_people_nothing_beyond_loopback_is_asked_for(
    server: Server, people_models_dir: Path
) -> None:
    (server.data_dir / "models").symlink_to(people_models_dir)
    server.environment["ASR_MODELS"] = "people"

    said = server.manage("prepare")
    with server:
        assert server.is_running

    assert "Whisper, multilingual" not in said
    assert attempts(server) == ""
