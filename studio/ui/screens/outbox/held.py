"""Runs that are held because the workspace was copied, moved or restored, and the two ways of letting them go on here.

Absent on purpose: sending. A released run goes on when it is resumed, so that a wrong click sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.place import Place

Way: TypeAlias = Literal["send", "doubt"]
ALL = ""
WAYS: Mapping[Way, tuple[str, str]] = {
    "send": (
        "Send from here",
        "Nothing of it was sent from anywhere else, and nothing will be. "
        "What is planned goes out from here once the run is resumed.",
    ),
    "doubt": (
        "Check each first",
        "Some of it may have been sent already, from the other place or after the backup. Once the run is resumed, "
        "each message is looked up at the mail server. What it cannot tell stands below as in doubt, and you decide.",
    ),
}
"""How a held run goes on → the button's words, and what it does."""


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run of which nothing is sent here, and why."""

    run_id: str
    name: str
    why: str


class HeldRuns(w.Card):
    """Hidden while nothing is held. `released(run ids, way)`: what the person wants; nothing is done here."""

    released = Signal(list, str)

    def __init__(self) -> None:
        super().__init__(padding=14, spacing=8, name="Held runs")
        self._runs: tuple[HeldRun, ...] = ()
        self._wanted = ALL
        self._body = Place(spacing=10)
        self.add(self._body)
        self.hide()

    def show_runs(self, runs: tuple[HeldRun, ...]) -> None:
        """Fills the card anew when other runs are held than before."""
        self.setVisible(bool(runs))
        self.setEnabled(True)
        if runs != self._runs:
            self._runs = runs
            if self._wanted not in {run.run_id for run in runs}:
                self._wanted = ALL
            self._fill()

    def _fill(self) -> None:
        if not self._runs:
            self._body.fill()
            return
        whys = list(dict.fromkeys(run.why for run in self._runs))
        title = w.Text(_finding(self._runs), "subheading")
        head = w.row(title, spacing=12)
        head.setStretch(0, 1)
        if len(self._runs) > 1:
            head.addWidget(self._chip())
        why = w.Text(" ".join(f"{words[:1].upper()}{words[1:]}." for words in whys), "body", "muted")
        self._body.fill(head, why, *(self._way(way) for way in WAYS))

    def _chip(self) -> QWidget:
        choices = {ALL: f"All {len(self._runs)} runs", **{r.run_id: f"{r.name} ({r.run_id})" for r in self._runs}}
        chip = w.MenuChip(choices, self._wanted, name="Held run")
        chip.chosen.connect(self._choose)
        return chip

    def _choose(self, run_id: str) -> None:
        self._wanted = run_id

    def _way(self, way: Way) -> QWidget:
        words, effect = WAYS[way]
        button = w.SecondaryButton(words, lambda: self._release(way))
        button.setAccessibleDescription(effect)
        button.setMinimumWidth(button.fontMetrics().averageCharWidth() * 24)
        line = w.row(button, w.Text(effect, "body"), spacing=12)
        line.setStretch(1, 1)
        return w.panel(line)

    def _release(self, way: Way) -> None:
        self.setEnabled(False)
        self.released.emit([run.run_id for run in self._runs if self._wanted in (ALL, run.run_id)], way)


def _finding(runs: tuple[HeldRun, ...]) -> str:
    if len(runs) == 1:
        return f"Nothing of {runs[0].name} ({runs[0].run_id}) is sent: it is held"
    return f"Nothing of {numbers.plural(len(runs), 'run')} is sent: they are held"
