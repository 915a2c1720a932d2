"""A question whose answer cannot be taken back; “Cancel” is what Enter and Escape mean.

Absent on purpose: questions about what can be undone; those are not asked.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def ask(window: QWidget, title: str, words: str, yes: str, then: Callable[[], object]) -> None:
    """Returns at once; calls `then` when the button `yes` was pressed."""
    kind, cancel = QMessageBox.Icon.Warning, QMessageBox.StandardButton.Cancel
    box = QMessageBox(kind, title, title, cancel, window)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(words)
    go = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(cancel)

    def answered() -> None:
        box.deleteLater()
        if box.clickedButton() is go:
            then()

    box.finished.connect(answered)
    box.open()
