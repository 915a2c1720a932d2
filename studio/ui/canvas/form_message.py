"""The message of a send step in a form: what it says in short, and the button that opens the message editor.

Absent on purpose: writing MJML in a narrow column.
"""

from __future__ import annotations

import re
from html import unescape

from pydantic import JsonValue
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.ui.canvas.form_aid import FormAid
from studio.ui.canvas.form_editors import Editor
from studio.ui.canvas.form_schema import FieldSpec
from studio.ui.widgets import Paragraph, SecondaryButton
from studio.ui.widgets.layout import STRETCH, row

_TAGS = re.compile(r"<[^>]*>|\{%.*?%\}", re.DOTALL)
_HEAD = re.compile(r"<mj-head>.*?</mj-head>", re.DOTALL)
_FIELD = re.compile(r"\{\{\s*([\w.]+)[^}]*\}\}")
_SHOWN = 160


class MessageEditor(Editor):
    """`write_wanted`: the person wants the message editor."""

    write_wanted = Signal()

    def __init__(self, field: FieldSpec, aid: FormAid) -> None:  # noqa: ARG002 - made like the others
        super().__init__(field)
        self._body = ""
        self.excerpt = Paragraph("")
        self.write = SecondaryButton("Edit message …", self.write_wanted.emit, icon="pencil")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(self.excerpt)
        box.addLayout(row(self.write, STRETCH))
        self.setFocusProxy(self.write)

    def inputs(self) -> list[QWidget]:
        return [self.write]

    def value(self) -> JsonValue:
        return self._body

    def set_value(self, value: JsonValue) -> None:
        self._body = "" if value is None else str(value)
        self.excerpt.setText(excerpt(self._body) or "Nothing is written yet.")


def excerpt(body: str) -> str:
    """The beginning of what a message says, without its markup."""
    if "<" not in body:
        return f"From the file {body}." if body.strip() else ""
    bare = _FIELD.sub(lambda found: f"‹{found[1].rsplit('.', 1)[-1].replace('_', ' ')}›", _HEAD.sub(" ", body))
    words = " ".join(unescape(_TAGS.sub(" ", bare)).split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN].rstrip()}…"
