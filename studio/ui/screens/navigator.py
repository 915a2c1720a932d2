"""What a screen may ask of the window around it: open another screen, a workflow, a run; say something.

Absent on purpose: how; the window's composition brings that, and tests bring a list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Navigator(Protocol):
    """Called on the Qt thread; every call returns at once."""

    def go(self, page_id: str, target: str = "") -> None:
        """Opens a screen; `target` names what to show on it."""
        ...

    def open_workflow(self, workflow_id: str) -> None:
        """Shows a workflow on the canvas."""
        ...

    def open_run(self, run_id: str) -> None:
        """Shows a run on the canvas, with what happened at each step."""
        ...

    def run_workflow(self, workflow_id: str) -> None:
        """Starts a workflow in the mode chosen above and shows it."""
        ...

    def open_demo(self) -> None:
        """Makes the demo shop in a workspace of its own and opens it."""
        ...

    def go_back(self, backup: str) -> None:
        """Asks, puts the backup in the workspace's place and opens it in a window that takes this one's place."""
        ...

    def notify(self, text: str, undo: Callable[[], object] | None = None) -> None:
        """A short message at the lower edge, with “Undo” when it can be taken back."""
        ...
