"""Follow one contact: every step it came to, what was decided there and why, and what it was sent.

Absent on purpose: reading the records (`workspace.history`), and drawing the way over the steps (`way.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.analytics.paths import Happened, Journey, Visit
from studio.ui.canvas.words import moment
from studio.ui.numbers import money
from studio.ui.theme import theme
from studio.ui.tokens import Tone
from studio.ui.widgets import (
    Column,
    EmptyState,
    LinkButton,
    MenuChip,
    SearchField,
    SecondaryButton,
    Table,
    Text,
)
from studio.ui.widgets.layout import clear, column, panel, row
from studio.ui.widgets.reflow import Beside, flowing, lowering

_HINT = "Type a contact's key or e-mail address, and see which way it went through this run, and why."
_MESSAGE_WORDS = {
    "sent": "sent",
    "called": "called",
    "resolved_sent": "sent, by your word",
    "blocked": "kept back",
    "failed": "not delivered",
    "in_doubt": "in doubt",
    "planned": "to be sent",
}


_SAID_BY_VISITS = frozenset({"entered", "exited", "exposed"})


@dataclass(frozen=True, slots=True)
class WayLine:
    """One line of a contact's way. `node_id` None: something that happened outside the workflow."""

    at: datetime
    node_id: str | None
    step: str
    what: str
    message: str
    data: str
    tone: Tone = "default"


class FollowPanel(QWidget):
    """`follow_wanted(text)`, `journey_shown(journey or None)` when a way is in front, `node_wanted(node_id)`."""

    follow_wanted = Signal(str)
    journey_shown = Signal(object)
    node_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._journeys: Sequence[Journey] = ()
        self.search = SearchField("Key or e-mail address")
        self.search.setMinimumWidth(theme().px(220))
        self.follow = SecondaryButton("Follow", self._ask)
        self.end = LinkButton("Stop following", self.clear)
        self.finding = Text("", "strong")
        self._which = row(spacing=6)
        self.table: Table[WayLine] = Table("Way of the contact", _columns())
        self._body = lowering()
        self._body.addWidget(EmptyState("Nobody is followed", _HINT, icon="users"))
        self._body.addWidget(self.table)
        asking = flowing(self.search, self.follow, self.end, panel(self._which))
        box = column(panel(Beside(self.finding, asking)), spacing=8, margins=(14, 10, 14, 8))
        box.addWidget(self._body, 1)
        self.setLayout(box)
        self.search.returnPressed.connect(self._ask)
        self.table.row_chosen.connect(lambda line: self.node_wanted.emit(line.node_id) if line.node_id else None)
        self.clear()

    def show_way(self, finding: str, journeys: Sequence[Journey]) -> None:
        """A contact's journeys, the last one in front; without any the finding says why."""
        self._journeys = journeys
        self.finding.setText(finding)
        self.end.setVisible(True)
        clear(self._which)
        if len(journeys) > 1:
            names = {str(place): _name_of(journey) for place, journey in enumerate(journeys)}
            chip = MenuChip(names, str(len(journeys) - 1), name="Journey")
            chip.chosen.connect(lambda place: self._show(journeys[int(place)]))
            self._which.addWidget(chip)
        self.search.setCursorPosition(0)
        self._show(journeys[-1] if journeys else None)

    def clear(self) -> None:
        """Nobody is followed any more."""
        self._journeys = ()
        self.finding.setText("")
        self.end.setVisible(False)
        clear(self._which)
        self._show(None)

    def _ask(self) -> None:
        if self.search.text().strip():
            self.follow_wanted.emit(self.search.text().strip())

    def _show(self, journey: Journey | None) -> None:
        self.table.set_rows(way_lines(journey) if journey is not None else [])
        self._body.setCurrentIndex(1 if journey is not None else 0)
        self.journey_shown.emit(journey)


def way_lines(journey: Journey) -> list[WayLine]:
    """Visits and events of one journey, as they came."""
    lines = [_visited(visit) for visit in journey.visits]
    labels = {visit.node: visit.label for visit in journey.visits}
    told = {visit.node for visit in journey.visits if visit.message is not None}
    lines += [
        _happened(event, labels.get(event.node or "", "Contact"))
        for event in journey.events
        if event.kind not in _SAID_BY_VISITS and not (event.kind == "sent" and event.node in told)
    ]
    return sorted(lines, key=lambda line: line.at)


def _visited(visit: Visit) -> WayLine:
    message = visit.message
    words = ""
    if message is not None:
        again = f", {message.attempts} attempts" if message.attempts > 1 else ""
        why = f": {message.reason}" if message.reason else ""
        said = "; ".join(f"{name}: {value}" for name, value in message.answer.items())
        words = f"{_MESSAGE_WORDS.get(message.state, message.state)}{again}{why}{f' ({said})' if said else ''}"
    data = ", ".join(f"{name} = {'empty' if value is None else value}" for name, value in visit.data.items())
    is_bad = message is not None and message.state in ("failed", "in_doubt")
    tone: Tone = "bad" if is_bad else "caution" if visit.reason else "default"
    return WayLine(visit.arrived_at, visit.node, visit.label, visit.verdict, words, data, tone)


def _happened(event: Happened, step: str) -> WayLine:
    value = f" · {money(event.value, event.currency or 'EUR', 2)}" if event.value else ""
    said = f"{event.kind.replace('_', ' ').capitalize()}{value}"
    return WayLine(event.at, event.node, step, said, "", "", "secondary")


def _name_of(journey: Journey) -> str:
    key = f" · {journey.key}" if journey.key else ""
    return f"{moment(journey.entered_at)}{key}"


def _columns() -> list[Column[WayLine]]:
    return [
        Column(title="When", value=lambda r: r.at, text=lambda r: moment(r.at), tone=lambda _r: "muted"),
        Column(title="Step", value=lambda r: r.step, bold=lambda r: r.tone != "secondary"),
        Column(title="What happened", value=lambda r: r.what, tone=lambda r: r.tone, width="stretch"),
        Column(title="Message", value=lambda r: r.message, tone=lambda r: r.tone),
        Column(title="What the step looked at", value=lambda r: r.data, tone=lambda _r: "muted", width="stretch"),
    ]
