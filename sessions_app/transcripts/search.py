"""Search in what was said: any piece of any line, from two Chinese characters on, in milliseconds.

Databases index words, and Chinese is written without any. So what is indexed here is every pair of
neighbouring characters, and a piece of text is found as its pairs in a row. Marks, blanks beside Chinese,
case and width make no difference, nor do the script of Chinese and whether a number is in words or in
digits. The database keeps the index itself, by triggers (SQLite, FTS5) or as an expression (PostgreSQL,
GIN): no path of the program can forget it.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Max, QuerySet

from recognition.scripts import simplified, traditional
from sessions_app.models import Utterance

from .number_spellings import spellings

INDEX = "utterance_search_1"
"""The name has a number, for the day when what is indexed changes: another name is made anew."""

TRIGGERS = ("inserted", "deleted", "changed")
"""The means by which SQLite keeps it."""

MAX_LENGTH = 100
"""Characters of a query that count."""

PAGES_AT_ONCE = 200

READ_THROUGH, LOOKED_UP = 2_000, 250_000
"""Newest lines that PostgreSQL searches at first: one by one, then by the index."""

_BLANK = "_"
"""A blank between two words, in the index."""


def search_text(text: str) -> str:
    """Return a text as the index sees it: letters and digits, and one blank between words that have any."""
    return _BETWEEN_WORDS.sub(_BLANK, text.translate(_SEEN)).replace(" ", "")


def places(text: str, looked_for: str) -> list[tuple[int, int]]:
    """Find what was looked for in a text: [first character, character after it), in order and apart."""
    characters = list(_characters(text))
    seen = "".join(character for character, _ in characters)
    found: list[tuple[int, int]] = []
    for wanted in _wanted(looked_for[:MAX_LENGTH]):
        at = seen.find(wanted)
        while at >= 0:
            stop = at + len(wanted)
            found.append((characters[at][1], _end_of(text, characters[stop - 1][1])))
            at = seen.find(wanted, stop)
    return _apart(found)


def _apart(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return places in their order, without those that touch an earlier one."""
    kept: list[tuple[int, int]] = []
    for begin, stop in sorted(places):
        if not kept or begin >= kept[-1][1]:
            kept.append((begin, stop))
    return kept


def _wanted(text: str) -> list[str]:
    """Return a text as the index sees it, first as it was typed, then in other scripts and numbers.

    A single digit would be found everywhere: marks are not in the index, and 5% is a 5 there.
    """
    typed = search_text(text)
    plain = [text, *spellings(simplified(text))]
    others = [search_text(each) for spelling in plain for each in (spelling, traditional(spelling))]
    return list(dict.fromkeys([typed, *(seen for seen in others if len(seen) > 1)])) if typed else []


def _end_of(text: str, place: int) -> int:
    """Return the place after a character and the marks that are written over it."""
    end = place + 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end


def _characters(text: str) -> Iterator[tuple[str, int]]:
    """Yield each character of `search_text`, and its place in the text it comes from."""
    last, is_after_blank = "", False
    for place, original in enumerate(text):
        for character in _SEEN[ord(original)]:
            if character == " ":
                is_after_blank = True
                continue
            if is_after_blank and last and not _is_chinese(last) and not _is_chinese(character):
                yield _BLANK, place
            yield character, place
            last, is_after_blank = character, False


class _SeenCharacters(dict[int, str]):
    """Searchable forms of characters by their number: letters and digits, a blank for anything else."""

    def __missing__(self, number: int) -> str:
        parts = unicodedata.normalize("NFKD", chr(number)).casefold()
        # An accent or a voicing mark: how it is typed should not matter.
        letters = (part for part in parts if not unicodedata.combining(part))
        self[number] = "".join(letter if letter.isalnum() else " " for letter in letters)
        return self[number]


def pairs(text: str) -> str:
    """Return what the index holds of a text: its pairs of neighbours, and its last character for itself."""
    seen = search_text(text)
    return " ".join(seen[at : at + 2] for at in range(len(seen)))


def find(
    lines: QuerySet[Utterance], text: str, *, before: int | None = None, by_index: bool = True
) -> QuerySet[Utterance]:
    """Select those of the lines that contain this text, the newest first; none without a text.

    Args:
        before: Only lines with a lower primary key: the last one of the page before.
        by_index: False where the lines are so few that PostgreSQL had better read them.
    """
    lines = lines.filter(is_removed=False)
    text = text[:MAX_LENGTH].replace("\0", " ")
    wanted = _wanted(text)
    if not wanted:
        return lines.none()
    if connection.vendor == "sqlite":
        return _find_on_sqlite(lines, wanted, before)
    return _find_on_postgres(lines if before is None else lines.filter(pk__lt=before), wanted, by_index)


def find_newest(lines: QuerySet[Utterance], text: str, count: int, *, before: int | None = None) -> list[int]:
    """Return the primary keys of the first `count` lines of what `find` finds.

    PostgreSQL's index knows no order. What is said all the time is found among the newest lines; only what
    is not takes all that were ever said.
    """
    if connection.vendor == "postgresql":
        end = before or (Utterance.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
        for newest, by_index in ((READ_THROUGH, False), (LOOKED_UP, True)):
            recent = lines.filter(pk__gte=end - newest)
            found = _keys(find(recent, text, before=before, by_index=by_index), count)
            if len(found) == count or newest >= end:
                return found
    return _keys(find(lines, text, before=before), count)


def _keys(lines: QuerySet[Utterance], count: int) -> list[int]:
    return list(lines.values_list("pk", flat=True)[:count])


def _find_on_sqlite(
    lines: QuerySet[Utterance], wanted: Iterable[str], before: int | None
) -> QuerySet[Utterance]:
    where = [f"{INDEX} MATCH %s", f"{INDEX}.rowid = sessions_app_utterance.id"]
    params: list[Any] = [" OR ".join(map(_phrase, wanted))]
    if before is not None:
        where.append(f"{INDEX}.rowid < %s")
        params.append(before)
    # In the index's own order: a word that is in every line is then found as fast as any.
    order = [f"-{INDEX}.rowid"]
    return lines.extra(tables=[INDEX], where=where, params=params, order_by=order)  # noqa: S610


def _phrase(seen: str) -> str:
    """Return a phrase of all pairs of a text; a single character is the beginning of one."""
    pairs_of_it = " ".join(seen[at : at + 2] for at in range(len(seen) - 1))
    return f'"{pairs_of_it}"' if pairs_of_it else f'"{seen}" *'


def _find_on_postgres(
    lines: QuerySet[Utterance], wanted: Sequence[str], by_index: bool
) -> QuerySet[Utterance]:
    # In every case, for the pairs may stand in another order, and where another condition leaves few lines
    # it is far cheaper than to take each of them to pieces.
    pattern = "'%%' || replace(search_text(%s), '_', '\\_') || '%%'"
    like = f"sessions_app_utterance.search_text LIKE {pattern}"
    by_pairs = "search_pairs(sessions_app_utterance.search_text) @> search_pairs(search_text(%s))"
    condition = f"{like} AND {by_pairs}" if by_index and min(map(len, wanted)) > 1 else like
    where = " OR ".join([f"({condition})"] * len(wanted))
    params = [seen for seen in wanted for _ in range(condition.count("%s"))]
    return lines.extra(where=[f"({where})"], params=params).order_by("-pk")  # noqa: S610


# The index.


def wipe_traces() -> None:
    """Let nothing of lines that are no more stay in the index: on SQLite it keeps them until it is rewritten.

    A second of work for some hundred thousand lines, in steps: nobody waits long to write something else.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        raw: sqlite3.Connection = connection.connection
        pages = -PAGES_AT_ONCE  # negative: begin, with all there is
        is_done = False
        while not is_done:
            before = raw.total_changes
            cursor.execute(f"INSERT INTO {INDEX}({INDEX}, rank) VALUES ('merge', %s)", [pages])  # noqa: S608
            is_done = raw.total_changes - before < 2  # as SQLite's manual says it
            pages = PAGES_AT_ONCE


def install(using: str) -> None:
    """Make what is missing of the index; on SQLite, a migration that changes the table drops its triggers."""
    wrapper = connections[using]
    if wrapper.vendor == "sqlite":
        _install_on_sqlite(wrapper)
    elif wrapper.vendor == "postgresql":
        _install_on_postgres(wrapper)


def uninstall(using: str) -> None:
    """Let go of the index, until `install`: to fill a table without it is faster."""
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "sqlite":
            for name in TRIGGERS:
                cursor.execute(f"DROP TRIGGER {INDEX}_{name}")
            cursor.execute(f"DROP TABLE {INDEX}")
        else:
            cursor.execute(f"DROP INDEX {INDEX}")


def install_after_migrate(sender: Any, using: str, **kwargs: Any) -> None:
    """Make the index once its table is there."""
    if Utterance._meta.db_table in connections[using].introspection.table_names():
        install(using)


def add_functions(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give each connection to SQLite the function that the triggers call."""
    if connection.vendor == "sqlite":
        raw: sqlite3.Connection = connection.connection
        raw.create_function("search_pairs", 1, pairs, deterministic=True)


def _install_on_sqlite(wrapper: BaseDatabaseWrapper) -> None:
    forget = f"INSERT INTO {INDEX}({INDEX}, rowid, pairs) VALUES ('delete', old.id, search_pairs(old.text));"  # noqa: S608
    learn = f"INSERT INTO {INDEX}(rowid, pairs) VALUES (new.id, search_pairs(new.text));"  # noqa: S608
    table = "sessions_app_utterance"
    with wrapper.cursor() as cursor:
        is_new = INDEX not in wrapper.introspection.table_names(cursor)
        # Its own words only, not the texts: those stand in the table.
        cursor.execute(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {INDEX} "
            "USING fts5(pairs, content='', columnsize=0, tokenize=\"ascii tokenchars '_'\")"
        )
        when = [
            (f"AFTER INSERT ON {table}", learn),
            (f"AFTER DELETE ON {table}", forget),
            (f"AFTER UPDATE OF text ON {table} WHEN old.text <> new.text", forget + learn),
        ]
        for name, (event, body) in zip(TRIGGERS, when, strict=True):
            cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {INDEX}_{name} {event} BEGIN {body} END")
        if is_new:
            cursor.execute(f"INSERT INTO {INDEX}(rowid, pairs) SELECT id, search_pairs(text) FROM {table}")  # noqa: S608


_POSTGRES_FUNCTIONS = r"""
CREATE OR REPLACE FUNCTION search_text(said text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT replace(regexp_replace(
    btrim(regexp_replace(
      replace(lower(
        regexp_replace(normalize(said, NFKD), '[\u0300-\u036f\u3099\u309a]', '', 'g')
        COLLATE "und-x-icu"), 'ß', 'ss'),
      '[^[:alnum:]]+', ' ', 'g')),
    '(?<=[⺀-鿿豈-﫿]) | (?=[⺀-鿿豈-﫿])', '', 'g'), ' ', '_')
$$;
-- The cost is what makes the planner take the index unless nearly every line has the pair.
CREATE OR REPLACE FUNCTION search_pairs(seen text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
  SELECT array(SELECT substr(seen, at, 2) FROM generate_series(1, length(seen) - 1) AS at)
$$;
"""


def _install_on_postgres(wrapper: BaseDatabaseWrapper) -> None:
    table = "sessions_app_utterance"
    with wrapper.cursor() as cursor:
        cursor.execute(_POSTGRES_FUNCTIONS)
        columns = wrapper.introspection.get_table_description(cursor, table)
        if "search_text" not in [column.name for column in columns]:
            # The database fills this column, and Django need not know of it.
            cursor.execute(
                f"ALTER TABLE {table} ADD COLUMN search_text text "
                "GENERATED ALWAYS AS (search_text(text)) STORED"
            )
        if INDEX not in wrapper.introspection.get_constraints(cursor, table):
            cursor.execute(f"CREATE INDEX {INDEX} ON {table} USING gin (search_pairs(search_text))")
            cursor.execute(f"ANALYZE {table}")  # how common each pair is decides how it is looked for


def _is_chinese(character: str) -> bool:
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff"


_SEEN = _SeenCharacters()
_BETWEEN_WORDS = re.compile("(?<=[^ \u2e80-\u9fff\uf900-\ufaff]) +(?=[^ \u2e80-\u9fff\uf900-\ufaff])")
