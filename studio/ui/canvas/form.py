"""The form of a node's settings, made from its typed parameters. It checks while typing.

Absent on purpose: knowing any node type, and changing the workflow; it tells what the person has entered.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, JsonValue
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.domain.workflow import Node, Workflow
from studio.ui.canvas.form_aid import FormAid
from studio.ui.canvas.form_editors import Editor
from studio.ui.canvas.form_errors import Path, errors_of
from studio.ui.canvas.form_kinds import make_editor
from studio.ui.canvas.form_list import ListEditor, name_controls
from studio.ui.canvas.form_message import MessageEditor
from studio.ui.canvas.form_schema import FieldSpec, fields_of
from studio.ui.widgets import Chip, Field, IconButton, Text
from studio.ui.widgets.layout import STRETCH, clear, row


class FormField(Field):
    """A setting with its label, its help or message, and the chip that says where a bound value comes from."""

    unbind = Signal(str)

    def __init__(self, field: FieldSpec, editor: Editor, bound: str | None) -> None:
        super().__init__(field.title, editor, field.help)
        self.field = field
        self.editor = editor
        self.bound = bound
        name_controls(self, editor, field.title)
        if bound is not None:
            self._add_chip(bound)

    def _add_chip(self, bound: str) -> None:
        chip = Chip(f"from template: {bound.replace('_', ' ')}", icon="link")
        chip.setEnabled(False)
        chip.setToolTip(
            "The value belongs to the template's parameter. Changing it here changes it wherever it is used."
        )
        free = IconButton("x", f"Use a value of this step's own for {self.field.title.lower()}", size=13)
        free.clicked.connect(lambda: self.unbind.emit(self.field.name))
        box = self.layout()
        assert isinstance(box, QVBoxLayout)
        box.insertLayout(1, row(chip, free, STRETCH, spacing=4))

    def set_error(self, error: str) -> None:
        super().set_error(error)
        if isinstance(self.control, Editor):
            self.control.mark(wrong=bool(error))


class ParameterForm(QWidget):
    """Signals: `changed(parameters, title)` with all settings as they would stand in the file, `template_changed(name,
    value)` for a setting bound to a template parameter, `left` when the keyboard leaves a field, `write_wanted` for the
    message editor.
    """

    changed = Signal(object, str)
    template_changed = Signal(str, object)
    left = Signal()
    write_wanted = Signal()

    def __init__(self, aid: FormAid | None = None) -> None:
        super().__init__()
        self.aid = aid or FormAid()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(14)
        self._model: type[BaseModel] | None = None
        self._parameters: dict[str, JsonValue] = {}
        self._template: Mapping[str, JsonValue] = {}
        self._shape: object = None
        self.fields: dict[str, FormField] = {}
        self._general = Text("", "secondary", "bad")

    def show_node(self, workflow: Workflow, node: Node, model: type[BaseModel], *, read_only: bool = False) -> None:
        """Shows a node's settings; keeps its fields, and the cursor in them, when it is the same node as before."""
        self._template = workflow.template.parameters if workflow.template else {}
        self._parameters = dict(node.parameters)
        bound = {name: ref for name, value in node.parameters.items() if (ref := _reference(value)) is not None}
        shape = (node.id, model, tuple(sorted(bound.items())))
        if shape != self._shape:
            self._build(model, bound)
            self._shape = shape
        for name, field in self.fields.items():
            field.editor.setEnabled(not read_only)
            field.editor.set_value(self._value_of(field.field, name))
        self.validate()

    def values(self) -> dict[str, JsonValue]:
        """The settings as they would stand in the file."""
        return dict(self._parameters)

    def errors(self) -> dict[Path, str]:
        """What is wrong now, by path."""
        if self._model is None:
            return {}
        return errors_of(self._model, self._resolved())

    def validate(self) -> None:
        """Says under each field what is wrong with it."""
        found = self.errors()
        self._general.setText(found.pop((), ""))
        self._general.setVisible(bool(self._general.text()))
        for name, field in self.fields.items():
            own = {path[1:]: words for path, words in found.items() if path and path[0] == name}
            field.set_error(own.pop((), ""))
            if isinstance(field.editor, ListEditor):
                field.editor.set_errors(own)
            elif own:
                field.set_error(next(iter(own.values())))

    def focus_field(self, name: str) -> bool:
        """Puts the keyboard into a field; False when there is no such field."""
        field = self.fields.get(name)
        if field is not None:
            field.setFocus()
        return field is not None

    def text_of(self, name: str) -> JsonValue:
        """The value of a setting as it stands, that of the template's parameter where it is bound to one."""
        return self._value_of(self.fields[name].field, name)

    def enter(self, name: str, value: JsonValue) -> None:
        """As if the person had written it into the field."""
        self.fields[name].editor.set_value(value)
        self._edited(name)

    def _build(self, model: type[BaseModel], bound: Mapping[str, str]) -> None:
        self._model = model
        self._box.removeWidget(self._general)
        self._general.setParent(None)
        clear(self._box)
        self.fields = {}
        for spec in fields_of(model):
            editor: Editor = ListEditor(spec, self.aid) if spec.kind == "list" else make_editor(spec, self.aid)
            editor.edited.connect(lambda name=spec.name: self._edited(name))
            editor.left.connect(self.left)
            if isinstance(editor, MessageEditor):
                editor.write_wanted.connect(self.write_wanted)
            field = FormField(spec, editor, bound.get(spec.name))
            field.unbind.connect(self._unbind)
            self.fields[spec.name] = field
            self._box.addWidget(field)
        self._box.addWidget(self._general)

    def _edited(self, name: str) -> None:
        field = self.fields[name]
        value = field.editor.value()
        if field.bound is not None:
            self._template = {**self._template, field.bound: value}
            self.validate()
            self.template_changed.emit(field.bound, value)
            return
        spec = field.field
        value = _with_references(value, self._parameters.get(name), self._template)
        unset = not spec.required and value == spec.default
        if unset:
            self._parameters.pop(name, None)
        else:
            self._parameters[name] = value
        if spec.required and value in ("", None):
            self._parameters.pop(name, None)
        self.validate()
        self.changed.emit(self.values(), spec.title.lower())

    def _unbind(self, name: str) -> None:
        bound = self.fields[name].bound
        assert bound is not None
        self._parameters[name] = self._template.get(bound)
        self._shape = None
        self.changed.emit(self.values(), self.fields[name].field.title.lower())

    def _value_of(self, spec: FieldSpec, name: str) -> JsonValue:
        value = self._parameters.get(name, spec.default)
        return _with_template(value, self._template)

    def _resolved(self) -> dict[str, JsonValue]:
        return {name: _with_template(value, self._template) for name, value in self._parameters.items()}


def _reference(value: JsonValue) -> str | None:
    return str(value["$param"]) if isinstance(value, dict) and set(value) == {"$param"} else None


def _with_references(value: JsonValue, before: JsonValue, template: Mapping[str, JsonValue]) -> JsonValue:
    """What a form gave back, bound to the template's parameters again wherever it was and still says the same."""
    if _reference(before) is not None:
        return before if _with_template(before, template) == value else value
    if isinstance(value, dict) and isinstance(before, dict):
        return {key: _with_references(inner, before.get(key), template) for key, inner in value.items()}
    if isinstance(value, list) and isinstance(before, list):
        known = {_entry_key(entry, place): entry for place, entry in enumerate(before)}
        return [
            _with_references(entry, known.get(_entry_key(entry, place)), template) for place, entry in enumerate(value)
        ]
    return value


def _entry_key(entry: JsonValue, place: int) -> JsonValue:
    # Entries are told apart by their id, for they may have changed places.
    return str(entry["id"]) if isinstance(entry, dict) and "id" in entry else place


def _with_template(value: JsonValue, template: Mapping[str, JsonValue]) -> JsonValue:
    reference = _reference(value)
    if reference is not None:
        return template.get(reference)
    if isinstance(value, dict):
        return {key: _with_template(inner, template) for key, inner in value.items()}
    return [_with_template(inner, template) for inner in value] if isinstance(value, list) else value
