"""The words on a node, laid out once for a face and a status: title, settings, figures, progress.

Two versions: everything, and a large title with one figure for when the graph is small on screen. Absent on purpose:
ground, icon and badge, which are shared pictures.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from studio.ui.canvas import look
from studio.ui.canvas.drawing import Drawing
from studio.ui.canvas.face import NodeFace
from studio.ui.canvas.look import NODE_WIDTH
from studio.ui.canvas.status import NodeStatus
from studio.ui.numbers import count
from studio.ui.theme import theme

_TEXT_WIDTH = NODE_WIDTH - look.TEXT_LEFT - 10
_FOOTER_WIDTH = NODE_WIDTH - 2 * look.PAD
_FOOTER_SPACE = 8.0
_TITLE_SIZE = 19
_FIGURE_SIZE = 16


class FullWords:
    """What a node says at full size."""

    def __init__(self, face: NodeFace, status: NodeStatus | None, height: float, stubs: Mapping[float, str]) -> None:
        lines = look.wrapped(face.title, _TEXT_WIDTH, "subheading")
        middle = header_middle(height)
        told = look.fitting(face.summary, _TEXT_WIDTH, "secondary")
        title_height = look.TITLE_LINE * len(lines)
        top = middle - (title_height + (16 if told else 0)) / 2
        self._title = QPointF(look.TEXT_LEFT, top), look.static_text(lines, "subheading")
        self._summary = QPointF(look.TEXT_LEFT, top + title_height + 1), look.static_text((told,), "secondary")
        self._status = status
        self._lift = height - look.NODE_HEIGHT
        self._write_footer(face, status)
        self._stubs = tuple(
            (
                QPointF(NODE_WIDTH + 9, y - 7),
                look.static_text((look.elided(label, look.STUB_WIDTH - 14, "caption"),), "caption"),
            )
            for y, label in stubs.items()
        )

    def _write_footer(self, face: NodeFace, status: NodeStatus | None) -> None:
        left, right = (status.left, status.right) if status is not None else (face.kind, "")
        measure = look.metrics("secondary")
        if right and measure.horizontalAdvance(left) + measure.horizontalAdvance(right) + _FOOTER_SPACE > _FOOTER_WIDTH:
            right = status.right_short if status is not None and status.right_short else right
        right_width = measure.horizontalAdvance(right) if right else 0.0
        left = look.elided(left, _FOOTER_WIDTH - right_width - (_FOOTER_SPACE if right else 0), "secondary")
        y = look.FOOTER_TOP + self._lift
        self._left = QPointF(look.PAD, y), look.static_text((left,), "secondary")
        self._right = QPointF(NODE_WIDTH - look.PAD - right_width, y), look.static_text((right,), "secondary")

    def paint(self, painter: QPainter, drawing: Drawing) -> None:
        strong, muted, plain, bad = drawing.text_pens()
        painter.setFont(look.font("subheading"))
        painter.setPen(strong)
        painter.drawStaticText(*self._title)
        painter.setFont(look.font("secondary"))
        painter.setPen(muted)
        painter.drawStaticText(*self._summary)
        painter.setPen(plain)
        painter.drawStaticText(*self._left)
        status = self._status
        if status is not None:
            if status.attention:
                painter.setPen(bad)
            painter.drawStaticText(*self._right)
            if status.progress is not None:
                self._paint_progress(painter, status.state, status.progress)
        if self._stubs:
            painter.setFont(look.font("caption"))
            painter.setPen(muted)
            for stub in self._stubs:
                painter.drawStaticText(*stub)

    def _paint_progress(self, painter: QPainter, state: str, progress: float) -> None:
        track = QRectF(look.PAD, look.PROGRESS_TOP + self._lift, _FOOTER_WIDTH, look.PROGRESS_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour("sunken"))
        painter.drawRoundedRect(track, 2, 2)
        track.setWidth(max(look.PROGRESS_HEIGHT, track.width() * min(1.0, progress)))
        painter.setBrush(theme().colour(f"state.{state}"))
        painter.drawRoundedRect(track, 2, 2)


class TitleWords:
    """What a node says when it is small on screen."""

    def __init__(self, face: NodeFace, status: NodeStatus | None, height: float, _stubs: Mapping[float, str]) -> None:
        lines = look.wrapped(face.title, _TEXT_WIDTH + 4, "strong", _TITLE_SIZE)
        figure = status.figure if status is not None else None
        said = count(figure) if figure else status.word if status is not None and status.state != "idle" else ""
        left = look.TEXT_LEFT - 4
        self._title = (
            QPointF(left, header_middle(height) - 12 * len(lines) - 1),
            look.static_text(lines, "strong", _TITLE_SIZE),
        )
        figure_y = look.FOOTER_TOP + height - look.NODE_HEIGHT - 7
        self._figure = QPointF(left, figure_y), look.static_text((said,), "body", _FIGURE_SIZE)

    def paint(self, painter: QPainter, drawing: Drawing) -> None:
        strong, _muted, plain, _bad = drawing.text_pens()
        painter.setFont(look.font("strong", _TITLE_SIZE))
        painter.setPen(strong)
        painter.drawStaticText(*self._title)
        painter.setFont(look.font("body", _FIGURE_SIZE))
        painter.setPen(plain)
        painter.drawStaticText(*self._figure)


def header_middle(height: float) -> float:
    """The line on which icon, title and summary are centred."""
    return (look.HEADER_TOP + look.HEADER_BOTTOM + height - look.NODE_HEIGHT) / 2
