"""The canvas screen on a workspace: which workflow or run it shows. Its parts each have a module of their own:
`running.py` (steering a run), `data.py` (what passed a step), `history.py` (earlier states), `forms.py` (what forms ask
while somebody types), `library.py` (other workflows, files), `template_saving.py` (keeping it as a template), `feed.py`
(the events of the run in front).

Everything that asks the workspace goes through `ui.background`: the Qt thread waits for no disk and no run. Absent on
purpose: drawing and editing (`ui.canvas`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from studio.domain.clock import parse_iso
from studio.domain.run import RunEvent
from studio.domain.workflow import Workflow
from studio.ui.background import Task, run_in_background, write_in_background
from studio.ui.canvas.history import RunHistory
from studio.ui.faults import faults
from studio.ui.screens.canvas.data import DataAnswers
from studio.ui.screens.canvas.debugging import DebugAnswers
from studio.ui.screens.canvas.feed import RunFeed
from studio.ui.screens.canvas.forms import FormAnswers
from studio.ui.screens.canvas.history import HistoryAnswers
from studio.ui.screens.canvas.in_front import CanvasInFront
from studio.ui.screens.canvas.library import WorkflowLibrary
from studio.ui.screens.canvas.running import RunCommands, RunStarter
from studio.ui.screens.canvas.template_saving import TemplateSaving
from studio.ui.screens.canvas.version_move import VersionMove
from studio.ui.shell import Action
from studio.ui.shell.top_bar import Crumb
from studio.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A workflow or a run as it was read. `last_edit` names the newest entry of the workflow's history; a workflow that
    is `in_library` and `is_current` can be edited.
    """

    workflow_id: str
    workflow: Workflow
    in_library: bool
    is_current: bool
    last_edit: str
    run_id: str = ""
    history: RunHistory | None = None


class StudioCanvas(CanvasInFront):
    """Target `workflow:<id>` edits a workflow, `run:<id>` shows a run on the version it runs, `run:<id>@<moment>` as it
    stood then.
    """

    def __init__(self, workspace: Workspace, window: RunStarter) -> None:
        super().__init__(workspace.workflows.catalogue)
        self._workspace = workspace
        self._last_edit = ""
        self._as_read: Workflow | None = None
        self._moment: datetime | None = None
        self._opening: Task[Opened | None] | None = None
        self._feed = RunFeed(self, workspace)
        self._past = HistoryAnswers(self, workspace)
        self._forms = FormAnswers(self, workspace)
        self._debug = DebugAnswers(self, workspace, window)
        self._move = VersionMove(self, workspace, self.open_run)
        self.saving = TemplateSaving(self, workspace, window)
        self.library = WorkflowLibrary(self, workspace, window)
        self.menus.more_about_workflow = lambda: (*self.library.entries(), *self.saving.entries())
        self._parts = (RunCommands(self, workspace, window), DataAnswers(self, workspace))

    @property
    def is_opening(self) -> bool:
        return self._opening is not None

    def actions_here(self) -> Sequence[Action]:
        own = (*self.library.actions(), *self._move.actions(), *self.saving.actions())
        return [*super().actions_here(), *own]

    def crumbs(self) -> Sequence[Crumb]:
        _place, name = super().crumbs()
        return [Crumb("Workflows", self.library.show_menu), name]

    def entered(self, target: str = "") -> None:
        super().entered(target)
        self._past.learn()
        target, _, moment = target.partition("@")
        kind, _, name = target.partition(":")
        self._moment = parse_iso(moment) if moment else None
        if kind == "workflow" and (self._opening is not None or name != self.workflow_id or self._is_outdated()):
            self.open_workflow(name)
        elif kind == "run" and (self._opening is not None or name != self.run_id):
            self.open_run(name)
        elif not target and self._opening is None and not self.workflow_id:
            self._open(self._read_latest)
        elif self._opening is None:
            # What a template's steps are offered may have changed while another screen was in front.
            self._forms.learn()
            self._show_moment()

    def _is_outdated(self) -> bool:
        """Whether the workflow was changed elsewhere (advice that was carried out) since it was opened here."""
        return self._workspace.workflows.get(self.workflow_id).to_json() != self.workflow.to_json()

    def open_workflow(self, workflow_id: str) -> None:
        """Shows a workflow of the library for editing; every edit is saved at once."""
        self._open(lambda: self._read_workflow(workflow_id))

    def open_run(self, run_id: str) -> None:
        """Shows a run as it stands; a finished one looks as it did, because both are a fold over its events."""
        self._open(lambda: self._read_run(run_id), run_id)

    def take(self, events: Sequence[RunEvent]) -> None:
        """What just happened in any run; only the shown one's events count."""
        self._feed.take(events)

    def refresh(self) -> None:
        """Nothing to fetch: events arrive by `take`."""

    def _open(self, read: Callable[[], Opened | None], run_id: str = "") -> None:
        if self._opening is not None:
            self._opening.cancel()
        self._feed.wait_for(run_id)
        self._opening = run_in_background(read, self._show, self._could_not_open, owner=self)

    def _could_not_open(self, error: Exception) -> None:
        self._opening = None
        self._feed.begin(self.run_id)
        faults().report(error)

    def _show(self, opened: Opened | None) -> None:
        self._opening = None
        if opened is None:
            return
        is_kept = self._is_in_front(opened)
        self._as_read = opened.workflow
        self.workflow_id, self.run_id = opened.workflow_id, opened.run_id
        # What is typed from now on is an entry of its own, whatever was typed last time into the same field.
        self._last_edit, self.in_library = opened.last_edit, opened.in_library
        note = f"{opened.workflow_id} · run {opened.run_id}" if opened.run_id else opened.workflow_id
        if is_kept and opened.history is not None:
            self.keep_workflow(note, opened.history)
        else:
            self.set_workflow(
                opened.workflow,
                self._workspace.workflows.catalogue,
                read_only=not opened.is_current,
                journal=self._save if opened.is_current else None,
                note=note,
                history=opened.history,
            )
        self._feed.begin(opened.run_id)
        self._forms.learn()
        self._debug.opened()
        self._show_moment()

    def _is_in_front(self, opened: Opened) -> bool:
        """Whether it is a run of the very workflow that stands here: laying that out anew would lose its undo."""
        is_editable = not self.editor.read_only
        same = (opened.workflow_id, opened.is_current) == (self.workflow_id, is_editable)
        # What cannot be edited is as it was read, but for the places that steps without one were given here.
        shown = self.workflow if is_editable else self._as_read
        return bool(opened.run_id) and same and opened.workflow == shown

    def _show_moment(self) -> None:
        if self._moment is not None:
            self.timeline.show_instant(self._moment)
            self._moment = None

    def _read_workflow(self, workflow_id: str) -> Opened:
        workflow = self._workspace.workflows.get(workflow_id)
        return Opened(
            workflow_id=workflow_id,
            workflow=workflow,
            in_library=True,
            is_current=True,
            last_edit=self._newest_edit(workflow_id),
        )

    def _read_run(self, run_id: str) -> Opened:
        workspace = self._workspace
        run, workflow = workspace.runs.get(run_id), workspace.runs.workflow_of(run_id)
        in_library = any(stored.id == run.workflow_id for stored in workspace.workflows.list())
        history = RunHistory(run_id, self.roles_of(workflow))
        history.add(workspace.runs.events(run_id))
        return Opened(
            workflow_id=run.workflow_id,
            workflow=workflow,
            in_library=in_library,
            is_current=in_library and workspace.workflows.get(run.workflow_id).content_hash() == run.version,
            last_edit=self._newest_edit(run.workflow_id),
            run_id=run_id,
            history=history,
        )

    def _read_latest(self) -> Opened | None:
        runs = self._workspace.runs.list(limit=1)
        if runs:
            return self._read_run(runs[0].run_id)
        workflows = self._workspace.workflows.list()
        return self._read_workflow(workflows[0].id) if workflows else None

    def _newest_edit(self, workflow_id: str) -> str:
        newest = self._workspace.workflows.history(workflow_id, limit=1)
        return newest[0].ref if newest else ""

    def _save(self, workflow: Workflow, words: str, session: str | None) -> None:
        key = f"{self._last_edit}/{session}" if session is not None else None
        workflow_id, record = self.workflow_id, self._workspace.workflows.record
        write_in_background(lambda: record(workflow_id, workflow, words, key), owner=self)
