"""A place on a screen whose content is made anew whenever what it shows has changed.

Absent on purpose: keeping widgets that did not change; these places are small.
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from studio.ui import widgets as w
from studio.ui.widgets.layout import Item, add


class Place(QWidget):
    """A column of items."""

    def __init__(self, *items: Item, spacing: int = 8) -> None:
        super().__init__()
        self._box = w.column(*items, spacing=spacing)
        self.setLayout(self._box)

    def fill(self, *items: Item) -> None:
        """Puts these in place of what was there."""
        w.clear(self._box)
        for item in items:
            self.add(item)

    def add(self, item: Item, stretch: int = 0) -> None:
        add(self._box, item, stretch)

    def insert_before(self, widget: QWidget, new: QWidget) -> None:
        """Adds `new` above a widget that is here."""
        self._box.insertWidget(self._box.indexOf(widget), new)
        new.show()
