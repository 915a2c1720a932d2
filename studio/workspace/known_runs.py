"""Runs as they are written down: which there are, how they stand or stood, what they did and sent.

Absent on purpose: all that acts on a run (`runs.py`), which needs the engine, and a second to load it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import polars as pl

from studio.domain.errors import UserFixable
from studio.domain.ports import RunRow
from studio.domain.run import RunEvent, RunView, fold
from studio.domain.workflow import Workflow, parse_workflow
from studio.engine import snapshots
from studio.store.store import Store
from studio.workspace.reports import RunReport, run_report


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

    def failed_items(self) -> dict[str, int]:
        """Run → how many items failed and are kept for another try; only those that have some."""
        return {run_id: sum(nodes.values()) for run_id, nodes in self._store.runs.failed_items().items()}

    def workflow_of(self, run_id: str) -> Workflow:
        """The version of the workflow that the run runs."""
        return parse_workflow(self._store.runs.document(self.get(run_id).version), where=run_id)

    def events(self, run_id: str, after: int = 0) -> list[RunEvent]:
        """The run's events after a sequence number."""
        return self._store.runs.run_events(run_id, after)

    def view(self, run_id: str, at_seq: int | None = None) -> RunView:
        """The run as it stands, or stood after the event `at_seq`: the same fold."""
        if at_seq is not None:
            return fold(RunView(run_id), [event for event in self.events(run_id) if event.seq <= at_seq])
        kept = self._store.runs.kept(run_id, snapshots.KEPT).get(snapshots.KEPT)
        before = (snapshots.from_bytes(kept) if kept else None) or RunView(run_id)
        return fold(before, self.events(run_id, before.seq))

    def view_at(self, run_id: str, at: int | datetime | None) -> RunView:
        """The run after the event numbered `at`, or at that moment of its clock; None: as it stands."""
        if not isinstance(at, datetime):
            return self.view(run_id, at)
        return fold(RunView(run_id), [event for event in self.events(run_id) if event.at <= at])

    def sample(self, run_id: str, node_id: str, port: str, at_seq: int | None = None) -> pl.DataFrame:
        """Some real people who left a step by a port: their fields, and the arms they are in. At most fifty rows."""
        ids = pl.Series(self.view(run_id, at_seq).step(node_id).samples.get(port, ()), dtype=pl.UInt32).unique()
        people = self._store.contacts.at(self.get(run_id).at)
        known = people.fields(ids, people.names())
        arms = self._store.runs.entries(run_id).select("contact_id", "key", "arms").rename({"key": "instance_key"})
        first = arms.unique("contact_id", keep="last")
        return known.join(first, on="contact_id", how="left").drop("contact_id")

    def report(self, run_id: str) -> RunReport:
        """What the run did, step by step."""
        run, workflow, view = self.get(run_id), self.workflow_of(run_id), self.view(run_id)
        totals = self._store.projections.rollup([run_id])
        by_kind = dict(totals.group_by("kind").agg(pl.col("count").sum()).iter_rows())
        outbox: dict[str, int] = {}
        for counts in self._store.runs.outbox_counts(run_id).values():
            for state, count in counts.items():
                outbox[state] = outbox.get(state, 0) + count
        events = sum(int(count) for count in by_kind.values())
        # A run of another process: what its steps took is known, the time between them is not.
        seconds = self._seconds(run_id) or sum(step.duration_ms for step in view.steps.values()) / 1_000
        return run_report(run, workflow, view, outbox, int(by_kind.get("entered", 0)), events, seconds)

    def outbox(
        self, *, state: str | None = None, run_id: str | None = None, limit: int | None = None
    ) -> list[dict[str, object]]:
        """The send ledger in the contract's form, newest change first; UserFixable RUN-UNKNOWN."""
        if run_id is not None:
            self.get(run_id)
        shown = ("id", "run_id", "node", "contact", "to", "message_id", "state", "attempts", "reason")
        rows = self._store.runs.outbox_rows(state=state, run_id=run_id, limit=limit)
        return [{name: row[name] for name in shown} for row in rows.iter_rows(named=True)]

    def _seconds(self, run_id: str) -> float | None:  # noqa: ARG002 - which run matters to who watched one
        """How long this process has watched the run; None when another one ran it."""
        return None
