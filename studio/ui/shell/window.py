"""The main window: rail, top bar, screens, palette, messages. It shows and routes; it knows no workspace.

Absent on purpose: free docking; each screen has one fixed layout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QByteArray, QSettings, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from studio.ui.faults import Fault, faults
from studio.ui.shell.actions import Action, ActionRegistry
from studio.ui.shell.command_palette import CommandPalette, Source
from studio.ui.shell.mark import window_icon
from studio.ui.shell.pages import Page, PageSpec, PageStack
from studio.ui.shell.rail import Rail, RailEntry
from studio.ui.shell.toast import Toast, Toasts
from studio.ui.shell.top_bar import TopBar
from studio.ui.tokens import Tone
from studio.ui.widgets.layout import panel, row

_GEOMETRY = "window/geometry"
_START_SIZE = (1440, 900)
_LEAST_SIZE = (960, 600)


class MainWindow(QMainWindow):
    """Signals: `mode_chosen(mode)` when the person picks one, `page_opened(id)`, `help_wanted(topic)`, `closing`."""

    mode_chosen = Signal(str)
    page_opened = Signal(str)
    help_wanted = Signal(str)
    closing = Signal()

    def __init__(self, pages: Sequence[PageSpec], settings: QSettings | None = None) -> None:
        """`settings` keeps size and place between sessions; without it nothing is kept."""
        super().__init__()
        self._settings = settings
        self._history: list[tuple[str, str]] = []
        self._future: list[tuple[str, str]] = []
        self.stays: Callable[[], bool] = lambda: False
        """Whether closing only hides the window, because something goes on behind it."""
        self.setWindowTitle("Flowlight Studio")
        self.setWindowIcon(window_icon())
        self.setMinimumSize(*_LEAST_SIZE)
        self.commands = ActionRegistry(self)
        self.top_bar = TopBar()
        self.rail = Rail([RailEntry(spec.id, spec.title, spec.icon, spec.at_bottom) for spec in pages])
        self.pages = PageStack(pages)
        ground = self._lay_out()
        self.toasts = Toasts(ground)
        self.command_palette = CommandPalette(ground, self.commands)
        self._connect()
        self._add_actions(pages)
        self._restore()

    def _lay_out(self) -> QWidget:
        below = row(self.rail, self.pages, spacing=0)
        below.setStretch(1, 1)
        holder = QWidget()
        box = QVBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.top_bar)
        box.addWidget(panel(below), 1)
        self.setCentralWidget(holder)
        return holder

    def _connect(self) -> None:
        self.rail.chosen.connect(self.go)
        self.top_bar.mode_chosen.connect(self.mode_chosen)
        self.top_bar.command_wanted.connect(self.command_palette.open)
        self.top_bar.status_clicked.connect(lambda: self.go("health") if "health" in self.pages.specs else None)
        faults().reported.connect(self._show_fault)

    def _add_actions(self, pages: Sequence[PageSpec]) -> None:
        self.commands.add(*(self._action_to_open(spec, number) for number, spec in enumerate(pages, 1)))
        self.commands.add(
            Action(
                id="palette",
                title="Search or run a command",
                run=self.command_palette.open,
                shortcut="Ctrl+K",
                icon="search",
            ),
            Action(
                id="back",
                title="Back",
                run=self.back,
                shortcut="Alt+Left",
                icon="arrow-left",
                is_enabled=lambda: bool(self._history),
            ),
            Action(
                id="forward",
                title="Forward",
                run=self.forward,
                shortcut="Alt+Right",
                icon="arrow-right",
                is_enabled=lambda: bool(self._future),
            ),
            Action(
                id="help",
                title="Help for what is in focus",
                run=self.ask_help,
                shortcut="F1",
                icon="circle-question-mark",
            ),
        )

    def _action_to_open(self, spec: PageSpec, number: int) -> Action:
        return Action(
            id=f"go.{spec.id}",
            title=f"Go to {spec.title}",
            run=lambda: self.go(spec.id),
            shortcut=f"Ctrl+{number}" if number <= 9 else "",
            icon=spec.icon,
        )

    def go(self, page_id: str, target: str = "") -> Page:
        """Opens a screen; `target` names what to show on it. Raises KeyError for a screen there is not."""
        if self.pages.current_id:
            self._history.append((self.pages.current_id, ""))
            self._future.clear()
        return self._open(page_id, target)

    def back(self) -> None:
        self._travel(self._history, self._future)

    def forward(self) -> None:
        self._travel(self._future, self._history)

    def set_workspace(self, name: str, action_ids: Sequence[str] = ()) -> None:
        """The name at the upper left and the actions in its menu."""
        menu = self.commands.menu(self, action_ids) if action_ids else None
        self.top_bar.set_workspace(name, menu)
        self.setWindowTitle(f"{name} – Flowlight Studio")

    def set_mode(self, mode: str) -> None:
        """Shows a mode (`simulate`, `test`, `live`) without announcing it."""
        self.top_bar.mode.set_value(mode)

    def set_status(self, state: str, text: str) -> None:
        """The system's state at the upper right."""
        self.top_bar.status.set_state(state, text)

    def add_search(self, source: Source) -> None:
        """Lets the command palette find more (templates, nodes, runs)."""
        self.command_palette.add_source(source)

    def toast(
        self,
        text: str,
        *,
        undo: Callable[[], object] | None = None,
        button: str = "",
        on_button: Callable[[], object] | None = None,
        tone: Tone = "default",
    ) -> Toast:
        """A short message; with `undo` or a button of its own."""
        if undo is not None:
            return self.toasts.show_message(text, "Undo", undo, tone)
        return self.toasts.show_message(text, button, on_button, tone)

    def ask_help(self) -> None:
        """F1: the nearest `helpTopic` property around what is in focus, else the screen's topic."""
        widget = self.focusWidget()
        while widget is not None:
            topic = widget.property("helpTopic")
            if topic:
                self.help_wanted.emit(str(topic))
                return
            widget = widget.parentWidget()
        page = self.pages.page
        self.help_wanted.emit((page.help_topic or self.pages.current_id) if page is not None else "")

    def _open(self, page_id: str, target: str) -> Page:
        before = self.pages.page
        if before is not None:
            before.place_changed.disconnect(self._show_place)
        page = self.pages.open(page_id, target)
        page.place_changed.connect(self._show_place)
        self.rail.set_chosen(page_id)
        self._show_place()
        self.page_opened.emit(page_id)
        return page

    def _travel(self, source: list[tuple[str, str]], other: list[tuple[str, str]]) -> None:
        if source:
            other.append((self.pages.current_id, ""))
            self._open(*source.pop())

    def _show_place(self) -> None:
        page = self.pages.page
        if page is not None:
            self.top_bar.breadcrumb.set_place(page.crumbs(), page.note(), page.extras())
            self.commands.replace_scope("page", page.actions_here())

    def _show_fault(self, fault: Fault) -> None:
        text = f"{fault.happened} {fault.to_do}".strip()
        copy = QApplication.clipboard().setText
        self.toasts.show_message(text, "Copy details", lambda: copy(fault.details), "bad")

    def _restore(self) -> None:
        kept = self._settings.value(_GEOMETRY) if self._settings is not None else None
        if not (isinstance(kept, QByteArray) and self.restoreGeometry(kept)):
            available = self.screen().availableSize()
            self.resize(min(_START_SIZE[0], available.width()), min(_START_SIZE[1], available.height()))

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.stays():
            event.ignore()
            self.hide()
            return
        if self._settings is not None:
            self._settings.setValue(_GEOMETRY, self.saveGeometry())
            self._settings.sync()
        self.hide()  # what listens may take a while to end, and a window that does not answer is worse than none
        self.closing.emit()
        super().closeEvent(event)
