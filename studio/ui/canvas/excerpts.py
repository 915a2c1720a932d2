"""A part of a workflow taken out to be put in again elsewhere: what copying puts on the clipboard, and pasting it.

Pure functions, as in `edits.py`. Absent on purpose: the clipboard.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from studio.domain.workflow import Workflow
from studio.ui.canvas import annotations
from studio.ui.canvas.edits import Position, add_edges, add_nodes, edge, fresh_id


@dataclass(frozen=True, slots=True)
class Pasted:
    """The workflow with what was pasted, and which of its nodes (ids) and notes (places in the list) are new."""

    workflow: Workflow
    nodes: tuple[str, ...]
    notes: tuple[int, ...]


def excerpt(workflow: Workflow, ids: Collection[str], notes: Collection[int] = ()) -> Workflow:
    """These nodes, the edges between them, groups that hold nothing else, and these notes, as a workflow of its own."""
    chosen = set(ids)
    return Workflow(
        name=workflow.name,
        template=workflow.template,
        nodes=tuple(node for node in workflow.nodes if node.id in chosen),
        edges=tuple(e for e in workflow.edges if e.from_[0] in chosen and e.to[0] in chosen),
        notes=tuple(note for place, note in enumerate(workflow.notes) if place in set(notes)),
        groups=tuple(group for group in workflow.groups if group.nodes and chosen.issuperset(group.nodes)),
    )


def corner(part: Workflow) -> Position:
    """The upper left corner of what an excerpt holds, of which there must be something."""
    places = [one.position for one in (*part.nodes, *part.notes)]
    return min(x for x, _y in places), min(y for _x, y in places)


def paste(workflow: Workflow, part: Workflow, offset: Position) -> Pasted:
    """With everything of an excerpt, moved by `offset`, the nodes under new ids.

    A setting bound to a template parameter this workflow does not have gets the value it had there.

    Raises:
        UserFixable: WORKFLOW-LIMIT.
    """
    taken = {node.id for node in workflow.nodes}
    names: dict[str, str] = {}
    for node in part.nodes:
        names[node.id] = fresh_id(taken, node.id)
        taken.add(names[node.id])
    known = workflow.template.parameters if workflow.template else {}
    values = part.template.parameters if part.template else {}
    nodes = [
        node.model_copy(
            update={
                "id": names[node.id],
                "position": _moved(node.position, offset),
                "parameters": {key: _resolved(value, known, values) for key, value in node.parameters.items()},
            }
        )
        for node in part.nodes
    ]
    edges = [edge((names[e.from_[0]], e.from_[1]), (names[e.to[0]], e.to[1])) for e in part.edges]
    after = add_edges(add_nodes(workflow, nodes), edges)
    for group in part.groups:
        after = annotations.add_group(after, group.title, [names[n] for n in group.nodes if n in names], group.colour)
    for note in part.notes:
        after = annotations.add_note(after, note.text, _moved(note.position, offset), note.size)
    new_notes = tuple(range(len(workflow.notes), len(after.notes)))
    return Pasted(after, tuple(names[node.id] for node in part.nodes), new_notes)


def _moved(place: Position, offset: Position) -> Position:
    return place[0] + offset[0], place[1] + offset[1]


def _resolved(value: JsonValue, known: Mapping[str, JsonValue], values: Mapping[str, JsonValue]) -> JsonValue:
    if isinstance(value, dict):
        if set(value) == {"$param"}:
            name = str(value["$param"])
            return value if name in known or name not in values else values[name]
        return {key: _resolved(inner, known, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, known, values) for inner in value]
    return value
