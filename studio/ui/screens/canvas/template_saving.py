"""Saving the workflow in front as a template of one's own: what it is called, what it does, and what kind it is.

Absent on purpose: making the template (`workspace.own_templates`), sharing and importing (the templates screen).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QPlainTextEdit, QWidget

from studio.domain.template import Template
from studio.ui import widgets as w
from studio.ui.background import run_in_background, write_in_background
from studio.ui.canvas.menus import SEPARATOR, Entry
from studio.ui.faults import explain
from studio.ui.screens.navigator import Navigator
from studio.ui.shell import Action
from studio.ui.theme import theme
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.canvas.in_front import CanvasInFront

TITLE = "Save as template …"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a template is to be called and said to be; `archetype` is empty while it is not chosen."""

    name: str
    description: str
    archetype: str
    typical_for: str


class TemplateSaving:
    """Offers it in the palette and in the menu of the canvas, asks, saves, and can take it back."""

    def __init__(self, page: CanvasInFront, workspace: Workspace, navigator: Navigator) -> None:
        self._page = page
        self._workspace = workspace
        self._navigator = navigator
        self.dialog: TemplateDialog | None = None

    def actions(self) -> Sequence[Action]:
        """What the palette offers."""
        return (
            Action(
                id="canvas.save-template",
                title=TITLE,
                run=self.ask,
                icon="layout-template",
                keywords="own template reuse",
                is_enabled=self.is_offered,
            ),
        )

    def is_offered(self) -> bool:
        """Whether a workflow of the library is in front."""
        return self._page.in_library

    def ask(self) -> None:
        """Opens the window that asks, filled in from the workflow and the template it was made from."""
        workflow_id, own = self._page.workflow_id, self._workspace.own_templates
        run_in_background(
            lambda: own.origin(workflow_id), lambda found: self._ask(workflow_id, found), owner=self._page
        )

    def _ask(self, workflow_id: str, origin: Template | None) -> None:
        own = self._workspace.own_templates
        first = Wanted(
            self._page.workflow.name,
            origin.description["en"] if origin is not None else "",
            origin.archetype if origin is not None else "",
            origin.typical_for if origin is not None else "",
        )
        self.dialog = TemplateDialog(first, own.kinds(), own.replaced_by, self._page)
        self.dialog.wanted.connect(partial(self._save, workflow_id))
        self.dialog.finished.connect(self._closed)
        self.dialog.open()

    def entries(self) -> Sequence[Entry]:
        """What the canvas's own menu offers."""
        return (SEPARATOR, Entry(TITLE, self.ask, changes=False)) if self.is_offered() else ()

    def _closed(self, _result: int) -> None:
        self.dialog = None

    def _save(self, workflow_id: str, wanted: Wanted) -> None:
        own = self._workspace.own_templates
        replaced = own.replaced_by(wanted.name)

        def save() -> Template:
            return own.save(
                workflow_id,
                name=wanted.name,
                description=wanted.description,
                archetype=wanted.archetype,
                typical_for=wanted.typical_for,
            )

        def saved(template: Template) -> None:
            if self.dialog is not None:
                self.dialog.accept()
            undo = None if replaced is not None else lambda: write_in_background(lambda: own.remove(template.id))
            self._navigator.notify(f"“{template.name['en']}” is saved and stands among the templates", undo)

        write_in_background(save, saved, self._refused, owner=self._page)

    def _refused(self, error: Exception) -> None:
        if self.dialog is not None:
            fault = explain(error)
            self.dialog.show_error(f"{fault.happened} {fault.to_do}".strip())


class TemplateDialog(QDialog):
    """`wanted(Wanted)` when it is to be saved; it stays open until somebody closes it."""

    wanted = Signal(object)

    def __init__(
        self, first: Wanted, kinds: Mapping[str, str], replaced_by: Callable[[str], Template | None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Save as template")
        self.setMinimumWidth(theme().px(460))
        self._replaced_by = replaced_by
        self.name, self.does, self.suits = QLineEdit(first.name), QPlainTextEdit(), QLineEdit(first.typical_for)
        self.suits.setCursorPosition(0)
        self.does.setPlainText(first.description)
        self.does.setTabChangesFocus(True)
        self.does.setFixedHeight(theme().px(76))
        self.kind = _kind_box(kinds, first.archetype)
        self._note, self._problem = w.Text("", "secondary", "caution"), w.Text("", "body", "bad")
        self._name_field = w.Field("Name", self.name)
        self._kind_field = w.Field("Kind of workflow", self.kind, "Decides to whom it is recommended.")
        self.save = w.PrimaryButton("Save template", self._give)
        about = "The settings of its steps become settings of the template. People, runs and results stay here."
        box = w.column(
            w.Text("Save this workflow as a template", "subheading"),
            w.Text(about, "body", "muted"),
            self._name_field,
            self._note,
            w.Field("What it does", self.does, "A sentence or two for the card."),
            self._kind_field,
            w.Field("Typical for", self.suits, "Such as: shops whose customers come back."),
            self._problem,
            w.STRETCH,
            w.row(w.STRETCH, w.SecondaryButton("Cancel", self.reject), self.save),
            spacing=12,
            margins=(22, 20, 22, 20),
        )
        self.setLayout(box)
        self._problem.hide()
        self.name.textChanged.connect(lambda _text: self._look())
        self.name.selectAll()
        self._look()
        self.resize(self.minimumWidth(), box.totalHeightForWidth(self.minimumWidth()))

    def show_error(self, words: str) -> None:
        """Why it was not saved."""
        self._problem.setText(words)
        self._problem.show()
        self.save.setEnabled(True)

    def _look(self) -> None:
        name = self.name.text().strip()
        replaced = self._replaced_by(name) if name else None
        self._note.setText(f"Replaces your template “{replaced.name['en']}”." if replaced is not None else "")
        self._note.setVisible(replaced is not None)

    def _give(self) -> None:
        wanted = Wanted(
            self.name.text().strip(),
            " ".join(self.does.toPlainText().split()),
            str(self.kind.currentData()),
            self.suits.text().strip(),
        )
        self._name_field.set_error("" if wanted.name else "Give it a name.")
        self._kind_field.set_error("" if wanted.archetype else "Choose what kind of workflow it is.")
        self._problem.hide()
        if wanted.name and wanted.archetype:
            self.save.setEnabled(False)
            self.wanted.emit(wanted)


def _kind_box(kinds: Mapping[str, str], chosen: str) -> QComboBox:
    box = QComboBox()
    box.addItem("choose …", "")
    for kind, title in sorted(kinds.items(), key=lambda item: item[1]):
        box.addItem(title, kind)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    return box
