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
from studio.ui.numbers import NOTHING, count
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


_SUMMARY_LINE = 16
FULL = Style(title=14, line=18.0, footer=12, has_summary=True)
COMPACT = Style(title=16, line=20.0, footer=14, has_summary=False)


def _told(summary: str, lines_max: int) -> tuple[str, ...]:
    """The settings in one line where that is enough; a short title leaves room for a second one."""
    if not summary:
        return ()
    short = look.fitting(summary, _TEXT_WIDTH, "secondary")
    if lines_max < 2 or short == summary:
        return (short,)
    first, _, rest = summary.partition(" · ")
    if rest and look.width_of(first, "secondary") <= _TEXT_WIDTH:
        return first, look.fitting(rest, _TEXT_WIDTH, "secondary")
    return look.wrapped(summary, _TEXT_WIDTH, "secondary")


class FullWords:
    """Title, settings, figures and progress. Only the figures are written anew when the run goes on."""

    def __init__(self, face: NodeFace, height: float, stubs: Mapping[float, str], style: Style = FULL) -> None:
        self._face = face
        self._style = style
        lines = look.wrapped(face.title, _TEXT_WIDTH, "subheading", style.title)
        told = _told(face.summary, 3 - len(lines)) if style.has_summary else ()
        title_height = style.line * len(lines)
        top = header_middle(height) - (title_height + _SUMMARY_LINE * len(told)) / 2
        self._title = QPointF(look.TEXT_LEFT, top), look.static_text(lines, "subheading", style.title)
        self._summary = QPointF(look.TEXT_LEFT, top + title_height + 1), look.static_text(told, "secondary")
        self._lift = height - look.NODE_HEIGHT
        self._stubs = tuple(
            (
                QPointF(NODE_WIDTH + 9, y - 7),
                look.static_text((look.elided(label, look.STUB_WIDTH - 14, "caption"),), "caption"),
            )
            for y, label in stubs.items()
        )
        self.set_status(None)

    def set_status(self, status: NodeStatus | None) -> None:
        """Writes the figures; without a run the kind of step stands in their place."""
        self._status = status
        size = self._style.footer
        left, right = self._fitted(status) if status is not None else (self._kind(size), "")
        if right == NOTHING:
            right = ""
        right_width = look.width_of(right, "secondary", size) if right else 0.0
        room = _FOOTER_WIDTH - right_width - (_FOOTER_SPACE if right else 0)
        y = look.FOOTER_TOP + self._lift - (size - FULL.footer) + look.ascent("secondary", size)
        # Figures change more often than they are painted: laid out beforehand they would cost four times as much.
        self._left = QPointF(look.PAD, y), look.elided(left, room, "secondary", size)
        self._right = QPointF(NODE_WIDTH - look.PAD - right_width, y), right

    def _kind(self, size: int) -> str:
        """What kind of step it is, or of which group, where that is too long."""
        fits = look.width_of(self._face.kind, "secondary", size) <= _FOOTER_WIDTH
        return self._face.kind if fits else self._face.group or self._face.kind

    def _fitted(self, status: NodeStatus) -> tuple[str, str]:
        short_left, short_right = status.left_short or status.left, status.right_short or status.right
        pairs = (
            (status.left, status.right),
            (status.left, short_right),
            (short_left, status.right),
            (short_left, short_right),
        )
        size = self._style.footer
        for left, right in pairs:
            needed = look.width_of(left, "secondary", size) + look.width_of(right, "secondary", size)
            if needed + _FOOTER_SPACE <= _FOOTER_WIDTH:
                return left, right
        return pairs[-1]

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
        painter.drawText(*self._left)
        status = self._status
        if status is not None:
            if status.attention:
                painter.setPen(bad)
            painter.drawText(*self._right)
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

    def __init__(self, face: NodeFace, height: float) -> None:
        lines = look.wrapped(face.title, _TEXT_WIDTH + 4, "strong", _TITLE_SIZE)
        self._title = (
            QPointF(look.TEXT_LEFT - 4, header_middle(height) - 12 * len(lines) - 1),
            look.static_text(lines, "strong", _TITLE_SIZE),
        )
        figure_top = look.FOOTER_TOP + height - look.NODE_HEIGHT - 7
        self._figure_at = QPointF(look.TEXT_LEFT - 4, figure_top + look.ascent("body", _FIGURE_SIZE))
        self.set_status(None)

    def set_status(self, status: NodeStatus | None) -> None:
        """Writes the one figure, or the state when there is none."""
        figure = status.figure if status is not None else None
        word = status.word if status is not None and status.state != "idle" else ""
        self._figure = count(figure) if figure else word

    def paint(self, painter: QPainter, drawing: Drawing) -> None:
        strong, _muted, plain, _bad = drawing.text_pens()
        painter.setFont(look.font("strong", _TITLE_SIZE))
        painter.setPen(strong)
        painter.drawStaticText(*self._title)
        painter.setFont(look.font("body", _FIGURE_SIZE))
        painter.setPen(plain)
        painter.drawText(self._figure_at, self._figure)


def words_for(level: Level, face: NodeFace, height: float, stubs: Mapping[float, str]) -> FullWords | TitleWords:
    """The words of a node at a level of detail, without a run."""
    if level == "title":
        return TitleWords(face, height)
    return FullWords(face, height, stubs, FULL if level == "full" else COMPACT)


def header_middle(height: float) -> float:
    """The line on which icon, title and summary are centred."""
    return (look.HEADER_TOP + look.HEADER_BOTTOM + height - look.NODE_HEIGHT) / 2
