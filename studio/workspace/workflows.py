"""The story of workflows: the library, opening files, checking them, and their history.

Absent on purpose: running them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from studio.domain.difference import Difference, differences
from studio.domain.errors import Problem, UserFixable
from studio.domain.subworkflow import CALL, written_out
from studio.domain.validation import Catalogue, check
from studio.domain.workflow import Workflow, parse_workflow
from studio.nodes.short_messages import CHANNEL_NAMES, no_connector
from studio.store.journal import EDITS_MAX
from studio.store.library import StoredWorkflow
from studio.store.store import Store

MAX_FILE_BYTES = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PastState:
    """A state a workflow was in, to be looked at or restored.

    ref: how it is asked for: `e<number>` an edit, `r<number>` what a run ran.
    words: what was done to get there (“Move a step”), the name a person gave it, or which run it was.
    """

    ref: str
    kind: Literal["edit", "named", "run"]
    at: datetime
    words: str


class WorkflowsStory:
    """The workflows of one workspace."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self.catalogue = catalogue

    def unreachable_channels(self, workflow: Workflow) -> list[Problem]:
        """The steps whose channel nothing carries yet, so that a live run cannot have them. A step that skips people
        it cannot handle may stay: it says so while it runs, and they go on.
        """
        problems: list[Problem] = []
        for node in workflow.nodes:
            declared = self.catalogue[node.type].declaration if node.type in self.catalogue else None
            if declared is None or declared.channel not in CHANNEL_NAMES or not node.enabled or node.on_error == "skip":
                continue
            error = no_connector(CHANNEL_NAMES[declared.channel])
            problems.append(Problem(error.code, error.message, error.hint or "", node=node.id))
        return problems

    def check(self, workflow: Workflow) -> tuple[Problem, ...]:
        """All problems at once; empty when it can run."""
        problems = check(workflow, self.catalogue)
        if not problems and any(node.type == CALL for node in workflow.nodes):
            try:
                problems = check(self.written_out(workflow), self.catalogue)
            except UserFixable as error:
                problems = [Problem(error.code, error.message, error.hint or "", error.where)]
        return tuple(problems)

    def written_out(self, workflow: Workflow) -> Workflow:
        """The workflow with the steps of those it calls in it. Raises UserFixable CALL-… and WORKFLOW-UNKNOWN."""
        return written_out(workflow, self.get, self.catalogue)

    def add(self, workflow: Workflow) -> str:
        """Puts a workflow into the library; its new id."""
        workflow_id = self._store.library.next_workflow_id()
        self._store.library.save_workflow(workflow_id, workflow.to_json())
        return workflow_id

    def save(self, workflow_id: str, workflow: Workflow) -> None:
        """Replaces the workflow's document; runs keep the version they started with."""
        self._store.library.save_workflow(workflow_id, workflow.to_json())

    def record(self, workflow_id: str, workflow: Workflow, words: str, session: str | None = None) -> None:
        """Saves the workflow after an edit and keeps what it was like; returns when both stand on disk.

        `words` say what was done; edits of one `session` in a row become one entry of the history.
        """
        self._store.journal.record(
            workflow_id,
            workflow.model_dump_json(by_alias=True),
            name=workflow.name,
            template=workflow.template.id if workflow.template else None,
            words=words,
            session=session,
        )

    def keep_as(self, workflow_id: str, name: str) -> PastState:
        """Gives the workflow's present state a name, under which it stays."""
        edit = self._store.journal.name(workflow_id, name)
        return PastState(ref=f"e{edit.id}", kind="named", at=edit.at, words=name)

    def history(self, workflow_id: str, limit: int = EDITS_MAX) -> tuple[PastState, ...]:
        """The states the workflow was in, the last one first: edits, named ones, and what its runs ran."""
        states = [
            PastState(
                ref=f"e{edit.id}",
                kind="edit" if edit.name is None else "named",
                at=edit.at,
                words=edit.name or edit.words,
            )
            for edit in self._store.journal.edits(workflow_id, limit)
        ]
        states += [
            PastState(ref=run_id, kind="run", at=at, words=f"Run {run_id} ({mode})")
            for run_id, mode, at in self._store.journal.ran(workflow_id)
        ]
        return tuple(sorted(states, key=lambda state: (state.at, state.kind != "edit", state.ref), reverse=True))

    def past(self, workflow_id: str, ref: str) -> Workflow:
        """The workflow as it was in a state of its history. Raises UserFixable EDIT-UNKNOWN, RUN-UNKNOWN."""
        if ref.startswith("e") and ref[1:].isdigit():
            return parse_workflow(self._store.journal.document(workflow_id, int(ref[1:])), where=ref)
        return parse_workflow(self._store.runs.document(self._store.runs.get(ref).version), where=ref)

    def differences(self, before: Workflow, after: Workflow) -> tuple[Difference, ...]:
        """What is different in `after`."""
        return differences(before, after)

    def restore(self, workflow_id: str, ref: str) -> tuple[Difference, ...]:
        """Makes the workflow what it was; the state it leaves stays in the history. What that changed."""
        present, past = self.get(workflow_id), self.past(workflow_id, ref)
        self.record(workflow_id, past, f"Restore {ref}")
        return differences(present, past)

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
