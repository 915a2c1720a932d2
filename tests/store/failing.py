"""A connection that does something at the N-th statement: fails, or lets a test look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pysqlite3 import dbapi2


class Points:
    """Counts statements and commits of the writing connection, and calls `action` at each with its number from 1."""

    def __init__(self) -> None:
        self.reached, self.failed = 0, ""
        self.action: Callable[[int], None] | None = None

    def reach(self, what: str) -> None:
        self.reached, self.failed = self.reached + 1, what
        if self.action is not None:
            self.action(self.reached)

    def fail_at(self, number: int) -> None:
        """From now on, the statement of that number fails as on a broken disk."""
        self.reached = 0

        def fail(reached: int) -> None:
            if reached == number:
                raise dbapi2.OperationalError("disk I/O error")

        self.action = fail

    def rest(self) -> None:
        self.reached, self.action = 0, None

    def connection_class(self) -> type:
        points = self

        class Cursor(dbapi2.Cursor):
            def execute(self, statement: str, parameters: Any = (), /) -> Any:
                if not statement.startswith(("PRAGMA", "BEGIN", "SELECT sqlite")):
                    points.reach(statement)
                return super().execute(statement, parameters)

            def executemany(self, statement: str, rows: Any, /) -> Any:
                points.reach(statement)
                return super().executemany(statement, rows)

        class Connection(dbapi2.Connection):
            def cursor(self, factory: type = Cursor) -> Any:
                return super().cursor(factory)

            def commit(self) -> None:
                points.reach("COMMIT")
                super().commit()

        return Connection
