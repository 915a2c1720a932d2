"""The chosen template: every setting filled in, with how sure and why, to be changed in place; and its messages.

Absent on purpose: filling in; the screen does that off the Qt thread and hands the result in.
"""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QBoxLayout, QWidget

from studio.domain.template import FilledParameter
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.place import Place
from studio.ui.screens.templates.editors import SettingEditor
from studio.ui.screens.templates.trying import Filled
from studio.ui.screens.templates.wording import WordingPanel
from studio.ui.screens.values import breakable, capital, setting_shown
from studio.workspace.previews import MessagePreview

DOUBTFUL = 0.5
"""Settings less sure than this are asked to be looked at."""
_VIEWS = {"settings": "Settings", "messages": "Messages", "wording": "Wording"}


class SettingsPanel(w.SidePanel):
    """Signals: `changed(setting, text)`, `create_wanted`, `try_wanted` (create it and simulate it)."""

    changed = Signal(str, str)
    create_wanted = Signal()
    try_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("right", 322)
        self._filled: Filled | None = None
        self._editor: SettingEditor | None = None
        self._edited: QWidget | None = None
        self._rows: dict[str, w.ParameterRow] = {}
        self.title = w.SectionTitle("Settings")
        self.note = w.Text("Choose a template to see how it would be filled in.", "secondary", "muted")
        self.view = w.Segmented(_VIEWS, "settings", name="What is shown of the template")
        self.view.chosen.connect(lambda _view: self._show_view())
        self.create_button = w.PrimaryButton("Create workflow", self.create_wanted.emit)
        self.try_button = w.SecondaryButton("Try on sample data", self.try_wanted.emit)
        self.try_button.setToolTip("Creates the workflow and simulates it. Nobody gets a message.")
        self._settings, self._messages = Place(), Place(spacing=10)
        self.wording = WordingPanel()
        self.wording.accepted.connect(self.changed)
        self._switch = w.panel(w.row(self.view, w.STRETCH))
        for part in (self.title, self.note, self._switch, self._settings, self._messages, self.wording):
            self.add(part)
        self._foot = Place(w.Hairline(), _padded(self.create_button, self.try_button), spacing=0)
        whole = self.layout()
        assert whole is not None
        whole.addWidget(self._foot)
        self._set_usable(usable=False)

    def show_filled(self, filled: Filled) -> None:
        """Shows a filled-in template; an open editor is closed."""
        self._filled, self._editor = filled, None
        self._set_usable(usable=True)
        self.title.title.setText(filled.template.name["en"])
        self.note.setText(_note(filled))
        self._rows = {parameter.name: self._row(filled, parameter) for parameter in _doubtful_first(filled)}
        self._settings.fill(*self._rows.values())
        self._messages.fill(*(_message_card(message) for message in filled.messages))
        self._show_view()
        self.updateGeometry()

    def show_messages(self) -> None:
        """Brings the messages to the front."""
        self.view.set_value("messages")
        self._show_view()

    def show_settings(self) -> None:
        self.view.set_value("settings")
        self._show_view()

    def show_error(self, words: str) -> None:
        """What does not fit about the value just typed."""
        if self._editor is not None:
            self._editor.show_error(words)

    def edit(self, name: str) -> None:
        """Puts an editor in place of the setting's row; one at a time."""
        if self._filled is None:
            return
        self.close_editor()
        parameter = self._filled.template.parameter(name)
        editor = SettingEditor(parameter, next(p for p in self._filled.parameters if p.name == name))
        editor.saved.connect(self.changed)
        editor.closed.connect(self.close_editor)
        row = self._rows[name]
        self._settings.insert_before(row, editor)
        row.hide()
        self._editor, self._edited = editor, row
        QTimer.singleShot(0, editor, lambda: self.column.ensureWidgetVisible(editor))
        editor.control.widget.setFocus()

    def close_editor(self) -> None:
        """Leaves the setting as it was."""
        if self._editor is not None and self._edited is not None:
            self._edited.show()
            self._editor.hide()
            self._editor.deleteLater()
            self._editor = None

    @property
    def editor(self) -> SettingEditor | None:
        """The open editor."""
        return self._editor

    def _row(self, filled: Filled, parameter: FilledParameter) -> w.ParameterRow:
        declared = filled.template.parameter(parameter.name)
        row = w.ParameterRow(
            declared.title["en"],
            setting_shown(declared, parameter.value),
            parameter.confidence,
            capital(parameter.evidence),
            editable=True,
        )
        row.setToolTip(declared.help["en"])
        row.edit.connect(lambda: self.edit(parameter.name))
        return row

    def _show_view(self) -> None:
        self._settings.setVisible(self.view.value == "settings")
        self._messages.setVisible(self.view.value == "messages")
        self.wording.setVisible(self.view.value == "wording")

    def _set_usable(self, *, usable: bool) -> None:
        self._switch.setVisible(usable)
        self._foot.setVisible(usable)


def _padded(*buttons: QWidget) -> QBoxLayout:
    return w.column(w.flowing(*buttons), margins=(18, 12, 18, 14))


def _note(filled: Filled) -> str:
    doubtful = sum(parameter.confidence < DOUBTFUL for parameter in filled.parameters)
    words = f"{numbers.plural(len(filled.parameters), 'setting')} filled in for you"
    return f"{words} · {numbers.count(doubtful)} want{'s' if doubtful == 1 else ''} a look" if doubtful else words


def _doubtful_first(filled: Filled) -> list[FilledParameter]:
    return sorted(filled.parameters, key=lambda parameter: parameter.confidence >= DOUBTFUL)


def _message_card(message: MessagePreview) -> w.Card:
    card = w.Card(padding=12, spacing=6, name=f"Message {message.label}")
    card.add(w.Text(message.label, "secondary", "muted"))
    if message.problem:
        card.add(w.Text(message.problem, "body", "bad"))
        return card
    card.add(w.Text(message.subject, "strong", selectable=True), w.Hairline())
    card.add(w.Text(breakable(message.text.strip()), "secondary", "secondary", selectable=True))
    return card
