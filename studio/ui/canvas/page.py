"""The Canvas page: the graph, its run, its inspector and its timeline put together, and what the rest may ask of it.

Everything comes in as values and goes out as signals. Each part is a module of its own: `run_watch.py` (the run in
front), `checks.py` (what is wrong), `page_actions.py` (commands). Absent on purpose: the workspace, and doing what is
requested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.domain.errors import Problem
from studio.domain.habits import Habits
from studio.domain.node import Role
from studio.domain.port_words import ways_of
from studio.domain.run import RunEvent, RunView
from studio.domain.validation import Catalogue
from studio.domain.workflow import Workflow
from studio.ui.canvas import accessible
from studio.ui.canvas.annotations import MarkKey
from studio.ui.canvas.checks import Checks, first_words
from studio.ui.canvas.debug import DebugPanels
from studio.ui.canvas.document import Document, Journal
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.form_aid import FormAid
from studio.ui.canvas.glide import Glide
from studio.ui.canvas.history import RunHistory
from studio.ui.canvas.history_panel import HistoryPanel
from studio.ui.canvas.inline_edit import InlineEdit
from studio.ui.canvas.inspector import Inspector
from studio.ui.canvas.inspector_data import Row
from studio.ui.canvas.inspector_problem import AffectedContact
from studio.ui.canvas.keys import CanvasKeys
from studio.ui.canvas.menus import Menus
from studio.ui.canvas.navigation import reading_order
from studio.ui.canvas.outline import Outline
from studio.ui.canvas.page_actions import canvas_actions
from studio.ui.canvas.palette import NodePalette
from studio.ui.canvas.panes import Panes
from studio.ui.canvas.prompts import Prompts
from studio.ui.canvas.room import Room
from studio.ui.canvas.run_overlay import RunOverlay
from studio.ui.canvas.run_watch import RunWatch
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.selection import Selection
from studio.ui.canvas.stage import Stage
from studio.ui.canvas.status import open_problems
from studio.ui.canvas.timeline import Timeline
from studio.ui.shell.actions import Action
from studio.ui.shell.command_palette import Found
from studio.ui.shell.pages import Page
from studio.ui.shell.top_bar import Crumb
from studio.ui.widgets import Tabs


class CanvasPage(Page):
    """Signals carry what the person wants; `workflow_changed(workflow, words)` follows every edit, undo and redo."""

    run_requested = Signal()
    pause_requested = Signal()
    continue_requested = Signal()
    step_requested = Signal(str)
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
        self._journal: Journal | None = None
        self._placed = True
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
        self.inline = InlineEdit(self.view)
        self.menus = Menus(self.view, self.editor, self.prompts, self.inline)
        self.glide = Glide(self.scene)
        self.palette_panel = NodePalette()
        self.outline = Outline(self.editor)
        self.history_panel = HistoryPanel(self.document)
        self.aid = FormAid()
        self.inspector = Inspector(self.document, self.aid)
        self.timeline = Timeline()
        self.debug = DebugPanels(self.scene, self.timeline)
        self.watch = RunWatch(self.overlay, self.timeline, self.run_bar, self.inspector, self._roles)
        self.checks = Checks(self.document)
        self._lay_out()
        self.panes = Panes(self.view, (self.drawer, self.view, self.timeline, self.inspector))
        self._own_parts()
        self._connect_parts()
        self._connect_debugger()
        self._connect_out()
        self.set_workflow(self.document.workflow, catalogue)

    def _own_parts(self) -> None:
        # Signals hold what they call: parts of no owner and the page would keep each other, and a timer of theirs would
        # fire after the page has gone. They go after the widgets, which listen to them.
        for part in vars(self).values():
            if isinstance(part, QObject) and not isinstance(part, QWidget) and part.parent() is None:
                part.setParent(self)

    def _lay_out(self) -> None:
        self.drawer = Tabs("Steps", {"Add": self.palette_panel, "Outline": self.outline, "History": self.history_panel})
        self.drawer.setAutoFillBackground(True)
        self.drawer.hide()
        self.room = Room(self.drawer, self.stage, self.timeline, self.inspector, self.selection)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.room.across)

    def _connect_parts(self) -> None:
        self.document.changed.connect(self._workflow_replaced)
        self.selection.changed.connect(self._selected)
        self.watch.state_changed.connect(self._run_state_changed)
        self.checks.found.connect(self._checked)
        self.aid.changed.connect(lambda: self.checks.set_fields(self.aid.vocabulary.fields))
        self.view.opened.connect(self._inspect)
        self.editor.selected_anew.connect(self.view.ensure_seen)
        self.editor.arranged.connect(self._show_arranged)
        self.keys.inspect_wanted.connect(self._inspect)
        self.keys.rename_wanted.connect(self._rename)
        self.keys.announced.connect(lambda node_id: accessible.tell_focus(self.view, node_id))
        self.outline.inspect_wanted.connect(self._inspect)
        self.outline.key_handler = self.keys.handle
        self.outline.write_wanted.connect(self._write)
        self.outline.menu_wanted.connect(self.menus.show)
        self.keys.add_wanted.connect(self.prompts.add_after)
        self.keys.connect_wanted.connect(self.prompts.connect_from)
        self.view.add_wanted.connect(self.prompts.add_at)
        self.view.mark_opened.connect(self.inline.open)
        self.keys.write_wanted.connect(self._write)
        self.keys.replace_wanted.connect(self.prompts.replace)
        self.keys.group_wanted.connect(self.menus.group)
        self.keys.note_wanted.connect(self.menus.add_note)
        self.keys.run_wanted.connect(self.run_bar.run.click)
        self.prompts.inspect_wanted.connect(self._inspect)
        self.prompts.rename_wanted.connect(self._rename)
        self.palette_panel.add_wanted.connect(self.add_step)
        self.history_panel.node_wanted.connect(self.choose)
        self.stage.tools.add_wanted.connect(lambda: self.prompts.add_after(self.selection.current or ""))
        self.stage.tools.outline_wanted.connect(self.drawer.setVisible)
        self.run_bar.tidy_requested.connect(self.editor.tidy)
        self.timeline.node_chosen.connect(self.choose)
        self.timeline.tabs.currentChanged.connect(lambda _place: QTimer.singleShot(0, self, self._give_room_below))
        self.inspector.node_wanted.connect(self.choose)
        self.inspector.workflow.several.command_wanted.connect(self._do_with_several)

    def _connect_debugger(self) -> None:
        debug = self.debug
        self.stage.set_banner(debug.banner)
        self.menus.more_about_node = debug.node_entries
        self.menus.more_about_edge = debug.edge_entries
        debug.node_wanted.connect(self.choose)
        self.inspector.problem.edit_wanted.connect(debug.correct)
        debug.dry_run.message_wanted.connect(self._see_message)
        debug.banner.continue_wanted.connect(self.continue_requested)
        debug.banner.step_wanted.connect(self.step_requested)
        self.run_bar.step_requested.connect(lambda: self.step_requested.emit("node"))
        self.watch.panels_shown.connect(self._show_held)

    def _show_held(self) -> None:
        was_shown = not self.debug.banner.isHidden()
        held_before = self.debug.banner.node_id if was_shown else ""
        self.debug.show_run(self.watch.live)
        if was_shown or not self.debug.banner.isHidden():
            self.stage.place()
        node_id = self.debug.banner.node_id
        if self.debug.banner.isHidden():
            self.room.give_back()
        elif node_id != held_before:
            self.room.give_held(node_id)
            # The splitter lays out in a turn of its own; before it the room is not yet there.
            QTimer.singleShot(0, self, lambda: self.view.ensure_seen((node_id,)))

    def _connect_out(self) -> None:
        bar = self.run_bar
        for ours, theirs in (
            (self.run_requested, bar.run_requested),
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
        return self.watch.last_seq

    def set_workflow(
        self,
        workflow: Workflow,
        catalogue: Catalogue,
        *,
        read_only: bool = False,
        journal: Journal | None = None,
        note: str = "",
        history: RunHistory | None = None,
    ) -> None:
        """Shows a workflow, and a run of it; nothing of what was there is kept, neither run nor undo.

        Nodes without places are laid out. `journal` is called after each edit; `read_only` for past runs; `note`: grey
        words behind the workflow's name; `history`: the run, as far as it is known.
        """
        self._journal, self._note = journal, note
        self.show_run(None)
        self.debug.forget()
        self.selection.clear()
        self.editor.read_only = read_only
        self.inspector.set_read_only(read_only)
        self.run_bar.set_read_only(read_only)
        self.history_panel.set_read_only(read_only)
        self.history_panel.stop_comparing()
        self.scene.set_catalogue(catalogue)
        self.palette_panel.set_catalogue(catalogue)
        self.document.replace(workflow, catalogue)
        self.inspector.forget()
        if _has_no_places(workflow):
            self.document.replace(self.editor.tidied(workflow))
        self._placed = False
        self._bring_into_sight()
        if history is not None:
            self.watch.begin(history)
        self.place_changed.emit()

    def keep_workflow(self, note: str, history: RunHistory) -> None:
        """The workflow in front stays, with its undo and what is chosen; the run on it is another one."""
        self._note = note
        self.debug.forget()
        self.watch.begin(history)
        self._show_data_of(self.selection.single)
        self.place_changed.emit()

    def show_run(self, view: RunView | None) -> None:
        """The run as it now is; None: no run. While another instant is looked at, that stays in sight."""
        self.watch.show(view)

    def add_events(self, events: Sequence[RunEvent]) -> None:
        """Further events of the run, in their order. Those of another run begin anew. They are folded and shown too."""
        self.watch.add_events(events)

    def set_samples(self, node_id: str, port: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Sample rows of what left a step by an output, as answer to `sample_requested`."""
        self.inspector.set_samples(node_id, port, columns, rows)

    def set_contacts(self, node_id: str, code: str, contacts: Sequence[AffectedContact]) -> None:
        """People a problem concerns, as answer to `contacts_wanted`."""
        self.inspector.set_contacts(node_id, code, contacts)

    def set_clock(self, clock: str) -> None:
        """Shows the speed runs will have: `max`, `real` or a factor."""
        self.run_bar.set_clock(clock)

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
        return canvas_actions(self)

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
        pill = self.watch.pill()
        return (pill,) if pill is not None else ()

    def entered(self, target: str = "") -> None:
        self.view.setFocus()
        if target:
            self.choose(target)

    def show_outline(self) -> None:
        """Opens the drawer with the outline in front."""
        self.stage.tools.outline.setChecked(True)
        self.drawer.show_page(self.outline)
        # A drawer that was still closing was never hidden, and its tree may wait for its next refresh.
        self.outline.refresh()
        self.outline.setFocus()

    def show_history(self) -> None:
        """Opens the drawer with the history in front."""
        self.stage.tools.outline.setChecked(True)
        self.drawer.show_page(self.history_panel)
        self.history_panel.session.setFocus()

    def set_habits(self, habits: Habits) -> None:
        """What usually follows what; suggestions are ranked by it."""
        self.prompts.habits = habits

    def show_dry_run(self) -> None:
        """Opens the dry run and reckons it."""
        self.debug.open(self.debug.dry_run)
        self.debug.dry_run.dry_run_wanted.emit()

    def show_follow(self) -> None:
        """Opens the panel in which a contact is followed."""
        self.debug.open(self.debug.follow)
        self.debug.follow.search.setFocus()

    def show_problems(self) -> None:
        self.selection.clear()
        self.inspector.open_tab("Problem")

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        seen = self.room.seen_before(event.oldSize() - event.size()) if event.oldSize().isValid() else ()
        self._bring_into_sight()
        if seen:
            QTimer.singleShot(0, self, lambda: self.view.ensure_seen(seen))

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.room.divide(self.width(), self.height())
        QTimer.singleShot(0, self, self._bring_into_sight)

    def _give_room_below(self) -> None:
        debug = self.debug
        tables = (debug.data, debug.follow, debug.compare, debug.dry_run)
        self.room.give_below(is_table=self.timeline.tabs.currentWidget() in tables)

    def _do_with_several(self, command: str) -> None:
        {
            "group": self.menus.group,
            "tidy": self.editor.tidy_selection,
            "duplicate": self.editor.duplicate,
            "switch": self.editor.toggle_enabled,
            "remove": self.editor.delete_selection,
        }[command]()

    def _see_message(self, node_id: str) -> None:
        self.choose(node_id)
        self.inspector.open_tab("Settings")
        settings = self.inspector.settings
        if settings.has_mail:
            settings.write_message()
        else:
            settings.phone.person.setFocus(Qt.FocusReason.OtherFocusReason)

    def _bring_into_sight(self) -> None:
        """Once, when the workflow is new and the view has its size."""
        if not self._placed and self.isVisible() and self.view.width() > 200:
            self.view.show_start()
            self._placed = bool(self.workflow.nodes)

    def roles_of(self, workflow: Workflow) -> Mapping[str, Role]:
        """Node id → what kind of work it does, of the types this page knows."""
        known = self.document.catalogue
        return {n.id: known[n.type].declaration.role for n in workflow.nodes if n.type in known}

    def _roles(self) -> Mapping[str, Role]:
        return self.roles_of(self.workflow)

    def _write(self, mark: MarkKey) -> None:
        """Into a note or a group's title, wherever it stands."""
        item = (self.scene.notes if mark[0] == "note" else self.scene.groups)[mark[1]]
        self.view.ensure_area_seen(item.body)
        self.inline.open(mark)

    def _workflow_replaced(self, workflow: Workflow) -> None:
        self.glide.stop()
        # Marks about another state than the one in front would lie.
        self.history_panel.stop_comparing()
        self.scene.sync(workflow)
        self.overlay.set_workflow(workflow, self._roles())
        self.stage.set_empty(not workflow.nodes)
        self.run_bar.set_may_run(bool(workflow.nodes), "Add a step first")
        steps = [(n, self.scene.nodes[n].face.title) for n in reading_order(workflow)]
        ways = ways_of(workflow)
        self.timeline.set_steps(steps, ways)
        self.debug.set_steps(dict(steps), ways)

    def _edited(self, workflow: Workflow, words: str, session: str | None) -> None:
        if self._journal is not None:
            self._journal(workflow, words, session)
        if words.startswith(("Undo", "Redo")):
            accessible.announce(self.view, words)
        self.workflow_changed.emit(workflow, words)

    def _checked(self, problems: Sequence[Problem]) -> None:
        self.scene.set_problems(first_words(problems))
        self.inspector.set_checks(problems)

    def _selected(self) -> None:
        self.watch.catch_up()
        chosen = self.selection.single
        self.inspector.show_node(chosen)
        self.inspector.show_several(len(self.selection.nodes))
        self.timeline.set_chosen(chosen)
        self._show_data_of(chosen)
        self._offer_problem(chosen)

    def _show_data_of(self, node_id: str | None) -> None:
        self.debug.data.show_node(node_id, self.scene.nodes[node_id].face.title if node_id else "")

    def _offer_problem(self, chosen: str | None) -> None:
        """A step with trouble is chosen to see the trouble; the next one to see its settings."""
        step = self.overlay.view.steps.get(chosen) if self.overlay.view is not None and chosen else None
        if step is not None and open_problems(step):
            self.inspector.open_tab("Problem")
        elif chosen is not None and self.inspector.tabs.title.startswith("Problem"):
            self.inspector.open_tab("Settings")

    def _run_state_changed(self, words: str) -> None:
        self.debug.data.forget()
        if words:  # a run goes out of sight only for another workflow, which says its place itself
            if not self.watch.has_pill:
                self.place_changed.emit()
            accessible.announce(self.view, words)

    def _show_arranged(self, starts: Mapping[str, QPointF]) -> None:
        if len(starts) == len(self.scene.nodes):
            self.view.fit()
        if self.isVisible():
            self.glide.begin(starts)

    def _inspect(self, node_id: str) -> None:
        self.selection.set([node_id])
        self.inspector.open_tab("Settings")
        self.inspector.settings.focus_first()

    def replace_step(self) -> None:
        """Asks for another kind of step in the place of the chosen one."""
        if self.selection.single is not None:
            self.prompts.replace(self.selection.single)

    def add_step(self, type_id: str) -> None:
        """Adds a step behind the chosen one."""
        self.editor.add(type_id, after=self.selection.current)

    def _rename(self, node_id: str) -> None:
        self.selection.set([node_id])
        self.inspector.open_tab("Settings")
        self.inspector.settings.focus_name()


def _has_no_places(workflow: Workflow) -> bool:
    return len(workflow.nodes) > 1 and len({node.position for node in workflow.nodes}) == 1
