"""The report that is written by itself: how often, in which form, into which folder.

Absent on purpose: writing one now, which is done where the run is looked at.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import cast

from PySide6.QtWidgets import QFileDialog

from studio.ui import widgets as w
from studio.ui.background import run_in_background, write_in_background
from studio.workspace.sharing import Form, Schedule, SharingStory

OFTEN = {"0": "Never", "1": "Every day", "7": "Every week", "30": "Every 30 days"}
FORM_WORDS = {"pdf": "PDF", "html": "Web page"}


class ReportsCard(w.Card):
    """Every choice is kept at once."""

    def __init__(self, sharing: SharingStory) -> None:
        super().__init__("Regular report", spacing=12)
        self._sharing = sharing
        self._folder: Path | None = None
        self.often = w.Segmented(OFTEN, "0", name="How often")
        self.form = w.Segmented(FORM_WORDS, "pdf", name="Form")
        self.where = w.Text("", "body", selectable=True)
        self.told = w.Text("", "secondary", "muted")
        self.often.chosen.connect(lambda _days: self._keep())
        self.form.chosen.connect(lambda _form: self._keep())
        say = "The newest run as a report, written into a folder while the program or its background engine is on."
        self.add(w.Text(say, "secondary", "muted"), self.often, self.form)
        self.add(w.flowing(w.SecondaryButton("Choose folder", self._choose, icon="folder-open"), self.where), self.told)

    def refresh(self) -> None:
        """Shows what is kept."""
        run_in_background(self._sharing.scheduled, self._show, owner=self)

    def _show(self, plan: Schedule | None) -> None:
        days = str(round(plan.every / timedelta(days=1))) if plan is not None else "0"
        if days in OFTEN:
            self.often.set_value(days)
        if plan is not None:
            self.form.set_value(plan.form)
            self._folder = plan.folder
        self.where.setText(str(self._folder or "reports in the workspace’s folder"))
        self.told.setText(_told(plan, is_known=days in OFTEN))

    def _choose(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Folder for reports", str(self._folder or ""))
        if found:
            self._folder = Path(found)
            self._keep()

    def _keep(self) -> None:
        days, form, folder = int(self.often.value), cast("Form", self.form.value), self._folder
        every = timedelta(days=days) if days else None
        write_in_background(lambda: self._sharing.schedule(every, form, folder), self._show, owner=self)


def _told(plan: Schedule | None, *, is_known: bool) -> str:
    if plan is None:
        return "No report is written by itself."
    last = (
        f"The last one was written on {plan.last_at:%d %b %Y, %H:%M} UTC." if plan.last_at else "None was written yet."
    )
    return (
        last
        if is_known
        else f"Every {round(plan.every / timedelta(hours=1))} hours, as set on the command line. {last}"
    )
