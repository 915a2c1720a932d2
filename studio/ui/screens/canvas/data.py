"""Answers what the inspector asks about a run: the people a problem concerns, samples of what left a step.

Absent on purpose: showing them (`ui.canvas`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from studio.ui.background import run_in_background
from studio.ui.canvas.inspector_problem import AffectedContact
from studio.ui.faults import guarded
from studio.ui.tokens import Tone
from studio.workspace.concerned import Concerned, Fate
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.canvas.in_front import CanvasInFront


_FATES: Mapping[Fate, tuple[str, Tone]] = {
    "failed": ("failed", "bad"),
    "retry": ("tried again", "caution"),
    "in_doubt": ("in doubt", "caution"),
    "sent": ("sent", "good"),
    "kept": ("kept", "muted"),
}


class DataAnswers:
    """Reads off the Qt thread; the answer goes to the page that asked."""

    def __init__(self, page: CanvasInFront, workspace: Workspace) -> None:
        self._page = page
        self._workspace = workspace
        page.contacts_wanted.connect(guarded(self._show_contacts))
        page.sample_requested.connect(guarded(self._show_sample))

    def _show_contacts(self, node_id: str, code: str) -> None:
        page, run_id = self._page, self._page.run_id

        def show(people: Sequence[Concerned]) -> None:
            rows = [AffectedContact(one.contact, one.answer, *_FATES[one.fate]) for one in people]
            page.set_contacts(node_id, code, rows)

        run_in_background(lambda: self._workspace.history.concerned(run_id, node_id, code), show, owner=page)

    def _show_sample(self, node_id: str, port: str) -> None:
        page, run_id, seq = self._page, self._page.run_id, self._page.timeline.seq
        if not run_id:
            return

        def show(people: pl.DataFrame) -> None:
            page.set_samples(node_id, port, people.columns, list(people.iter_rows(named=True)))

        run_in_background(lambda: self._workspace.runs.sample(run_id, node_id, port, seq), show, owner=page)
