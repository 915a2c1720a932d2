"""Edits of what stands around the steps: sticky notes and titled groups. Pure functions, as in `edits.py`.

A note or group is known by its place in the workflow's list. A step is in one group at most. Absent on purpose: groups
within groups.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

from studio.domain.errors import UserFixable
from studio.domain.workflow import Group, Note, Workflow
from studio.ui.canvas.edits import Position, rounded

MarkKey: TypeAlias = tuple[Literal["note", "group"], int]
"""Which note or group: what it is and its place in the list."""

NOTES_MAX, GROUPS_MAX = 200, 200
NOTE_SIZE = (200.0, 120.0)
NOTE_LEAST = (100.0, 60.0)
COLOURS: Mapping[str, str] = {"": "Grey", "blue": "Blue", "green": "Green", "amber": "Amber", "purple": "Purple"}
"""Colour of a group in the file → its name on screen."""


def add_note(workflow: Workflow, text: str, position: Position, size: Position = NOTE_SIZE) -> Workflow:
    """With one more note. Raises UserFixable WORKFLOW-LIMIT."""
    if len(workflow.notes) >= NOTES_MAX:
        raise UserFixable("WORKFLOW-LIMIT", f"A workflow holds at most {NOTES_MAX} notes.", hint="Remove one first.")
    note = Note(text=text, position=rounded(position), size=rounded(size))
    return workflow.model_copy(update={"notes": (*workflow.notes, note)})


def change_note(
    workflow: Workflow,
    index: int,
    *,
    text: str | None = None,
    position: Position | None = None,
    size: Position | None = None,
) -> Workflow:
    """With another text, place or size of a note; never smaller than can be read."""
    changed: dict[str, object] = {}
    if text is not None:
        changed["text"] = text
    if position is not None:
        changed["position"] = rounded(position)
    if size is not None:
        changed["size"] = rounded((max(size[0], NOTE_LEAST[0]), max(size[1], NOTE_LEAST[1])))
    notes = list(workflow.notes)
    notes[index] = notes[index].model_copy(update=changed)
    return workflow.model_copy(update={"notes": tuple(notes)})


def add_group(workflow: Workflow, title: str, ids: Collection[str], colour: str = "") -> Workflow:
    """With these nodes in a new group; they leave the groups they were in, and emptied groups go.

    Raises:
        UserFixable: WORKFLOW-LIMIT.
    """
    inside = tuple(node.id for node in workflow.nodes if node.id in set(ids))
    kept = _without(workflow.groups, inside)
    if len(kept) >= GROUPS_MAX:
        raise UserFixable("WORKFLOW-LIMIT", f"A workflow holds at most {GROUPS_MAX} groups.", hint="Remove one first.")
    return workflow.model_copy(update={"groups": (*kept, Group(title=title, nodes=inside, colour=colour))})


def change_group(workflow: Workflow, index: int, *, title: str | None = None, colour: str | None = None) -> Workflow:
    """With another title or colour (a key of `COLOURS`) of a group."""
    changed = {name: value for name, value in (("title", title), ("colour", colour)) if value is not None}
    groups = list(workflow.groups)
    groups[index] = groups[index].model_copy(update=changed)
    return workflow.model_copy(update={"groups": tuple(groups)})


def remove_marks(workflow: Workflow, marks: Collection[MarkKey]) -> Workflow:
    """Without these notes and groups; the steps of a group stay."""
    gone = set(marks)
    notes = tuple(note for index, note in enumerate(workflow.notes) if ("note", index) not in gone)
    groups = tuple(group for index, group in enumerate(workflow.groups) if ("group", index) not in gone)
    return workflow.model_copy(update={"notes": notes, "groups": groups})


def _without(groups: tuple[Group, ...], ids: Collection[str]) -> tuple[Group, ...]:
    gone = set(ids)
    left = [g.model_copy(update={"nodes": tuple(n for n in g.nodes if n not in gone)}) for g in groups]
    return tuple(after for before, after in zip(groups, left, strict=True) if after.nodes or not before.nodes)
