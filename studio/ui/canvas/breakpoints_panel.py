"""Breakpoints in words: where a run of this workflow holds, and a sentence to be filled in for another one.

Absent on purpose: holding a run (engine), and keeping breakpoints (workspace).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from studio.domain.debugging import Breakpoint, When
from studio.domain.errors import UserFixable
from studio.domain.port_words import Ways
from studio.ui.faults import guarded
from studio.ui.numbers import plural
from studio.ui.theme import theme
from studio.ui.widgets import (
    STRETCH,
    Button,
    Dot,
    IconButton,
    LinkButton,
    MenuChip,
    NumberField,
    ScrollColumn,
    SecondaryButton,
    Text,
)
from studio.ui.widgets.layout import clear, column, panel, row
from studio.ui.widgets.reflow import flowing

_WHEN: Mapping[When, str] = {
    "before": "before a step",
    "count": "when more than so many people come",
    "empty": "when nobody leaves a step",
    "contact": "when a contact comes",
    "error": "when a step fails for somebody",
    "new_value": "on a value never seen before",
}
_ANY = ""


class BreakpointsPanel(QWidget):
    """`changed(breakpoints)` when the person adds or removes one; `node_wanted(node_id)`."""

    changed = Signal(object)
    node_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.breakpoints: tuple[Breakpoint, ...] = ()
        self._names: Mapping[str, str] = {}
        self._ways: Ways | None = None
        self.when = MenuChip(dict(_WHEN), name="Hold the run")
        self.count = NumberField(200, 0, 10_000_000)
        self.text = QLineEdit()
        self.text.setMinimumWidth(theme().px(300))
        self.add_button = SecondaryButton("Add", self._add_sentence)
        self._step = row(spacing=6)
        self._list = column(spacing=2)
        self._nothing = Text("The run does not hold anywhere.", "body", "muted")
        sentence = flowing(
            Text("Hold the run", "body", wrap=False),
            self.when,
            panel(self._step),
            self.count,
            self.text,
            self.add_button,
        )
        area = ScrollColumn(margins=(0, 0, 0, 0))
        holder = QWidget()
        holder.setLayout(self._list)
        area.add(self._nothing)
        area.add(holder)
        area.add(STRETCH)
        box = column(sentence, spacing=10, margins=(14, 10, 14, 8))
        box.addWidget(area, 1)
        self.setLayout(box)
        self.when.chosen.connect(lambda _when: self._show_sentence())
        self.text.returnPressed.connect(guarded(self._add_sentence))
        self.set_steps({})

    def set_steps(self, names: Mapping[str, str], ways: Ways | None = None) -> None:
        """Node id → what the canvas calls it, and its outputs."""
        if names == self._names and ways == self._ways and self._step.count():
            return
        self._names, self._ways = dict(names), ways
        clear(self._step)
        self.step = MenuChip({_ANY: "any step", **names}, name="Step")
        """Made anew with the steps there are."""
        self._step.addWidget(self.step)
        self._show_sentence()
        self._show()

    def set_breakpoints(self, breakpoints: Sequence[Breakpoint]) -> None:
        """Shows these without announcing them."""
        self.breakpoints = tuple(breakpoints)
        self._show()

    def toggle(self, given: Breakpoint) -> None:
        """Adds a breakpoint, or takes it away when it is there."""
        rest = tuple(known for known in self.breakpoints if str(known) != str(given))
        self._become(rest if len(rest) < len(self.breakpoints) else (*rest, given))

    def remove(self, given: Breakpoint) -> None:
        self._become(tuple(known for known in self.breakpoints if str(known) != str(given)))

    def _become(self, breakpoints: tuple[Breakpoint, ...]) -> None:
        self.set_breakpoints(breakpoints)
        self.changed.emit(breakpoints)

    def _add_sentence(self) -> None:
        when: When = self.when.value  # type: ignore[assignment] - keys of the chip
        node, text = self.step.value or None, self.text.text().strip()
        if node is None and when in ("before", "count", "empty", "new_value"):
            raise UserFixable("BREAKPOINT-STEP", "Which step?", hint="Choose a step in the sentence.")
        if when in ("contact", "new_value") and not text:
            what = "contact" if when == "contact" else "field"
            raise UserFixable("BREAKPOINT-TEXT", f"Which {what}?", hint=f"Write the {what} into the sentence.")
        given = Breakpoint(
            when=when,
            node=node,
            more_than=self.count.value() if when == "count" else None,
            contact=text if when == "contact" else None,
            field=text if when == "new_value" else None,
        )
        self.text.clear()
        self._become((*(known for known in self.breakpoints if str(known) != str(given)), given))

    def _show_sentence(self) -> None:
        when = self.when.value
        self.count.setVisible(when == "count")
        self.text.setVisible(when in ("contact", "new_value"))
        hint = "Key or e-mail address" if when == "contact" else "Field, such as country or var.cart_value"
        self.text.setPlaceholderText(hint)
        self.text.setAccessibleName(hint)

    def _show(self) -> None:
        clear(self._list)
        self._nothing.setVisible(not self.breakpoints)
        for given in self.breakpoints:
            words = given.in_words(self._names, self._ways)
            said: Button | Text = Text(words, "secondary", wrap=False)
            said.setContentsMargins(3, 0, 0, 0)  # Begins where a link's words begin.
            if given.node is not None:
                node_id = given.node
                said = LinkButton(words, lambda node_id=node_id: self.node_wanted.emit(node_id))
            away = IconButton("x", f"Remove: {words}", lambda given=given: self.remove(given), size=14)
            line = QWidget()
            line.setLayout(row(Dot("state.paused"), said, STRETCH, away, spacing=8, margins=(0, 2, 0, 2)))
            self._list.addWidget(line)

    def title(self) -> str:
        """For its tab."""
        return f"Breakpoints ({len(self.breakpoints)})" if self.breakpoints else "Breakpoints"

    def summary(self) -> str:
        """“2 breakpoints”."""
        return plural(len(self.breakpoints), "breakpoint")
