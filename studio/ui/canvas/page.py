"""The Canvas page: the graph, its run, its inspector and its timeline put together, and what the rest may ask of it.

Everything comes in as values and goes out as signals. Absent on purpose: the workspace, and doing what is requested.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget
from shiboken6 import isValid

from studio.domain.errors import Problem
from studio.domain.run import RunEvent, RunView
from studio.domain.validation import Catalogue, check
from studio.domain.workflow import Workflow
from studio.ui.background import run_in_background
from studio.ui.canvas import accessible
from studio.ui.canvas.document import Document, Journal
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.history import RunHistory
from studio.ui.canvas.inspector import Inspector
from studio.ui.canvas.inspector_data import Row
from studio.ui.canvas.inspector_problem import AffectedContact
from studio.ui.canvas.keys import CanvasKeys
from studio.ui.canvas.navigation import reading_order
from studio.ui.canvas.outline import Outline
from studio.ui.canvas.palette import NodePalette, declarations
from studio.ui.canvas.prompts import Prompts
from studio.ui.canvas.run_overlay import RunOverlay
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.selection import Selection
from studio.ui.canvas.stage import Stage
from studio.ui.canvas.status import open_problems, progress_of
from studio.ui.canvas.timeline import Timeline
from studio.ui.numbers import percent
from studio.ui.shell.actions import Action
from studio.ui.shell.command_palette import Found
from studio.ui.shell.pages import Page
from studio.ui.shell.top_bar import Crumb
from studio.ui.theme import theme
from studio.ui.tokens import STATES
from studio.ui.widgets import StatePill, Tabs

_CHECK_MS = 200
_CHECK_AT_ONCE = 300
_DRAWER_WIDTH = 250


class CanvasPage(Page):
    """Signals carry what the person wants; `workflow_changed(workflow, words)` follows every edit, undo and redo."""

    run_requested = Signal()
    pause_requested = Signal()
    continue_requested = Signal()
    stop_requested = Signal()
    retry_requested = Signal()
    clock_changed = Signal(str)
    action_requested = Signal(str, str)
    contacts_wanted = Signal(str, str)
    sample_requested = Signal(str, str)
    instant_changed = Signal(int)
    workflow_changed = Signal(object, str)

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        super().__init__("Canvas")
        accessible.install()
        catalogue = catalogue or {}
        self._note = ""
        self._live: RunView | None = None
        self._history: RunHistory | None = None
        self._journal: Journal | None = None
        self._placed = True
        self._pill: StatePill | None = None
        self.selection = Selection()
        self.document = Document(Workflow(name=""), catalogue, self._edited)
        self.scene = CanvasScene(catalogue, self.selection)
        self.editor = CanvasEditor(self.document, self.selection, self.scene)
        self.overlay = RunOverlay(self.scene)
        self.stage = Stage(self.editor)
        self.view = self.stage.view
        self.run_bar = self.stage.run_bar
        self.keys = CanvasKeys(self.view, self.editor)
        self.prompts = Prompts(self.view, self.editor, self.stage.picker)
        self.palette_panel = NodePalette()
        self.outline = Outline(self.editor)
        self.inspector = Inspector(self.document)
        self.timeline = Timeline()
        self._checks = QTimer(self)
        self._checks.setSingleShot(True)
        self._checks.setInterval(_CHECK_MS)
        self._lay_out()
        self._connect_parts()
        self._connect_out()
        self.set_workflow(self.document.workflow, catalogue)

    def _lay_out(self) -> None:
        self.drawer = Tabs("Steps", {"Add": self.palette_panel, "Outline": self.outline})
        self.drawer.setAutoFillBackground(True)
        self.drawer.hide()
        middle = QSplitter(Qt.Orientation.Vertical)
        middle.addWidget(self.stage)
        middle.addWidget(self.timeline)
        middle.setStretchFactor(0, 1)
        middle.setCollapsible(0, False)
        self._across = QSplitter(Qt.Orientation.Horizontal)
        for part in (self.drawer, middle, self.inspector):
            self._across.addWidget(part)
        self._across.setStretchFactor(1, 1)
        self._across.setCollapsible(1, False)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._across)

    def _connect_parts(self) -> None:
        self.document.changed.connect(self._workflow_replaced)
        self.selection.changed.connect(self._selected)
        self.overlay.shown.connect(self._run_shown)
        self._checks.timeout.connect(self._check)
        self.view.opened.connect(self._inspect)
        self.editor.selected_anew.connect(self._show_new)
        self.keys.inspect_wanted.connect(self._inspect)
        self.keys.rename_wanted.connect(self._rename)
        self.keys.announced.connect(lambda node_id: accessible.tell_focus(self.view, node_id))
        self.outline.inspect_wanted.connect(self._inspect)
        for asking in (self.keys, self.outline):
            asking.add_wanted.connect(self.prompts.add_after)
            asking.connect_wanted.connect(self.prompts.connect_from)
        self.view.add_wanted.connect(self.prompts.add_at)
        self.view.menu_wanted.connect(self.prompts.show_menu)
        self.prompts.inspect_wanted.connect(self._inspect)
        self.prompts.rename_wanted.connect(self._rename)
        self.palette_panel.add_wanted.connect(self._add_from_palette)
        self.stage.tools.add_wanted.connect(lambda: self.prompts.add_after(self.selection.current or ""))
        self.stage.tools.outline_wanted.connect(self.drawer.setVisible)
        self.run_bar.tidy_requested.connect(self.editor.tidy)
        self.timeline.instant_changed.connect(self._look_at)
        self.timeline.live_wanted.connect(self._show_present)
        self.timeline.node_chosen.connect(self.choose)
        self.inspector.node_wanted.connect(self.choose)

    def _connect_out(self) -> None:
        bar = self.run_bar
        for ours, theirs in (
            (self.run_requested, bar.run_requested),
            (self.run_requested, self.keys.run_wanted),
            (self.pause_requested, bar.pause_requested),
            (self.continue_requested, bar.continue_requested),
            (self.stop_requested, bar.stop_requested),
            (self.retry_requested, bar.retry_requested),
            (self.clock_changed, bar.clock_changed),
            (self.action_requested, self.inspector.action_requested),
            (self.contacts_wanted, self.inspector.contacts_wanted),
            (self.sample_requested, self.inspector.sample_requested),
            (self.instant_changed, self.timeline.instant_changed),
        ):
            theirs.connect(ours)

    @property
    def workflow(self) -> Workflow:
        """As it now is, with every edit."""
        return self.document.workflow

    @property
    def last_seq(self) -> int:
        """The last event of the run shown that is known here; 0 without a run."""
        return self._history.last_seq if self._history is not None else 0

    def set_workflow(
        self, workflow: Workflow, catalogue: Catalogue, *, read_only: bool = False, journal: Journal | None = None
    ) -> None:
        """Shows a workflow; nothing of the one before is kept, neither run nor undo.

        One whose nodes have no places yet is laid out. `journal` is called after each edit; `read_only` for past runs.
        """
        self._journal = journal
        self.show_run(None)
        self.selection.clear()
        self.editor.read_only = read_only
        self.inspector.set_read_only(read_only)
        self.run_bar.set_read_only(read_only)
        self.scene.set_catalogue(catalogue)
        self.palette_panel.set_catalogue(catalogue)
        self.document.replace(workflow, catalogue)
        if _has_no_places(workflow):
            self.document.replace(self.editor.tidied(workflow))
        self._placed = False
        self._bring_into_sight()
        self._check()
        self.place_changed.emit()

    def show_run(self, view: RunView | None) -> None:
        """The run as it now is; None: no run. While another instant is looked at, that stays in sight."""
        self._show_run(view, None)

    def _show_run(self, view: RunView | None, changed: set[str] | None) -> None:
        if view is None:
            self._history = None
            self._live = None
            self.timeline.set_history(None)
            self.timeline.hide()
            self.overlay.show(None)
            return
        if self._history is not None and self._history.run_id != view.run_id:
            self._history = None
            self.timeline.set_history(None)
        self._live = view
        self.timeline.show()
        if self.timeline.seq is None:
            self.overlay.show(view, changed)

    def add_events(self, events: Sequence[RunEvent]) -> None:
        """Further events of the run, in their order. Those of another run begin anew. They are folded and shown too."""
        if not events:
            return
        history = self._history
        if history is None or history.run_id != events[0].run_id:
            history = self._history = RunHistory(events[0].run_id, self._roles())
            self.timeline.set_history(history)
        fresh = history.add(events)
        self.timeline.events_added(fresh)
        if self._live is None or self._live.run_id != history.run_id or self._live.seq < history.last_seq:
            self._show_run(history.now, {event.node_id for event in fresh if event.node_id is not None})

    def set_samples(self, node_id: str, port: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Sample rows of what left a step by an output, as answer to `sample_requested`."""
        self.inspector.set_samples(node_id, port, columns, rows)

    def set_contacts(self, node_id: str, code: str, contacts: Sequence[AffectedContact]) -> None:
        """People a problem concerns, as answer to `contacts_wanted`."""
        self.inspector.set_contacts(node_id, code, contacts)

    def set_clock(self, clock: str) -> None:
        """Shows the speed runs will have: `max`, `real` or a factor."""
        self.run_bar.set_clock(clock)

    def set_note(self, note: str) -> None:
        """Grey words behind the workflow's name (“v7 · run 128”)."""
        self._note = note
        self.place_changed.emit()

    def choose(self, node_id: str) -> None:
        """Selects a node and brings it into sight."""
        if node_id in self.scene.nodes:
            self.selection.set([node_id])
            self.view.ensure_seen((node_id,))

    def crumbs(self) -> Sequence[Crumb]:
        return [Crumb("Workflows"), Crumb(self.workflow.name or "New workflow")]

    def note(self) -> str:
        return self._note

    def actions_here(self) -> Sequence[Action]:
        """What the command palette and the window's keys can do here."""
        fixed = [
            Action(id="canvas.run", title="Run the workflow", run=self.run_bar.run.click, shortcut="F5", icon="play"),
            Action(id="canvas.undo", title="Undo", run=self.document.undo, shortcut="Ctrl+Z", icon="undo-2"),
            Action(id="canvas.redo", title="Redo", run=self.document.redo, shortcut="Ctrl+Shift+Z", icon="redo-2"),
            Action(id="canvas.tidy", title="Tidy layout", run=self.editor.tidy, icon="wand-sparkles"),
            Action(id="canvas.fit", title="See the whole workflow", run=self.view.fit, icon="maximize"),
            Action(id="canvas.outline", title="Show the outline", run=self.show_outline, icon="list-tree"),
            Action(id="canvas.problems", title="Show the problems", run=self._show_problems, icon="triangle-alert"),
        ]
        adding = [
            Action(
                id=f"canvas.add.{about.id}",
                title=f"Add: {about.title}",
                run=partial(self._add_from_palette, about.id),
                group="Add a step",
                icon=about.icon,
                keywords=about.summary,
            )
            for about in declarations(self.document.catalogue)
        ]
        return [*fixed, *adding]

    def find_steps(self, query: str) -> Sequence[Found]:
        """For the command palette: the steps of the workflow in front, by name."""
        del query  # the palette ranks
        return [
            Found(
                title=self.scene.nodes[node_id].face.title,
                run=partial(self.choose, node_id),
                group="Steps",
                icon="workflow",
            )
            for node_id in reading_order(self.workflow)
        ]

    def extras(self) -> Sequence[QWidget]:
        self._pill = None
        if self._live is None:
            return ()
        self._pill = StatePill(*self._pill_words(self._live))
        return (self._pill,)

    def _pill_words(self, view: RunView) -> tuple[str, str]:
        done = progress_of(view)
        word = STATES[view.state].word
        under_way = view.state in ("running", "paused") and done is not None
        return view.state, f"{word} · {percent(done)}" if under_way else word

    def entered(self, target: str = "") -> None:
        self.view.setFocus()
        if target:
            self.choose(target)

    def show_outline(self) -> None:
        """Opens the drawer with the outline in front."""
        self.stage.tools.outline.setChecked(True)
        self.drawer.show_page(self.outline)
        self.outline.setFocus()

    def _show_problems(self) -> None:
        self.selection.clear()
        self.inspector.open_tab("Problem")

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._bring_into_sight()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        width = self.inspector.sizeHint().width()
        drawer = theme().px(_DRAWER_WIDTH)
        self._across.setSizes([drawer, max(400, self.width() - width), width])
        QTimer.singleShot(0, self, self._bring_into_sight)

    def _bring_into_sight(self) -> None:
        """Once, when the workflow is new and the view has its size."""
        if not self._placed and self.isVisible() and self.view.width() > 200:
            self.view.show_start()
            self._placed = bool(self.workflow.nodes)

    def _roles(self) -> dict:
        known = self.document.catalogue
        return {n.id: known[n.type].declaration.role for n in self.workflow.nodes if n.type in known}

    def _workflow_replaced(self, workflow: Workflow) -> None:
        self.scene.sync(workflow)
        self.overlay.set_workflow(workflow, self._roles())
        self.stage.set_empty(not workflow.nodes)
        self.run_bar.set_may_run(bool(workflow.nodes), "Add a step first")
        self.timeline.set_steps([(n, self.scene.nodes[n].face.title) for n in reading_order(workflow)])
        self._checks.start()

    def _edited(self, workflow: Workflow, words: str) -> None:
        if self._journal is not None:
            self._journal(workflow, words)
        self.workflow_changed.emit(workflow, words)

    def _check(self) -> None:
        self._checks.stop()
        workflow, catalogue = self.workflow, self.document.catalogue
        if not workflow.nodes:
            self._checked(workflow, [])
        elif len(workflow.nodes) <= _CHECK_AT_ONCE:
            self._checked(workflow, check(workflow, catalogue))
        else:
            run_in_background(
                lambda: check(workflow, catalogue), lambda found: self._checked(workflow, found), owner=self
            )

    def _checked(self, workflow: Workflow, problems: Sequence[Problem]) -> None:
        if workflow is not self.workflow:
            return
        by_node: dict[str, str] = {}
        for problem in problems:
            if problem.node is not None:
                by_node.setdefault(problem.node, problem.message)
        self.scene.set_problems(by_node)
        self.inspector.set_checks(problems)

    def _selected(self) -> None:
        chosen = self.selection.single
        self.inspector.show_node(chosen)
        self.timeline.set_chosen(chosen)
        self._offer_problem(chosen)

    def _offer_problem(self, chosen: str | None) -> None:
        """A step with trouble is chosen to see the trouble; the next one to see its settings."""
        step = self.overlay.view.steps.get(chosen) if self.overlay.view is not None and chosen else None
        if step is not None and open_problems(step):
            self.inspector.open_tab("Problem")
        elif chosen is not None and self.inspector.tabs.title.startswith("Problem"):
            self.inspector.open_tab("Settings")

    def _run_shown(self, view: RunView | None) -> None:
        before, live = self.run_bar.view, self._live
        self.inspector.show_run(view)
        self.run_bar.show_run(live)
        if (before.state if before is not None else "") != (live.state if live is not None else ""):
            self.place_changed.emit()
            if live is not None:
                accessible.announce(self.view, f"Run {STATES[live.state].word}. {live.message}".strip())
        elif live is not None and self._pill is not None and isValid(self._pill):
            self._pill.set_state(*self._pill_words(live))

    def _look_at(self, seq: int) -> None:
        if self._history is not None:
            self.overlay.show(self._history.view_at(seq))
            self.inspector.data.forget()

    def _show_present(self) -> None:
        if self._live is not None:
            self.overlay.show(self._live)
            self.inspector.data.forget()

    def _show_new(self, ids: tuple[str, ...]) -> None:
        if ids:
            self.view.ensure_seen(ids)
        else:
            self.view.fit()

    def _inspect(self, node_id: str) -> None:
        self.selection.set([node_id])
        self.inspector.open_tab("Settings")
        self.inspector.settings.focus_first()

    def _add_from_palette(self, type_id: str) -> None:
        self.editor.add(type_id, after=self.selection.current)

    def _rename(self, node_id: str) -> None:
        self.selection.set([node_id])
        self.inspector.open_tab("Settings")
        self.inspector.settings.focus_name()


def _has_no_places(workflow: Workflow) -> bool:
    return len(workflow.nodes) > 1 and len({node.position for node in workflow.nodes}) == 1
