"""The story of a new version: who waits in a run of the old one, what would become of them, and moving them.

Absent on purpose: deciding by itself; a run stays on its version until a person moves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.domain.errors import UserFixable
from studio.domain.validation import Catalogue
from studio.domain.workflow import Workflow, parse_workflow
from studio.engine.host import EngineHost
from studio.engine.moving import Moving, move, preview
from studio.engine.plan import compile_plan
from studio.store.store import Store
from studio.workspace.workflows import WorkflowsStory


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePreview:
    """What moving would do. `sending`: messages under way, which are finished in the old version first."""

    run_id: str
    finding: str
    from_version: str
    to_version: str
    rows: tuple[Moving, ...]
    sending: int


class MovingStory:
    """Moves the people of a run to a new version of its workflow."""

    def __init__(self, store: Store, host: EngineHost, workflows: WorkflowsStory, catalogue: Catalogue) -> None:
        self._store = store
        self._host = host
        self._workflows = workflows
        self._catalogue = catalogue

    def preview(self, run_id: str, workflow: Workflow, destinations: Mapping[str, str] | None = None) -> MovePreview:
        """What would become of everybody who stands somewhere in the run. `destinations`: step → step of the new
        version, or an empty text for “leaves”.

        Raises:
            UserFixable: MOVE-INVALID when the new version cannot run.
        """
        run = self._store.runs.get(run_id)
        new = self._sound(workflow)
        old = parse_workflow(self._store.runs.document(run.version))
        rows = preview(self._store.runs, run, old, new, destinations or {})
        sending = sum(work.rows for work in self._store.runs.pending(run_id) if work.kind in ("send", "doubt"))
        return MovePreview(
            run_id=run_id,
            finding=_finding(rows, sending),
            from_version=run.version,
            to_version=new.content_hash(),
            rows=rows,
            sending=sending,
        )

    def move(self, run_id: str, workflow: Workflow, destinations: Mapping[str, str] | None = None) -> MovePreview:
        """Does what `preview` tells, in one commit; the run goes on as the new version when it is resumed.

        Raises:
            UserFixable: MOVE-RUNNING while the run goes on, MOVE-SENDING while messages are under way, MOVE-NODE, and
                what `preview` raises.
        """
        if self._host.is_running(run_id):
            hint = "Pause or stop the run first."
            raise UserFixable("MOVE-RUNNING", "The run is going on.", where=run_id, hint=hint)
        told = self.preview(run_id, workflow, destinations)
        if told.sending:
            text = f"{told.sending:,} messages of the run are under way or in doubt."
            raise UserFixable("MOVE-SENDING", text, where=run_id, hint="Let them go out, or settle them, first.")
        plan = compile_plan(self._sound(workflow), self._catalogue)
        self._store.runs.commit(move(self._store.runs, self._store.runs.get(run_id), plan, told.rows))
        return told

    def _sound(self, workflow: Workflow) -> Workflow:
        problems = self._workflows.check(workflow)
        if problems:
            text = f"The new version cannot run: {problems[0]}"
            raise UserFixable("MOVE-INVALID", text, hint="Mend what is listed.", problems=problems)
        return self._workflows.written_out(workflow)


def _finding(rows: tuple[Moving, ...], sending: int) -> str:
    counts = {fate: sum(row.people for row in rows if row.fate == fate) for fate in _WORDS}
    told = [f"{count:,} {_WORDS[fate]}" for fate, count in counts.items() if count]
    text = ("; ".join(told) or "Nobody waits in this run") + "."
    return text + (f" {sending:,} messages are still under way." if sending else "")


_WORDS = {
    "stays": "wait on where they are",
    "changed": "wait on at a step with new settings",
    "moves": "go to another step",
    "leaves": "leave, for their step is gone",
}
