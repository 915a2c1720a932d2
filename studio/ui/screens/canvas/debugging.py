"""Answers what the debugger's panels ask, and does what they want: data, pins, breakpoints, steps, one contact's way,
comparing runs.

Absent on purpose: showing it (`ui.canvas`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

import polars as pl

from studio.analytics.comparison import Comparison
from studio.domain.debugging import Breakpoint, Pin, StepBy
from studio.domain.errors import UserFixable
from studio.domain.run import FINAL_RUN_STATES
from studio.domain.staleness import Staleness
from studio.ui.background import run_in_background, write_in_background
from studio.ui.faults import guarded
from studio.ui.screens.canvas.running import RunStarter
from studio.ui.screens.runs.rows import MODES, briefly
from studio.ui.tokens import STATES
from studio.workspace.debugging import FailedItems, NodeData
from studio.workspace.history import Trace
from studio.workspace.rehearsals import DryRun
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.canvas.in_front import CanvasInFront

_RUNS_OFFERED = 30


class DebugAnswers:
    """Asks and does everything in the background."""

    def __init__(self, page: CanvasInFront, workspace: Workspace, window: RunStarter) -> None:
        self._page = page
        self._workspace = workspace
        self._window = window
        self._asked = self._shown = 0
        debug = page.debug
        debug.data.data_wanted.connect(guarded(self._show_data))
        debug.data.mend_wanted.connect(guarded(self._mend))
        debug.data.pin_edited.connect(guarded(self._edit_pin))
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

    def _open_run(self) -> str:
        """The run in front as long as it has not ended, or nothing."""
        live = self._page.watch.live
        return self._page.run_id if live is not None and live.state not in FINAL_RUN_STATES else ""

    def _show_aids(self) -> None:
        page, debugging = self._page, self._workspace.debugging
        run_id, workflow_id, open_run = page.run_id, page.workflow_id, self._open_run()

        def read() -> tuple[tuple[Breakpoint, ...], frozenset[str]]:
            given = debugging.breakpoints(open_run) if open_run else debugging.kept_breakpoints(workflow_id)
            return given, frozenset(pin.node for pin in debugging.pins(workflow_id))

        def show(aids: tuple[tuple[Breakpoint, ...], frozenset[str]]) -> None:
            if (page.run_id, page.workflow_id) == (run_id, workflow_id):
                page.debug.set_aids(*aids)

        run_in_background(read, show, owner=page)

    def _keep_breakpoints(self, breakpoints: tuple[Breakpoint, ...]) -> None:
        debugging, workflow_id, open_run = self._workspace.debugging, self._page.workflow_id, self._open_run()

        def keep() -> None:
            if open_run:
                debugging.set_breakpoints(open_run, breakpoints)
            if workflow_id:
                debugging.keep_breakpoints(workflow_id, breakpoints)

        write_in_background(keep, owner=self._page)

    def _show_data(self, node_id: str) -> None:
        page, debugging, run_id = self._page, self._workspace.debugging, self._page.run_id
        workflow_id, seq = page.workflow_id, page.timeline.seq
        self._asked += 1
        number = self._asked

        def read() -> tuple[NodeData, FailedItems, Pin | None]:
            pin = next((pin for pin in debugging.pins(workflow_id) if pin.node == node_id), None)
            if not run_id:
                return NodeData(node=node_id, input=None, outputs={}), FailedItems("", pl.DataFrame()), pin
            return debugging.data(run_id, node_id, seq), debugging.failed(run_id, node_id), pin

        def show(found: tuple[NodeData, FailedItems, Pin | None]) -> None:
            # While an instant is dragged along, answers may overtake each other.
            if page.run_id == run_id and number > self._shown:
                self._shown = number
                page.debug.data.set_data(*found)

        run_in_background(read, show, owner=page)

    def _mend(self, node_id: str, edits: Mapping[str, Mapping[str, str]]) -> None:
        run_id, debugging = self._page.run_id, self._workspace.debugging
        self._go(run_id, lambda: debugging.mend(run_id, node_id, edits, is_attended=True))

    def _go(self, run_id: str, work: Callable[[], object]) -> None:
        write_in_background(work, lambda _: self._window.watch(run_id), owner=self._page)

    def _pin(self, node_id: str, pinned: bool) -> None:
        page, debugging = self._page, self._workspace.debugging
        workflow_id, run_id = page.workflow_id, page.run_id
        if pinned and not run_id:
            raise UserFixable(
                "PIN-NOTHING", "There is no run to take data from.", hint="Run the workflow up to this step first."
            )

        def pin() -> None:
            if pinned:
                debugging.pin_sample(workflow_id, run_id, node_id)
            else:
                debugging.unpin(workflow_id, node_id)

        def done(_: None) -> None:
            self._show_aids()
            page.debug.data.forget()

        write_in_background(pin, done, owner=page)

    def _edit_pin(self, pin: Pin) -> None:
        page, debugging, workflow_id = self._page, self._workspace.debugging, self._page.workflow_id

        def done(_: None) -> None:
            page.debug.data.forget()

        write_in_background(lambda: debugging.edit_pin(workflow_id, pin), done, owner=page)

    def _run_part(self, way: str, node_id: str) -> None:
        if way == "to":
            self._window.run_workflow(self._page.workflow_id, to_node=node_id)
        else:
            self._window.run_workflow(self._page.workflow_id, from_node=node_id)

    def _step(self, by: str) -> None:
        run_id, debugging = self._page.run_id, self._workspace.debugging
        self._go(run_id, lambda: debugging.step(run_id, by=cast("StepBy", by), is_attended=True))

    def _edited(self) -> None:
        self._page.debug.dry_run.clear()
        self._look_for_stale()

    def _dry_run(self) -> None:
        page, workflow, workflow_id = self._page, self._page.workflow, self._page.workflow_id

        def show(found: DryRun) -> None:
            if page.workflow is workflow:
                page.debug.dry_run.show_result(found)

        def failed(error: Exception) -> None:
            page.debug.dry_run.clear()
            raise error

        run_in_background(
            lambda: self._workspace.rehearsals.dry_run(
                workflow, self._window.dry_run_options(), workflow_id=workflow_id or None
            ),
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
        page, run_id, workflow_id = self._page, self._page.run_id, self._page.workflow_id
        if not run_id:
            page.debug.compare.set_runs({})
            return

        def read() -> dict[str, str]:
            others = [
                run
                for run in self._workspace.runs.list(_RUNS_OFFERED * 4)
                if run.workflow_id == workflow_id and run.run_id != run_id
            ]
            return {
                run.run_id: f"{run.run_id} · {briefly(run.started_at)} · {MODES[run.mode]} · {STATES[run.state].word}"
                for run in others[:_RUNS_OFFERED]
            }

        def show(offered: dict[str, str]) -> None:
            if page.run_id == run_id:
                page.debug.compare.set_runs(offered)

        run_in_background(read, show, owner=page)

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
