"""The frames of a screen: a column that scrolls, white panels at the sides, and the three of them together.

Absent on purpose: panels that float or dock.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QScrollArea,
    QSizePolicy,
    QSpacerItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from studio.ui.theme import theme
from studio.ui.widgets.buttons import Segmented
from studio.ui.widgets.layout import STRETCH, Item, Margins, add, column, panel, row


class ScrollColumn(QScrollArea):
    """A column that scrolls when it is higher than its place. Add to it with `add`; margins as a screen wants them."""

    def __init__(self, *, margins: Margins = (22, 22, 22, 22), spacing: int = 12, width_max: int | None = None) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content = QWidget()
        content.setObjectName("scrollContent")
        self.box = QVBoxLayout(content)
        self.box.setSpacing(spacing)
        self.box.setContentsMargins(*margins)
        if width_max is not None:
            content.setMaximumWidth(width_max)
        # Takes the height left over, unless something was added with a stretch of its own.
        self.box.addSpacerItem(QSpacerItem(0, 0, QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Expanding))
        self._content = content
        self.setWidget(content)

    def add(self, item: Item, stretch: int = 0) -> None:
        add(self.box, item, stretch, before_last=True)

    def minimumSizeHint(self) -> QSize:
        # Never scroll sideways: the content's own least width is ours.
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._content.minimumSizeHint().width() + bar, 80)


Side: TypeAlias = Literal["left", "right"]


class SidePanel(QWidget):
    """The white column at the side of a screen, with a hairline towards the middle. It scrolls by itself."""

    def __init__(self, side: Side, width: int = 270, *, margins: Margins = (18, 18, 18, 18), spacing: int = 8) -> None:
        super().__init__()
        self._side = side
        self._width = width
        self._alone = False
        self.column = ScrollColumn(margins=margins, spacing=spacing)
        edge: Margins = (1, 0, 0, 0) if side == "right" else (0, 0, 1, 0)
        self.setLayout(column(self.column, spacing=0, margins=edge))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.updateGeometry)

    def add(self, item: Item, stretch: int = 0) -> None:
        self.column.add(item, stretch)

    def set_alone(self, alone: bool) -> None:
        """Alone it takes the whole width; beside others its own."""
        self._alone = alone
        across = QSizePolicy.Policy.Expanding if alone else QSizePolicy.Policy.Fixed
        self.setSizePolicy(across, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        # Grows with the text, but never to more than half as much again: the middle needs its place.
        scale = min(1.5, theme().text_scale)
        return QSize(max(round(self._width * scale), self.column.minimumSizeHint().width() + 1), 400)

    def minimumSizeHint(self) -> QSize:
        width = self.column.minimumSizeHint().width() + 1 if self._alone else self.sizeHint().width()
        return QSize(width, 80)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().colour("surface"))
        if self._alone:
            return
        x = 0 if self._side == "right" else self.width() - 1
        painter.fillRect(x, 0, 1, self.height(), theme().colour("border"))


class Panes(QWidget):
    """Side panels and a middle in one row. Too narrow for that: one at a time, chosen above them."""

    def __init__(
        self,
        middle: tuple[str, QWidget],
        *,
        left: tuple[str, SidePanel] | None = None,
        right: tuple[str, SidePanel] | None = None,
        middle_least: int = 420,
    ) -> None:
        """Each part with its name. `middle_least` is the middle's least width in pixels at 100 % text scale."""
        super().__init__()
        self._named = [part for part in (left, middle, right) if part is not None]
        self._sides = [part[1] for part in (left, right) if part is not None]
        self._middle = middle[1]
        self._middle_least = middle_least
        self._switch = Segmented({name: name for name, _widget in self._named}, middle[0], name="Part of the screen")
        self._switch.chosen.connect(self.show_part)
        self._bar = panel(row(STRETCH, self._switch, STRETCH, margins=(8, 8, 8, 8)))
        self._stack = QStackedWidget()
        self._wide = row(spacing=0)
        self._beside = panel(self._wide)
        self._narrow = False
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._bar)
        box.addWidget(self._stack, 1)
        box.addWidget(self._beside, 1)
        self._arrange(narrow=False)
        theme().changed.connect(self._fit)

    @property
    def is_narrow(self) -> bool:
        """Whether only one part is shown at a time."""
        return self._narrow

    def show_part(self, name: str) -> None:
        """Brings a part to the front; in a wide window all are visible anyway. Raises KeyError for one there is not."""
        widget = dict(self._named)[name]
        self._switch.set_value(name)
        if self._narrow:
            self._stack.setCurrentWidget(widget)

    def minimumSizeHint(self) -> QSize:
        return QSize(max(widget.minimumSizeHint().width() for _name, widget in self._named), 120)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        least = max(theme().px(self._middle_least), self._middle.minimumSizeHint().width())
        needed = least + sum(side.sizeHint().width() for side in self._sides)
        narrow = self.width() < needed
        if narrow != self._narrow:
            self._arrange(narrow=narrow)

    def _arrange(self, *, narrow: bool) -> None:
        self._narrow = narrow
        for _name, widget in self._named:
            if isinstance(widget, SidePanel):
                widget.set_alone(narrow)
            if narrow:
                self._wide.removeWidget(widget)
                self._stack.addWidget(widget)
            else:
                self._stack.removeWidget(widget)
                self._wide.addWidget(widget, 1 if widget is self._middle else 0)
                widget.show()
        self._bar.setVisible(narrow)
        self._stack.setVisible(narrow)
        self._beside.setVisible(not narrow)
        if narrow:
            self.show_part(self._switch.value)
