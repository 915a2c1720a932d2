"""A field for rules and message texts: words coloured by what they are, names completed while typing, and the place
where it is wrong underlined.

Absent on purpose: line numbers and folding; what is longer than a rule is written in the message editor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFont, QKeyEvent, QSyntaxHighlighter, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QPlainTextEdit, QWidget

from studio.domain.completion import Completion, Completions, complete_message, complete_rule
from studio.domain.errors import UserFixable
from studio.domain.expression_parser import parse_expression
from studio.ui.canvas.form_aid import FormAid
from studio.ui.theme import theme

Language: TypeAlias = Literal["rule", "event_rule", "message"]

_ROWS = 8
_RULE = re.compile(
    r"(?P<text>\"[^\"]*\"?|'[^']*'?)|(?P<number>\b\d+(?:\.\d+)?\b)"
    r"|(?P<word>\b(?:and|or|not|in|is|missing|true|false|null)\b)|(?P<call>\b\w+(?=\s*\())"
)
_MESSAGE = re.compile(
    r"(?P<text>\{\{.*?(?:\}\}|$))|(?P<word>\{%.*?(?:%\}|$))|(?P<number>\{#.*?(?:#\}|$))|(?P<call></?mj(?:ml\b|-[\w-]+))"
)
_TONES = {"text": "good_text", "number": "caution_text", "word": "accent_text", "call": "accent_text"}
_PLACE = re.compile(r"character (\d+)")


class Colours(QSyntaxHighlighter):
    """Colours a document's words, and underlines where it is wrong."""

    def __init__(self, edit: QPlainTextEdit, language: Language) -> None:
        super().__init__(edit.document())
        self._pattern = _MESSAGE if language == "message" else _RULE
        self._wrong: int | None = None

    def set_wrong(self, at: int | None) -> None:
        """The character the error is about, from 0; None: all is well."""
        if at != self._wrong:
            self._wrong = at
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        for found in self._pattern.finditer(text):
            form = QTextCharFormat()
            form.setForeground(theme().colour(_TONES[found.lastgroup or "text"]))
            if found.lastgroup in ("word", "call"):
                form.setFontWeight(QFont.Weight.DemiBold)
            self.setFormat(found.start(), found.end() - found.start(), form)
        if self._wrong is not None:
            self._underline(text, self._wrong - self.currentBlock().position())

    def _underline(self, text: str, at: int) -> None:
        if not 0 <= at <= len(text) or (at == len(text) and not text):
            return
        start = min(at, len(text) - 1)
        end = re.compile(r"\w+|.").match(text, start)
        form = self.format(start)
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        form.setUnderlineColor(QColor(theme().colour("bad_text")))
        self.setFormat(start, (end.end() if end else start + 1) - start, form)


class CodeEdit(QPlainTextEdit):
    """`left` when the keyboard goes elsewhere; a list of completions opens while typing and with Ctrl+Space."""

    left = Signal()

    def __init__(self, language: Language, aid: FormAid) -> None:
        super().__init__()
        self.language: Language = language
        self._aid = aid
        self.colours = Colours(self, language)
        self.offers = Offers(self, self._insert)
        self.setTabChangesFocus(True)
        theme().changed.connect(self.colours.rehighlight)

    def completions(self) -> Completions:
        """What fits at the cursor now."""
        text, cursor = self.toPlainText(), self.textCursor().position()
        if self.language == "message":
            return complete_message(text, cursor, self._aid.vocabulary)
        return complete_rule(
            text, cursor, self._aid.vocabulary, "event" if self.language == "event_rule" else "contact"
        )

    def underline(self) -> None:
        """Marks the place where a rule cannot be read."""
        if self.language != "message":
            self.colours.set_wrong(wrong_place(self.toPlainText(), self.language))

    def insert_name(self, text: str) -> None:
        """Puts a name at the cursor, in braces where it needs them."""
        before = self.toPlainText()[: self.textCursor().position()]
        inside = before.rfind("{{") > before.rfind("}}")
        self.insertPlainText(text if inside or self.language != "message" else f"{{{{ {text} }}}}")
        self.setFocus()

    def _insert(self, completion: Completion, start: int) -> None:
        cursor = self.textCursor()
        end = cursor.position()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(completion.text)
        self.setTextCursor(cursor)

    def offer(self, *, asked: bool = False) -> None:
        """Opens the list when there is something that begins with what is typed, or when it is asked for."""
        found = self.completions()
        typed = self.textCursor().position() - found.start
        if found.items and (asked or typed > 0):
            self.offers.open(found, self.cursorRect())
        else:
            self.offers.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() == Qt.Key.Key_Space and control:
            self.offer(asked=True)
            return
        if self.offers.isVisible() and self.offers.take_key(event.key()):
            return
        super().keyPressEvent(event)
        is_typed = bool(event.text()) and event.text().isprintable() and not control
        if is_typed or (event.key() == Qt.Key.Key_Backspace and self.offers.isVisible()):
            self.offer()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End):
            self.offers.hide()

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Qt asks this before it hands Tab over as a key.
        if forward and self.offers.isVisible():
            return self.offers.take_key(Qt.Key.Key_Tab)
        return super().focusNextPrevChild(forward)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.offers.hide()
        self.left.emit()

    def hideEvent(self, event) -> None:
        super().hideEvent(event)
        self.offers.hide()


class Offers(QListWidget):
    """The list of completions below the cursor. It never takes the keyboard; the field hands it the keys it uses."""

    def __init__(self, edit: QPlainTextEdit, take: Callable[[Completion, int], object]) -> None:
        super().__init__(edit.window() if edit.parentWidget() else None)
        self._edit = edit
        self._take = take
        self._found = Completions(0)
        self.setWindowFlags(Qt.WindowType.ToolTip)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Completions")
        self.itemClicked.connect(lambda _item: self._take_current())
        edit.destroyed.connect(self.deleteLater)

    def open(self, found: Completions, cursor: QRect) -> None:
        self._found = found
        self.clear()
        for item in found.items:
            line = QListWidgetItem(f"{item.text}   {item.note}")
            line.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text}, {item.note}")
            self.addItem(line)
        self.setCurrentRow(0)
        row = max(1, self.sizeHintForRow(0))
        size = QSize(min(theme().px(420), self.sizeHintForColumn(0) + 36), row * min(_ROWS, self.count()) + 8)
        self.resize(size)
        self.move(self._edit.viewport().mapToGlobal(cursor.bottomLeft() + QPoint(0, 4)))
        self.show()

    def texts(self) -> Sequence[str]:
        """What is offered."""
        return [item.text for item in self._found.items]

    def take_key(self, key: int) -> bool:
        """True when the key meant something to the list."""
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if key == Qt.Key.Key_Down else -1
            self.setCurrentRow((self.currentRow() + step) % self.count())
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self._take_current()
        elif key == Qt.Key.Key_Escape:
            self.hide()
        else:
            return False
        return True

    def _take_current(self) -> None:
        number = self.currentRow()
        self.hide()
        if 0 <= number < len(self._found.items):
            self._take(self._found.items[number], self._found.start)


def wrong_place(text: str, language: Language) -> int | None:
    """The character, from 0, at which a rule cannot be read; None for one that can, and for an empty one."""
    if not text.strip():
        return None
    try:
        parse_expression(text, "event" if language == "event_rule" else "contact")
    except UserFixable as error:
        found = _PLACE.search(error.problems[0].field or "") if error.problems else None
        return int(found[1]) - 1 if found else 0
    return None


def height_for(edit: QWidget, text: str, least: int, most: int) -> int:
    """Pixels for the lines a text takes in a field of its present width."""
    measure = edit.fontMetrics()
    wide = max(24, edit.width() // max(1, measure.averageCharWidth()))
    lines = sum(1 + len(line) // wide for line in text.split("\n"))
    return measure.lineSpacing() * max(least, min(most, lines)) + 24
