"""What every command shares: `--workspace`, `--json`, and an open workspace around its work."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from studio.domain.clock import parse_iso
from studio.domain.errors import UserFixable
from studio.workspace.folder import default_folder

if TYPE_CHECKING:
    from studio.workspace.workspace import Workspace


def common(parser: argparse.ArgumentParser) -> None:
    """The options of every command."""
    parser.add_argument("--workspace", type=Path, default=None, metavar="DIR", help="workspace folder")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


class Session:
    """An open workspace for one command, closed however the command ends."""

    def __init__(self, arguments: argparse.Namespace, *, read_only: bool = False) -> None:
        self._folder = arguments.workspace or default_folder()
        self._read_only = read_only

    def __enter__(self) -> Workspace:
        from studio.workspace.workspace import Workspace  # noqa: PLC0415 - wrong usage and `--help` need no workspace

        self._workspace = Workspace.open(self._folder, read_only=self._read_only)
        return self._workspace

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workspace.close()


def instant(text: str) -> int | datetime:
    """The number of an event of a run, or a moment of its clock."""
    return int(text) if text.isdigit() else moment(text)


def moment(text: str) -> datetime:
    """A date or moment on the command line."""
    try:
        return parse_iso(text)
    except ValueError:
        raise UserFixable(
            "USAGE", f"“{text}” is not a date or time.", hint="Write it like 1997-10-01 or 1997-10-01T08:00:00Z."
        ) from None


def settings(pairs: list[str] | None) -> dict[str, str]:
    """`--set name=value` options as a dictionary."""
    values: dict[str, str] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UserFixable(
                "USAGE", f"“{pair}” is not name=value.", where="--set", hint="For example --set discount=0.1"
            )
        values[name.strip()] = value
    return values
