"""`studio serve --engine`, `studio stop`, `studio due`: runs that go on while nobody looks, and stopping them."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from studio.cli.output import Output, table
from studio.cli.session import Session, common
from studio.domain.clock import utc_now
from studio.domain.errors import UserFixable
from studio.workspace import autostart
from studio.workspace.emergency import EmergencyStop
from studio.workspace.folder import default_folder
from studio.workspace.standby import Kept, Standby
from studio.workspace.workspace import Workspace


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("serve")
    command.add_argument("--engine", action="store_true", help="keep runs going until told to stop")
    command.add_argument("--install", action="store_true", help="start it whenever you log in")
    command.add_argument("--uninstall", action="store_true", help="do not start it any more when you log in")
    common(command)
    command.set_defaults(run=_serve)
    command = commands.add_parser("stop")
    command.add_argument("run_id", nargs="?", metavar="RUN")
    command.add_argument("--why", default="", metavar="TEXT")
    command.add_argument("--release", action="store_true", help="take the emergency stop back")
    common(command)
    command.set_defaults(run=_stop)
    command = commands.add_parser("due")
    common(command)
    command.set_defaults(run=_due)


def _serve(arguments: argparse.Namespace, out: Output) -> int:
    folder = arguments.workspace or default_folder()
    if arguments.uninstall:
        done = autostart.uninstall()
        out.document({"uninstalled": done}, "It no longer starts at login." if done else "It did not start at login.")
        return 0
    if arguments.install:
        path = autostart.install(folder)
        out.document({"installed": path}, f"The background engine starts when you log in ({path}).")
        return 0
    if not arguments.engine:
        raise UserFixable("USAGE", "What is to be served?", where="serve", hint="studio serve --engine")
    stop = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    Standby(folder, lambda: _kept(folder), out.progress, stop=stop).serve()
    return 0


def _kept(folder: Path) -> AbstractContextManager[Kept]:
    # Opened here, not in the context manager: that somebody else has the workspace must be known at once.
    workspace = Workspace.open(folder, hands_over=False)

    @contextmanager
    def kept() -> Iterator[Kept]:
        with workspace:
            yield Kept(workspace.unattended.take_up, workspace.sharing.write_due)

    return kept()


def _stop(arguments: argparse.Namespace, out: Output) -> int:
    folder = arguments.workspace or default_folder()
    emergency = EmergencyStop(folder)
    if arguments.run_id is not None:
        with Session(arguments) as workspace:
            state = workspace.runs.end(arguments.run_id)
        out.document({"run_id": arguments.run_id, "status": state}, f"{arguments.run_id}: {state}")
        return 0
    if not folder.exists():
        raise UserFixable("WORKSPACE-NONE", "There is no workspace here.", where=str(folder), hint="Name one.")
    if arguments.release:
        emergency.release()
        out.document({"stopped": False}, "The emergency stop is taken back. Let runs go on with: studio resume")
        return 0
    emergency.engage(utc_now(), arguments.why)
    out.document({"stopped": True}, emergency.words)
    return 0


def _due(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        missed = workspace.unattended.missed()
    rows = [(m.run_id, m.label, m.people, m.due_at, "your word" if m.asks else "at once") for m in missed]
    out.document(missed, table(rows, ("run", "step", "people", "due", "goes on with")))
    return 0
