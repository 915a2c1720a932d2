"""The Problem tab: what happened at a step, to whom, what to do, with the buttons that do it.

Absent on purpose: doing it; a button only says which action of which node is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.domain.diagnosis import Diagnosis, diagnose
from studio.domain.errors import Problem
from studio.domain.run import StepProblem, StepView
from studio.ui.canvas.status import open_problems
from studio.ui.numbers import plural
from studio.ui.tokens import Tone
from studio.ui.widgets import (
    Card,
    Column,
    EmptyState,
    LinkButton,
    Paragraph,
    PrimaryButton,
    SecondaryButton,
    Table,
    Text,
)
from studio.ui.widgets.layout import STRETCH, clear, column, row

ACTION_WORDS: Mapping[str, str] = {
    "retry": "Retry now",
    "edit": "Correct them",
    "resume": "Go on",
    "resolve": "Resolve",
    "release": "Release and go on",
    "setting": "Open its settings",
    "people": "Open the audience",
    "profile": "Open the sending settings",
    "health": "Open Health",
    "restore": "Open Health",
    "file": "Open its settings",
}
_EXPLAINED: Mapping[str, str] = {
    "retry": "Try again with only those that failed",
    "edit": "Put their values right first",
    "resume": "Go on from where it stopped",
    "resolve": "Mark them as sent, or send them again",
    "release": "Each message is looked up first; what nobody can tell waits for you",
    "setting": "Where the step is set up",
    "people": "Correct the people it concerns",
    "profile": "Server, sender and password",
    "health": "What is checked of the workspace",
    "restore": "Backups are there",
    "file": "Where the file is chosen",
}
_IN_SETTINGS = ("setting", "file")


@dataclass(frozen=True, slots=True)
class AffectedContact:
    """One line of the table of people a problem concerns."""

    contact: str
    answer: str
    state: str
    tone: Tone = "default"


def offered(problem: StepProblem, cause: Diagnosis) -> list[str]:
    """What the program can do about a problem: what the run itself offers first, then what the cause asks for.

    What is tried again by itself needs no button.
    """
    is_by_itself = cause.action == "retry" and problem.severity != "error"
    own = [] if cause.action is None or not cause.is_known or is_by_itself else [str(cause.action)]
    return [*([problem.action] if problem.action else []), *own]


def _title(problem: StepProblem, step: StepView | None) -> str:
    """What is wrong, in one line: messages that did not go out, people who did not get on."""
    if problem.severity != "error":
        return "Look at this"
    if not problem.count:
        return "This step could not be handled"
    if step is not None and step.sending:
        return f"{plural(problem.count, 'message')} did not go out"
    return f"{plural(problem.count, 'contact')} could not be handled"


class ProblemPanel(QWidget):
    """`action_requested(node_id, action)` from the buttons; `contacts_wanted(node_id, code)` to fill the table;
    `field_wanted(node_id, field)` for a wrong setting; `edit_wanted(node_id)` to put right whom it could not handle.
    """

    action_requested = Signal(str, str)
    edit_wanted = Signal(str)
    contacts_wanted = Signal(str, str)
    field_wanted = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(12)
        self._shown: object = None
        self._tables: dict[tuple[str, str], Table[AffectedContact]] = {}
        self._contacts: dict[tuple[str, str], Sequence[AffectedContact]] = {}

    def show_step(self, node_id: str, name: str, step: StepView | None, checks: Sequence[Problem]) -> int:
        """Shows what is wrong with a node in the run and with its settings, and answers with how many problems."""
        problems = open_problems(step) if step is not None else ()
        shown = (node_id, name, problems, tuple(checks), (step.attempts, bool(step.left)) if step else None)
        count = len(problems) + len(checks)
        if shown == self._shown:
            return count
        self._shown = shown
        clear(self._box)
        self._tables.clear()
        for problem in problems:
            self._add_problem(node_id, name, problem, step)
        for check in checks:
            self._add_check(node_id, check)
        if not count:
            self._box.addWidget(EmptyState("No problem here", "Everything this step did went well.", icon="check"))
        else:
            self._box.addStretch(1)
        return count

    def forget(self) -> None:
        """Another run: its problems concern other people."""
        self._contacts.clear()
        self._shown = None

    def set_contacts(self, node_id: str, code: str, contacts: Sequence[AffectedContact]) -> None:
        """Fills the table of a problem's affected contacts."""
        self._contacts[node_id, code] = contacts
        table = self._tables.get((node_id, code))
        if table is not None:
            table.set_rows(contacts)
            table.updateGeometry()

    def _add_problem(self, node_id: str, name: str, problem: StepProblem, step: StepView | None) -> None:
        tone: Tone = "bad" if problem.severity == "error" else "caution"
        title = _title(problem, step)
        attempts = f"attempt {step.attempts}" if step is not None and step.attempts > 1 else ""
        others = "everybody else went on" if step is not None and problem.count and step.left else ""
        where = " · ".join(part for part in (name, attempts, others) if part)
        happened = Card("What happened", padding=14)
        happened.add(Paragraph(problem.message))
        cause = diagnose(problem.code, problem.message)
        if cause.is_known:
            happened.add(Text(cause.title, "strong"))
            happened.add(Paragraph(cause.cause))
        to_do = Card("What to do", padding=14)
        advice = dict.fromkeys(text for text in (problem.hint, cause.remedy if cause.is_known else "") if text)
        for text in advice or {"Nothing has to be done; the others went on.": None}:
            to_do.add(Paragraph(text))
        actions = offered(problem, cause)
        if step is not None and step.quarantined and "retry" in actions:
            actions.insert(actions.index("retry") + 1, "edit")
        for place, action in enumerate(dict.fromkeys(actions)):
            to_do.add(self._action(node_id, action, PrimaryButton if place == 0 else SecondaryButton))
        head = Text(where, "secondary", "muted")
        head.setToolTip(f"Its code, for whoever looks it up: {problem.code}")
        self._box.addLayout(column(Text(title, "subheading", tone), head, spacing=3))
        self._box.addWidget(happened)
        self._box.addWidget(to_do)
        if problem.sample:
            self._add_table(node_id, problem)

    def _action(self, node_id: str, action: str, kind: type[PrimaryButton | SecondaryButton]) -> QWidget:
        words = ACTION_WORDS.get(action, action.replace("_", " ").capitalize())
        button = kind(words, lambda: self._start(node_id, action))
        button.setObjectName(f"action.{action}")
        holder = QWidget()
        said = _EXPLAINED.get(action, "")
        line = row(Text(said, "body", "secondary"), button) if said else row(STRETCH, button)
        line.setStretch(0, 1)
        holder.setLayout(line)
        return holder

    def _start(self, node_id: str, action: str) -> None:
        if action == "edit":
            self.edit_wanted.emit(node_id)
        elif action in _IN_SETTINGS:
            self.field_wanted.emit(node_id, "")
        else:
            self.action_requested.emit(node_id, action)

    def _add_table(self, node_id: str, problem: StepProblem) -> None:
        key = node_id, problem.code
        self._box.addWidget(Text("Affected contacts", "strong"))
        table: Table[AffectedContact] = Table(
            "Affected contacts",
            [
                Column(title="Contact", value=lambda row: row.contact, width="stretch"),
                Column(title="Answer", value=lambda row: row.answer),
                Column(title="State", value=lambda row: row.state, tone=lambda row: row.tone),
            ],
            self._contacts.get(key, ()),
            fit_rows=True,
        )
        self._tables[key] = table
        self._box.addWidget(table)
        if key not in self._contacts:
            self.contacts_wanted.emit(*key)

    def _add_check(self, node_id: str, problem: Problem) -> None:
        card = Card("A setting is not right yet", padding=14)
        card.add(Paragraph(" ".join(part for part in (problem.message, problem.hint) if part)))
        name = (problem.field or "").removeprefix("parameters.").split(".")[0].split("[")[0]
        if name and problem.field and problem.field.startswith("parameters."):
            card.add(row(SecondaryButton("Go to the setting", lambda: self.field_wanted.emit(node_id, name)), STRETCH))
        self._box.addWidget(card)


class ProblemOverview(QWidget):
    """All steps that need attention, when no step is chosen. `node_wanted(node_id)` from the links."""

    node_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(10)
        self._shown: object = None

    def show_all(self, lines: Sequence[tuple[str, str, str]], message: str, hint: str) -> None:
        """`lines`: (node id or "", who, what); `message` and `hint` are the run's own."""
        shown = (tuple(lines), message, hint)
        if shown == self._shown:
            return
        self._shown = shown
        clear(self._box)
        if message:
            card = Card("The run", padding=14)
            card.add(Paragraph(" ".join(part for part in (message, hint) if part)))
            self._box.addWidget(card)
        for node_id, who, what in lines:
            card = Card(who, padding=14)
            card.add(Paragraph(what))
            if node_id:
                link = LinkButton("Show the step", lambda node_id=node_id: self.node_wanted.emit(node_id))
                card.add(row(link, STRETCH))
            self._box.addWidget(card)
        if not lines and not message:
            self._box.addWidget(EmptyState("No problems", "All steps are set up and went well so far.", icon="check"))
        else:
            self._box.addStretch(1)
