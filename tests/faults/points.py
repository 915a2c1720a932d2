"""Named fault points: every statement and commit of the store, every use of a socket, every file that is made durable.

Before and after each of them the world may end; a process counts them as they come, and dies at the one it was told to
(`Points`). Only for processes of their own: it changes classes of the standard library.
"""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable
from functools import wraps
from typing import Any

from pysqlite3 import dbapi2

_QUIET = ("PRAGMA", "SELECT", "BEGIN DEFERRED", "EXPLAIN")
_TABLE = re.compile(r"\b(?:INTO|UPDATE|FROM|TABLE|INDEX)\s+(\w+)", re.IGNORECASE)
_INET = (socket.AF_INET, socket.AF_INET6)


class Points:
    """Counts. `die_at`: the number, from 1, of the point at which the process ends as by kill -9; 0: never."""

    def __init__(self, die_at: int = 0) -> None:
        self.die_at = die_at
        self.names: list[str] = []

    def reach(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        self.reach(f"before {name}")
        done = call()
        self.reach(f"after {name}")
        return done

    def watch_everything(self) -> type:
        """Puts points around sockets and files, and gives the class of connections that has them around statements."""
        self._watch_sockets()
        for name in ("fsync", "rename", "replace", "unlink"):
            self._watch(os, name, name)
        return self._connection_class()

    def _watch(self, owner: Any, name: str, label: str) -> None:
        original = getattr(owner, name)
        setattr(owner, name, wraps(original)(lambda *a, **k: self.around(label, lambda: original(*a, **k))))

    def _watch_sockets(self) -> None:
        send, receive, connect = socket.socket.send, socket.socket.recv, socket.socket.connect

        def sending(sock: socket.socket, data: bytes, *rest: int) -> int:
            if sock.family not in _INET:
                return send(sock, data, *rest)
            return self.around(f"send {said(data)}", lambda: send(sock, data, *rest))

        def receiving(sock: socket.socket, *rest: int) -> bytes:
            data = receive(sock, *rest)
            if sock.family in _INET:
                self.reach(f"receive {said(data)}")
            return data

        def connecting(sock: socket.socket, address: Any) -> None:
            return self.around("connect", lambda: connect(sock, address))

        for name, function in (("send", sending), ("recv", receiving), ("connect", connecting)):
            setattr(socket.socket, name, function)

    def _connection_class(self) -> type:
        points = self

        class Cursor(dbapi2.Cursor):
            def execute(self, statement: str, parameters: Any = (), /) -> Any:
                name = statement_name(statement)
                if name is None:
                    return super().execute(statement, parameters)
                return points.around(name, lambda: super(Cursor, self).execute(statement, parameters))

            def executemany(self, statement: str, rows: Any, /) -> Any:
                name = statement_name(statement) or "statement"
                return points.around(name, lambda: super(Cursor, self).executemany(statement, rows))

        class Connection(dbapi2.Connection):
            def cursor(self, factory: type = Cursor) -> Any:
                return super().cursor(factory)

            def commit(self) -> None:
                if self.in_transaction:
                    points.around("COMMIT", super().commit)

        return Connection


def statement_name(statement: str) -> str | None:
    """`INSERT outbox` and the like; None for one that changes nothing."""
    text = statement.strip()
    if text == "BEGIN" or text.startswith(_QUIET):
        return None
    table = _TABLE.search(text)
    return f"{text.split(None, 1)[0].upper()} {table.group(1) if table else ''}".strip()


def said(data: bytes) -> str:
    """How what is sent or received begins: the command or status, `body`, or `dot`."""
    if not data:
        return "end"
    word = data[:12].split(b" ")[0].split(b"\r")[0].split(b"-")[0].decode("latin-1")
    if word == ".":
        return "dot"
    return word if word.isdigit() or (word.isupper() and word.isalpha()) else "body"


def parent(name: str) -> str:
    """The family of a point, for tables: `COMMIT`, `send`, `receive`, `fsync`, `INSERT` …"""
    words = name.removeprefix("before ").removeprefix("after ").split()
    return words[0]
