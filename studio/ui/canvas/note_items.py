"""Sticky notes and groups as drawn: paper with words on it, and a titled frame around the steps it holds.

Absent on purpose: writing into them (`inline_edit.py`), `__slots__` (see `items.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QStaticText, QTextOption
from PySide6.QtWidgets import QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from studio.domain.workflow import Group, Note
from studio.ui.canvas import look
from studio.ui.canvas.drawing import Drawing
from studio.ui.theme import theme

TITLE_HEIGHT = 30.0
HANDLE = 16.0
_PAD = 20.0
_NOTE_PAD = 10.0
_SIZE, _SIZE_AFAR = 13, 20
_RADIUS = 10.0
_EDGE = 3.0
GROUP_COLOURS = {
    "blue": "state.running",
    "green": "state.done",
    "amber": "state.waiting",
    "purple": "state.paused",
}


class NoteItem(QGraphicsRectItem):
    """A sticky note. Its rectangle is where the paper lies, plus room for the ring of a selected one."""

    def __init__(self, index: int, note: Note, drawing: Drawing) -> None:
        super().__init__()
        self.index = index
        self.note = note
        self.selected = False
        self.editing = False
        self._drawing = drawing
        self._text: QStaticText | None = None
        self._text_size = _SIZE
        self.setZValue(-0.5)
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.set_note(note)

    def set_note(self, note: Note) -> None:
        self.note = note
        self._text = None
        self.show_at(QPointF(*note.position), note.size)

    def show_at(self, place: QPointF, size: tuple[float, float] | None = None) -> None:
        """Shows it elsewhere or larger while it is dragged; the workflow stays as it is."""
        width, height = size or (self.paper.width(), self.paper.height())
        self._text = None if size is not None else self._text
        self.paper = QRectF(0, 0, width, height)
        self.setRect(self.paper.adjusted(-_EDGE, -_EDGE, _EDGE, _EDGE))
        self.setPos(place)
        self.update()

    def set_selected(self, *, selected: bool) -> None:
        self.selected = selected
        self.update()

    def set_editing(self, *, editing: bool) -> None:
        """While it is written into the words are not painted below the editor."""
        self.editing = editing
        self.update()

    def show_anew(self) -> None:
        self._text = None
        self.update()

    @property
    def body(self) -> QRectF:
        """In scene coordinates."""
        return self.paper.translated(self.pos())

    def is_handle(self, place: QPointF) -> bool:
        """Whether a point of the scene is in the lower right corner, by which the note is made larger."""
        corner = self.body.bottomRight()
        return QRectF(corner.x() - HANDLE, corner.y() - HANDLE, HANDLE + 2, HANDLE + 2).contains(place)

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        colour = self._drawing.pen("accent", 2.0) if self.selected else self._drawing.pen("border", 1.0)
        painter.setPen(colour)
        painter.setBrush(theme().colour("surface"))
        painter.drawRoundedRect(self.paper, 6, 6)
        painter.setBrush(theme().colour("state.waiting", 0.13))
        painter.drawRoundedRect(self.paper, 6, 6)
        painter.setPen(self._drawing.pen("control_border", 1.2))
        corner = self.paper.bottomRight()
        for step in (5.0, 9.0):
            painter.drawLine(corner - QPointF(step, 3), corner - QPointF(3, step))
        if self._drawing.level == "far" or self.editing:
            return
        # Where a node is only its title the words are larger in the scene, as titles are; what is too much is cut.
        size = _SIZE_AFAR if self._drawing.level == "title" else _SIZE
        painter.save()
        painter.setClipRect(self.paper.adjusted(4, 4, -4, -4))
        painter.setFont(look.font("secondary", size))
        painter.setPen(theme().colour("text"))
        painter.drawStaticText(QPointF(_NOTE_PAD, _NOTE_PAD - 2), self._words(size))
        painter.restore()

    def _words(self, size: int) -> QStaticText:
        if self._text is None or self._text_size != size:
            made = QStaticText(self.note.text.replace("\n", look.LINE_BREAK))
            made.setTextFormat(Qt.TextFormat.PlainText)
            option = QTextOption()
            option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
            made.setTextOption(option)
            made.setTextWidth(max(20.0, self.paper.width() - 2 * _NOTE_PAD))
            made.prepare(font=look.font("secondary", size))
            self._text, self._text_size = made, size
        return self._text


class GroupItem(QGraphicsRectItem):
    """A frame around some nodes; it follows them."""

    def __init__(self, index: int, group: Group, drawing: Drawing) -> None:
        super().__init__()
        self.index = index
        self.group = group
        self.selected = False
        self._drawing = drawing
        self._frame = QRectF()
        self.setZValue(-2)
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_group(self, group: Group) -> None:
        if group != self.group:
            self.group = group
            self.update()

    def follow(self, bodies: Iterable[QRectF]) -> None:
        """Lies around these bodies; hidden without any."""
        area = QRectF()
        for body in bodies:
            area = area.united(body)
        self.setVisible(not area.isEmpty())
        self._frame = area.adjusted(-_PAD, -_PAD - TITLE_HEIGHT, _PAD, _PAD)
        self.setRect(self._frame.adjusted(-_EDGE, -_EDGE, _EDGE, _EDGE))

    def set_selected(self, *, selected: bool) -> None:
        self.selected = selected
        self.update()

    @property
    def body(self) -> QRectF:
        """In scene coordinates."""
        return self._frame

    @property
    def title_bar(self) -> QRectF:
        """Where the group is taken hold of, in scene coordinates."""
        return QRectF(self._frame.left(), self._frame.top(), self._frame.width(), TITLE_HEIGHT + 6)

    @property
    def colour(self) -> str:
        """The colour's name among the tokens."""
        return GROUP_COLOURS.get(self.group.colour, "control_border")

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        edge = theme().colour("accent") if self.selected else theme().colour(self.colour, 0.75)
        painter.setPen(QPen(edge, 2.0 if self.selected else 1.2))
        painter.setBrush(theme().colour(self.colour, 0.07))
        painter.drawRoundedRect(self._frame, _RADIUS, _RADIUS)
        if self._drawing.level == "far":
            return
        size = 14 if self._drawing.level in ("full", "compact") else 20
        painter.setFont(look.font("subheading", size))
        painter.setPen(theme().colour("text_secondary"))
        words = look.elided(self.group.title, self._frame.width() - 24, "subheading", size)
        painter.drawText(self.title_bar.adjusted(12, 0, -12, 0), Qt.AlignmentFlag.AlignVCenter, words)
