"""Runs as they are written down: which there are and how they stand.

Absent on purpose: all that acts on a run (`runs.py`), which needs the engine, and half a second to load it.
"""

from __future__ import annotations

from collections.abc import Callable

from studio.domain.errors import UserFixable
from studio.domain.ports import RunRow
from studio.store.store import Store


class KnownRuns:
    """The runs of one workspace. `is_running`: whether the engine is at a run."""

    def __init__(self, store: Store, is_running: Callable[[str], bool]) -> None:
        self._store = store
        self._is_running = is_running

    def list(self, limit: int | None = None) -> list[RunRow]:
        """Runs, newest first."""
        return self._store.runs.list_runs(limit=limit)

    def get(self, run_id: str) -> RunRow:
        """One run; UserFixable when there is none of that id."""
        return self._store.runs.get(run_id)

    def newest(self) -> str:
        """The newest run's id; UserFixable RUN-NONE before the first."""
        rows = self.list(limit=1)
        if not rows:
            raise UserFixable("RUN-NONE", "There is no run in this workspace.", hint="Run a workflow first.")
        return rows[0].run_id

    def unfinished(self) -> str:
        """The newest run that can go on; UserFixable RUN-NONE when all have ended."""
        for row in self.list():
            if row.state not in ("done", "failed"):
                return row.run_id
        raise UserFixable("RUN-NONE", "No run is left to go on with.", hint="See: studio runs")

    def is_running(self, run_id: str) -> bool:
        """Whether the engine is at it."""
        return self._is_running(run_id)

    def is_interrupted(self, run: RunRow) -> bool:
        """Whether it was cut off (Ctrl+C, a crash, a closed program) and goes on when it is resumed.

        Only one program at a time has a workspace, so what is called running and does not run here runs nowhere.
        """
        return run.state in ("running", "queued") and not self.is_running(run.run_id)
