"""The menu under the workspace's name: those opened last, another folder, a new one, the demo.

Absent on purpose: opening; the composition replaces its window by one on the chosen folder.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.ui.shell import Action
from studio.workspace.folder import holds_workspace

RECENT_MAX = 6
_RECENT = "workspaces/recent"
_GROUP = "Workspace"


class RecentWorkspaces:
    """Folders opened on this computer, the last one first; those that are gone are not named."""

    def __init__(self, settings: QSettings | None) -> None:
        self._settings = settings

    def folders(self) -> list[Path]:
        if self._settings is None:
            return []
        kept = self._settings.value(_RECENT, [])
        names = [kept] if isinstance(kept, str) else list(kept) if isinstance(kept, (list, tuple)) else []
        return [folder for folder in map(Path, names) if holds_workspace(folder)]

    def remember(self, folder: Path) -> None:
        if self._settings is not None:
            others = [known for known in self.folders() if known != folder]
            self._settings.setValue(_RECENT, [str(known) for known in (folder, *others)][:RECENT_MAX])


def workspace_actions(
    window: QWidget, here: Path, recent: RecentWorkspaces, open_folder: Callable[[Path], object]
) -> list[Action]:
    """The menu's actions, the recent ones first; `open_folder` makes a workspace of a folder that is empty or new."""
    others = [folder for folder in recent.folders() if folder != here]
    return [
        *(
            Action(
                id=f"workspace.recent.{place}",
                title=f"Open {folder.name}",
                run=partial(open_folder, folder),
                group=_GROUP,
                keywords=str(folder),
            )
            for place, folder in enumerate(others[:RECENT_MAX])
        ),
        Action(
            id="workspace.open",
            title="Open workspace …",
            run=lambda: _ask(window, "Open workspace", here.parent, open_folder),
            shortcut="Ctrl+Shift+O",
            group=_GROUP,
            icon="folder-open",
        ),
        Action(
            id="workspace.new",
            title="New workspace …",
            run=lambda: _ask(window, "Choose an empty folder for the new workspace", here.parent, open_folder),
            group=_GROUP,
            icon="plus",
        ),
    ]


def _ask(window: QWidget, title: str, start: Path, then: Callable[[Path], object]) -> None:
    chosen = QFileDialog.getExistingDirectory(window, title, str(start))
    if chosen:
        then(Path(chosen))
