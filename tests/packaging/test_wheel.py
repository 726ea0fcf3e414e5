"""The package that `pip wheel .` makes: all that the programs need, and it serves from an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path

import pytest

from asrsite import __version__
from deploy.local_servers import free_port
from tests.support.server import ROOT, SCRIPT

pytestmark = pytest.mark.slow

PACKAGES = ("asrsite", "audit", "minutes", "recognition", "sessions_app", "speakers")
RESOURCES = ("locale", "static", "templates")


def files_of_the_checkout() -> list[str]:
    """Return what is in the repository, or will be once it is added."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file()]


def place_in_the_wheel(name: str) -> str | None:
    folder = name.split("/")[0]
    if folder in PACKAGES:
        return name
    return f"asrsite/{name}" if folder in RESOURCES else None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    source = tmp_path_factory.mktemp("source")
    for name in files_of_the_checkout():
        if name.startswith(("tests/", "docs/", "benchmarks/", "training/")):
            continue
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    # In this environment: one of its own would be fetched.
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "."]
    subprocess.run(build, cwd=source, capture_output=True, check=True)
    [built] = source.glob("*.whl")
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> dict[str, list[str]]:
    [name] = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    message = message_from_string(wheel.read(name).decode())
    return {key: message.get_all(key, []) for key in message}


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its files as pip lays them out; what they depend on is there already."""
    folder = tmp_path_factory.mktemp("site-packages")
    wheel.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def command(*arguments: str) -> list[str]:
    """Return a command line of the installed program."""
    start = "import sys; from asrsite.command_line import main; sys.argv[0] = 'asrsite'; main()"
    return [sys.executable, "-c", start, *arguments]


def environment(installed: Path, home: Path, **more: str) -> dict[str, str]:
    ours = {"PYTHONPATH": str(installed), "HOME": str(home), "PYTHONUNBUFFERED": "1", **more}
    taken = ("ASR_DATA_DIR", "DATABASE_URL", "REDIS_URL", "XDG_DATA_HOME", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in os.environ.items() if name not in taken} | ours


@pytest.fixture
def serving(installed: Path, home: Path, tmp_path: Path) -> Iterator[str]:
    """`asrsite serve`, by somebody who has done nothing before, in an empty folder."""
    script, port = home / "script.toml", free_port()
    script.write_text(SCRIPT)
    (tmp_path / "empty").mkdir()
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            command("serve", "--port", str(port)),
            cwd=tmp_path / "empty",
            env=environment(installed, home, ASR_MODELS=str(script)),
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 90
    while not _answers(port):
        assert process.poll() is None and time.monotonic() < deadline, (home / "log").read_text()
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert process.wait(30) == 0


def _answers(port: int) -> bool:
    try:
        return bool(get(f"http://127.0.0.1:{port}/readyz"))
    except OSError:
        return False


def get(address: str, **headers: str) -> str:
    return content(address, **headers).decode()


def content(address: str, **headers: str) -> bytes:
    request = urllib.request.Request(address, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        read: bytes = answer.read()
        return read


def test_it_has_every_file_of_the_programs_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    wanted = {place_in_the_wheel(name) for name in files_of_the_checkout()} - {None}
    wanted = {name for name in wanted if name and not name.endswith("/.gitkeep")}
    has = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert has == wanted


def test_it_is_of_the_version_that_the_program_says(metadata: dict[str, list[str]]) -> None:
    assert metadata["Version"] == [__version__]


def test_it_asks_for_what_the_requirements_ask_for(metadata: dict[str, list[str]]) -> None:
    asked = [asking.split(";") for asking in metadata["Requires-Dist"]]
    assert [name for name, *condition in asked if not condition] == required("requirements.txt")


def test_what_programs_ask_for_that_not_all_need_is_an_extra(metadata: dict[str, list[str]]) -> None:
    extras = [asking for asking in metadata["Requires-Dist"] if ";" in asking]
    assert extras == [f'{name}; extra == "mcp"' for name in required("requirements-mcp.txt")]


def required(name: str) -> list[str]:
    return re.findall(r"^[^#\s].*", (ROOT / name).read_text(), re.M)


def test_it_has_a_command(wheel: zipfile.ZipFile) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]
    assert "asrsite = asrsite.command_line:main" in wheel.read(name).decode()


def test_the_version_is_told_without_any_settings(installed: Path, home: Path) -> None:
    told = subprocess.run(
        command("--version"),
        env=environment(installed, home, ASR_DEVICE="nonsense"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == f"asrsite {__version__}\n"


def test_it_serves_pages_in_both_languages_with_all_that_belongs_to_them(serving: str, home: Path) -> None:
    page = get(f"{serving}/", **{"Accept-Language": "zh-hans"})
    assert "会议" in page
    parts = set(re.findall(r'"(/static/[^"]+)"', page))
    assert len(parts) > 2
    assert all(content(f"{serving}{part}") for part in parts)
    assert f'asrsite_info{{version="{__version__}"}} 1.0' in get(f"{serving}/metrics")
    assert "password is shown" in (home / "log").read_text()
    assert (home / ".local" / "share" / "asrsite" / "asrsite.sqlite3").is_file()
