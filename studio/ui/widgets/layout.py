"""Rows and columns in one line of code.

Absent on purpose: absolute positions; what reflows with the width is in `reflow`, the frames of a screen in `frames`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from PySide6.QtWidgets import QBoxLayout, QLayout, QWidget


class Stretch:
    """Marks the place in a row or column that takes the space left over."""


STRETCH: Final = Stretch()
Item: TypeAlias = QWidget | QLayout | Stretch | int
Margins: TypeAlias = tuple[int, int, int, int]


def row(*items: Item, spacing: int = 8, margins: Margins = (0, 0, 0, 0)) -> QBoxLayout:
    """Items from left to right: widgets, layouts, `STRETCH`, or a number of pixels."""
    return fill(QBoxLayout(QBoxLayout.Direction.LeftToRight), items, spacing, margins)


def column(*items: Item, spacing: int = 8, margins: Margins = (0, 0, 0, 0)) -> QBoxLayout:
    """Items from top to bottom."""
    return fill(QBoxLayout(QBoxLayout.Direction.TopToBottom), items, spacing, margins)


def fill(box: QBoxLayout, items: tuple[Item, ...], spacing: int, margins: Margins) -> QBoxLayout:
    box.setSpacing(spacing)
    box.setContentsMargins(*margins)
    for item in items:
        add(box, item)
    return box


def add(box: QBoxLayout, item: Item, stretch: int = 0, *, before_last: bool = False) -> None:
    """Appends an item; with `before_last` in front of the last one (a spacer that keeps the rest together)."""
    at = box.count() - 1 if before_last else box.count()
    if isinstance(item, QWidget):
        box.insertWidget(at, item, stretch)
    elif isinstance(item, QLayout):
        box.insertLayout(at, item, stretch)
    elif isinstance(item, Stretch):
        box.insertStretch(at, 1)
    else:
        box.insertSpacing(at, item)


def panel(layout: QLayout) -> QWidget:
    """A plain widget around a layout."""
    holder = QWidget()
    holder.setLayout(layout)
    return holder


def widgets_of(layout: QLayout) -> list[QWidget]:
    """The widgets directly in a layout, in order."""
    found: list[QWidget] = []
    for index in range(layout.count()):
        item = layout.itemAt(index)
        widget = item.widget() if item is not None else None
        if widget is not None:
            found.append(widget)
    return found


def clear(layout: QLayout) -> None:
    """Takes everything out of a layout and deletes it."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)
