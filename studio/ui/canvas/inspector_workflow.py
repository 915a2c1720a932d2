"""The Settings tab while no step is chosen: what the run came to so far, and what holds for the whole workflow.

Absent on purpose: the steps' own settings, and analysing the run (`screens/analytics.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from pydantic import JsonValue
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from studio.domain.run import RunView
from studio.domain.workflow import Node
from studio.nodes.workflow_form import WorkflowForm, form_values
from studio.ui.canvas.document import Document
from studio.ui.canvas.form import ParameterForm
from studio.ui.canvas.form_aid import FormAid
from studio.ui.canvas.status import RunTotals, totals_of
from studio.ui.numbers import count, duration, plural
from studio.ui.widgets import Card, Field, FlowLayout, LinkButton, LiveText, SecondaryButton, SectionTitle, Text
from studio.ui.widgets.layout import STRETCH, row


class RunGlance(Card):
    """The run's figures in six lines. `problems_wanted` from the link behind those that failed."""

    problems_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("This run", padding=14)
        self._shown: RunTotals | None = None
        self._figures: dict[str, tuple[Text, Text]] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(0, 1)
        for line, name in enumerate(
            ("Came in", "Wait now", "Messages sent", "Held back", "Reached the goal", "Failed")
        ):
            label = Text(name, "secondary", "muted")
            figure = LiveText("", "strong", align=Qt.AlignmentFlag.AlignRight)
            grid.addWidget(label, line, 0)
            grid.addWidget(figure, line, 1, Qt.AlignmentFlag.AlignRight)
            self._figures[name] = label, figure
        self._why = Text("", "secondary", "bad")
        self._why.hide()
        self.add(self._why)
        self.add(grid)
        self._link = LinkButton("Show what failed", self.problems_wanted.emit)
        self.add(row(self._link, STRETCH))
        self._link.hide()

    def show_why(self, view: RunView) -> None:
        """What ended the run before its time, and what can be done."""
        is_bad = view.state in ("failed", "stopped")
        self._why.setText(f"{view.message} {view.hint}".strip() if is_bad else "")
        self._why.setVisible(bool(self._why.text()))

    def show_totals(self, totals: RunTotals) -> None:
        """What has not changed is left alone."""
        if totals == self._shown:
            return
        self._shown = totals
        waits = f"Wait now · next in {duration(totals.next_in)}" if totals.next_in else "Wait now"
        self._figures["Wait now"][0].setText(waits if totals.waiting else "Wait now")
        for name, number in (
            ("Came in", totals.entered),
            ("Wait now", totals.waiting),
            ("Messages sent", totals.sent),
            ("Held back", totals.blocked),
            ("Reached the goal", totals.reached),
            ("Failed", totals.failed),
        ):
            label, figure = self._figures[name]
            figure.setText(count(number))
            figure.setAccessibleName(f"{label.text()}: {count(number)}")
        self._figures["Failed"][1].set_tone("bad" if totals.failed else "default")
        self._link.setVisible(bool(totals.failed))


class Several(Card):
    """What can be done with several steps at once. `command_wanted(name)` with a name of `COMMANDS`."""

    command_wanted = Signal(str)
    COMMANDS: ClassVar[Mapping[str, str]] = {
        "group": "Group",
        "tidy": "Tidy",
        "duplicate": "Duplicate",
        "switch": "Switch on or off",
        "remove": "Remove",
    }

    def __init__(self) -> None:
        super().__init__("", padding=14)
        self._title = Text("", "subheading")
        self.add(self._title)
        holder = QWidget()
        line = FlowLayout(6)
        self.buttons = {
            name: SecondaryButton(words, partial(self.command_wanted.emit, name))
            for name, words in self.COMMANDS.items()
        }
        for button in self.buttons.values():
            line.addWidget(button)
        holder.setLayout(line)
        self.add(holder)

    def show_number(self, number: int, *, read_only: bool) -> None:
        """How many steps are chosen; nothing is shown for fewer than two."""
        self.setVisible(number > 1)
        self._title.setText(f"{plural(number, 'step')} chosen")
        for button in self.buttons.values():
            button.setEnabled(not read_only)


class WorkflowPanel(QWidget):
    """Each change is one command of the document. `problems_wanted` as in `RunGlance`."""

    problems_wanted = Signal()

    def __init__(self, document: Document, aid: FormAid) -> None:
        super().__init__()
        self._document = document
        self.several = Several()
        self.several.hide()
        self.glance = RunGlance()
        self.name = QLineEdit()
        self.origin = Text("", "secondary", "muted")
        self.form = ParameterForm(aid)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(14)
        box.addWidget(self.several)
        box.addWidget(self.glance)
        box.addWidget(SectionTitle("The whole workflow"))
        box.addWidget(Field("Name", self.name))
        box.addWidget(self.origin)
        box.addWidget(self.form)
        box.addStretch(1)
        self.glance.hide()
        self.glance.problems_wanted.connect(self.problems_wanted)
        self.name.textEdited.connect(self._rename)
        self.name.editingFinished.connect(document.end_session)
        self.form.changed.connect(self._changed)
        self.form.left.connect(document.end_session)

    def show_workflow(self, *, read_only: bool) -> None:
        """The workflow as it now is; keeps the cursor in the field that is being typed into."""
        workflow = self._document.workflow
        if self.name.text() != workflow.name and not (self.name.hasFocus() and not self.name.text().strip()):
            self.name.setText(workflow.name)
            self.name.setCursorPosition(0)
        self.name.setEnabled(not read_only)
        made_from = workflow.template
        self.origin.setText(
            f"Made from the template “{made_from.id.replace('-', ' ').capitalize()}”." if made_from else ""
        )
        self.origin.setVisible(made_from is not None)
        # What is being typed and not yet right stands in the form alone.
        if not self.form.errors():
            self._show_form(read_only=read_only)

    def _show_form(self, *, read_only: bool) -> None:
        workflow = self._document.workflow
        told = Node(id="workflow", type="workflow", parameters=form_values(workflow))
        self.form.show_node(workflow, told, WorkflowForm, read_only=read_only)

    def forget(self) -> None:
        """Another workflow: what was typed for the one before and was not right is gone."""
        if self.form.errors():
            self._show_form(read_only=False)

    def show_run(self, view: RunView | None) -> None:
        """The run as it now is. Adding up 5,000 steps takes milliseconds: a few times a second is enough."""
        self.glance.setVisible(view is not None)
        if view is not None:
            catalogue, nodes = self._document.catalogue, self._document.workflow.nodes
            roles = {n.id: catalogue[n.type].declaration.role for n in nodes if n.type in catalogue}
            self.glance.show_totals(totals_of(view, roles))
            self.glance.show_why(view)

    def _rename(self, text: str) -> None:
        if text.strip():
            self._document.set_name(text.strip())

    def _changed(self, values: dict[str, JsonValue], title: str) -> None:
        if not self.form.errors():
            self._document.set_settings(values, title)
