"""Asking a question in words: a line with completion, and the answer as a number, a chart and the query understood.

Absent on purpose: reading the question (analytics).
"""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QCompleter

from studio.analytics.answer import Answer
from studio.domain.errors import UserFixable
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.screens.data_menu import data_button
from studio.workspace.workspace import Workspace

EXAMPLE = "click rate by step in the last 7 days"


class AskCard(w.Card):
    """Hidden until somebody asks. `ask` answers off the Qt thread."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("Ask a question", w.IconButton("x", "Close", self.hide))
        self._workspace = workspace
        self._run_id = ""
        self._currency = "EUR"
        self.line = w.SearchField(f"Such as: {EXAMPLE}")
        self._choices = QStringListModel(self)
        completer = QCompleter(self._choices, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.line.setCompleter(completer)
        self.line.textEdited.connect(self._complete)
        self.line.returnPressed.connect(self.ask)
        self.number = w.Text("", "figure", tabular=True)
        self.said = w.Text("", "secondary", "muted")
        self.bars = c.BarList("The answer")
        self.lines = c.LineBand("The answer", write=self._write)
        self.lines.setMinimumHeight(180)
        self._buttons = {part: data_button(part) for part in (self.bars, self.lines)}
        said = w.row(self.said, *self._buttons.values())
        said.setStretch(0, 1)
        self.add(self.line, self.number, w.panel(said), self.bars, self.lines)
        self._clear()
        self.hide()

    def open_for(self, run_id: str, currency: str) -> None:
        """Shows the line, ready to type into."""
        self._run_id, self._currency = run_id, currency
        self.show()
        self.line.setFocus()

    def ask(self) -> None:
        """Answers what stands in the line."""
        text, run_id = self.line.text(), self._run_id
        run_in_background(lambda: self._workspace.analyses.ask(text, run_id), self._show, self._refuse, owner=self)

    def _complete(self, text: str) -> None:
        self._choices.setStringList(self._workspace.analyses.completions(text, self._run_id))

    def _clear(self) -> None:
        for part in (self.number, self.said, self.bars, self.lines, *self._buttons.values()):
            part.hide()

    def _refuse(self, error: Exception) -> None:
        if not isinstance(error, UserFixable):
            raise error
        self._clear()
        self.said.setText(f"{error.message} {error.hint or ''}")
        self.said.show()

    def _show(self, answer: Answer) -> None:
        self._clear()
        self._answer = answer
        self.number.setText(self._write(answer.number))
        understood = f"Understood as: {answer.asked}"
        self.said.setText(f"{understood}. {answer.note}" if answer.note else understood)
        for chart in (self.bars, self.lines):
            chart.title = f"{answer.asked[:1].upper()}{answer.asked[1:]}"
            chart.setAccessibleName(chart.title)
        self.number.show()
        self.said.show()
        known = [(group, value) for group, value in answer.rows if value is not None]
        if answer.chart == "bars" and known:
            self.bars.set_data([c.BarItem(group, value, self._write(value)) for group, value in known[:12]])
            self.bars.show()
            self._buttons[self.bars].show()
        elif answer.chart == "line" and known:
            points = [c.Point(_moment(group), value) for group, value in known]
            self.lines.set_data(c.LineBandData(points, actual_label=answer.query.metric.name))
            self.lines.show()
            self._buttons[self.lines].show()

    def _write(self, value: float | None) -> str:
        unit = self._answer.unit if hasattr(self, "_answer") else "count"
        if unit == "rate":
            return numbers.percent(value, 1)
        if unit == "ratio":
            return numbers.decimal(value)
        if unit == "money":
            return numbers.money(value, self._currency, 2 if abs(value or 0.0) < 100 else 0)
        return numbers.count(value)


def _moment(group: str) -> datetime:
    return datetime.fromisoformat(group).replace(tzinfo=UTC)
