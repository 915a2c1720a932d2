"""The Help tab: what a step is for, what it needs, its ports, and its settings, from its declaration.

Absent on purpose: texts of its own; what a node type says of itself is the help.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.domain.node import NodeType
from studio.ui.canvas.form_schema import FieldSpec, fields_of
from studio.ui.canvas.keys import HELP
from studio.ui.canvas.ports import Ports
from studio.ui.canvas.summary import value_in_words
from studio.ui.widgets import FactList, Hairline, Paragraph, Text
from studio.ui.widgets.layout import clear

_ROLES: Mapping[str, str] = {
    "source": "starts the journey of people",
    "pure": "decides at once",
    "wait": "holds people until a time or an event",
    "send": "writes to people",
    "goal": "watches for success",
    "exit": "ends the journey",
}


class HelpPanel(QWidget):
    """Shows one node type at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(10)
        self._shown: object = None

    def show_keys(self) -> None:
        """Without a step: how the canvas is used by keyboard."""
        if self._shown == "keys":
            return
        self._shown = "keys"
        clear(self._box)
        self._box.addWidget(Text("The canvas by keyboard", "subheading"))
        facts = FactList()
        for keys, words in HELP:
            facts.add(keys, words)
        self._box.addWidget(facts)
        self._box.addStretch(1)

    def show_type(self, node_class: type[NodeType] | None, type_id: str, ports: Ports) -> None:
        if (node_class, ports) == self._shown:
            return
        self._shown = node_class, ports
        clear(self._box)
        if node_class is None:
            self._box.addWidget(Text(type_id, "subheading"))
            self._box.addWidget(Paragraph("This program has no such step. Replace it, or install what brings it."))
            self._box.addStretch(1)
            return
        about = node_class.declaration
        self._box.addWidget(Text(about.title, "subheading"))
        self._box.addWidget(Paragraph(about.summary))
        facts = FactList()
        facts.add("What it does", _ROLES[about.role])
        facts.add("In", ", ".join(ports.inputs) or "nothing: it is a start")
        facts.add("Out", ", ".join(port.label or "one way on" for port in ports.outputs) or "nothing: it is an end")
        if about.needs:
            facts.add("Needs", ", ".join(about.needs))
        facts.add("Type", f"{about.id}, version {about.version}")
        self._box.addWidget(facts)
        fields = fields_of(node_class.Parameters)
        if fields:
            self._box.addWidget(Text("Settings", "subheading"))
        for field in fields:
            self._add_field(field)
        self._box.addStretch(1)

    def _add_field(self, field: FieldSpec) -> None:
        usual = value_in_words(field, field.default)
        note = "needed" if field.required else f"usually {usual}" if usual else "may be empty"
        self._box.addWidget(Text(f"{field.title} · {note}", "strong"))
        self._box.addWidget(Paragraph(field.help))
        for item in field.items:
            self._box.addWidget(Text(f"{item.title}: {item.help}", "secondary", "muted"))
        self._box.addWidget(Hairline())
