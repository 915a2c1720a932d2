"""The panel beside the canvas: settings, data, problems and help of the chosen step.

Absent on purpose: changing the workflow by itself; what is entered goes through the document's commands.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.domain.errors import Problem
from studio.domain.port_words import labels_of, port_words
from studio.domain.run import RunView
from studio.domain.workflow import Node
from studio.ui.canvas.document import Document
from studio.ui.canvas.form_aid import FormAid
from studio.ui.canvas.inspector_data import DataPanel, Row, Samples, Way
from studio.ui.canvas.inspector_help import HelpPanel
from studio.ui.canvas.inspector_problem import AffectedContact, ProblemOverview, ProblemPanel
from studio.ui.canvas.inspector_settings import SettingsPanel
from studio.ui.canvas.inspector_workflow import WorkflowPanel
from studio.ui.canvas.ports import Ports, ports_of
from studio.ui.canvas.status import open_problems
from studio.ui.theme import theme
from studio.ui.widgets import EmptyState, ScrollColumn, Tabs

WIDTH = 336


class Inspector(QWidget):
    """Tabs Settings, Data, Problem, Help. Signals as in `ProblemPanel` and `DataPanel`; `node_wanted(node_id)` asks to
    choose a step.
    """

    action_requested = Signal(str, str)
    contacts_wanted = Signal(str, str)
    sample_requested = Signal(str, str)
    node_wanted = Signal(str)

    def __init__(self, document: Document, aid: FormAid | None = None) -> None:
        super().__init__()
        self._document = document
        self._node_id: str | None = None
        self._view: RunView | None = None
        self._checks: Sequence[Problem] = ()
        self._read_only = False
        aid = aid or FormAid()
        self.settings = SettingsPanel(document, aid)
        self.workflow = WorkflowPanel(document, aid)
        self.data = DataPanel()
        self.problem = ProblemPanel()
        self.overview = ProblemOverview()
        self.help = HelpPanel()
        self._problem_stack = QStackedWidget()
        self._problem_stack.addWidget(_scrolled(self.problem))
        self._problem_stack.addWidget(_scrolled(self.overview))
        self._pages = {
            "Settings": _either(_scrolled(self.settings), _scrolled(self.workflow)),
            "Data": _either(_padded(self.data), _hint("Click a step to see samples of what passed it.")),
            "Problem": self._problem_stack,
            "Help": _scrolled(self.help),
        }
        self.tabs = Tabs("Step", self._pages)
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 0, 0, 0)
        box.addWidget(self.tabs)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.problem.action_requested.connect(self.action_requested)
        self.problem.contacts_wanted.connect(self.contacts_wanted)
        self.problem.field_wanted.connect(self._go_to_field)
        self.data.sample_requested.connect(self.sample_requested)
        self.overview.node_wanted.connect(self.node_wanted)
        self.workflow.problems_wanted.connect(lambda: self.open_tab("Problem"))
        document.changed.connect(self._refresh)
        self.tabs.currentChanged.connect(self._refresh)
        self.show_node(None)

    @property
    def node_id(self) -> str | None:
        return self._node_id

    def set_read_only(self, read_only: bool) -> None:
        if read_only != self._read_only:
            self._read_only = read_only
            self._refresh()

    def forget(self) -> None:
        """Another workflow: what was typed for the one before and was not right is gone."""
        self.workflow.forget()

    def show_node(self, node_id: str | None) -> None:
        """Shows a step; None: what concerns the workflow as a whole."""
        self._node_id = node_id
        self._refresh()

    def show_several(self, number: int) -> None:
        """How many steps are chosen, when it is not one."""
        self.workflow.several.show_number(number, read_only=self._read_only)

    def show_run(self, view: RunView | None) -> None:
        """The run's figures and problems, as they now are."""
        if view is None or self._view is None or view.run_id != self._view.run_id:
            self.data.forget()
            self.problem.forget()
        self._view = view
        self._show_glance()
        self._refresh_problems()

    def set_checks(self, problems: Sequence[Problem]) -> None:
        """What is wrong with the workflow itself."""
        self._checks = problems
        self._refresh_problems()

    def set_samples(self, node_id: str, port: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """What left a step by an output."""
        self.data.set_samples(node_id, port, Samples(columns, rows))

    def set_contacts(self, node_id: str, code: str, contacts: Sequence[AffectedContact]) -> None:
        self.problem.set_contacts(node_id, code, contacts)

    def open_tab(self, title: str) -> None:
        self.tabs.show_page(self._pages[title])

    def _refresh(self) -> None:
        node = self._node()
        for title in ("Settings", "Data"):
            stack = self._pages[title]
            assert isinstance(stack, QStackedWidget)
            stack.setCurrentIndex(0 if node is not None else 1)
        if node is not None:
            self._show_tab(node)
        elif self.tabs.currentWidget() is self._pages["Help"]:
            self.help.show_keys()
        elif self.tabs.currentWidget() is self._pages["Settings"]:
            self.workflow.show_workflow(read_only=self._read_only)
            self._show_glance()
        self._refresh_problems()

    def _show_glance(self) -> None:
        if self._node_id is None and self.tabs.currentWidget() is self._pages["Settings"]:
            self.workflow.show_run(self._view)

    def _show_tab(self, node: Node) -> None:
        # Only what is in front: moving from step to step by key must not build three panels each time.
        if self.tabs.currentWidget() is self._pages["Settings"]:
            self.settings.show_node(node, read_only=self._read_only)
            return
        ports = self._ports(node)
        if self.tabs.currentWidget() is self._pages["Data"]:
            self.data.show_node(node.id, self._came_in(node), _went_out(node, ports))
        elif self.tabs.currentWidget() is self._pages["Help"]:
            self.help.show_type(self._document.catalogue.get(node.type), node.type, ports)

    def _node(self) -> Node | None:
        if self._node_id is None:
            return None
        return next((n for n in self._document.workflow.nodes if n.id == self._node_id), None)

    def _came_in(self, node: Node) -> list[Way]:
        workflow = self._document.workflow
        found: list[Way] = []
        for edge in workflow.edges:
            source = next((n for n in workflow.nodes if n.id == edge.from_[0]), None)
            if edge.to[0] == node.id and source is not None:
                port = port_words(edge.from_[1], labels_of(source.parameters))
                through = f" through “{port}”" if port else ""
                found.append((f"Came in from {self._document.name_of(source)}{through}", edge.from_))
        return found

    def _ports(self, node: Node) -> Ports:
        workflow = self._document.workflow
        used = tuple(dict.fromkeys(e.from_[1] for e in workflow.edges if e.from_[0] == node.id))
        return ports_of(workflow, node, self._document.catalogue, used)

    def _refresh_problems(self) -> None:
        node = self._node()
        if node is None:
            self._problem_stack.setCurrentIndex(1)
            number = self._show_overview()
        else:
            self._problem_stack.setCurrentIndex(0)
            step = self._view.steps.get(node.id) if self._view is not None else None
            checks = [problem for problem in self._checks if problem.node == node.id]
            number = self.problem.show_step(node.id, self._document.name_of(node), step, checks)
        self.tabs.set_title(self._pages["Problem"], f"Problem ({number})" if number > 1 else "Problem")

    def _show_overview(self) -> int:
        names = {n.id: self._document.name_of(n) for n in self._document.workflow.nodes}
        lines = [
            (node_id, names.get(node_id, node_id), problem.message)
            for node_id, step in (self._view.steps.items() if self._view is not None else ())
            for problem in open_problems(step)
        ]
        lines += [
            (check.node if check.node in names else "", names.get(check.node or "", "Workflow"), str_of(check))
            for check in self._checks
        ]
        message, hint = (self._view.message, self._view.hint) if self._view is not None else ("", "")
        self.overview.show_all(lines, message, hint)
        return len(lines) + bool(message)

    def _go_to_field(self, _node_id: str, name: str) -> None:
        self.open_tab("Settings")
        if name:
            self.settings.form.focus_field(name)

    def sizeHint(self) -> QSize:
        # Grows with the text, but never to more than half as much again: the canvas needs its place.
        return QSize(round(WIDTH * min(1.5, theme().text_scale)), 600)

    def minimumSizeHint(self) -> QSize:
        return QSize(round(280 * min(1.4, theme().text_scale)), 120)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().colour("surface"))
        painter.fillRect(0, 0, 1, self.height(), theme().colour("border"))


def str_of(problem: Problem) -> str:
    return " ".join(part for part in (problem.message, problem.hint) if part)


def _went_out(node: Node, ports: Ports) -> list[Way]:
    return [
        (f"Went out: {port.label}" if port.label else "What went out", (node.id, port.name)) for port in ports.outputs
    ]


def _scrolled(content: QWidget) -> ScrollColumn:
    area = ScrollColumn(margins=(16, 14, 16, 18))
    area.add(content, 1)
    return area


def _padded(content: QWidget) -> QWidget:
    holder = QWidget()
    box = QVBoxLayout(holder)
    box.setContentsMargins(16, 14, 16, 14)
    box.addWidget(content)
    return holder


def _either(of_a_step: QWidget, of_none: QWidget) -> QStackedWidget:
    stack = QStackedWidget()
    stack.addWidget(of_a_step)
    stack.addWidget(of_none)
    return stack


def _hint(words: str) -> EmptyState:
    empty = EmptyState("No step chosen", words, icon="workflow")
    empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    return empty
