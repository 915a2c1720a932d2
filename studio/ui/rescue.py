"""A workspace that cannot be opened: what happened, and the way back to its newest backup, before there is a window.

Absent on purpose: mending a damaged file; what is set aside stays for whoever can.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox

from studio.domain.clock import utc_now
from studio.domain.errors import Corrupt, StudioError
from studio.workspace.backups import backups_of, go_back
from studio.workspace.workspace import Workspace


def rescued(error: StudioError, folder: Path, agreed: Callable[[str, str], bool] | None = None) -> Workspace | None:
    """The workspace as its newest backup has it, if it is damaged and the person agrees; None otherwise.

    `agreed(words, button)`: asks; by default a box, and where nobody looks a no.

    Raises StudioError when the backup does not open either.
    """
    is_damaged = isinstance(error, Corrupt) or error.code == "STORE-NOT-WORKSPACE"
    there = backups_of(folder) if is_damaged else []
    if not there:
        return None
    at = f"{there[0].at.astimezone():%d %B %Y, %H:%M}"
    words = (
        f"{error.message}\nThere is a backup of {at}. The workspace as it is now is set aside, and runs that had "
        "something to send are held."
    )
    if not (agreed or _box)(words, f"Go back to {at}"):
        return None
    go_back(folder, there[0].name, utc_now())
    return Workspace.open(folder)


def tell_without_window(error: StudioError) -> None:
    """A box, for whoever started the program with an icon sees no terminal; where nobody looks, nothing."""
    if _somebody_looks():
        QMessageBox.critical(None, "Flowlight Studio", f"{error.message} {error.hint or ''}".strip())


def _box(words: str, button: str) -> bool:
    if not _somebody_looks():
        return False
    box = QMessageBox(QMessageBox.Icon.Critical, "Flowlight Studio", words, QMessageBox.StandardButton.Close)
    go = box.addButton(button, QMessageBox.ButtonRole.AcceptRole)
    box.exec()
    return box.clickedButton() is go


def _somebody_looks() -> bool:
    return QGuiApplication.platformName() not in ("offscreen", "minimal")
