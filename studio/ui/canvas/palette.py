"""The steps there are, by group, to be dragged onto the canvas or added by a double click.

Absent on purpose: a list of node types; it shows the catalogue it is given.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QFrame, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from studio.domain.node import Declaration
from studio.domain.validation import Catalogue
from studio.ui import icons
from studio.ui.canvas import look
from studio.ui.canvas.picker import Pick
from studio.ui.canvas.pointer import NODE_TYPE_MIME
from studio.ui.shell.fuzzy import match
from studio.ui.theme import theme
from studio.ui.widgets import SearchField, Text, wrap_lines

GROUP_ORDER = ("Start", "Audience", "Flow", "Data", "Messages", "Experiments")
_TYPE_ROLE = Qt.ItemDataRole.UserRole
_ICON = 22
_INDENT = 14


class NodePalette(QWidget):
    """`add_wanted(type_id)` on double click or Enter."""

    add_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._catalogue: Catalogue = {}
        self.search = SearchField("Find a step")
        self.tree = _Tree()
        self.nothing = Text("No step has this in its name.", "secondary", "muted")
        self.nothing.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 12, 12, 8)
        box.setSpacing(8)
        for widget in (self.search, self.nothing, self.tree):
            box.addWidget(widget)
        box.setStretch(2, 1)
        self.search.textChanged.connect(self._narrow)
        self.tree.itemActivated.connect(self._activated)
        theme().changed.connect(self._rebuild)

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """Offers the types of a catalogue. Each opening of a workflow tells them: the same ones again cost nothing."""
        is_known = declarations(catalogue) == declarations(self._catalogue)
        self._catalogue = catalogue
        if not is_known:
            self._rebuild()

    def _rebuild(self) -> None:
        self.tree.clear()
        self.tree.setIndentation(_INDENT)
        self.tree.setIconSize(QSize(theme().px(_ICON), theme().px(_ICON)))
        groups: dict[str, QTreeWidgetItem] = {}
        for about in declarations(self._catalogue):
            group = groups.get(about.group)
            if group is None:
                group = groups[about.group] = QTreeWidgetItem([about.group])
                group.setFlags(Qt.ItemFlag.ItemIsEnabled)
                group.setFont(0, theme().font("strong"))
                self.tree.addTopLevelItem(group)
                group.setExpanded(True)
            item = QTreeWidgetItem([about.title])
            item.setIcon(0, type_icon(about, theme().px(_ICON)))
            item.setToolTip(0, about.summary)
            item.setData(0, _TYPE_ROLE, about.id)
            group.addChild(item)
        self._narrow()

    def _narrow(self) -> None:
        query = self.search.text()
        shown = 0
        for number in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(number)
            visible = 0
            for place in range(group.childCount()):
                item = group.child(place)
                about = self._catalogue[item.data(0, _TYPE_ROLE)].declaration
                hit = match(query, about.title) is not None or _says(f"{about.summary} {about.group}", query)
                item.setHidden(not hit)
                visible += hit
            group.setHidden(not visible)
            shown += visible
        self.nothing.setVisible(not shown)

    def _activated(self, item: QTreeWidgetItem) -> None:
        type_id = item.data(0, _TYPE_ROLE)
        if type_id:
            self.add_wanted.emit(str(type_id))


class _Tree(QTreeWidget):
    """A tree whose leaves can be dragged as node types."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setHeaderLabels(["Step"])
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Steps to add")
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setExpandsOnDoubleClick(False)
        wrap_lines(self)

    def mimeTypes(self) -> list[str]:
        return [NODE_TYPE_MIME]

    def mimeData(self, items: Sequence[QTreeWidgetItem]) -> QMimeData:
        data = QMimeData()
        for item in items:
            type_id = item.data(0, _TYPE_ROLE)
            if type_id:
                data.setData(NODE_TYPE_MIME, str(type_id).encode())
        return data


def declarations(catalogue: Catalogue) -> list[Declaration]:
    """All node types, groups in the order of a journey, further groups behind them."""
    known = {group: place for place, group in enumerate(GROUP_ORDER)}
    found = [node_class.declaration for node_class in catalogue.values()]
    return sorted(found, key=lambda about: (known.get(about.group, len(known)), about.group, about.title))


def picks(catalogue: Catalogue, *, with_input: bool = False) -> list[Pick]:
    """Node types to pick from by typing; `with_input`: only those an edge can lead to."""
    return [
        Pick(about.id, about.title, about.group, about.summary, type_icon(about, theme().px(18)))
        for about in declarations(catalogue)
        if about.inputs or not with_input
    ]


def type_icon(about: Declaration, size: int) -> QIcon:
    """The coloured tile of a node type."""
    made = QIcon()
    for ratio in (1.0, 2.0):
        pixmap = QPixmap(round(size * ratio), round(size * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.tile_colour(about.role if about.role in ("goal", "exit") else about.group)))
        area = QRectF(0, 0, size, size)
        painter.drawRoundedRect(area, size * 0.27, size * 0.27)
        icons.draw(painter, area.center(), about.icon, "on_state", round(size * 0.6))
        painter.end()
        made.addPixmap(pixmap)
        # A chosen line would tint it else, and the colour says what kind of step it is.
        made.addPixmap(pixmap, QIcon.Mode.Selected)
    return made


def _says(text: str, query: str) -> bool:
    # Letters in order are found in any longer sentence; there a word must be meant.
    return all(f" {word}" in f" {text.casefold()}" for word in query.casefold().split())
