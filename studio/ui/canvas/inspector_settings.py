"""The Settings tab: what every step has (name, for whom, tries, what to do on errors, note) and its own settings.

Absent on purpose: the step's place and edges, which are changed on the canvas.
"""

from __future__ import annotations

from pydantic import JsonValue
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from studio.domain.node import Channel
from studio.domain.workflow import Node
from studio.nodes.policy import SourcePolicy, StepPolicy, policy_values
from studio.ui.canvas.document import Document
from studio.ui.canvas.form import ParameterForm
from studio.ui.canvas.form_aid import FormAid
from studio.ui.canvas.message_window import SETTINGS, MessageWindow
from studio.ui.canvas.phone_view import PhonePreview
from studio.ui.theme import theme
from studio.ui.widgets import Field, Hairline, Paragraph, Text

_ON_ERROR = {
    "fail": "Stop and keep them for a retry",
    "skip": "Let them go on",
    "route": "Send them out through “failed here”",
}


class SettingsPanel(QWidget):
    """Shows one node; each change is one command of the document."""

    def __init__(self, document: Document, aid: FormAid) -> None:
        super().__init__()
        self._document = document
        self._read_only = False
        self._node_id = ""
        self._policy_of = ""
        self.name = QLineEdit()
        self.enabled = QCheckBox("Switched on")
        self.on_error = QComboBox()
        self.on_error.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for key, words in _ON_ERROR.items():
            self.on_error.addItem(words, key)
        self.note = QPlainTextEdit()
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(theme().px(58))
        self.kind = Text("", "secondary", "muted")
        self.form = ParameterForm(aid)
        self.phone = PhonePreview(aid)
        self.policy = ParameterForm(aid)
        self._missing = Paragraph("This program has no such step, so its settings cannot be shown.")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(14)
        self._name_field = Field("Name", self.name)
        for widget in (self._name_field, self.kind, self._missing, self.form, self.phone, Hairline(), self.enabled):
            box.addWidget(widget)
        box.addWidget(self.policy)
        box.addWidget(Field("When it fails for some people", self.on_error))
        box.addWidget(Field("Note", self.note))
        box.addStretch(1)
        self._connect()

    def _connect(self) -> None:
        self.name.textEdited.connect(lambda text: self._document.set_label(self._node_id, text))
        self.name.editingFinished.connect(self._document.end_session)
        self.enabled.clicked.connect(lambda on: self._document.set_enabled([self._node_id], on))
        self.on_error.activated.connect(self._choose_on_error)
        self.note.textChanged.connect(self._note_changed)
        self.form.changed.connect(self._parameters_changed)
        self.form.template_changed.connect(self._document.set_template_value)
        self.form.left.connect(self._document.end_session)
        self.policy.changed.connect(self._policy_changed)
        self.policy.left.connect(self._document.end_session)
        self.form.write_wanted.connect(self.write_message)

    def show_node(self, node: Node, *, read_only: bool = False) -> None:
        """Shows a node as it now is; keeps the cursor in the field that is being typed into."""
        if node.id != self._node_id:
            self._document.end_session()
        self._node_id = node.id
        self._read_only = read_only
        node_class = self._document.catalogue.get(node.type)
        if self.name.text() != node.label:
            self.name.setText(node.label)
        self.name.setPlaceholderText(node_class.declaration.title if node_class else node.type)
        about = node_class.declaration if node_class else None
        colon = "" if about and about.title.endswith("?") else ":"
        self.kind.setText(f"{about.title}{colon} {about.summary}" if about else node.type)
        self.enabled.setChecked(node.enabled)
        self.on_error.setCurrentIndex(self.on_error.findData(node.on_error))
        if self.note.toPlainText() != node.note:
            self.note.blockSignals(True)
            self.note.setPlainText(node.note)
            self.note.blockSignals(False)
        for widget in (self.name, self.enabled, self.on_error, self.note):
            widget.setEnabled(not read_only)
        self._missing.setVisible(node_class is None)
        self.form.setVisible(node_class is not None)
        if node_class is not None:
            self.form.show_node(self._document.workflow, node, node_class.Parameters, read_only=read_only)
        self._show_on_phone(about.channel if about is not None else None)
        self._show_policy(node, is_source=about is not None and about.role == "source")

    def _show_on_phone(self, channel: Channel | None) -> None:
        self.phone.setVisible(channel in ("sms", "push"))
        if channel in ("sms", "push"):
            said = {
                name: str(self.form.text_of(name) or "") for name in ("subject", "body") if name in self.form.fields
            }
            sender = str(self.form.text_of("sender") or "") if "sender" in self.form.fields else ""
            who = sender or ("Your number" if channel == "sms" else "Your app, now")
            self.phone.show_texts(channel, who, said.get("subject", ""), said.get("body", ""))

    def _show_policy(self, node: Node, *, is_source: bool) -> None:
        told = node.model_copy(update={"parameters": policy_values(node)})
        # What is being typed and not yet right stands in the form alone.
        if not self.policy.errors() or node.id != self._policy_of:
            model = SourcePolicy if is_source else StepPolicy
            self.policy.show_node(self._document.workflow, told, model, read_only=self._read_only)
        self._policy_of = node.id

    def focus_first(self) -> None:
        """Puts the keyboard into the first setting, or the name when there is none."""
        first = next(iter(self.form.fields.values()), None) if self.form.isVisibleTo(self) else None
        (first or self.name).setFocus(Qt.FocusReason.TabFocusReason)

    @property
    def has_mail(self) -> bool:
        """Whether the step shown has a message with a window of its own."""
        return "text" in self.form.fields and "body" in self.form.fields and "subject" in self.form.fields

    def write_message(self) -> MessageWindow:
        """Opens the message editor on the step's texts; each change is a command of the document, as in the form."""
        node_id = self._node_id
        values = {name: self.form.text_of(name) for name in SETTINGS if name in self.form.fields}

        def write(name: str, text: str) -> None:
            if self._node_id == node_id and name in self.form.fields:
                self.form.enter(name, text)

        title = self._document.name_of(self._document.workflow.node(node_id))
        opened = MessageWindow(title, values, self.form.aid, write, self.window(), read_only=self._read_only)
        opened.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        opened.setModal(True)
        opened.finished.connect(lambda _code: self._document.end_session())
        opened.show()
        return opened

    def focus_name(self) -> None:
        """For F2: puts the keyboard into the name, all of it selected."""
        self.name.setFocus()
        self.name.selectAll()

    def _parameters_changed(self, parameters: dict[str, JsonValue], title: str) -> None:
        self._document.set_parameters(self._node_id, parameters, title)

    def _policy_changed(self, values: dict[str, JsonValue], title: str) -> None:
        if not self.policy.errors():
            self._document.set_policy(self._node_id, values, title)

    def _choose_on_error(self, _index: int) -> None:
        self._document.set_on_error(self._node_id, self.on_error.currentData())

    def _note_changed(self) -> None:
        if any(n.id == self._node_id for n in self._document.workflow.nodes):
            self._document.set_note(self._node_id, self.note.toPlainText())
