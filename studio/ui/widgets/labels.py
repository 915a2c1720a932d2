"""Words on screen: text in a role and a tone, paragraphs with room between their lines, one-line labels that shorten.

Absent on purpose: markup from outside. `Text` shows exactly the characters it is given, so a contact's name can hold
anything; only `Paragraph.set_parts` knows bold, and it escapes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from studio.ui.theme import theme
from studio.ui.tokens import TextRole, Tone
from studio.ui.widgets.layout import STRETCH, column, panel, row
from studio.ui.widgets.reflow import Beside, flowing

_LINE_HEIGHT_PERCENT = 122
_SLASH = re.compile(r"(?<=\b\w)/(?=\w\b)")
_ANY_SIZE = 16_777_215
"""Qt's word for no limit."""
_RIGHT_TO_LEFT = re.compile(r"\W*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile(r"[A-Za-z]")


def unbroken(text: str) -> str:
    """Keeps “A/B” and the like in one piece where a line ends, and a sentence of ours that begins with a name written
    from the right in its own direction.
    """
    led = f"\u200e{text}" if _RIGHT_TO_LEFT.match(text) and _LATIN.search(text) else text
    return _SLASH.sub("\u2060/\u2060", led).replace("\u2212$", "\u2212\u2060$").replace("\u2212€", "\u2212\u2060€")


class Text(QLabel):
    """One piece of text. It wraps at words unless `wrap` is off, and never clips. `tabular` for figures in columns."""

    def __init__(
        self,
        text: str = "",
        role: TextRole = "body",
        tone: Tone = "default",
        *,
        wrap: bool = True,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
        selectable: bool = False,
        tabular: bool = False,
    ) -> None:
        super().__init__()
        self._role: TextRole = role
        self._tone: Tone = tone
        self._tabular = tabular
        self._words = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        self.setAlignment(align | Qt.AlignmentFlag.AlignVCenter)
        if wrap:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        if selectable:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.setText(text)
        self._restyle()
        theme().changed.connect(self._restyle)

    def setText(self, text: str) -> None:
        self._words = text
        super().setText(unbroken(text))

    def text(self) -> str:
        """The words as they were given."""
        return self._words

    def set_tone(self, tone: Tone) -> None:
        if tone != self._tone:
            self._tone = tone
            self._restyle()

    def _restyle(self) -> None:
        self.setFont(theme().font(self._role, tabular=self._tabular))
        palette = QPalette(self.palette())
        palette.setColor(QPalette.ColorRole.WindowText, theme().tone(self._tone))
        palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText, theme().colour("text_disabled"))
        self.setPalette(palette)


class LiveText(Text):
    """One line that changes while somebody looks. It keeps the room it once needed, so that what stands around it is
    laid out again only when it needs more.
    """

    def __init__(
        self,
        text: str = "",
        role: TextRole = "body",
        tone: Tone = "default",
        *,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        super().__init__(text, role, tone, wrap=False, align=align, tabular=True)

    def setText(self, text: str) -> None:
        if text != self._words:
            super().setText(text)
            self._take_room()

    def _restyle(self) -> None:
        self.setMinimumSize(0, 0)
        self.setMaximumSize(_ANY_SIZE, _ANY_SIZE)
        super()._restyle()
        self._take_room()

    def _take_room(self) -> None:
        # Qt asks nobody for another place while the least and the most room are the same.
        needed = self.sizeHint()
        if needed != self.minimumSize():
            self.setFixedSize(needed)


class Paragraph(Text):
    """Several lines of running text, with air between them; parts of it may be bold."""

    def __init__(self, text: str = "", role: TextRole = "body", tone: Tone = "secondary") -> None:
        self._plain = ""
        super().__init__(text, role, tone)
        self.setTextFormat(Qt.TextFormat.RichText)

    def set_parts(self, parts: Sequence[tuple[str, bool]]) -> None:
        """Pieces of text, each with whether it is bold."""
        self._plain = "".join(text for text, _bold in parts)
        marked = "".join(f"<b>{_escaped(text)}</b>" if bold else _escaped(text) for text, bold in parts)
        QLabel.setText(self, f'<p style="margin:0; line-height:{_LINE_HEIGHT_PERCENT}%">{marked}</p>')
        self.setAccessibleName(self._plain)

    def setText(self, text: str) -> None:
        self.set_parts([(text, False)])

    def text(self) -> str:
        return self._plain


def _escaped(text: str) -> str:
    return html.escape(unbroken(text)).replace("\n", "<br>")


class ElidingLabel(Text):
    """One line that ends in “…” when its place is too narrow; the whole text is then its tooltip."""

    def __init__(
        self,
        text: str = "",
        role: TextRole = "body",
        tone: Tone = "default",
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        super().__init__(text, role, tone, wrap=False, align=align)
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        # A short text needs no more than itself: whoever adds up wished widths must not come out below the least ones.
        least = min(QFontMetrics(self.font()).horizontalAdvance("MMM…"), self.sizeHint().width())
        return QSize(least, super().minimumSizeHint().height())

    def shown_text(self) -> str:
        """What is visible at the present width."""
        return QFontMetrics(self.font()).elidedText(self.text(), self._mode, self.contentsRect().width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setToolTip(self.text() if self.shown_text() != self.text() else "")

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), self.alignment() | Qt.TextFlag.TextSingleLine, self.shown_text())

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()
        return super().event(event)


class SectionTitle(QWidget):
    """A card's or column's title, with room for a control at the right."""

    def __init__(self, text: str, *trailing: QWidget, note: str = "") -> None:
        super().__init__()
        self.title = Text(text, "subheading")
        end = (STRETCH, Text(note, "secondary", "muted", wrap=False)) if note else ()
        box = row(self.title, *end, *trailing)
        box.setStretch(0, 0 if note else 1)
        # As high with a small button as without, so that titles of cards side by side stay on one line.
        self._fit()
        theme().changed.connect(self._fit)
        for widget in trailing:
            beside = Qt.AlignmentFlag.AlignVCenter if isinstance(widget, Text) else Qt.AlignmentFlag.AlignTop
            box.setAlignment(widget, beside)
        self.setLayout(box)

    def _fit(self) -> None:
        self.setMinimumHeight(theme().px(24))


class PageHeader(QWidget):
    """The first lines of a screen: the finding in words, what it rests on, and the screen's actions at the right."""

    def __init__(self, title: str, note: str = "", *actions: QWidget) -> None:
        super().__init__()
        self.title = Text(title, "title")
        self.note = Text(note, "body", "muted")
        self.note.setVisible(bool(note))
        words = panel(column(self.title, self.note, spacing=4))
        self.setLayout(Beside(words, flowing(*actions)))

    def set_finding(self, title: str, note: str = "") -> None:
        self.title.setText(title)
        self.note.setText(note)
        self.note.setVisible(bool(note))
