"""The background engine: keeps a workspace's runs going whenever no window and no command has the workspace.

Meanwhile it writes the reports that fall due. Whoever else wants the workspace asks with a file; the background engine
finishes the message it is at, hands over, and takes it back when it is free again. Absent on purpose: talking to runs
across processes.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from studio.domain.errors import UserFixable

if TYPE_CHECKING:
    from studio.workspace.unattended import TakenUp

MARK = "background-engine.json"
REQUEST = "background-engine.request"
POLL_S = 0.5
REPORTS_EVERY = 120
"""Looks at the clock between two questions whether a report is due: each minute."""
GRACE_S = 3.0
"""So long others may take the workspace after it was handed over."""
HANDED_OVER_WITHIN_S = 30.0

Opened = TypeVar("Opened")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """The part of a workspace the background engine works with: runs that go on, and the report that is due."""

    take_up: Callable[[], TakenUp]
    write_due: Callable[[], Path | None]


class Standby:
    """Runs until `stop` is set. `wait` waits so many seconds or until then; tests let it jump."""

    def __init__(
        self,
        folder: Path,
        open_workspace: Callable[[], AbstractContextManager[Kept]],
        say: Callable[[str], None],
        *,
        stop: threading.Event | None = None,
    ) -> None:
        self._folder = folder
        self._open = open_workspace
        self._say = say
        self.stop = stop or threading.Event()
        self._report_trouble = ""

    def serve(self) -> None:
        """Has the workspace whenever it is free, until it is told to stop."""
        mark = self._folder / MARK
        self._folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps({"process": os.getpid()}), encoding="utf-8")
        try:
            while not self.stop.is_set():
                self._once()
        finally:
            mark.unlink(missing_ok=True)

    def _once(self) -> None:
        try:
            opened = self._open()
        except UserFixable as error:
            if error.code != "STORE-IN-USE":
                raise
            self.stop.wait(POLL_S)
            return
        request = self._folder / REQUEST
        with opened as kept:
            request.unlink(missing_ok=True)
            self._tell(kept.take_up())
            for look in itertools.count():
                if self.stop.is_set() or request.exists():
                    break
                if look % REPORTS_EVERY == 0:
                    self._report(kept)
                self.stop.wait(POLL_S)
        if not self.stop.is_set():
            self._say("The workspace is wanted elsewhere; the background engine waits.")
            self.stop.wait(GRACE_S)

    def _report(self, kept: Kept) -> None:
        try:
            file = kept.write_due()
        except Exception as error:
            if str(error) != self._report_trouble:
                log.exception("the scheduled report could not be written")
                self._say(f"The scheduled report could not be written: {error}")
            self._report_trouble = str(error)
            return
        self._report_trouble = ""
        if file is not None:
            self._say(f"The scheduled report was written: {file}")

    def _tell(self, taken: TakenUp) -> None:
        runs = ", ".join(taken.started) or "none"
        self._say(f"The background engine has the workspace. Runs that go on: {runs}.")
        for missed in taken.asked:
            due = f"{missed.due_at:%Y-%m-%d %H:%M}"
            self._say(
                f"{missed.run_id}, “{missed.label}”: {missed.people:,} people were due {due} UTC. That is long ago, "
                "so the run waits for your word: studio resume."
            )


def with_handover(folder: Path, open_store: Callable[[], Opened]) -> Opened:
    """Opens; where the background engine has the workspace, asks for it and waits until it is handed over.

    Raises UserFixable STORE-IN-USE when somebody else has it, or it is not handed over in time.
    """
    try:
        return open_store()
    except UserFixable as error:
        if error.code != "STORE-IN-USE" or not (folder / MARK).exists():
            raise
    (folder / REQUEST).touch()
    pause = threading.Event()
    for _ in range(int(HANDED_OVER_WITHIN_S / 0.1)):
        pause.wait(0.1)
        try:
            return open_store()
        except UserFixable as error:
            if error.code != "STORE-IN-USE":
                raise
    return open_store()
