"""The steps to pick from, what usually follows first: learned from the templates and the person's own workflows.

Absent on purpose: hiding the rest; everything can be picked.
"""

from __future__ import annotations

from studio.domain.habits import Follower, Habits
from studio.domain.validation import Catalogue
from studio.ui.canvas.palette import picks
from studio.ui.canvas.picker import Pick

_SUGGESTED_MAX = 5
_OFTEN = 0.5


def suggested_picks(
    catalogue: Catalogue, habits: Habits, after: str | None = None, port: str | None = None
) -> list[Pick]:
    """Everything that can stand there: after a node of type `after`, or without it as a start of the workflow.

    The first few are what usually stands there, with a note that says so; the others follow by group.
    """
    choices = picks(catalogue, with_input=after is not None)
    usual = habits.after(after, port) if after is not None else habits.starts()
    known = {pick.id: pick for pick in choices}
    first = [_noted(known[one.type_id], one, habits) for one in usual if one.type_id in known][:_SUGGESTED_MAX]
    taken = {pick.id for pick in first}
    return [*first, *(pick for pick in choices if pick.id not in taken)]


def _noted(pick: Pick, follower: Follower, habits: Habits) -> Pick:
    often = habits.workflows and follower.workflows >= habits.workflows * _OFTEN
    words = f"{pick.words}\nStands here in {follower.workflows} of {habits.workflows} templates and workflows."
    return Pick(pick.id, pick.title, "usual here" if often else "common here", words, pick.icon)
