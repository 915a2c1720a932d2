"""The Dry run tab: who would come to each step, what would be sent, when and at what cost, who would be held back.

Absent on purpose: reckoning it (`workspace.rehearsals`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.ui.canvas.marks import Mark, Marks
from studio.ui.canvas.words import moment
from studio.ui.numbers import count, money, plural
from studio.ui.widgets import Column, EmptyState, LinkButton, SecondaryButton, Table, Text
from studio.ui.widgets.layout import column, panel
from studio.ui.widgets.reflow import Beside, flowing, lowering
from studio.workspace.rehearsals import DryMessages, DryRun, DryStep, HeldBack

_HINT = (
    "See who would be reached, what it would cost and who would be held back. Nothing is written and nothing is sent."
)


@dataclass(frozen=True, slots=True)
class DryLine:
    """One step. `messages`, `first_at` and `cost` None where nothing is sent."""

    node_id: str
    step: str
    people: int
    ways: str
    messages: int | None
    first_at: datetime | None
    cost: float | None
    held: str
    is_wrong: bool


class DryRunPanel(QWidget):
    """`dry_run_wanted`, `marks_changed(marks)`, `node_wanted(node_id)`; `message_wanted(node_id)` asks for a message as
    people will get it.
    """

    dry_run_wanted = Signal()
    marks_changed = Signal(object)
    node_wanted = Signal(str)
    message_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._currency = "EUR"
        self._sends: list[str] = []
        self._send_id = ""
        self.again = SecondaryButton("Reckon again", self._ask, icon="refresh-cw")
        self.end = LinkButton("Clear", self.clear)
        self.look = SecondaryButton("See the message", self._see, icon="mail")
        self.finding = Text("", "strong")
        self.table: Table[DryLine] = Table("Dry run", self._columns())
        self._empty = EmptyState("Try it dry", _HINT, "Dry run", self._ask, icon="scale")
        self._busy = EmptyState("Reckoning …", "Everybody goes through the workflow on paper.", icon="hourglass")
        self._body = lowering()
        for page in (self._empty, self._busy, self.table):
            self._body.addWidget(page)
        self._head = panel(Beside(self.finding, flowing(self.end, self.look, self.again)))
        box = column(self._head, spacing=8, margins=(14, 10, 14, 8))
        box.addWidget(self._body, 1)
        self.setLayout(box)
        self.table.row_chosen.connect(self._chosen_line)
        self.clear()

    def show_result(self, found: DryRun) -> None:
        """The answer, in words, as a table, and as marks on the steps."""
        self._currency = found.currency
        self.finding.setText(found.finding)
        self.table.set_rows(dry_lines(found))
        self._body.setCurrentWidget(self.table)
        self._head.setVisible(True)
        self._sends = [send.node for send in found.sends]
        self._offer(self._sends[0] if self._sends else "")
        words = {step.node: plural(step.came, "person", "people") for step in found.steps}
        words |= {send.node: plural(send.messages, "message") for send in found.sends}
        self.marks_changed.emit(Marks({node_id: Mark(said, "accent") for node_id, said in words.items()}))

    def clear(self) -> None:
        """Nothing has been reckoned, or it holds no longer: the workflow was edited."""
        self.table.set_rows([])
        self._body.setCurrentWidget(self._empty)
        self._head.setVisible(False)
        self.marks_changed.emit(Marks())

    def _chosen_line(self, line: DryLine) -> None:
        self.node_wanted.emit(line.node_id)
        if line.node_id in self._sends:
            self._offer(line.node_id)

    def _offer(self, node_id: str) -> None:
        """Which message the button shows: the first one, or the one chosen in the table."""
        self._send_id = node_id
        name = next((line.step for line in self.table.rows() if line.node_id == node_id), "")
        self.look.setVisible(bool(node_id))
        self.look.setToolTip(f"{name}, as it comes to each person")
        self.look.setAccessibleDescription(self.look.toolTip())

    def _see(self) -> None:
        self.message_wanted.emit(self._send_id)

    def _ask(self) -> None:
        self._body.setCurrentWidget(self._busy)
        self.dry_run_wanted.emit()

    def _columns(self) -> list[Column[DryLine]]:
        return [
            Column(title="Step", value=lambda r: r.step, bold=lambda r: r.messages is not None),
            Column(title="People", value=lambda r: r.people, numeric=True),
            Column(title="Go on through", value=lambda r: r.ways, tone=lambda _r: "secondary", width="stretch"),
            Column(title="Messages", value=lambda r: r.messages, numeric=True),
            Column(
                title="First at",
                value=lambda r: r.first_at,
                text=lambda r: moment(r.first_at) if r.first_at is not None else "",
                tone=lambda _r: "muted",
            ),
            Column(
                title="Cost",
                value=lambda r: r.cost,
                text=lambda r: money(r.cost, self._currency, 2) if r.cost is not None else "",
                numeric=True,
            ),
            Column(
                title="Held back, and why",
                value=lambda r: r.held,
                tone=lambda r: "bad" if r.is_wrong else "caution",
                width="stretch",
            ),
        ]


def dry_lines(found: DryRun) -> list[DryLine]:
    """One line a step, in the order of the workflow."""
    sends = {send.node: send for send in found.sends}
    return [_line(step, sends.get(step.node)) for step in found.steps]


def _line(step: DryStep, send: DryMessages | None) -> DryLine:
    ways = ", ".join(f"{way} {count(number)}" for way, number in step.ways.items() if number)
    held = [*step.problems]
    if send is not None:
        for kind, several in (("", send.blocked), ("later: ", send.deferred), ("would fail: ", send.failed)):
            held += [f"{kind}{_held(one)}" for one in several]
    return DryLine(
        node_id=step.node,
        step=step.label,
        people=step.came,
        ways=ways,
        messages=send.messages if send is not None else None,
        first_at=send.first_at if send is not None else None,
        cost=send.cost if send is not None else None,
        held="; ".join(held),
        is_wrong=bool(step.problems or (send is not None and send.failed)),
    )


def _held(one: HeldBack) -> str:
    return f"{count(one.count)} · {one.words}"
