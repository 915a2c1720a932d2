"""Which state each step shows: waiting while somebody may still come, ended once nobody can.

Absent on purpose: numbers; those come with what happens (`engine/memory.py`).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from studio.domain.run import RunView, StepState, StepView
from studio.engine.plan import Plan


def state_changes(
    plan: Plan, view: RunView, busy: AbstractSet[str], *, is_listening: bool, is_over: bool = False
) -> dict[str, StepState]:
    """Step → new state, for the steps whose state changes now that nothing is being done.

    Args:
        busy: nodes at which work stands. is_listening: triggers may still let somebody in. is_over: the run has ended,
            so nobody comes any more whatever stands where.
    """
    alive = set[str]()
    if not is_over and (busy or is_listening):
        listening = {step.id for step in plan.triggers} if is_listening else set[str]()
        # Whoever is in the run can reach a goal from wherever he stands.
        alive = plan.reach({*busy, *listening, *(step.id for step in plan.goals)})
    changes: dict[str, StepState] = {}
    for step_id in plan.steps:
        step = view.step(step_id)
        new = _alive(step) if step_id in alive else _ended(step)
        if new != step.state:
            changes[step_id] = new
    return changes


def _alive(step: StepView) -> StepState:
    return "queued" if step.state == "queued" else "waiting"


def _ended(step: StepView) -> StepState:
    if step.state in ("queued", "skipped"):
        return "skipped"
    if step.state in ("done", "warning", "failed"):
        return step.state
    if not (step.arrived or step.out or step.duration_ms or step.problems):
        # People were held before it once, and none of them came in after all.
        return "skipped"
    lost = step.failed + step.quarantined
    if lost and lost * 2 > step.arrived:
        return "failed"
    has_problem = any(problem.count or problem.severity == "warning" for problem in step.problems)
    return "warning" if lost or has_problem else "done"
