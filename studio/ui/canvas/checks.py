"""Checks the workflow a moment after each edit, and tells the canvas and the inspector what is wrong.

Absent on purpose: the rules (`studio.domain.validation`, `doubts.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from studio.domain.errors import Problem
from studio.domain.validation import Catalogue, check
from studio.domain.workflow import Workflow
from studio.ui.background import run_in_background
from studio.ui.canvas.document import Document
from studio.ui.canvas.doubts import doubts

_CHECK_MS = 200
_CHECK_AT_ONCE = 300


class Checks(QObject):
    """`found(problems)` after each check; a large workflow is checked off the Qt thread."""

    found = Signal(object)

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._fields: frozenset[str] = frozenset()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_CHECK_MS)
        self._timer.timeout.connect(self.check_now)
        document.changed.connect(self._wait)

    def _wait(self, _workflow: Workflow) -> None:
        self._timer.start()

    def set_fields(self, fields: Collection[str]) -> None:
        """The fields that contacts have: a rule that asks for another is doubted."""
        if self._fields != set(fields):
            self._fields = frozenset(fields)
            self.check_now()

    def check_now(self) -> None:
        """Without waiting for the person to pause."""
        self._timer.stop()
        workflow, catalogue = self._document.workflow, self._document.catalogue
        if not workflow.nodes:
            self._tell(workflow, [])
        elif len(workflow.nodes) <= _CHECK_AT_ONCE:
            self._tell(workflow, self._look(workflow, catalogue))
        else:
            run_in_background(
                lambda: self._look(workflow, catalogue), lambda found: self._tell(workflow, found), owner=self
            )

    def _look(self, workflow: Workflow, catalogue: Catalogue) -> list[Problem]:
        return [*check(workflow, catalogue), *doubts(workflow, catalogue, self._fields)]

    def _tell(self, workflow: Workflow, problems: Sequence[Problem]) -> None:
        # The person may have gone on editing while a large workflow was checked; the next check is on its way then.
        if workflow is self._document.workflow:
            self.found.emit(problems)


def first_words(problems: Sequence[Problem]) -> dict[str, str]:
    """Node id → the first thing that is wrong with it."""
    words: dict[str, str] = {}
    for problem in problems:
        if problem.node is not None:
            words.setdefault(problem.node, problem.message)
    return words
