from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType

import pytest
from django.core.exceptions import ImproperlyConfigured

from asrsite import environment
from tests.support import warm_python


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda value: monkeypatch.setenv("NAME", value)


class TestValues:
    @pytest.mark.parametrize(
        ("value", "found"), [("", ["a", "b"]), ("b", ["b"]), (" a , b,", ["a", "b"]), ("none", [])]
    )
    def test_some_of_several_names(self, env: Callable[[str], None], value: str, found: list[str]) -> None:
        env(value)
        assert environment.subset("NAME", ["a", "b"]) == found

    @pytest.mark.parametrize(("value", "meaning"), [("1", True), ("Yes", True), ("off", False), ("", True)])
    def test_a_boolean(self, env: Callable[[str], None], value: str, meaning: bool) -> None:
        env(value)
        assert environment.boolean("NAME", True) is meaning

    @pytest.mark.parametrize(
        ("read", "value", "message"),
        [
            (
                lambda: environment.boolean("NAME", True),
                "maybe",
                "NAME='maybe' is not understood: use 1 or 0.",
            ),
            (lambda: environment.number("NAME", 1), "ten", "NAME='ten' is not understood: use a number."),
            (
                lambda: environment.number("NAME", 1, least=1),
                "0",
                "NAME='0' is not understood: the least is 1.",
            ),
            (lambda: environment.number("NAME", 1), "nan", "NAME='nan' is not understood: the least is 0."),
            (lambda: environment.integer("NAME", 1), "1.5", "use a whole number, 0 or more"),
            (lambda: environment.integer("NAME", 1), "-1", "use a whole number, 0 or more"),
            (lambda: environment.integer("NAME", 0, least=50, most=99), "49", "a whole number from 50 to 99"),
            (
                lambda: environment.integer("NAME", 0, least=50, most=99),
                "100",
                "a whole number from 50 to 99",
            ),
            (lambda: environment.choice("NAME", "a", ["a", "b"]), "c", "use one of a, b"),
            (
                lambda: environment.subset("NAME", ["a", "b"]),
                "a,c,d",
                "NAME='c,d' .* use some of a, b, or none",
            ),
            (lambda: environment.subset("NAME", ["a", "b"]), "a,none", "use some of a, b, or none"),
        ],
    )
    def test_nonsense_is_an_error_that_names_it(
        self, env: Callable[[str], None], read: Callable[[], object], value: str, message: str
    ) -> None:
        env(value)
        with pytest.raises(ImproperlyConfigured, match=message.replace("(", r"\(")):
            read()

    def test_a_list(self, env: Callable[[str], None]) -> None:
        env("a, b,,c")
        assert environment.names("NAME", []) == ["a", "b", "c"]


class TestSecret:
    def test_is_made_once_for_the_owners_eyes_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        made = environment.secret("NO_SUCH_NAME", file)
        assert len(made) >= 50
        assert environment.secret("NO_SUCH_NAME", file) == made
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_the_environment_goes_first(self, env: Callable[[str], None], tmp_path: Path) -> None:
        env("given")
        assert environment.secret("NAME", tmp_path / "secret") == "given"
        assert not (tmp_path / "secret").exists()

    @pytest.mark.parametrize("content", ["", " \n"])
    def test_an_empty_one_stops_the_start_and_is_left_alone(self, tmp_path: Path, content: str) -> None:
        file = tmp_path / "secret"
        file.write_text(content)
        with pytest.raises(ImproperlyConfigured, match=f"The file {file} is empty.*delete it"):
            environment.secret("NO_SUCH_NAME", file)
        assert file.read_text() == content

    def test_it_is_written_whole_or_not_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(descriptor: int) -> None:
            raise OSError("No space left on device")

        monkeypatch.setattr("asrsite.environment.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            environment.secret("NO_SUCH_NAME", tmp_path / "secret")
        assert not list(tmp_path.iterdir())


def test_new_files_are_for_their_owner_and_group_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        environment.hide_new_files()
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
        assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o750
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
        os.umask(0o077)
        environment.hide_new_files()
        assert os.umask(0o022) == 0o077  # whoever wants it stricter has it
    finally:
        os.umask(before)


def check(tmp_path: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` of an installation with these settings."""
    environ = {"PATH": "/usr/bin:/bin", "ASR_DATA_DIR": str(tmp_path), **settings}
    return warm_python.run(["manage.py", "check", *arguments], environment=environ)


def read_settings() -> ModuleType:
    """Read them once more, as a process does that starts; those of this one stay as they are."""
    spec = find_spec("asrsite.settings")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestSettings:
    def test_the_default_is_fit_for_deployment(self, tmp_path: Path) -> None:
        done = check(tmp_path, "--deploy", "--fail-level", "WARNING")
        assert done.returncode == 0, done.stderr

    def test_so_is_a_server_behind_a_tls_proxy(self, tmp_path: Path) -> None:
        settings = {"ALLOWED_HOSTS": "meet.example.org", "ASR_HTTPS": "1", "ASR_ACCESS": "token"}
        done = check(tmp_path, "--deploy", "--fail-level", "WARNING", **settings)
        assert done.returncode == 0, done.stderr

    def test_plain_http_over_a_network_is_not(self, tmp_path: Path) -> None:
        done = check(tmp_path, "--deploy", "--fail-level", "WARNING", ALLOWED_HOSTS="meet.example.org")
        assert done.returncode != 0
        assert "SECURE_SSL_REDIRECT" in done.stderr

    def test_debug_is_off_and_not_allowed_over_a_network(self, tmp_path: Path) -> None:
        assert "asrsite.E001" in check(tmp_path, DEBUG="1", ALLOWED_HOSTS="meet.example.org").stderr
        assert check(tmp_path, DEBUG="1").returncode == 0

    def test_whoever_listens_on_the_network_answers_there_and_to_no_name(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("ASR_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("HOST", "192.168.1.5")
        assert read_settings().ALLOWED_HOSTS == ["localhost", "127.0.0.1", "[::1]", "192.168.1.5"]
        monkeypatch.setenv("ALLOWED_HOSTS", "meet.example.org")
        assert read_settings().ALLOWED_HOSTS == ["meet.example.org"]

    def test_open_access_over_a_network_is_warned_of(self, tmp_path: Path) -> None:
        done = check(tmp_path, ASR_ACCESS="open", ALLOWED_HOSTS="meet.example.org")
        assert "asrsite.W001" in done.stderr

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DEBUG", "perhaps"),
            ("ASR_ACCESS", "everyone"),
            ("REDIS_URL", "localhost:6379"),
            ("REDIS_URL", "redis+sentinel://a:1,b:2"),
            ("DATABASE_URL", "mysql://localhost/x"),
            ("DATABASE_URL", "nonsense"),
            ("ASR_DATA_DIR", "/proc/no/such"),
            ("EMAIL_URL", "mail.example.org"),
            ("EMAIL_URL", "imap://mail.example.org"),
            ("EMAIL_URL", "smtp://mail.example.org:post"),
            ("EMAIL_URL", "smtp://"),
            ("EMAIL_URL", "smtp+tls://mail.example.org/?tls=1"),
            ("EMAIL_URL", "smtp://mail.example.org"),  # without a sender
            ("LANGUAGE_CODE", "tlh"),
            ("PORT", "http"),
        ],
    )
    def test_a_wrong_value_is_an_error_that_names_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setattr(os, "environ", {"ASR_DATA_DIR": str(tmp_path), name: value})
        with pytest.raises(ImproperlyConfigured, match=f"^{name}"):
            read_settings()

    def test_sentinels_are_known_to_the_layer_and_the_cache(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = "redis+sentinel://a:1,b:2/meetings"
        monkeypatch.setattr(os, "environ", {"ASR_DATA_DIR": str(tmp_path), "REDIS_URL": url})
        read = read_settings()
        [host] = read.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
        assert (host["sentinels"], host["master_name"]) == ([("a", 1), ("b", 2)], "meetings")
        assert read.CACHES["default"]["LOCATION"] == [url]

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("smtp://mail", ("mail", 25, "", "", False, False)),
            ("smtp+tls://a%40b:c%2Fd@mail.example.org", ("mail.example.org", 587, "a@b", "c/d", True, False)),
            ("smtp+ssl://a:b@mail.example.org:1465", ("mail.example.org", 1465, "a", "b", False, True)),
            ("", ("", 25, "", "", False, False)),
        ],
    )
    def test_a_mail_server_is_set_by_its_address(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, expected: tuple[object, ...]
    ) -> None:
        environ = {"ASR_DATA_DIR": str(tmp_path), "EMAIL_URL": url, "DEFAULT_FROM_EMAIL": "a@example.org"}
        monkeypatch.setattr(os, "environ", environ)
        read = read_settings()
        names = ["HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL"]
        assert tuple(getattr(read, f"EMAIL_{name}") for name in names) == expected

    def test_no_password_of_a_mail_server_is_in_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        environ = {"ASR_DATA_DIR": str(tmp_path), "EMAIL_URL": "smtps://a:secret@mail.example.org"}
        monkeypatch.setattr(os, "environ", environ)
        with pytest.raises(ImproperlyConfigured) as raised:
            read_settings()
        assert "secret" not in str(raised.value)

    def test_whoever_starts_a_command_is_told_so(self, tmp_path: Path) -> None:
        done = check(tmp_path, DEBUG="perhaps")
        assert done.returncode != 0
        assert "ImproperlyConfigured: DEBUG" in done.stderr
