"""Trees whose lines are as high as their words need, so that nothing is cut in a narrow panel or with large text.

Absent on purpose: what stands in a tree.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QTreeView

_BESIDE_WORDS = 12
"""Margins of the style around icon and words, in pixels."""


def wrap_lines(tree: QTreeView) -> None:
    """Lets the words of the first column go on in further lines where they do not fit into one."""
    tree.setWordWrap(True)
    tree.setUniformRowHeights(False)
    tree.setItemDelegateForColumn(0, _Wrapped(tree))


class _Wrapped(QStyledItemDelegate):
    def __init__(self, tree: QTreeView) -> None:
        super().__init__(tree)
        self._tree = tree
        tree.header().sectionResized.connect(tree.scheduleDelayedItemsLayout)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        # Qt breaks the lines at a width of its own where it is given one; here they are counted below.
        option.rect.setWidth(1 << 16)
        hint = super().sizeHint(option, index)
        self.initStyleOption(option, index)
        is_spanned = self._tree.isFirstColumnSpanned(index.row(), index.parent())
        width = self._tree.viewport().width() if is_spanned else self._tree.columnWidth(0)
        room = width - self._indent_of(index) - _BESIDE_WORDS
        if not option.icon.isNull():
            room -= self._tree.iconSize().width() + 4
        if room <= 0:
            return hint
        flags = int(Qt.TextFlag.TextWordWrap)
        words = option.fontMetrics.boundingRect(QRect(0, 0, room, 10_000), flags, option.text)
        one_line = option.fontMetrics.height()
        return QSize(min(hint.width(), room), hint.height() + max(0, words.height() - one_line))

    def _indent_of(self, index: QModelIndex | QPersistentModelIndex) -> int:
        depth, above = 1 if self._tree.rootIsDecorated() else 0, index.parent()
        while above.isValid():
            depth, above = depth + 1, above.parent()
        return depth * self._tree.indentation()
