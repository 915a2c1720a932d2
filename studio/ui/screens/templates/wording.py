"""Wording by a language model: off until switched on here, shows what would leave, each suggestion accepted alone.

Absent on purpose: asking; the screen does that off the Qt thread and hands the answers in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from studio.ui import widgets as w
from studio.ui.screens.place import Place
from studio.ui.screens.values import breakable
from studio.workspace.assistant import Suggestion

_KINDS = {"openai": "OpenAI-compatible", "anthropic": "Anthropic"}


@dataclass(frozen=True, slots=True)
class Model:
    """The model that is on; `leaves`: what would be sent for the chosen template, word for word."""

    name: str
    url: str
    leaves: str


class WordingPanel(Place):
    """Signals: `on_wanted(kind, url, model, key)`, `off_wanted`, `asked`, `accepted(setting, text)`."""

    on_wanted = Signal(str, str, str, str)
    off_wanted = Signal()
    asked = Signal()
    accepted = Signal(str, str)

    def __init__(self) -> None:
        super().__init__(spacing=10)
        self._aside = QWidget(self)
        """Owns what is not shown at the moment: a part of no owner outlives the window."""
        self._aside.hide()
        self.kind = w.Segmented(_KINDS, "openai", name="Kind of endpoint")
        self.url, self.model, self.key = QLineEdit("http://127.0.0.1:8080/v1"), QLineEdit(), QLineEdit()
        self.key.setPlaceholderText("secret://name, or empty")
        self._problem = w.Text("", "secondary", "bad")
        self._answers = Place(spacing=10)
        self._set_aside(self.kind, self.url, self.model, self.key, self._problem, self._answers)
        self.hide()

    def _set_aside(self, *parts: QWidget) -> None:
        for part in parts:
            part.setParent(self._aside)

    def show_model(self, model: Model | None) -> None:
        """The model that is on; None: the form to switch one on."""
        for part in (self.kind, self._problem, self._answers):
            part.deleteLater()
        self.kind = w.Segmented(_KINDS, "openai", name="Kind of endpoint")
        self._problem = w.Text("", "secondary", "bad")
        self._answers = Place(spacing=10)
        self._set_aside(self.kind, self.url, self.model, self.key, self._problem, self._answers)
        if model is None:
            self._show_form()
        else:
            self._show_on(model)

    def show_problem(self, words: str) -> None:
        """What went wrong with switching on or with asking."""
        self._problem.setText(words)
        self._answers.fill()

    def show_suggestions(self, found: Sequence[Suggestion]) -> None:
        """Each suggestion beside what it would replace."""
        self._problem.setText("")
        if not found:
            self._answers.fill(w.Text("Nothing usable was suggested.", "body", "muted"))
            return
        self._answers.fill(*(self._card(one) for one in found))

    def show_working(self) -> None:
        """The model is being asked."""
        self._problem.setText("")
        self._answers.fill(w.ProgressLine(None, name="Asking the model"))

    def _show_form(self) -> None:
        say = "No language model is on, and none is needed. One can suggest wording; you accept each text yourself."
        self.fill(
            w.Text(say, "secondary", "muted"),
            self.kind,
            w.Field("Address", self.url),
            w.Field("Model", self.model),
            w.Field("Key", self.key),
            self._problem,
            w.panel(w.row(w.SecondaryButton("Switch on", self._switch_on), w.STRETCH)),
        )

    def _show_on(self, model: Model) -> None:
        leaves = w.Card("What leaves this computer", padding=12, spacing=6)
        leaves.add(w.Text(breakable(model.leaves), "caption", "secondary", selectable=True))
        off = w.LinkButton("Switch off", self.off_wanted.emit, quiet=True)
        head = w.row(w.Text(f"{model.name} at {breakable(model.url)}", "secondary", "muted"), off)
        head.setStretch(0, 1)
        ask = w.SecondaryButton("Suggest wording", self.asked.emit)
        self.fill(head, w.panel(w.row(ask, w.STRETCH)), self._problem, self._answers, leaves)

    def _switch_on(self) -> None:
        self.on_wanted.emit(
            self.kind.value, self.url.text().strip(), self.model.text().strip(), self.key.text().strip()
        )

    def _card(self, one: Suggestion) -> w.Card:
        card = w.Card(padding=12, spacing=6, name=f"Suggestion for {one.title}")
        card.add(w.Text(one.title, "secondary", "muted"))
        card.add(w.Text(f"Now: {one.before}", "secondary", "muted"), w.Text(one.after, "strong", selectable=True))
        if one.reason:
            card.add(w.Text(one.reason, "caption", "muted"))
        for doubt in one.doubts:
            card.add(w.Text(doubt, "caption", "caution"))
        accept = w.SecondaryButton("Accept", lambda: self.accepted.emit(one.parameter, one.after))
        accept.setAccessibleName(f"Accept for {one.title}")
        card.add(w.panel(w.row(accept, w.LinkButton("Dismiss", card.hide, quiet=True), w.STRETCH)))
        return card
