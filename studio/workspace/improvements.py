"""The story of improving: doing what advice about a run says, in the workflow it ran.

What runs already goes on as it began; the change counts from the next run on. Absent on purpose: judging advice
(analytics) and changing a workflow by itself (`domain.improving`).
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.domain.errors import UserFixable
from studio.domain.improving import choose_hour_for_half, hold_out_less, leave_out_for_half
from studio.domain.workflow import Workflow
from studio.store.store import Store
from studio.workspace.analyses import AnalysesStory
from studio.workspace.workflows import WorkflowsStory


@dataclass(frozen=True, slots=True)
class Applied:
    """What was changed where; `before` is the workflow as it was."""

    workflow_id: str
    words: str
    before: Workflow


class ImprovementsStory:
    """Advice of one workspace, carried out."""

    def __init__(self, store: Store, analyses: AnalysesStory, workflows: WorkflowsStory) -> None:
        self._store = store
        self._analyses = analyses
        self._workflows = workflows

    def apply(self, run_id: str, code: str) -> Applied:
        """Does what the suggestion of this code says.

        Raises:
            UserFixable: ADVICE-UNKNOWN for a code nothing can be done about here; ADVICE-GONE, ADVICE-DONE;
                ADVICE-UNFIT when the workflow could not run with it.
        """
        workflow_id = self._store.runs.get(run_id).workflow_id
        before = self._workflows.get(workflow_id)
        after, words = self._changed(run_id, code, before)
        problems = self._workflows.check(after)
        if problems and not self._workflows.check(before):
            raise UserFixable("ADVICE-UNFIT", problems[0].message, where=code, hint=problems[0].hint, problems=problems)
        self._workflows.record(workflow_id, after, words)
        return Applied(workflow_id, words, before)

    def take_back(self, applied: Applied) -> None:
        """Makes the workflow what it was before."""
        self._workflows.record(applied.workflow_id, applied.before, f"Take back: {applied.words}")

    def _changed(self, run_id: str, code: str, before: Workflow) -> tuple[Workflow, str]:
        kind, _, about = code.partition(".")
        labels = self._analyses.design(run_id).labels
        if kind == "quiet" and about:
            return leave_out_for_half(before, about), f"Test leaving out “{labels.get(about, about)}”"
        if kind == "hours" and about:
            node_id, _, hour = about.rpartition(".")
            words = f"Test sending “{labels.get(node_id, node_id)}” at {int(hour):02}:00"
            return choose_hour_for_half(before, node_id, int(hour)), words
        holdout = self._analyses.design(run_id).holdout
        if kind == "holdout" and holdout is not None:
            return hold_out_less(before, holdout), "Hold out half as many people"
        elsewhere = {"ship": "Ship it with studio experiment ship.", "consent": "Ask these people under Audience."}
        hint = elsewhere.get(kind, "studio analytics insights names the codes there are.")
        raise UserFixable("ADVICE-UNKNOWN", f"Nothing can be done by itself about “{code}”.", where=run_id, hint=hint)
