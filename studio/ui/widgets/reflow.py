"""Layouts whose height follows from their width: lines of chips, grids of cards, columns that stack.

They are how a screen stays whole in a small window and at 200 % text. Absent on purpose: break points in pixels of the
screen; each layout looks at its own width.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QStackedWidget, QWidget

from studio.ui.theme import theme


class _Reflowing(QLayout):
    """Shared book-keeping of the two layouts whose height follows from their width."""

    def __init__(self, spacing: int) -> None:
        super().__init__()
        self.items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self.items.append(item)

    def count(self) -> int:
        return len(self.items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self.items[index] if 0 <= index < len(self.items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self.items.pop(index) if 0 <= index < len(self.items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self.items:
            size = size.expandedTo(item.minimumSize())
        margins = self.contentsMargins()
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        """Places the items in `rect` (when `move`) and answers the height they need."""
        raise NotImplementedError

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self.items if not item.isEmpty()]


class FlowLayout(_Reflowing):
    """Items of their own size, broken into lines like words. For chips and buttons."""

    def __init__(self, spacing: int = 8) -> None:
        super().__init__(spacing)

    def sizeHint(self) -> QSize:
        sizes = [item.sizeHint() for item in self._shown()]
        width = sum(size.width() for size in sizes) + self.spacing() * max(0, len(sizes) - 1)
        return QSize(width, max((size.height() for size in sizes), default=0))

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        area = rect.marginsRemoved(self.contentsMargins())
        y = area.y()
        for line in self._lines(area):
            height = max(place.height() for _item, place in line)
            if move:
                for item, place in line:
                    item.setGeometry(place.translated(0, y + (height - place.height()) // 2))
            y += height + self.spacing()
        return max(area.y(), y - self.spacing()) - rect.y() + self.contentsMargins().bottom()

    def _lines(self, area: QRect) -> list[list[tuple[QLayoutItem, QRect]]]:
        """Items with their places along each line; how low they stand follows from the line's height."""
        lines: list[list[tuple[QLayoutItem, QRect]]] = []
        x = area.x()
        for item in self._shown():
            size = item.sizeHint().boundedTo(QSize(max(area.width(), item.minimumSize().width()), 1 << 20))
            if not lines or (x > area.x() and x + size.width() > area.right() + 1):
                lines.append([])
                x = area.x()
            lines[-1].append((item, QRect(QPoint(x, 0), size)))
            x += size.width() + self.spacing()
        return lines


class GridFlow(_Reflowing):
    """Columns of equal width, as many as fit; items of a line are equally high. For cards."""

    def __init__(
        self, column_width: int, *, spacing: int = 12, columns_max: int = 12, keeps_columns: bool = False
    ) -> None:
        """`column_width` is the least width of a column, in pixels at 100 % text scale.

        `keeps_columns`: few items stay as wide as many would be, instead of filling the line.
        """
        super().__init__(spacing)
        self._keeps_columns = keeps_columns
        self._column_width = column_width
        self._columns_max = columns_max

    def columns_at(self, width: int) -> int:
        """How many columns fit into a width."""
        fitting = (width + self.spacing()) // (theme().px(self._column_width) + self.spacing())
        filled = self._columns_max if self._keeps_columns else len(self._shown()) or 1
        return max(1, min(self._columns_max, fitting, filled))

    def minimumSize(self) -> QSize:
        # One column wide at least; the height follows from the width.
        widest = max((item.minimumSize().width() for item in self._shown()), default=0)
        return QSize(widest, 0)

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        area = rect.marginsRemoved(self.contentsMargins())
        shown, columns = self._shown(), self.columns_at(area.width())
        width = (area.width() - self.spacing() * (columns - 1)) / columns
        y = area.y()
        for start in range(0, len(shown), columns):
            line = shown[start : start + columns]
            height = max(_height_of(item, int(width)) for item in line)
            for index, item in enumerate(line):
                left = area.x() + round(index * (width + self.spacing()))
                right = area.x() + round(index * (width + self.spacing()) + width)
                if move:
                    item.setGeometry(QRect(left, y, right - left, height))
            y += height + self.spacing()
        return max(0, y - self.spacing() - rect.y()) + self.contentsMargins().bottom()


def _height_of(item: QLayoutItem, width: int) -> int:
    # The least height of wrapping text is that of its narrowest width, so it says nothing about this one.
    return item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()


def flowing(*widgets: QWidget, spacing: int = 8) -> QWidget:
    """A holder of widgets that wrap like words; hidden when there are none."""
    holder = QWidget()
    layout = FlowLayout(spacing)
    for widget in widgets:
        layout.addWidget(widget)
    holder.setLayout(layout)
    holder.setVisible(bool(widgets))
    return holder


def lowering() -> QStackedWidget:
    """Pages of which one is seen; it may get lower than the highest of them, so what stands above it is not cut off."""
    pages = QStackedWidget()
    pages.setMinimumSize(1, 1)
    return pages


class Beside(_Reflowing):
    """Words, and at their right what can be done; where the words would get too narrow, it goes below them."""

    def __init__(self, words: QWidget, actions: QWidget, *, least: int = 320) -> None:
        """`least`: how narrow the words may get, in pixels at 100 % text scale."""
        super().__init__(12)
        self._least = least
        self.addWidget(words)
        self.addWidget(actions)

    def minimumSize(self) -> QSize:
        return QSize(max((item.minimumSize().width() for item in self._shown()), default=0), 0)

    def sizeHint(self) -> QSize:
        width = sum(item.sizeHint().width() + self.spacing() for item in self._shown())
        return QSize(width, self.heightForWidth(width))

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        words, actions = self.items
        if actions.isEmpty():
            return self._put(words, rect.topLeft(), rect.width(), move=move)
        aside = actions.sizeHint().width()
        room = rect.width() - aside - self.spacing()
        if room < theme().px(self._least):
            height = self._put(words, rect.topLeft(), rect.width(), move=move)
            below = QPoint(rect.x(), rect.y() + height + 8)
            return height + 8 + self._put(actions, below, rect.width(), move=move)
        height = max(_height_of(words, room), _height_of(actions, aside))
        low = rect.y() + height - _height_of(actions, aside)
        # A single line stands level with the buttons, not at their upper edge.
        middle = rect.y() + (height - _height_of(words, room)) // 2
        self._put(words, QPoint(rect.x(), middle), room, move=move)
        self._put(actions, QPoint(rect.right() + 1 - aside, low), aside, move=move)
        return height

    def _put(self, item: QLayoutItem, at: QPoint, width: int, *, move: bool) -> int:
        height = _height_of(item, width)
        if move:
            item.setGeometry(QRect(at, QSize(width, height)))
        return height


class SideBySide(QWidget):
    """Widgets side by side in given shares; those without room go to the next line. One line fills the height."""

    def __init__(self, *parts: tuple[QWidget, int], spacing: int = 16, least: int = 260) -> None:
        """`parts`: widget and share. `least` is the width below which a column wraps, in pixels at 100 % text scale."""
        super().__init__()
        layout = _ShareLayout([share for _widget, share in parts], spacing, least)
        for widget, _share in parts:
            layout.addWidget(widget)
        self.setLayout(layout)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)


class _ShareLayout(_Reflowing):
    def __init__(self, shares: Sequence[int], spacing: int, least: int) -> None:
        super().__init__(spacing)
        self._shares = list(shares)
        self._least = least

    def minimumSize(self) -> QSize:
        return QSize(max((item.minimumSize().width() for item in self._shown()), default=0), 0)

    def sizeHint(self) -> QSize:
        width = sum(item.sizeHint().width() + self.spacing() for item in self._shown())
        return QSize(width, self.heightForWidth(width))

    def _lines(self, width: int) -> list[list[int]]:
        """Indices of the items of each line."""
        lines: list[list[int]] = []
        used = 0
        for index, item in enumerate(self.items):
            if item.isEmpty():
                continue
            least = max(theme().px(self._least), item.minimumSize().width())
            if lines and used + self.spacing() + least <= width:
                lines[-1].append(index)
                used += self.spacing() + least
            else:
                lines.append([index])
                used = least
        return lines

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        area = rect.marginsRemoved(self.contentsMargins())
        lines = self._lines(area.width())
        y = area.y()
        for line in lines:
            places = self._places(line, area)
            height = max(_height_of(self.items[i], place.width()) for i, place in zip(line, places, strict=True))
            if len(lines) == 1:
                height = max(height, area.height())
            if move:
                for index, place in zip(line, places, strict=True):
                    self.items[index].setGeometry(QRect(place.x(), y, place.width(), height))
            y += height + self.spacing()
        return max(0, y - self.spacing() - rect.y())

    def _places(self, line: Sequence[int], area: QRect) -> list[QRect]:
        free = area.width() - self.spacing() * (len(line) - 1)
        widths = self._widths(line, free)
        places: list[QRect] = []
        x = area.x()
        for width in widths:
            places.append(QRect(x, 0, width, 0))
            x += width + self.spacing()
        return places

    def _widths(self, line: Sequence[int], free: int) -> list[int]:
        """By share, but never below an item's least width; rounding goes to the last."""
        least = [self.items[index].minimumSize().width() for index in line]
        held: set[int] = set()
        while True:
            rest = free - sum(least[k] for k in held)
            total = sum(self._shares[index] for k, index in enumerate(line) if k not in held) or 1
            widths = [least[k] if k in held else rest * self._shares[index] // total for k, index in enumerate(line)]
            short = {k for k in range(len(line)) if k not in held and widths[k] < least[k]}
            if not short:
                widths[-1] += free - sum(widths)
                return widths
            held |= short
