"""The story of workflows: the library, opening files, checking them.

Absent on purpose: running them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.domain.errors import Problem, UserFixable
from studio.domain.validation import Catalogue, check
from studio.domain.workflow import Workflow, parse_workflow
from studio.store.library import StoredWorkflow
from studio.store.store import Store

MAX_FILE_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Checked:
    """A workflow with everything that is wrong with it."""

    workflow: Workflow
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        return not self.problems


class WorkflowsStory:
    """The workflows of one workspace."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self.catalogue = catalogue

    def check(self, workflow: Workflow) -> tuple[Problem, ...]:
        """All problems at once; empty when it can run."""
        return tuple(check(workflow, self.catalogue))

    def add(self, workflow: Workflow) -> str:
        """Puts a workflow into the library; its new id."""
        workflow_id = self._store.library.next_workflow_id()
        self._store.library.save_workflow(workflow_id, workflow.to_json())
        return workflow_id

    def save(self, workflow_id: str, workflow: Workflow) -> None:
        """Replaces the workflow's document; runs keep the version they started with."""
        self._store.library.save_workflow(workflow_id, workflow.to_json())

    def list(self) -> tuple[StoredWorkflow, ...]:
        """Every workflow, the last one changed first."""
        return tuple(self._store.library.workflows())

    def get(self, workflow_id: str) -> Workflow:
        """The workflow; UserFixable WORKFLOW-UNKNOWN when the library has none of that id."""
        return parse_workflow(self._store.library.workflow(workflow_id).document, where=workflow_id)


def read_workflow(path: Path) -> Workflow:
    """The workflow in a file.

    Raises:
        UserFixable: the file is missing, unreadable, far too large, or no workflow.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UserFixable(
                "WORKFLOW-FILE",
                f"The file is larger than {MAX_FILE_BYTES // 1_000_000} MB.",
                where=str(path),
                hint="Is this really a workflow file?",
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserFixable(
            "FILE-MISSING", "There is no such file.", where=str(path), hint="Check the name and the folder."
        ) from None
    except OSError as error:
        raise UserFixable(
            "FILE-UNREADABLE",
            f"The file cannot be read: {error.strerror}.",
            where=str(path),
            hint="Name a readable file.",
        ) from None
    return parse_workflow(data, where=str(path))
