"""Short messages at the lower edge of the window, with at most one button (often “Undo”).

Absent on purpose: windows of their own (they steal focus), and anything that must be answered.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from studio.ui import icons
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CONTROL, Tone
from studio.ui.widgets.buttons import IconButton, LinkButton
from studio.ui.widgets.labels import Text
from studio.ui.widgets.layout import row, widgets_of

_SHOWN_MAX = 3
_PLAIN_MS, _WITH_BUTTON_MS, _BAD_MS = 5_000, 10_000, 14_000
_MARKS: dict[Tone, tuple[str, str]] = {
    "good": ("circle-check", "state.done"),
    "bad": ("octagon-alert", "state.failed"),
    "caution": ("triangle-alert", "state.waiting"),
}


class Toast(QFrame):
    """One message. It waits while the mouse or the keyboard is in it."""

    def __init__(
        self, text: str, button: str = "", on_button: Callable[[], object] | None = None, tone: Tone = "default"
    ) -> None:
        super().__init__()
        self.setAccessibleName(text)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.close_it)
        self._lasts = _BAD_MS if tone == "bad" else _WITH_BUTTON_MS if button else _PLAIN_MS
        words = Text(text, "body")
        words.setMaximumWidth(theme().px(420))
        words.setMinimumWidth(min(theme().px(420), words.fontMetrics().horizontalAdvance(text) + 4))
        items: list[QWidget] = [words]
        if tone in _MARKS:
            icon, colour = _MARKS[tone]
            mark = QLabel()
            mark.setPixmap(icons.pixmap(icon, colour, theme().px(17), ratio=self.devicePixelRatioF()))
            items.insert(0, mark)
        self.button: LinkButton | None = None
        if button and on_button is not None:
            self.button = LinkButton(button, lambda: self._act(on_button))
            items.append(self.button)
        items.append(IconButton("x", "Close this message", self.close_it, size=14))
        self.setLayout(row(*items, spacing=10, margins=(14, 8, 8, 8)))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def start(self) -> None:
        self._timer.start(self._lasts)

    @property
    def remaining_ms(self) -> int:
        """How long it stays; −1 while it waits for mouse or keyboard."""
        return self._timer.remainingTime()

    def close_it(self) -> None:
        self._timer.stop()
        self.hide()
        self.setParent(None)
        self.deleteLater()

    def _act(self, run: Callable[[], object]) -> None:
        self.close_it()
        run()

    def enterEvent(self, _event: QEnterEvent) -> None:
        self._timer.stop()

    def leaveEvent(self, _event: QEvent) -> None:
        self._timer.start(_PLAIN_MS)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().colour("control_border"), 1))
        painter.setBrush(theme().colour("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_CONTROL, RADIUS_CONTROL)


class Toasts(QWidget):
    """The pile of messages, kept at the lower middle of its parent."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(8)
        parent.installEventFilter(self)
        self.hide()

    def show_message(
        self, text: str, button: str = "", on_button: Callable[[], object] | None = None, tone: Tone = "default"
    ) -> Toast:
        """Adds a message; the oldest goes when there are too many."""
        toast = Toast(text, button, on_button, tone)
        while self._box.count() >= _SHOWN_MAX:
            self.toasts()[0].close_it()
        self._box.addWidget(toast, 0, Qt.AlignmentFlag.AlignHCenter)
        toast.destroyed.connect(self._place)
        toast.show()
        self.show()
        self.raise_()
        self._place()
        toast.start()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))
        return toast

    def toasts(self) -> list[Toast]:
        """The messages now shown, oldest first."""
        return [widget for widget in widgets_of(self._box) if isinstance(widget, Toast)]

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._place()
        return handled

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not vars(self):  # Python is taking a closed window apart; on 3.11 an error here would end the program
            return False
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        if not self._box.count():
            self.hide()
            return
        parent = self._host
        width = min(self._box.sizeHint().width(), parent.width() - 40)
        height = self._box.heightForWidth(width) if self._box.hasHeightForWidth() else self._box.sizeHint().height()
        self.setGeometry((parent.width() - width) // 2, parent.height() - height - 20, width, height)
