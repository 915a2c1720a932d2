"""What to say of a run that ended without anybody having entered it: why, and what to do.

Absent on purpose: deciding whether that is a failure; a list may be empty today and full tomorrow.
"""

from __future__ import annotations

from studio.domain.reading import ContactView
from studio.domain.run import RunView
from studio.engine.plan import Plan

_IMPORT = (
    "Import a list of people (Audience, or studio contacts import FILE), or try it on the demo's people (studio demo)."
)


def nobody_entered(plan: Plan, view: RunView, people: ContactView) -> tuple[str, str] | None:
    """(what happened, what to do), or None where somebody entered or nobody could have been let in at a beginning."""
    starts = (*plan.sources, *plan.triggers)
    if not starts or any(view.step(step.id).left or view.step(step.id).quarantined for step in starts):
        return None
    if people.ids(0, 1).is_empty():
        return "Nobody entered: there are no people in this workspace yet.", _IMPORT
    names = ", ".join(f"“{step.label}”" for step in starts[:3])
    if plan.sources:
        return (
            f"Nobody entered: {names} found nobody to begin with.",
            "Look at whom it starts with: the list may be empty, called otherwise, or all of it be in already.",
        )
    kinds = " or ".join(f"“{kind}”" for kind in plan.trigger_kinds[:3])
    return (
        f"Nobody entered: no {kinds} came while {names} was listening.",
        "Import events (studio events import FILE), or let the run listen for longer.",
    )
