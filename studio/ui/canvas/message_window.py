"""The message editor: the texts at the left, the message as its reader gets it at the right, and advice below.

What is written goes into the workflow at once, as any other setting. Absent on purpose: building by drag and drop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from studio.domain.completion import complete_message
from studio.ui import icons
from studio.ui.canvas.code_edit import CodeEdit
from studio.ui.canvas.form_aid import Advised, Draft, FormAid, Look
from studio.ui.canvas.mail_view import MailView
from studio.ui.theme import theme
from studio.ui.tokens import Tone
from studio.ui.widgets import Field, SearchField, Segmented, Text
from studio.ui.widgets.layout import STRETCH, column, row
from studio.ui.widgets.reflow import flowing

_LOOK_MS = 250
_WRITING_MAX = 600
"""The texts take no more of a window that large text makes small."""
_ADVICE_HEIGHT = 150
_LINE = Qt.ItemDataRole.UserRole
_TEXT = Qt.ItemDataRole.UserRole
_SIGNS: Mapping[str, tuple[str, Tone]] = {
    "error": ("octagon-alert", "bad"),
    "warning": ("triangle-alert", "caution"),
    "hint": ("lightbulb", "muted"),
}
SETTINGS = ("subject", "preheader", "body", "text")


class MessageWindow(QDialog):
    """`write(setting, text)` takes what is written; `values` are the texts as they stand now."""

    def __init__(
        self,
        title: str,
        values: Mapping[str, JsonValue],
        aid: FormAid,
        write: Callable[[str, str], object],
        parent: QWidget,
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Message: {title}")
        self._aid = aid
        self._write = write
        self._look = Look()
        self.edits = {name: CodeEdit("message", aid) for name in SETTINGS}
        self._asked: Draft | None = None
        self._last = "body"
        for name, edit in self.edits.items():
            edit.setPlainText(str(values.get(name) or ""))
            edit.setReadOnly(read_only)
            edit.textChanged.connect(lambda name=name: self._written(name))
        self.names = QListWidget()
        self.advice = QListWidget()
        self.view = MailView()
        self.person = QComboBox()
        self.width_choice = Segmented({"desktop": "Desktop", "phone": "Phone"}, name="Width")
        self.scheme_choice = Segmented({"light": "Light", "dark": "Dark"}, name="Look of the mail program")
        self.part_choice = Segmented({"html": "Message", "text": "Plain text"}, name="Part of the message")
        self.inbox = Text("", "strong")
        self.after_subject = Text("", "secondary", "muted")
        self._timer = QTimer(self, singleShot=True, interval=_LOOK_MS)
        self._lay_out()
        self._connect()
        self.look_now()

    def _lay_out(self) -> None:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self._writing())
        split.addWidget(self._reading())
        split.setStretchFactor(0, 5)
        split.setStretchFactor(1, 6)
        split.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(14, 14, 14, 14)
        box.addWidget(split)
        wanted = QSize(round(1180 * min(1.4, theme().text_scale)), round(760 * min(1.2, theme().text_scale)))
        self.resize(wanted.boundedTo(self.screen().availableSize()))

    def _writing(self) -> QWidget:
        part = QWidget()
        part.setMinimumWidth(min(theme().px(440), _WRITING_MAX))
        box = QVBoxLayout(part)
        box.setContentsMargins(0, 0, 10, 0)
        box.setSpacing(10)
        for name, label in (("subject", "Subject"), ("preheader", "Preview text")):
            self.edits[name].setFixedHeight(theme().px(38))
            self.edits[name].setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            self.edits[name].setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.edits[name].setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            box.addWidget(Field(label, self.edits[name]))
        box.addWidget(Field("Message (MJML)", self.edits["body"]), 3)
        box.addWidget(Field("Plain text (empty: taken from the message)", self.edits["text"]), 1)
        box.addWidget(Field("Fields: Enter or a double click puts one at the cursor", self._palette()), 1)
        return part

    def _palette(self) -> QWidget:
        holder = QWidget()
        self.find = SearchField("Find a field")
        self.names.setAccessibleName("Fields")
        self.names.setFrameShape(QFrame.Shape.NoFrame)
        self.names.setMinimumHeight(theme().px(88))
        box = QVBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.find)
        box.addWidget(self.names)
        return holder

    def _reading(self) -> QWidget:
        part = QWidget()
        box = QVBoxLayout(part)
        box.setContentsMargins(10, 0, 0, 0)
        box.setSpacing(8)
        self.person.setAccessibleName("Whose message")
        self.person.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.person.setMinimumContentsLength(16)
        box.addWidget(flowing(self.width_choice, self.scheme_choice, self.part_choice))
        box.addLayout(row(Text("As it comes to", "secondary", "muted", wrap=False), self.person, STRETCH, spacing=8))
        box.addLayout(column(self.inbox, self.after_subject, spacing=2))
        box.addWidget(self._scene(), 1)
        self.advice.setAccessibleName("Advice")
        self.advice.setWordWrap(True)
        self.advice.setFrameShape(QFrame.Shape.NoFrame)
        box.addWidget(Text("Advice", "subheading"))
        box.addWidget(self.advice)
        return part

    def _scene(self) -> QScrollArea:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.addStretch(1)
        line.addWidget(self.view)
        line.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(holder)
        self.view.set_width("desktop")
        return area

    def _connect(self) -> None:
        self._timer.timeout.connect(self.look_now)
        self.width_choice.chosen.connect(self.view.set_width)
        for choice in (self.scheme_choice, self.part_choice):
            choice.chosen.connect(lambda _value: self._show())
        self.person.activated.connect(lambda _index: self.look_now())
        self.find.textChanged.connect(self._fill_names)
        self.names.itemActivated.connect(self._insert)
        self.names.itemDoubleClicked.connect(self._insert)
        self.advice.itemActivated.connect(self._go_to)
        self.advice.itemClicked.connect(self._go_to)
        self._fill_names()
        self._show_people([(None, "Anna Example (made up)")])
        if self._aid.answers is not None:
            self._aid.answers.people(self._show_people, self)

    def _show_people(self, people: Sequence[tuple[int | None, str]]) -> None:
        self.person.clear()
        for number, title in people:
            self.person.addItem(title, number)

    def _fill_names(self) -> None:
        wanted = self.find.text().casefold()
        self.names.clear()
        for item in complete_message("{{ ", 3, self._aid.vocabulary).items:
            if wanted in f"{item.text} {item.note}".casefold():
                line = QListWidgetItem(f"{item.text}   {item.note}")
                line.setData(_TEXT, item.text)
                self.names.addItem(line)

    def _insert(self, item: QListWidgetItem) -> None:
        self.edits[self._last].insert_name(item.data(_TEXT))

    def _written(self, name: str) -> None:
        self._last = name
        self._write(name, self.edits[name].toPlainText())
        self._timer.start()

    def look_now(self) -> None:
        """Asks how the message looks, as it stands now."""
        texts = {name: edit.toPlainText() for name, edit in self.edits.items()}
        draft = Draft(texts["subject"], texts["preheader"], texts["body"], texts["text"])
        self._asked = draft
        if self._aid.answers is not None:
            self._aid.answers.look(draft, self.person.currentData(), lambda look: self._looked(draft, look), self)

    def _looked(self, draft: Draft, look: Look) -> None:
        if draft is self._asked:
            self._look = look
            self._show()

    def _show(self) -> None:
        look = self._look
        self.inbox.setText(look.subject or "(no subject)")
        self.after_subject.setText(look.preheader)
        self.after_subject.setVisible(bool(look.preheader))
        if look.problem:
            self.view.show_text(f"This message cannot be written yet.\n\n{look.problem}")
        elif self.part_choice.value == "text":
            self.view.show_text(look.text)
        else:
            self.view.show_mail(look.dark_html if self.scheme_choice.value == "dark" else look.html)
        self._show_advice(look)

    def _show_advice(self, look: Look) -> None:
        self.advice.clear()
        problem = [Advised("error", look.problem.splitlines()[0], "")] if look.problem else []
        found = [*problem, *look.advice]
        for one in found:
            icon, tone = _SIGNS[one.level]
            where = f"Line {one.line}: " if one.line is not None else ""
            line = QListWidgetItem(f"{where}{one.message} {one.hint}".strip())
            line.setIcon(icons.icon(icon, theme().tone(tone), theme().px(16)))
            line.setData(Qt.ItemDataRole.AccessibleTextRole, f"{one.level}: {line.text()}")
            line.setData(_LINE, one.line)
            self.advice.addItem(line)
        if not found:
            self.advice.addItem("Nothing to mend.")
        lines = sum(self.advice.sizeHintForRow(number) for number in range(self.advice.count()))
        self.advice.setFixedHeight(min(theme().px(_ADVICE_HEIGHT), lines + 8))

    def _go_to(self, item: QListWidgetItem) -> None:
        number = item.data(_LINE)
        if number is None:
            return
        edit = self.edits["body"]
        cursor = QTextCursor(edit.document().findBlockByNumber(number - 1))
        cursor.select(QTextCursor.SelectionType.LineUnderCursor)
        edit.setTextCursor(cursor)
        edit.setFocus()
