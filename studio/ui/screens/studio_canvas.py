"""The canvas screen on a workspace: which workflow or run it shows. Its parts each have a module of their own:
`studio_canvas_run.py` (steering a run), `studio_canvas_data.py` (what passed a step), `studio_canvas_history.py`
(earlier states), `studio_canvas_forms.py` (what forms ask while somebody types), `studio_canvas_template.py` (saving
the workflow as a template).

Absent on purpose: drawing and editing (`ui.canvas`).
"""

from __future__ import annotations

from collections.abc import Sequence

from studio.domain.clock import parse_iso
from studio.domain.run import RunEvent, RunView
from studio.domain.workflow import Workflow
from studio.ui.canvas.page import CanvasPage
from studio.ui.screens.studio_canvas_data import DataAnswers
from studio.ui.screens.studio_canvas_debug import DebugAnswers
from studio.ui.screens.studio_canvas_forms import FormAnswers
from studio.ui.screens.studio_canvas_history import HistoryAnswers
from studio.ui.screens.studio_canvas_move import VersionMove
from studio.ui.screens.studio_canvas_run import RunCommands, RunStarter
from studio.ui.screens.studio_canvas_template import TemplateSaving
from studio.ui.shell import Action
from studio.workspace.workspace import Workspace


class StudioCanvas(CanvasPage):
    """Target `workflow:<id>` edits a workflow, `run:<id>` shows a run on the version it runs, `run:<id>@<moment>` as it
    stood then.
    """

    def __init__(self, workspace: Workspace, window: RunStarter) -> None:
        super().__init__(workspace.workflows.catalogue)
        self._workspace = workspace
        self.workflow_id = ""
        self.run_id = ""
        self._opened = ""
        self._past = HistoryAnswers(self, workspace)
        self._forms = FormAnswers(self, workspace)
        self._debug = DebugAnswers(self, workspace, window)
        self._move = VersionMove(self, workspace)
        self.saving = TemplateSaving(self, workspace, window)
        self._parts = (RunCommands(self, workspace, window), DataAnswers(self, workspace))

    def actions_here(self) -> Sequence[Action]:
        return [*super().actions_here(), *self._move.actions(), *self.saving.actions()]

    def entered(self, target: str = "") -> None:
        super().entered(target)
        self._past.learn()
        self._forms.learn()
        target, _, moment = target.partition("@")
        kind, _, name = target.partition(":")
        if kind == "workflow" and name != self.workflow_id:
            self.open_workflow(name)
        elif kind == "run" and name != self.run_id:
            self.open_run(name)
        elif not target and not self.workflow_id and not self.run_id:
            self._open_latest()
        if moment:
            self.timeline.show_instant(parse_iso(moment))

    def open_workflow(self, workflow_id: str) -> None:
        """Shows a workflow of the library for editing; every edit is saved at once."""
        self._note_opening(workflow_id)
        self.workflow_id, self.run_id = workflow_id, ""
        workflow = self._workspace.workflows.get(workflow_id)
        self.set_workflow(workflow, self._workspace.workflows.catalogue, journal=self._save)
        self.set_note(workflow_id)
        self._debug.opened()

    def open_run(self, run_id: str) -> None:
        """Shows a run as it stands; a finished one looks as it did, because both are a fold over its events."""
        run = self._workspace.runs.get(run_id)
        self._note_opening(run.workflow_id)
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
        self._debug.opened()

    def take(self, events: Sequence[RunEvent]) -> None:
        """What just happened in any run; only the shown one's events count. A gap is filled from the store."""
        own = [event for event in events if event.run_id == self.run_id]
        if own:
            known = self.last_seq
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

    def _note_opening(self, workflow_id: str) -> None:
        # What is typed from now on is an entry of its own, whatever was typed last time into the same field.
        last = self._workspace.workflows.history(workflow_id, limit=1)
        self._opened = last[0].ref if last else ""

    def _save(self, workflow: Workflow, words: str, session: str | None) -> None:
        key = f"{self._opened}/{session}" if session is not None else None
        self._workspace.workflows.record(self.workflow_id, workflow, words, key)
