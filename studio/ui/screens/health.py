"""Is everything in order: what was checked, in words, and what to do about what is not; backups and the way back.

Absent on purpose: mending; each finding says how.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.shell import Page
from studio.ui.tokens import Tone
from studio.workspace.backups import Backup, backups_of
from studio.workspace.health import Check
from studio.workspace.workspace import Workspace

_BACKUPS_ARE = "Copies of the whole workspace on this computer. Going back sets the workspace as it is now aside."


class HealthPage(Page):
    """The workspace and this computer, looked at when the screen is opened."""

    help_topic = "health"

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        super().__init__("Health")
        self._workspace, self._navigator = workspace, navigator
        self.again = w.SecondaryButton("Check again", self.refresh, icon="refresh-cw")
        self.backup = w.SecondaryButton("Back up now", self.back_up, icon="archive")
        self.header = w.PageHeader("Health", "", self.backup, self.again)
        self._list = w.RowList()
        card = w.Card("What was checked")
        card.add(self._list)
        self.backups = w.RowList()
        kept = w.Card("Backups")
        kept.add(w.Text(_BACKUPS_ARE, "secondary", "muted"), self.backups)
        body = w.ScrollColumn(margins=(40, 26, 40, 26), spacing=16)
        body.add(self.header)
        body.add(card)
        body.add(kept)
        body.add(w.STRETCH)
        self.pane = w.Pane(body)
        self._load = Loader(self.pane, self._look, self._show, "Looking everything over …")
        self.setLayout(w.column(self.pane, spacing=0))

    def entered(self, target: str = "") -> None:  # noqa: ARG002 - the page has one view
        self.refresh()

    def refresh(self) -> None:
        """Checks everything again."""
        self.again.setEnabled(False)
        self._load()

    def back_up(self) -> None:
        """Makes a backup and checks again."""
        self.backup.setEnabled(False)
        run_in_background(self._workspace.health.back_up, self._backed_up, self._not_backed_up, owner=self)

    def _backed_up(self, name: str) -> None:
        self.backup.setEnabled(True)
        self._navigator.notify(f"Backup {name} is made")
        self.refresh()

    def _not_backed_up(self, error: Exception) -> None:
        self.backup.setEnabled(True)
        raise error

    def _look(self) -> tuple[tuple[Check, ...], Sequence[Backup]]:
        return self._workspace.health.doctor(), backups_of(self._workspace.folder)

    def _show(self, found: tuple[tuple[Check, ...], Sequence[Backup]]) -> None:
        checks, backups = found
        self.show_checks(checks)
        self.show_backups(backups)

    def show_backups(self, backups: Sequence[Backup]) -> None:
        """Lists them, newest first, each with the way back."""
        self.backups.clear()
        if not backups:
            self.backups.add(w.Text("There is none yet.", "body"))
        for backup in backups:
            at = f"{backup.at.astimezone():%d %B %Y, %H:%M}"
            back = w.SecondaryButton("Go back to this", lambda name=backup.name: self._navigator.go_back(name))
            back.setAccessibleName(f"Go back to the backup of {at}")
            self.backups.add(w.ItemRow(at, f"{backup.bytes / 1e6:,.1f} MB", back))

    def show_checks(self, checks: tuple[Check, ...]) -> None:
        """Lists what was found, what is wrong first."""
        self.again.setEnabled(True)
        wrong = sum(not check.ok for check in checks)
        advice = sum(check.is_advice for check in checks)
        fine = (
            f"Everything works, {numbers.plural(advice, 'thing')} would make it safer."
            if advice
            else "Everything is in order."
        )
        title = fine if not wrong else f"{numbers.plural(wrong, 'check')} found something wrong."
        self.header.set_finding(title, f"{numbers.plural(len(checks), 'check')} of the workspace and this computer")
        self._list.clear()
        for check in sorted(checks, key=lambda check: (check.ok, not check.is_advice)):
            self._list.add(_row(check))


def _row(check: Check) -> QWidget:
    state, words, tone = _looks(check)
    word = w.Text(words, "secondary", tone, wrap=False)
    return w.ItemRow(check.title, check.words, word, mark=w.Badge.for_state(state))


def _looks(check: Check) -> tuple[str, str, Tone]:
    if check.is_advice:
        return "warning", "worth doing", "caution"
    return ("done", "in order", "good") if check.ok else ("failed", "look at this", "bad")
