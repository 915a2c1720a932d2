"""Answers what the canvas asks about the workflow's past, and keeps and restores its states.

Absent on purpose: showing them (`ui.canvas.history_panel`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.domain.difference import Difference, in_words
from studio.domain.port_words import ways_of
from studio.domain.workflow import Workflow
from studio.ui.background import run_in_background, write_in_background
from studio.ui.canvas.comparison import Comparison, compared
from studio.ui.canvas.document import display_name
from studio.ui.canvas.history_panel import State
from studio.ui.faults import guarded
from studio.workspace.workflows import PastState
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.canvas.in_front import CanvasInFront


class HistoryAnswers:
    """Reads off the Qt thread. Restoring is an edit like any other: it can be undone."""

    def __init__(self, page: CanvasInFront, workspace: Workspace) -> None:
        self._page = page
        self._workspace = workspace
        panel = page.history_panel
        panel.states_wanted.connect(guarded(self._show_states))
        panel.compare_wanted.connect(guarded(self._compare))
        panel.restore_wanted.connect(guarded(self._restore))
        panel.keep_wanted.connect(guarded(self._keep))

    def learn(self) -> None:
        """Tells the page what usually follows what, from the templates and the workflows of this workspace."""
        run_in_background(self._workspace.habits, self._page.set_habits, owner=self._page)

    def _show_states(self) -> None:
        page, workflow_id = self._page, self._page.workflow_id
        if not workflow_id:
            page.history_panel.set_states([])
            return

        def show(states: tuple[PastState, ...]) -> None:
            if page.workflow_id == workflow_id:
                shown = [State(one.ref, one.at, one.words, is_kept=one.kind != "edit") for one in states]
                page.history_panel.set_states(shown)

        run_in_background(lambda: self._workspace.workflows.history(workflow_id), show, owner=page)

    def _compare(self, ref: str) -> None:
        page, workflow_id, present = self._page, self._page.workflow_id, self._page.workflow
        if not ref:
            page.scene.set_comparison(Comparison(), {})
            return

        def work() -> tuple[Workflow, tuple[Difference, ...]]:
            past = self._workspace.workflows.past(workflow_id, ref)
            return past, self._workspace.workflows.differences(past, present)

        def show(found: tuple[Workflow, tuple[Difference, ...]]) -> None:
            past, differences = found
            if page.workflow is not present:
                return
            names = self._names(past) | self._names(present)
            lines = [
                (one.node or "", in_words(one, names, {**ways_of(past), **ways_of(present)}))
                for one in differences
                if one.kind != "moved"
            ]
            moved = sum(one.kind == "moved" for one in differences)
            lines += [("", f"{moved} {'step' if moved == 1 else 'steps'} moved")] if moved else []
            page.history_panel.show_differences(ref, lines)
            page.scene.set_comparison(compared(past, differences), names)

        run_in_background(work, show, owner=page)

    def _restore(self, ref: str) -> None:
        page, workflow_id = self._page, self._page.workflow_id

        def show(past: Workflow) -> None:
            page.history_panel.stop_comparing()
            page.document.restore(past, f"Restore {ref}")

        run_in_background(lambda: self._workspace.workflows.past(workflow_id, ref), show, owner=page)

    def _keep(self, name: str) -> None:
        workflows, workflow_id = self._workspace.workflows, self._page.workflow_id
        write_in_background(
            lambda: workflows.keep_as(workflow_id, name), lambda _: self._show_states(), owner=self._page
        )

    def _names(self, workflow: Workflow) -> Mapping[str, str]:
        return {node.id: display_name(node, self._page.document.catalogue) for node in workflow.nodes}
