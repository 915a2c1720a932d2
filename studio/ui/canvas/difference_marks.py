"""How a difference from an earlier state is marked on a step: a colour, and always the word.

Absent on purpose: which steps are different (`comparison.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from studio.domain.difference import Kind
from studio.ui.canvas import look
from studio.ui.theme import theme

MARK_COLOURS: Mapping[Kind, str] = {
    "added": "state.done",
    "changed": "state.warning",
    "removed": "state.failed",
    "moved": "control_border",
}


def paint_word(painter: QPainter, word: str, colour: str) -> None:
    """What happened to a step, above its upper left corner: colour alone tells nobody."""
    # Far away the words stay as large on screen as they can without reaching the next node.
    size = round(max(12.0, min(20.0, 11.0 / painter.worldTransform().m11())))
    width = look.width_of(word, "caption", size) + 14
    area = QRectF(6, -size - 10, width, size + 6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().colour(colour))
    painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
    painter.setFont(look.font("caption", size))
    painter.setPen(theme().colour("on_state"))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, word)
