"""Before a live run: what stands in its way, or who would get what; it begins when the person says so.

Absent on purpose: looking and starting themselves, which are the workspace's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from studio.domain.errors import UserFixable
from studio.ui.background import run_in_background
from studio.ui.faults import faults
from studio.ui.question import ask
from studio.ui.shell import MainWindow

if TYPE_CHECKING:
    from studio.workspace.runs import RunOptions
    from studio.workspace.workspace import Workspace


class LiveStart:
    """Asks once for each start; real messages cannot be called back."""

    def __init__(self, workspace: Workspace, window: MainWindow) -> None:
        self._workspace, self._window = workspace, window

    def ask(self, workflow_id: str, options: RunOptions, start: Callable[[], object]) -> None:
        """Looks off the Qt thread, shows what it found, and calls `start` on a yes."""
        run_in_background(
            lambda: self._look(workflow_id, options),
            lambda finding: self._question(*finding, start),
            self._refused,
            owner=self._window,
        )

    def _look(self, workflow_id: str, options: RunOptions) -> tuple[str, str]:
        """What the run would do, and who sends. Raises UserFixable with all that stands in its way."""
        workflow = self._workspace.workflows.get(workflow_id)
        self._workspace.runs.prepared(workflow, options, workflow_id)
        finding = self._workspace.rehearsals.dry_run(workflow, options, workflow_id=workflow_id).finding
        profile = self._workspace.sending.profile()
        assert profile is not None, "a live run was let through without a sender"
        return finding, f"From {profile.sender}, through {profile.smtp.host}."

    def _question(self, finding: str, sender: str, start: Callable[[], object]) -> None:
        words = f"{finding}\n{sender}\nWhat has gone out cannot be called back."
        ask(self._window, "Send to real people?", words, "Send for real", start)

    def _refused(self, error: Exception) -> None:
        codes = {problem.code for problem in error.problems} if isinstance(error, UserFixable) else set()
        if any(code.startswith(("PROFILE-", "PREFLIGHT-", "SECRET-")) for code in codes):
            self._window.toast(
                "Nothing can be sent live yet: the sender is not ready.",
                button="Open settings",
                on_button=lambda: self._window.go("settings"),
                tone="bad",
            )
        else:
            faults().report(error)
