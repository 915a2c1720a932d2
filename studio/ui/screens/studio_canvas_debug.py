"""Answers what the debugger's panels ask, and does what they want: data, pins, breakpoints, steps, one contact's way,
comparing runs.

Absent on purpose: showing it (`ui.canvas`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from studio.analytics.comparison import Comparison
from studio.domain.debugging import Breakpoint, StepBy
from studio.domain.errors import UserFixable
from studio.domain.run import FINAL_RUN_STATES
from studio.domain.staleness import Staleness
from studio.ui.background import run_in_background
from studio.ui.faults import guarded
from studio.ui.screens.run_rows import MODES, briefly
from studio.ui.screens.studio_canvas_run import RunStarter
from studio.ui.tokens import STATES
from studio.workspace.debugging import FailedItems, NodeData
from studio.workspace.history import Trace
from studio.workspace.rehearsals import DryRun
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.studio_canvas import StudioCanvas

_RUNS_OFFERED = 30


class DebugAnswers:
    """Reads off the Qt thread."""

    def __init__(self, page: StudioCanvas, workspace: Workspace, window: RunStarter) -> None:
        self._page = page
        self._workspace = workspace
        self._window = window
        debug = page.debug
        debug.data.data_wanted.connect(guarded(self._show_data))
        debug.data.mend_wanted.connect(guarded(self._mend))
        debug.pin_wanted.connect(guarded(self._pin))
        debug.part_wanted.connect(guarded(self._run_part))
        debug.follow.follow_wanted.connect(guarded(self._follow))
        debug.compare.runs_wanted.connect(guarded(self._offer_runs))
        debug.compare.compare_wanted.connect(guarded(self._compare))
        debug.breakpoints.changed.connect(guarded(self._keep_breakpoints))
        debug.dry_run.dry_run_wanted.connect(guarded(self._dry_run))
        page.step_requested.connect(guarded(self._step))
        page.workflow_changed.connect(guarded(lambda _workflow, _words: self._edited()))

    def opened(self) -> None:
        """Another workflow or run is in front."""
        self._show_aids()
        if self._page.debug.compare.isVisible():
            self._offer_runs()

    def _show_aids(self) -> None:
        page, debugging = self._page, self._workspace.debugging
        run_id, workflow_id = page.run_id, page.workflow_id
        is_open = bool(run_id) and self._workspace.runs.get(run_id).state not in FINAL_RUN_STATES
        breakpoints = debugging.breakpoints(run_id) if is_open else debugging.kept_breakpoints(workflow_id)
        page.debug.set_aids(breakpoints, frozenset(pin.node for pin in debugging.pins(workflow_id)))

    def _keep_breakpoints(self, breakpoints: tuple[Breakpoint, ...]) -> None:
        page = self._page
        if page.run_id and self._workspace.runs.get(page.run_id).state not in FINAL_RUN_STATES:
            self._workspace.debugging.set_breakpoints(page.run_id, breakpoints)
        if page.workflow_id:
            self._workspace.debugging.keep_breakpoints(page.workflow_id, breakpoints)

    def _show_data(self, node_id: str) -> None:
        page, debugging, run_id = self._page, self._workspace.debugging, self._page.run_id
        if not run_id:
            return
        is_pinned = any(pin.node == node_id for pin in debugging.pins(page.workflow_id))

        def show(found: tuple[NodeData, FailedItems]) -> None:
            if page.run_id == run_id:
                page.debug.data.set_data(*found, is_pinned=is_pinned)

        run_in_background(
            lambda: (debugging.data(run_id, node_id), debugging.failed(run_id, node_id)), show, owner=page
        )

    def _mend(self, node_id: str, edits: Mapping[str, Mapping[str, str]]) -> None:
        run_id = self._page.run_id
        self._workspace.debugging.mend(run_id, node_id, edits, is_attended=True)
        self._window.watch(run_id)

    def _pin(self, node_id: str, pinned: bool) -> None:
        page, debugging = self._page, self._workspace.debugging
        if not pinned:
            debugging.unpin(page.workflow_id, node_id)
        elif page.run_id:
            debugging.pin_sample(page.workflow_id, page.run_id, node_id)
        else:
            raise UserFixable(
                "PIN-NOTHING", "There is no run to take data from.", hint="Run the workflow up to this step first."
            )
        self._show_aids()
        page.debug.data.forget()

    def _run_part(self, way: str, node_id: str) -> None:
        if way == "to":
            self._window.run_workflow(self._page.workflow_id, to_node=node_id)
        else:
            self._window.run_workflow(self._page.workflow_id, from_node=node_id)

    def _step(self, by: str) -> None:
        run_id = self._page.run_id
        self._workspace.debugging.step(run_id, by=cast("StepBy", by), is_attended=True)
        self._window.watch(run_id)

    def _edited(self) -> None:
        self._page.debug.dry_run.clear()
        self._look_for_stale()

    def _dry_run(self) -> None:
        page, workflow, workflow_id = self._page, self._page.workflow, self._page.workflow_id
        options = self._window.run_options()

        def show(found: DryRun) -> None:
            if page.workflow is workflow:
                page.debug.dry_run.show_result(found)

        def failed(error: Exception) -> None:
            page.debug.dry_run.clear()
            raise error

        run_in_background(
            lambda: self._workspace.rehearsals.dry_run(workflow, options, workflow_id=workflow_id or None),
            show,
            failed,
            owner=page,
        )

    def _follow(self, text: str) -> None:
        page, run_id = self._page, self._page.run_id
        if not run_id:
            raise UserFixable(
                "FOLLOW-NO-RUN", "There is no run in front.", hint="Run the workflow, or open a past run."
            )

        def show(trace: Trace) -> None:
            if page.run_id == run_id:
                page.debug.follow.show_way(trace.finding, trace.journeys)

        run_in_background(lambda: self._workspace.history.trace(run_id, text), show, owner=page)

    def _offer_runs(self) -> None:
        page = self._page
        others = [run for run in self._workspace.runs.list(_RUNS_OFFERED * 4) if run.workflow_id == page.workflow_id]
        page.debug.compare.set_runs(
            {
                run.run_id: f"{run.run_id} · {briefly(run.started_at)} · {MODES[run.mode]} · {STATES[run.state].word}"
                for run in others[:_RUNS_OFFERED]
                if run.run_id != page.run_id
            }
            if page.run_id
            else {}
        )

    def _compare(self, other: str) -> None:
        page, run_id = self._page, self._page.run_id

        def show(comparison: Comparison) -> None:
            if page.run_id == run_id:
                page.debug.compare.show_comparison(comparison)

        run_in_background(lambda: self._workspace.history.compare(other, run_id), show, owner=page)

    def _look_for_stale(self) -> None:
        page, run_id, workflow = self._page, self._page.run_id, self._page.workflow
        if not run_id:
            return

        def show(found: dict[str, Staleness]) -> None:
            if page.run_id == run_id and page.workflow is workflow:
                page.debug.set_staleness(found)

        run_in_background(lambda: self._workspace.debugging.staleness(workflow, run_id), show, owner=page)
