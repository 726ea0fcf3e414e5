"""Databases made before the migrations were squashed go on as they are; new ones are like them.

`databases/` has one of commit f0bf917 with rows in every table, as it was on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from deploy.local_servers import PostgresServer
from tests.support.server import Server

DATABASES = Path(__file__).with_name("databases")
KEY = "YSBrZXkgZm9yIHRlc3RzIGFuZCBmb3Igbm8gb3RoZXI="
"""With which the voices in them are sealed."""

TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
COLUMNS = {
    "sqlite": """
        SELECT m.name, c.name, lower(c.type), c."notnull" FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table'""",
    "postgres": """
        SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
        WHERE table_schema = 'public'""",
}
INDEXES = {
    "sqlite": "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgres": "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}

MIGRATE = """
import json
from django.core.management import call_command
from sessions_app.transcripts.search import find
from speakers.fields import unseal

call_command("migrate", verbosity=0)
call_command("migrate", check_unapplied=True, verbosity=0)
call_command("makemigrations", check_changes=True, verbosity=0)
"""
"""And see that nothing is left to be done, in one process: each takes seconds to start."""

READ = """
lines = [
    [u.session.key, u.seq, u.text, u.machine_text, u.voice and u.voice.name, u.is_removed]
    for u in Utterance.objects.select_related("session", "voice__speaker").order_by("pk")
]
told = {
    "lines": lines,
    "tokens": Utterance.objects.get(pk=1).tokens,
    "versions": [v.text for v in Utterance.objects.get(pk=2).history.order_by("history_id")],
    "editor": Utterance.objects.get(pk=2).history.latest().history_user.username,
    "names": [v.name for v in Speaker.objects.get(pk=1).history.order_by("history_id")],
    "voiceprint": Voiceprint.objects.get().embedding.tolist(),
    "agreed": Voiceprint.objects.get().consent.text.language,
    "draft": unseal(Enrollment.objects.get(verdict__isnull=False).sealed_embedding).tolist(),
    "going_on": unseal(Voice.objects.get(session__key="live-now").sealed_mean).tolist(),
    "admitted": [
        AccessToken.find("receiver-secret").admits("receiver", key) for key in ("weekly-2026-11", "live-now")
    ],
    "revoked": AccessToken.find("sender-secret"),
    "found": [u.pk for u in find(Utterance.objects.all(), "预算通过")],
}
live = Session.objects.get(key="live-now")
added = Utterance.objects.create(session=live, seq=2, start=1, end=2, text="散会。")
told["found_since"] = [u.pk == added.pk for u in find(Utterance.objects.all(), "散会")]
print(json.dumps(told))
"""

Execute = Callable[[str], Any]
Rows = dict[str, list[dict[str, Any]]]


class Installation(Server):
    """One with a database of its own, which is looked into from outside."""

    def __init__(self, data_dir: Path, kind: str, url: str, execute: Execute) -> None:
        super().__init__(data_dir, DATABASE_URL=url, VOICEPRINT_KEYS=KEY)
        self.kind = kind
        self._execute = execute

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._execute(query).fetchall()]

    def rows(self) -> Rows:
        """Those of all tables; the search's index has none of its own."""
        return {name: self._rows(name) for (name,) in self.ask(TABLES[self.kind]) if "search" not in name}

    def shape(self) -> tuple[set[Any], set[Any]]:
        """Columns and indexes of all tables."""
        return set(self.ask(COLUMNS[self.kind])), set(self.ask(INDEXES[self.kind]))

    def _rows(self, table: str) -> list[dict[str, Any]]:
        cursor = self._execute(f'SELECT * FROM "{table}"')  # noqa: S608
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Old(NamedTuple):
    installation: Installation
    before: Rows
    """What was in its tables."""

    told: Any
    """What is read in them through today's models."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Installation]:
    """Makes one whose database has this name and is empty."""
    folder = tmp_path_factory.mktemp("migrations")

    def on_sqlite(name: str) -> Installation:
        file = folder / f"{name}.sqlite3"
        connection = sqlite3.connect(file, isolation_level=None)
        request.addfinalizer(connection.close)
        return Installation(folder / name, "sqlite", f"sqlite:///{file}", connection.execute)

    def on_postgres(server: PostgresServer, name: str) -> Installation:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        opened = psycopg.connect(server.database_url(name), autocommit=True)
        request.addfinalizer(opened.close)
        return Installation(folder / name, "postgres", server.database_url(name), opened.execute)

    if request.param == "sqlite":
        return on_sqlite
    return partial(on_postgres, request.getfixturevalue("postgres_server"))


@pytest.fixture(scope="module")
def new(installation: Callable[[str], Installation]) -> Installation:
    made = installation("new")
    made.shell(MIGRATE)
    return made


@pytest.fixture(scope="module")
def old(installation: Callable[[str], Installation]) -> Old:
    """A database of f0bf917, migrated."""
    made = installation("old")
    _load(made)
    before = made.rows()
    return Old(made, before, told=json.loads(made.shell(MIGRATE + READ)))


def _load(installation: Installation) -> None:
    dump = (DATABASES / f"f0bf917.{installation.kind}.sql").read_text()
    if installation.kind == "postgres":
        with psycopg.connect(installation.environment["DATABASE_URL"]) as connection:
            connection.execute(dump)
    else:
        with sqlite3.connect(installation.environment["DATABASE_URL"].removeprefix("sqlite:///")) as loading:
            loading.executescript(dump)


def test_the_old_database_had_rows_in_every_table(old: Old) -> None:
    assert [table for table, rows in old.before.items() if not rows] == []


DROPPED = {("sessions_app_session", "recording"), ("auth_permission", "name")}
"""Columns that nothing but this dump ever had a value in, and words for people that are put better now."""


RENAMED = {
    ("auth_permission", "codename", "view_auditentry"): "view_entry",
    ("django_content_type", "app_label", "speakers"): "audit",
    ("django_content_type", "model", "auditentry"): "entry",
}
"""The log of voices became everybody's: whoever might read it may still."""


def renamed(table: str, row: dict[str, Any]) -> dict[str, Any]:
    is_log = row.get("codename") == "view_auditentry" or row.get("model") == "auditentry"
    return {key: RENAMED.get((table, key, value), value) for key, value in row.items()} if is_log else row


def test_every_row_is_kept_with_all_that_it_held(old: Old) -> None:
    after = old.installation.rows()
    for table in old.before.keys() - {"sqlite_sequence"}:
        for was in old.before[table]:
            row = renamed(table, {key: value for key, value in was.items() if (table, key) not in DROPPED})
            assert any(row.items() <= kept.items() for kept in after[table]), (table, row)


def test_its_tables_are_those_of_a_new_one(old: Old, new: Installation) -> None:
    assert old.installation.shape() == new.shape()


def test_a_new_one_begins_with_a_text_of_consent_in_each_language(new: Installation) -> None:
    assert sorted(new.ask("SELECT language FROM speakers_consenttext")) == [("en",), ("zh-hans",)]


def test_lines_are_read_with_their_voices(old: Old) -> None:
    assert old.told["lines"] == [
        ["weekly-2026-11", 1, "大家好，我们开始开会。", "大家好，我们开始开会。", "张三丰", False],
        ["weekly-2026-11", 2, "预算通过了吗？", "预算通过了。", "Speaker 1", False],
        ["weekly-2026-11", 3, "removed", "removed", "张三丰", True],
        ["weekly-2026-11", None, "A line that a person added.", "", None, False],
        ["live-now", 1, "喂？", "喂？", "Speaker 1", False],
    ]
    assert old.told["tokens"] == [["大", 0, 3000], ["家", 3000, 6000]]


def test_what_people_changed_is_still_told(old: Old) -> None:
    assert old.told["versions"] == ["预算通过了。", "预算通过了吗？"]
    assert old.told["editor"] == "bob"
    assert old.told["names"] == ["张三", "张三丰"]


def test_voices_are_opened_with_the_same_key(old: Old) -> None:
    assert old.told["voiceprint"] == [0.5, -0.5, 0.5, -0.5]
    assert old.told["agreed"] == "zh-hans"
    assert old.told["draft"] == pytest.approx([0.6, 0.8])
    assert old.told["going_on"] == [0.0, 1.0]


def test_tokens_admit_whom_they_admitted(old: Old) -> None:
    assert old.told["admitted"] == [True, False]
    assert old.told["revoked"] is None


def test_what_was_said_is_found_and_what_is_said_next_as_well(old: Old) -> None:
    assert old.told["found"] == [2]
    assert old.told["found_since"] == [True]
