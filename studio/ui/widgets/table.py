"""Tables of rows: sortable, figures right-aligned and equally wide, copied with Ctrl+C, exported as CSV.

Rows are any objects; a `Column` says how to read and write one cell. Only visible cells are painted, so 100,000 rows
cost no more than 20. Absent on purpose: editing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QSize,
    Qt,
    Signal,
    SignalInstance,
)
from PySide6.QtGui import QAction, QFontMetrics, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QMenu, QSizePolicy, QTableView

from studio.ui import export
from studio.ui.faults import guarded
from studio.ui.theme import theme
from studio.ui.widgets.table_cells import CELL_PAD, CellPainter, Column

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex
_ROWS_MEASURED = 100
_LOOSE_MAX = 36
_READABLE = 240
"""Of a stretching column, in pixels at 100 % text scale; the table scrolls sideways sooner than that."""


class Rows(QAbstractTableModel, Generic[R]):
    """The rows as Qt wants them. Sorting is stable and puts missing values last."""

    RowRole = Qt.ItemDataRole.UserRole

    def __init__(self, columns: Sequence[Column[R]]) -> None:
        super().__init__()
        self.columns = list(columns)
        self.rows: list[R] = []
        self._given: list[R] = []
        self.sorted_by: tuple[int, Qt.SortOrder] | None = None

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        column, row = self.columns[index.column()], self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.shown(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _aligned(column)
        return row if role == self.RowRole else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.heading(section)
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.help or None
        return _aligned(column) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def heading(self, section: int) -> str:
        """The column's title, with an arrow when it is sorted by."""
        title = self.columns[section].title
        if self.sorted_by is None or self.sorted_by[0] != section:
            return title
        return f"{title} ↑" if self.sorted_by[1] == Qt.SortOrder.AscendingOrder else f"{title} ↓"

    def replace(self, rows: Sequence[R]) -> None:
        self.beginResetModel()
        self._given = list(rows)
        self.rows = self._ordered()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        held = [self.rows[index.row()] for index in before]
        self.sorted_by = (column, order) if column >= 0 else None
        self.rows = self._ordered()
        places = {id(row): number for number, row in enumerate(self.rows)}
        after = [self.index(places[id(row)], index.column()) for row, index in zip(held, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)

    def _ordered(self) -> list[R]:
        if self.sorted_by is None:
            return list(self._given)
        value = self.columns[self.sorted_by[0]].value
        present = [row for row in self._given if value(row) is not None]
        missing = [row for row in self._given if value(row) is None]
        present.sort(key=lambda row: _sort_key(value(row)), reverse=self.sorted_by[1] == Qt.SortOrder.DescendingOrder)
        return present + missing


def _sort_key(value: object) -> tuple[int, object]:
    # Numbers before words, words regardless of case: a column may hold both (“—”, “< 1 %”).
    if isinstance(value, str):
        return 1, value.casefold()
    return (0, value) if isinstance(value, int | float) else (2, value)


def _aligned(column: Column[R]) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def shared(wanted: Sequence[int], free: int) -> list[int]:
    """Widths of stretching columns: what is too much for one goes to those who need it.

    >>> shared([60, 200], 300), shared([60, 200], 200), shared([200, 200], 300)
    ([80, 220], [60, 140], [150, 150])
    """
    if sum(wanted) <= free:
        spare = (free - sum(wanted)) // len(wanted)
        return [width + spare for width in wanted]
    given, left = [0] * len(wanted), max(0, free)
    for place, index in enumerate(sorted(range(len(wanted)), key=lambda index: wanted[index])):
        given[index] = min(wanted[index], left // (len(wanted) - place))
        left -= given[index]
    return given


class Table(QTableView, Generic[R]):
    """Signals: `row_chosen(row)` when the selection moves, `row_opened(row)` on double click or Enter."""

    row_chosen = Signal(object)
    row_opened = Signal(object)

    def __init__(
        self, name: str, columns: Sequence[Column[R]], rows: Sequence[R] = (), *, fit_rows: bool = False
    ) -> None:
        """`name` is for screen readers and file names. `fit_rows`: as high as its rows, for short tables in cards."""
        super().__init__()
        self._name = name
        self._fit_rows = fit_rows
        self._rows: Rows[R] = Rows(columns)
        self.setModel(self._rows)
        self.setAccessibleName(name)
        self._cells = CellPainter(self, columns)
        self.setItemDelegate(self._cells)
        self._set_look()
        self._set_columns()
        self._add_commands()
        self.selectionModel().currentRowChanged.connect(lambda now, _old: self._tell(self.row_chosen, now))
        self.activated.connect(lambda index: self._tell(self.row_opened, index))
        theme().changed.connect(self._resize_rows)
        self._rows.replace(rows)
        self._resize_rows()

    def set_rows(self, rows: Sequence[R]) -> None:
        """Replaces the rows; a sorting the person chose stays."""
        if rows or self._rows.rows:
            self._rows.replace(rows)
            self._resize_rows()

    def rows(self) -> list[R]:
        """The rows in the order shown."""
        return list(self._rows.rows)

    @property
    def current_row(self) -> R | None:
        index = self.currentIndex()
        return self._rows.rows[index.row()] if index.isValid() else None

    def data_rows(self) -> export.Rows:
        """All rows as raw values, in the order shown."""
        columns = self._rows.columns
        return export.Rows(
            [column.title for column in columns], [[c.value(row) for c in columns] for row in self._rows.rows]
        )

    def _set_look(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        if self._fit_rows:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _set_columns(self) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setMinimumSectionSize(36)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.sectionClicked.connect(self._sort_by)

    def _sort_by(self, column: int) -> None:
        # Not Qt's own sort arrow: it would reserve its room in every header. Figures start with the largest.
        first = Qt.SortOrder.DescendingOrder if self._rows.columns[column].numeric else Qt.SortOrder.AscendingOrder
        other = Qt.SortOrder.AscendingOrder if self._rows.columns[column].numeric else Qt.SortOrder.DescendingOrder
        self._rows.sort(column, other if self._rows.sorted_by == (column, first) else first)
        self._fit_columns()

    def _fit_columns(self) -> None:
        """Each column as wide as its content; the stretching ones share what is left, but stay readable."""
        header, place = self.horizontalHeader(), self.viewport().width()
        wanted = [self._wanted_width(index) for index in range(len(self._rows.columns))]
        stretched = [i for i, column in enumerate(self._rows.columns) if column.width == "stretch"] or [0]
        # Half of what is free goes between the columns, so that figures do not crowd at one end.
        loose = max(0, place - sum(wanted)) // (2 * len(wanted))
        wanted = [width if index in stretched else width + min(loose, _LOOSE_MAX) for index, width in enumerate(wanted)]
        fixed = sum(width for index, width in enumerate(wanted) if index not in stretched)
        shares = dict(zip(stretched, shared([wanted[index] for index in stretched], place - fixed), strict=True))
        for index, width in enumerate(wanted):
            least = max(min(width, max(place // 5, min(theme().px(_READABLE), place // 3))), self._heading_width(index))
            header.resizeSection(index, max(shares[index], least) if index in shares else width)

    def _wanted_width(self, index: int) -> int:
        cells = self._cells.width_of(self._rows.columns[index], self._rows.rows[:_ROWS_MEASURED])
        return max(self._heading_width(index), cells + 2 * CELL_PAD + 2)

    def _heading_width(self, index: int) -> int:
        words = QFontMetrics(theme().font("secondary")).horizontalAdvance(self._rows.heading(index))
        return words + 2 * CELL_PAD + 2

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def _add_commands(self) -> None:
        self._copy = QAction("Copy rows", self)
        self._copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        self._copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._copy.triggered.connect(guarded(self.copy))
        self._save = QAction("Export CSV …", self)
        self._save.triggered.connect(guarded(lambda: export.save_csv(self, self._name, self.data_rows())))
        self.addActions([self._copy, self._save])

    def copy(self) -> None:
        """Copies the selected rows, or all when none is selected."""
        chosen = sorted(index.row() for index in self.selectionModel().selectedRows())
        everything = self.data_rows()
        values = [everything.values[number] for number in chosen] if chosen else everything.values
        export.copy_rows(export.Rows(everything.header, values))

    def menu(self) -> QMenu:
        """Copy and export."""
        menu = QMenu(self)
        menu.addActions([self._copy, self._save])
        return menu

    def _show_menu(self, place: QPoint) -> None:
        self.menu().popup(self.viewport().mapToGlobal(place))

    def _tell(self, signal: SignalInstance, index: Index) -> None:
        if index.isValid():
            signal.emit(self._rows.rows[index.row()])

    def _resize_rows(self) -> None:
        height = theme().px(33)
        self.verticalHeader().setDefaultSectionSize(height)
        self.verticalHeader().setMinimumSectionSize(height)
        self._fit_columns()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        if not self._fit_rows:
            return super().sizeHint()
        return QSize(320, self._full_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self._full_height() if self._fit_rows else theme().px(76))

    def _full_height(self) -> int:
        rows = self._rows.rowCount() * self.verticalHeader().defaultSectionSize()
        too_wide = self.horizontalHeader().length() > self.viewport().width()
        bar = self.horizontalScrollBar().sizeHint().height() if too_wide else 0
        return self.horizontalHeader().sizeHint().height() + rows + 1 + bar
