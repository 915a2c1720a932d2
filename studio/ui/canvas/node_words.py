"""The words on a node, laid out once for a face and a status: title, settings, figures, progress.

The smaller the graph is on screen, the fewer and larger the words: everything, then without the settings, then a title
and one figure. Absent on purpose: ground, icon and badge, which are shared pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from studio.ui.canvas import look
from studio.ui.canvas.drawing import Drawing
from studio.ui.canvas.face import NodeFace
from studio.ui.canvas.look import NODE_WIDTH, Level
from studio.ui.canvas.status import NodeStatus
from studio.ui.numbers import count
from studio.ui.theme import theme

_TEXT_WIDTH = NODE_WIDTH - look.TEXT_LEFT - 10
_FOOTER_WIDTH = NODE_WIDTH - 2 * look.PAD
_FOOTER_SPACE = 8.0
_TITLE_SIZE = 19
_FIGURE_SIZE = 16


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in scene units; the smaller the graph is on screen, the larger the words and the fewer."""

    title: int
    line: float
    footer: int
    has_summary: bool


FULL = Style(title=14, line=18.0, footer=12, has_summary=True)
COMPACT = Style(title=16, line=20.0, footer=14, has_summary=False)


class FullWords:
    """Title, settings, figures and progress."""

    def __init__(
        self,
        face: NodeFace,
        status: NodeStatus | None,
        height: float,
        stubs: Mapping[float, str],
        style: Style = FULL,
    ) -> None:
        self._style = style
        lines = look.wrapped(face.title, _TEXT_WIDTH, "subheading", style.title)
        told = look.fitting(face.summary, _TEXT_WIDTH, "secondary") if style.has_summary else ""
        title_height = style.line * len(lines)
        top = header_middle(height) - (title_height + (16 if told else 0)) / 2
        self._title = QPointF(look.TEXT_LEFT, top), look.static_text(lines, "subheading", style.title)
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
        size = self._style.footer
        measure = look.metrics("secondary", size).horizontalAdvance
        left, right = face.kind, ""
        if status is not None:
            short_left, short_right = status.left_short or status.left, status.right_short or status.right
            pairs = [
                (status.left, status.right),
                (status.left, short_right),
                (short_left, status.right),
                (short_left, short_right),
            ]
            fitting = [p for p in pairs if measure(p[0]) + measure(p[1]) + _FOOTER_SPACE <= _FOOTER_WIDTH]
            left, right = fitting[0] if fitting else pairs[-1]
        right_width = measure(right) if right else 0.0
        left = look.elided(left, _FOOTER_WIDTH - right_width - (_FOOTER_SPACE if right else 0), "secondary", size)
        y = look.FOOTER_TOP + self._lift - (size - FULL.footer)
        self._left = QPointF(look.PAD, y), look.static_text((left,), "secondary", size)
        self._right = QPointF(NODE_WIDTH - look.PAD - right_width, y), look.static_text((right,), "secondary", size)

    def paint(self, painter: QPainter, drawing: Drawing) -> None:
        strong, muted, plain, bad = drawing.text_pens()
        style = self._style
        painter.setFont(look.font("subheading", style.title))
        painter.setPen(strong)
        painter.drawStaticText(*self._title)
        if style.has_summary:
            painter.setFont(look.font("secondary"))
            painter.setPen(muted)
            painter.drawStaticText(*self._summary)
        painter.setFont(look.font("secondary", style.footer))
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

    def __init__(self, face: NodeFace, status: NodeStatus | None, height: float) -> None:
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


def words_for(
    level: Level, face: NodeFace, status: NodeStatus | None, height: float, stubs: Mapping[float, str]
) -> FullWords | TitleWords:
    """The words of a node at a level of detail."""
    if level == "title":
        return TitleWords(face, status, height)
    return FullWords(face, status, height, stubs, FULL if level == "full" else COMPACT)


def header_middle(height: float) -> float:
    """The line on which icon, title and summary are centred."""
    return (look.HEADER_TOP + look.HEADER_BOTTOM + height - look.NODE_HEIGHT) / 2
