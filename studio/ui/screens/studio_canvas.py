"""The canvas screen on a workspace: which workflow or run it shows, and what its buttons do.

Absent on purpose: drawing and editing (`ui.canvas`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from studio.domain.run import RunEvent, RunView
from studio.domain.workflow import Workflow
from studio.ui.background import run_in_background
from studio.ui.canvas.inspector_problem import AffectedContact
from studio.ui.canvas.page import CanvasPage
from studio.ui.faults import guarded
from studio.ui.screens.navigator import Navigator
from studio.workspace.workspace import Workspace


class RunStarter(Navigator, Protocol):
    """The window, as this screen needs it."""

    def watch(self, run_id: str) -> None: ...


class StudioCanvas(CanvasPage):
    """Target `workflow:<id>` edits a workflow, `run:<id>` shows a run on the version it runs."""

    def __init__(self, workspace: Workspace, navigator: RunStarter) -> None:
        super().__init__(workspace.workflows.catalogue)
        self._workspace = workspace
        self._navigator = navigator
        self.workflow_id = ""
        self.run_id = ""
        self.run_requested.connect(guarded(self._run))
        self.pause_requested.connect(guarded(lambda: self._workspace.runs.pause(self.run_id)))
        self.continue_requested.connect(guarded(self._continue))
        self.stop_requested.connect(guarded(lambda: self._workspace.runs.stop(self.run_id)))
        self.retry_requested.connect(guarded(lambda: self._retry(None)))
        self.action_requested.connect(guarded(self._act))
        self.contacts_wanted.connect(guarded(self._show_contacts))
        self.sample_requested.connect(guarded(self._show_sample))

    def entered(self, target: str = "") -> None:
        super().entered(target)
        kind, _, name = target.partition(":")
        if kind == "workflow" and name != self.workflow_id:
            self.open_workflow(name)
        elif kind == "run" and name != self.run_id:
            self.open_run(name)
        elif not target and not self.workflow_id and not self.run_id:
            self._open_latest()

    def open_workflow(self, workflow_id: str) -> None:
        """Shows a workflow of the library for editing; every edit is saved at once."""
        self.workflow_id, self.run_id = workflow_id, ""
        workflow = self._workspace.workflows.get(workflow_id)
        self.set_workflow(workflow, self._workspace.workflows.catalogue, journal=self._save)
        self.set_note(workflow_id)

    def open_run(self, run_id: str) -> None:
        """Shows a run as it stands; a finished one looks as it did, because both are a fold over its events."""
        run = self._workspace.runs.get(run_id)
        self.run_id, self.workflow_id = run_id, run.workflow_id
        in_library = any(w.id == run.workflow_id for w in self._workspace.workflows.list())
        workflow = self._workspace.runs.workflow_of(run_id)
        is_current = in_library and self._workspace.workflows.get(run.workflow_id).content_hash() == run.version
        self.set_workflow(
            workflow,
            self._workspace.workflows.catalogue,
            read_only=not is_current,
            journal=self._save if is_current else None,
        )
        self.set_note(f"{run.workflow_id} · run {run_id}")
        events = self._workspace.runs.events(run_id)
        self.show_run(RunView(run_id))
        self.add_events(events)

    def take(self, events: Sequence[RunEvent]) -> None:
        """What just happened in any run; only the shown one's events count. A gap is filled from the store."""
        own = [event for event in events if event.run_id == self.run_id]
        if own:
            known = self._history.last_seq if self._history is not None else 0
            if own[0].seq > known + 1:
                own = self._workspace.runs.events(self.run_id, known)
            self.add_events([event for event in own if event.seq > known])

    def refresh(self) -> None:
        """Nothing to fetch: events arrive by `take`."""

    def _open_latest(self) -> None:
        runs = self._workspace.runs.list(limit=1)
        workflows = self._workspace.workflows.list()
        if runs:
            self.open_run(runs[0].run_id)
        elif workflows:
            self.open_workflow(workflows[0].id)

    def _save(self, workflow: Workflow, *_: object) -> None:
        self._workspace.workflows.save(self.workflow_id, workflow)

    def _run(self) -> None:
        if self.workflow_id:
            self._navigator.run_workflow(self.workflow_id)

    def _continue(self) -> None:
        self._workspace.runs.go_on(self.run_id)
        self._navigator.watch(self.run_id)

    def _retry(self, node_id: str | None) -> None:
        self._workspace.runs.retry(self.run_id, node_id, is_attended=True)
        self._navigator.watch(self.run_id)

    def _act(self, node_id: str, action: str) -> None:
        if action == "retry":
            self._retry(node_id)
        elif action == "resume":
            self._continue()
        elif action == "resolve":
            self._navigator.go("runs", "outbox")

    def _show_contacts(self, node_id: str, code: str) -> None:
        run_id = self.run_id

        def fetch() -> pl.DataFrame:
            problems = self._workspace.runs.view(run_id).step(node_id).problems
            ids = next((problem.sample for problem in problems if problem.code == code), ())
            return self._workspace.runs.people(ids)

        def show(people: pl.DataFrame) -> None:
            rows = [AffectedContact(row["email"] or row["key"], code, "kept") for row in people.iter_rows(named=True)]
            self.set_contacts(node_id, code, rows)

        run_in_background(fetch, show, owner=self)

    def _show_sample(self, node_id: str, port: str) -> None:
        run_id, seq = self.run_id, self.timeline.seq
        if not run_id:
            return

        def show(people: pl.DataFrame) -> None:
            self.set_samples(node_id, port, people.columns, list(people.iter_rows(named=True)))

        run_in_background(lambda: self._workspace.runs.sample(run_id, node_id, port, seq), show, owner=self)
