"""What a place says when it has nothing to show, is still working, or failed; and the pane that switches between them.

Absent on purpose: spinners that say nothing. Work under 0.3 s shows no sign at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.ui import icons
from studio.ui.background import Progress, Task, run_with_progress
from studio.ui.faults import Fault, explain
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CARD
from studio.ui.widgets.buttons import LinkButton, PrimaryButton, SecondaryButton
from studio.ui.widgets.labels import Text
from studio.ui.widgets.layout import STRETCH, row
from studio.ui.widgets.marks import ProgressLine

T = TypeVar("T")
_QUIET_MS = 300
_COLUMN_WIDTH = 420


class _Middle(QWidget):
    """A narrow column in the middle of whatever place there is."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._column = QWidget()
        self._column.setMaximumWidth(theme().px(_COLUMN_WIDTH))
        self.box = QVBoxLayout(self._column)
        self.box.setContentsMargins(16, 16, 16, 16)
        self.box.setSpacing(8)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        middle = row(STRETCH, self._column, STRETCH)
        middle.setStretch(1, 20)
        outer.addStretch(2)
        outer.addLayout(middle)
        outer.addStretch(3)


class EmptyState(_Middle):
    """What belongs here, what to do to get it, and one button that does it."""

    def __init__(
        self,
        title: str,
        what_to_do: str,
        button: str = "",
        on_click: Callable[[], object] | None = None,
        *,
        icon: str = "inbox",
        second: str = "",
        on_second: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self._icon_name = icon
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.box.addWidget(self._picture)
        self.box.addWidget(Text(title, "subheading", align=Qt.AlignmentFlag.AlignHCenter))
        words = Text(what_to_do, "body", "muted", align=Qt.AlignmentFlag.AlignHCenter)
        self.box.addWidget(words)
        buttons: list[QWidget] = []
        if button:
            self.button = PrimaryButton(button, on_click)
            buttons.append(self.button)
        if second:
            buttons.append(SecondaryButton(second, on_second))
        if buttons:
            self.box.addSpacing(6)
            self.box.addLayout(row(STRETCH, *buttons, STRETCH))
        self._redraw()
        theme().changed.connect(self._redraw)

    def _redraw(self) -> None:
        ratio = self.devicePixelRatioF()
        self._picture.setPixmap(icons.pixmap(self._icon_name, "text_muted", theme().px(28), ratio=ratio))


class ErrorPanel(QFrame):
    """What happened, to whom, what to do, with the buttons that do it. No stack trace; its details can be copied."""

    def __init__(
        self,
        happened: str,
        to_whom: str = "",
        to_do: str = "",
        actions: Sequence[tuple[str, Callable[[], object]]] = (),
        *,
        details: str = "",
    ) -> None:
        """The first of `actions` is the primary one."""
        super().__init__()
        self.setAccessibleName(happened)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 14, 16, 14)
        box.setSpacing(6)
        self.happened = Text(happened, "subheading", "bad", selectable=True)
        box.addWidget(self.happened)
        if to_whom:
            box.addWidget(Text(to_whom, "body", "muted", selectable=True))
        if to_do:
            box.addWidget(Text(to_do, "body", selectable=True))
        buttons: list[QWidget] = [
            (PrimaryButton if index == 0 else SecondaryButton)(text, run) for index, (text, run) in enumerate(actions)
        ]
        self.buttons = list(buttons)
        if details:
            buttons.append(LinkButton("Copy details", lambda: QGuiApplication.clipboard().setText(details), quiet=True))
        if buttons:
            box.addSpacing(4)
            box.addLayout(row(*buttons, STRETCH))

    @classmethod
    def for_error(
        cls, error: BaseException | Fault, actions: Sequence[tuple[str, Callable[[], object]]] = ()
    ) -> ErrorPanel:
        fault = error if isinstance(error, Fault) else explain(error)
        return cls(fault.happened, fault.where, fault.to_do, actions, details=fault.details)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().colour("state.failed"), 1))
        painter.setBrush(theme().colour("bad_soft"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_CARD, RADIUS_CARD)


class Working(_Middle):
    """Says what is being done, how far it is, and lets it be cancelled."""

    def __init__(self, text: str, on_cancel: Callable[[], object] | None = None) -> None:
        super().__init__()
        self._text = Text(text, "body", "muted", align=Qt.AlignmentFlag.AlignHCenter)
        self._line = ProgressLine(None, name=text)
        self.box.addWidget(self._text)
        self.box.addWidget(self._line)
        if on_cancel is not None:
            self.box.addSpacing(4)
            self.box.addLayout(row(STRETCH, SecondaryButton("Cancel", on_cancel), STRETCH))

    def set_progress(self, fraction: float, text: str = "") -> None:
        """`fraction` below 0: not known."""
        self._line.set_value(None if fraction < 0 else fraction)
        if text:
            self._text.setText(text)


class Pane(QStackedWidget):
    """A place whose content is fetched: shows the work in progress, the content, an empty state, or the error."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.content = content
        self._extra: QWidget | None = None
        self._task: Task[Any] | None = None
        self.addWidget(content)

    @property
    def is_loading(self) -> bool:
        return self._task is not None

    def show_content(self) -> None:
        self.setCurrentWidget(self.content)
        self._drop_extra()

    def show_empty(self, empty: EmptyState) -> None:
        self._show_extra(empty)

    def show_error(self, error: BaseException, retry: Callable[[], object] | None = None) -> None:
        panel = ErrorPanel.for_error(error, [("Try again", retry)] if retry is not None else [])
        holder = QWidget()
        box = QVBoxLayout(holder)
        box.setContentsMargins(16, 16, 16, 16)
        box.addWidget(panel)
        box.addStretch(1)
        self._show_extra(holder)

    def load(self, fetch: Callable[[Progress], T], show: Callable[[T], object], *, doing: str = "Loading …") -> None:
        """Fetches on a worker thread, then calls `show` on the Qt thread. `show` may call `show_empty`.

        A second call drops the first one's result.
        """
        if self._task is not None:
            self._task.cancel()

        def done(result: T) -> None:
            self._task = None
            self.show_content()
            show(result)

        def failed(error: Exception) -> None:
            self._task = None
            self.show_error(error, retry=lambda: self.load(fetch, show, doing=doing))

        task = run_with_progress(fetch, done, failed, owner=self)
        self._task = task
        QTimer.singleShot(_QUIET_MS, self, lambda: self._show_work(task, doing))

    def _show_work(self, task: Task[Any], doing: str) -> None:
        if self._task is not task:
            return
        working = Working(doing, lambda: self._cancel(task))
        working.set_progress(*task.latest)
        task.progressed.connect(working.set_progress)
        self._show_extra(working)

    def _cancel(self, task: Task[Any]) -> None:
        task.cancel()
        self._task = None
        self.show_content()

    def _show_extra(self, widget: QWidget) -> None:
        self._drop_extra()
        self._extra = widget
        self.addWidget(widget)
        self.setCurrentWidget(widget)

    def _drop_extra(self) -> None:
        if self._extra is not None:
            self.removeWidget(self._extra)
            self._extra.deleteLater()
            self._extra = None
