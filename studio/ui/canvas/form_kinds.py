"""Which editor a kind of setting gets.

Absent on purpose: lists of settings (`form_list.py`), which hold editors themselves.
"""

from __future__ import annotations

from studio.ui.canvas.form_aid import FormAid
from studio.ui.canvas.form_code import CodeEditor
from studio.ui.canvas.form_editors import Editor, make_plain_editor
from studio.ui.canvas.form_message import MessageEditor
from studio.ui.canvas.form_schema import FieldSpec
from studio.ui.canvas.form_words import EventEditor


def make_editor(field: FieldSpec, aid: FormAid) -> Editor:
    """The editor for a setting that is not a list."""
    if field.widget == "mjml":
        return MessageEditor(field, aid)
    if field.widget == "event":
        return EventEditor(field, aid)
    if field.kind in ("template", "rule"):
        return CodeEditor(field, aid)
    return make_plain_editor(field)
