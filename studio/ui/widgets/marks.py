"""Small signs: pills, state badges, numbered steps, bars, rings.

Absent on purpose: meaning by colour alone; every mark has a word or a glyph beside its colour.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimerEvent
from PySide6.QtGui import QFontMetrics, QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QWidget

from studio.ui import icons
from studio.ui.theme import theme
from studio.ui.tokens import STATES
from studio.ui.widgets.labels import Text, unbroken

BANDS = {"strong": ("strong fit", 3), "likely": ("likely fit", 2), "worth_a_look": ("worth a look", 1)}
"""Relevance band → words, and how many of the ring's three arcs are filled."""
SIGNS = {"strong": "check", "likely": "trending-up", "worth_a_look": "eye"}
"""Relevance band → what stands in the ring."""

_FILLED = frozenset({"play", "pause", "square", "skip-forward"})


class Pill(Text):
    """A short word in a rounded frame, with a dot in a state's or token's colour when wanted."""

    def __init__(self, text: str = "", dot: str = "", *, filled: bool = False) -> None:
        """`dot` is a colour name (`state.running`, `accent`); `filled` gives the pill the accent's soft ground."""
        super().__init__(text, "secondary", "accent" if filled else "secondary", wrap=False, tabular=True)
        self._dot = dot
        self._filled = filled
        self._pad()
        theme().changed.connect(self._pad)

    def set_pill(self, text: str, dot: str = "") -> None:
        if (text, dot) != (self.text(), self._dot):
            self._dot = dot
            self.setText(text)
            self._pad()

    def set_state(self, state: str, text: str = "") -> None:
        """The state's dot and word; `text` replaces the word (“running · 68 %”)."""
        self.set_pill(text or STATES[state].word, f"state.{state}")

    def _pad(self) -> None:
        self.setContentsMargins(9 + (theme().px(14) if self._dot else 0), 3, 10, 3)
        # Qt has nothing laid out anew for a widget of fixed size: percentages follow each other quickly.
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        metrics, around = QFontMetrics(self.font()), self.contentsMargins()
        words = metrics.size(Qt.TextFlag.TextSingleLine, unbroken(self.text()))
        return QSize(words.width() + around.left() + around.right(), metrics.height() + around.top() + around.bottom())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        radius = frame.height() / 2
        painter.setPen(QPen(theme().colour("accent_soft" if self._filled else "border"), 1))
        painter.setBrush(theme().colour("accent_soft" if self._filled else "surface"))
        painter.drawRoundedRect(frame, radius, radius)
        if self._dot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().colour(self._dot))
            painter.drawEllipse(QPointF(9 + theme().px(4.5), frame.center().y()), theme().px(4), theme().px(4))
        painter.end()
        super().paintEvent(event)


class StatePill(Pill):
    """A run's or step's state in dot and word."""

    def __init__(self, state: str, text: str = "") -> None:
        super().__init__()
        self.set_state(state, text)


class Dot(QWidget):
    """A coloured dot before a line of text that says the same in words."""

    def __init__(self, colour: str, size: int = 8) -> None:
        super().__init__()
        self._colour = colour
        self._size = size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        size = theme().px(self._size)
        return QSize(size, max(size, theme().px(16)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour(self._colour))
        radius = theme().px(self._size) / 2
        painter.drawEllipse(QRectF(self.rect()).center(), radius, radius)


class Badge(QWidget):
    """A filled circle with a glyph or up to two letters: a state, a step number, a kind of thing."""

    def __init__(self, colour: str, *, icon: str = "", text: str = "", name: str = "", size: int = 22) -> None:
        super().__init__()
        self._colour, self._icon, self._text, self._size = colour, icon, text, size
        self.setAccessibleName(name or text)
        self.setToolTip(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.updateGeometry)

    @classmethod
    def for_state(cls, state: str, size: int = 22) -> Badge:
        """The state's colour and glyph; its word is the tooltip."""
        look = STATES[state]
        return cls(f"state.{state}", icon=look.icon, name=look.word, size=size)

    def set_state(self, state: str) -> None:
        look = STATES[state]
        self._colour, self._icon, self._text = f"state.{state}", look.icon, ""
        self.setAccessibleName(look.word)
        self.setToolTip(look.word)
        self.update()

    def sizeHint(self) -> QSize:
        side = theme().px(self._size)
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme().px(self._size)
        circle = QRectF(0, 0, side, side)
        circle.moveCenter(QRectF(self.rect()).center())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour(self._colour))
        painter.drawEllipse(circle)
        ink = "on_accent" if self._colour == "accent" else "on_state"
        if self._icon:
            glyph = f"{self._icon}!" if self._icon in _FILLED else self._icon
            icons.draw(painter, circle.center(), glyph, ink, round(side * (0.5 if glyph.endswith("!") else 0.6)))
            return
        font = theme().font("caption")
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(theme().colour(ink))
        painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, self._text)


class Bar(QProgressBar):
    """A thin bar from 0 to 1 on a track; `colour` is a token. Screen readers hear it as a progress bar."""

    def __init__(
        self, value: float | None = 0.0, colour: str = "accent", *, thickness: int = 6, name: str = ""
    ) -> None:
        super().__init__()
        self._colour = colour
        self._thickness = thickness
        self.setTextVisible(False)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_value(value)

    def set_value(self, value: float | None, colour: str = "") -> None:
        """`value` in [0, 1]; None while the end is not known (then the bar moves)."""
        self._colour = colour or self._colour
        self.setRange(0, 0 if value is None else 1000)
        if value is not None:
            self.setValue(round(min(1.0, max(0.0, value)) * 1000))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(80, self._thickness)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self._thickness)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        track = QRectF(0, (self.height() - self._thickness) / 2, self.width(), self._thickness)
        radius = self._thickness / 2
        painter.setBrush(theme().colour("sunken"))
        painter.drawRoundedRect(track, radius, radius)
        filled = self._filled(track)
        if filled.width() > 0:
            painter.setBrush(theme().colour(self._colour))
            painter.drawRoundedRect(filled, radius, radius)

    def _filled(self, track: QRectF) -> QRectF:
        if self.maximum() > 0:
            share = self.value() / self.maximum()
            width = max(self._thickness, track.width() * share) if share > 0 else 0.0
            return QRectF(track.x(), track.y(), width, track.height())
        return self._moving(track)

    def _moving(self, track: QRectF) -> QRectF:
        return QRectF(track.x() + track.width() * 0.3, track.y(), track.width() * 0.4, track.height())


class ProgressLine(Bar):
    """Progress of work under way. With an unknown end a piece of it travels, unless motion is reduced."""

    def __init__(self, value: float | None = 0.0, colour: str = "accent", *, name: str = "Progress") -> None:
        self._phase = 0.0
        self._timer_id = 0
        super().__init__(value, colour, name=name)

    @property
    def is_moving(self) -> bool:
        return self._timer_id != 0

    def set_value(self, value: float | None, colour: str = "") -> None:
        super().set_value(value, colour)
        self._run_timer()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run_timer()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._run_timer()

    def timerEvent(self, event: QTimerEvent) -> None:
        if event.timerId() == self._timer_id:
            self._phase = (self._phase + 0.02) % 1.0
            self.update()
        else:
            super().timerEvent(event)

    def _run_timer(self) -> None:
        wanted = self.maximum() == 0 and self.isVisible() and not theme().reduced_motion
        if wanted and not self._timer_id:
            self._timer_id = self.startTimer(33)
        elif not wanted and self._timer_id:
            self.killTimer(self._timer_id)
            self._timer_id = 0

    def _moving(self, track: QRectF) -> QRectF:
        width = track.width() * 0.3
        left = track.x() - width + (track.width() + width) * (self._phase or 0.5)
        piece = QRectF(left, track.y(), width, track.height())
        return piece.intersected(track)


def confidence_colour(confidence: float) -> str:
    """The bar's colour: sure enough to pass, or worth a look."""
    return "state.done" if confidence >= 0.8 else "state.waiting"


class Ring(QWidget):
    """A ring filled from the top, with a short text inside; or three arcs for a relevance band, with its sign."""

    def __init__(self, fraction: float = 0.0, text: str = "", *, size: int = 46, name: str = "") -> None:
        super().__init__()
        self._fraction, self._text, self._size = fraction, text, size
        self._arcs, self._sign = 0, ""
        self.setAccessibleName(name or text)
        self.setToolTip(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.updateGeometry)

    @classmethod
    def for_band(cls, band: str, *, size: int = 46, name: str = "") -> Ring:
        """Three arcs, as many filled as the band is strong (see `BANDS`): no number is known, so none is shown."""
        words, arcs = BANDS[band]
        ring = cls(arcs / 3, size=size, name=name or words)
        ring._arcs, ring._sign = 3, SIGNS[band]
        return ring

    def sizeHint(self) -> QSize:
        side = theme().px(self._size)
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = max(4.0, theme().px(self._size) * 0.1)
        circle = QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2)
        for start, span, colour in self._strokes():
            pen = QPen(theme().colour(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawArc(circle, round(start * 16), round(-span * 16))
        if self._sign:
            icons.draw(painter, QRectF(self.rect()).center(), self._sign, "accent", theme().px(self._size * 0.44))
            return
        font = theme().font("subheading")
        if QFontMetrics(font).horizontalAdvance(self._text) > circle.width() - width * 2:
            font = theme().font("caption")
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(theme().colour("text"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)

    def _strokes(self) -> list[tuple[float, float, str]]:
        """Start angle, clockwise span in degrees, colour."""
        if not self._arcs:
            span = 360 * min(1.0, max(0.0, self._fraction))
            return [(90, 360, "accent_soft"), (90, span, "accent")]
        gap, step = 12.0, 360 / self._arcs
        filled = round(self._fraction * self._arcs)
        return [
            (90 - gap / 2 - index * step, step - gap, "accent" if index < filled else "accent_soft")
            for index in range(self._arcs)
        ]
