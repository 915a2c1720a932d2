"""The canvas page with what stands in front on it: which workflow, and which run if one is shown.

The parts of the screen know it by this, so that only `screen.py` knows them. Absent on purpose: reading either.
"""

from __future__ import annotations

from studio.domain.validation import Catalogue
from studio.ui.canvas.page import CanvasPage


class CanvasInFront(CanvasPage):
    """`workflow_id` and `run_id` are empty while none is shown; `in_library`: the workflow is one of the library's."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self.workflow_id = ""
        self.run_id = ""
        self.in_library = False

    @property
    def is_opening(self) -> bool:
        """Whether another workflow or run is being read, to stand here in a moment."""
        return False
