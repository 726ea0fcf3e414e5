"""PostgreSQL that outlives its machine, on this one: a primary, and a standby that has all it confirms."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

import psycopg

from .local_servers import PostgresServer, wait_until

STANDBYS = "synchronous_standby_names"


class PostgresPair:
    """`with PostgresPair() as pair`: the standby follows, and nothing is confirmed that it has not got."""

    def __init__(self) -> None:
        self.primary, self.standby = PostgresServer(), PostgresServer()
        # The standby first: whoever took the first that answers would write to it in vain.
        self._hosts = f"127.0.0.1:{self.standby.port},127.0.0.1:{self.primary.port}"
        self._running = ExitStack()

    @property
    def url(self) -> str:
        return f"postgres://asrsite@{self._hosts}/asrsite"

    @property
    def pid(self) -> int:
        return self.primary.pid

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self.primary)
            self.standby.copy(self.primary)
            starting.enter_context(self.standby)
            self._confirm_with_standby()
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    def kill_primary(self) -> None:
        """Kill the primary and promote the standby, as what watches over them would do."""
        self.primary.kill()
        self.primary, self.standby = self.standby, self.primary
        self.primary.promote()
        self._set_standbys("")  # until there is one again

    def bring_back(self) -> None:
        """Make the dead server anew, as the standby of the other."""
        self.standby.copy(self.primary)
        self.standby.start()
        self._confirm_with_standby()

    def _confirm_with_standby(self) -> None:
        wait_until(
            lambda: "streaming" in self._said_of_standby(), "the standby does not follow", timeout_s=60
        )
        self._set_standbys("*")
        wait_until(lambda: "sync" in self._said_of_standby(), "nothing is confirmed by the standby")

    def _set_standbys(self, names: str) -> None:
        with psycopg.connect(self.primary.url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET {STANDBYS} = '{names}'".encode())
            connection.execute("SELECT pg_reload_conf()")

    def _said_of_standby(self) -> tuple[str, ...]:
        with psycopg.connect(self.primary.url, autocommit=True) as connection:
            found = connection.execute("SELECT state, sync_state FROM pg_stat_replication").fetchone()
        return found or ()
