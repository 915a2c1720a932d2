"""The small button in a card's corner that opens what can be had of its chart or table: data, copy, files.

The same menu opens on a right click; the button is there to be seen and reached by keyboard. Absent on purpose:
anything about what the data mean.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize

from studio.ui import widgets as w
from studio.ui.charts import Chart
from studio.ui.theme import theme


class DataButton(w.IconButton):
    """No higher than the title it stands beside, so that titles of cards side by side stay on one line."""

    def sizeHint(self) -> QSize:
        return QSize(theme().px(30), theme().px(24))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


def data_button(part: Chart | w.Table) -> w.IconButton:
    """A button that opens the menu of a chart or table below itself."""

    def open_menu() -> None:
        part.menu().popup(button.mapToGlobal(QPoint(0, button.height())))

    kinds = "table, copy, CSV, PNG, SVG" if isinstance(part, Chart) else "copy, CSV"
    button = DataButton("ellipsis", f"{part.accessibleName()}: {kinds}", open_menu, size=16)
    return button
