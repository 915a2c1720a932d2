"""The emergency stop: one file in the workspace that holds everything outward, whoever is running it.

A file, not a wish, so that it works from any process at any time, also while another one has the workspace, and stays
until a person takes it back. Absent on purpose: simulations, which reach nobody.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from studio.domain.clock import iso
from studio.domain.errors import UserFixable

NAME = "emergency-stop.json"


class EmergencyStop:
    """Whether everything outward is held in a workspace."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    @property
    def is_on(self) -> bool:
        """Whether it is on; a look at the disk, some millionths of a second."""
        return self._path.exists()

    @property
    def words(self) -> str:
        """Since when and why, for people; empty while it is off."""
        if not self.is_on:
            return ""
        try:
            said = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return "Emergency stop: nothing goes out."
        why = f" ({said['why']})" if said.get("why") else ""
        return f"Emergency stop since {said.get('at', 'an unknown time')}{why}: nothing goes out."

    def engage(self, at: datetime, why: str = "") -> None:
        """Holds everything outward from now on. Messages that a server is just taking are finished."""
        self._path.write_text(json.dumps({"at": iso(at), "why": why}), encoding="utf-8")

    def release(self) -> None:
        """Takes it back. Runs go on when they are told to."""
        self._path.unlink(missing_ok=True)

    def refuse(self, mode: str) -> None:
        """Raises UserFixable EMERGENCY-STOP for a run that would reach people while it is on."""
        if mode != "simulate" and self.is_on:
            hint = "When all is well again: studio stop --release, or the button in the window."
            raise UserFixable("EMERGENCY-STOP", self.words, hint=hint)
