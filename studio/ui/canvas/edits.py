"""Edits of a workflow as pure functions: the workflow and what shall change go in, the changed workflow comes out.

Absent on purpose: undo (see `document.py`) and node types; what a node's ports are is told by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from pydantic import JsonValue

from studio.domain.errors import UserFixable
from studio.domain.workflow import MAX_EDGES, MAX_NODES, Edge, Node, PortRef, Workflow

Position: TypeAlias = tuple[float, float]

_ID_LENGTH_MAX = 60


def fresh_id(taken: Collection[str], type_id: str) -> str:
    """An id nobody has yet, made from the last word of a node type.

    >>> fresh_id({"email"}, "send.email"), fresh_id((), "flow.wait_for")
    ('email-2', 'wait_for')
    """
    stem = re.sub(r"[^A-Za-z0-9_-]", "", type_id.rsplit(".", 1)[-1])[:_ID_LENGTH_MAX]
    stem = re.sub(r"-\d+$", "", stem)
    if not stem or not stem[0].isalpha():
        stem = f"step{stem}"
    number, found = 1, stem
    while found in taken:
        number += 1
        found = f"{stem}-{number}"
    return found


def add_nodes(workflow: Workflow, nodes: Iterable[Node]) -> Workflow:
    """The workflow with more nodes. Raises UserFixable (`WORKFLOW-LIMIT`) when there would be too many."""
    combined = (*workflow.nodes, *nodes)
    if len(combined) > MAX_NODES:
        raise UserFixable(
            "WORKFLOW-LIMIT",
            f"A workflow holds at most {MAX_NODES:,} steps.",
            hint="Divide it into several workflows.",
        )
    return workflow.model_copy(update={"nodes": combined})


def remove_nodes(workflow: Workflow, ids: Collection[str]) -> Workflow:
    """Without these nodes, the edges that touch them, and their places in groups."""
    gone = set(ids)
    groups = tuple(
        group.model_copy(update={"nodes": tuple(n for n in group.nodes if n not in gone)}) for group in workflow.groups
    )
    return workflow.model_copy(
        update={
            "nodes": tuple(node for node in workflow.nodes if node.id not in gone),
            "edges": tuple(e for e in workflow.edges if e.from_[0] not in gone and e.to[0] not in gone),
            "groups": groups,
        }
    )


def replace_nodes(workflow: Workflow, changed: Mapping[str, Node]) -> Workflow:
    """With these nodes in the places of those that have the same ids."""
    return workflow.model_copy(update={"nodes": tuple(changed.get(node.id, node) for node in workflow.nodes)})


def move_nodes(workflow: Workflow, places: Mapping[str, Position]) -> Workflow:
    """With these nodes at other places; whole pixels, so that files read well."""
    moved = {
        node.id: node.model_copy(update={"position": place})
        for node in workflow.nodes
        if node.id in places and (place := rounded(places[node.id])) != node.position
    }
    return replace_nodes(workflow, moved) if moved else workflow


def rounded(place: Position) -> Position:
    """Whole pixels, so that files read well."""
    return float(round(place[0])), float(round(place[1]))


def edge(from_: PortRef, to: PortRef) -> Edge:
    return Edge.model_validate({"from": from_, "to": to})


def add_edges(workflow: Workflow, edges: Iterable[Edge]) -> Workflow:
    """With more edges; one that is there already is passed over. Raises UserFixable (`WORKFLOW-LIMIT`)."""
    new = [candidate for candidate in edges if candidate not in workflow.edges]
    if not new:
        return workflow
    if len(workflow.edges) + len(new) > MAX_EDGES:
        raise UserFixable(
            "WORKFLOW-LIMIT",
            f"A workflow holds at most {MAX_EDGES:,} edges.",
            hint="Divide it into several workflows.",
        )
    return workflow.model_copy(update={"edges": (*workflow.edges, *new)})


def remove_edges(workflow: Workflow, edges: Collection[Edge]) -> Workflow:
    gone = set(_keys(edges))
    return workflow.model_copy(update={"edges": tuple(e for e in workflow.edges if (e.from_, e.to) not in gone)})


def _keys(edges: Iterable[Edge]) -> Iterable[tuple[PortRef, PortRef]]:
    return ((e.from_, e.to) for e in edges)


def set_template_value(workflow: Workflow, name: str, value: JsonValue) -> Workflow:
    """With another value of a template parameter, for every setting bound to it. Without a template: as it was."""
    if workflow.template is None:
        return workflow
    parameters = {**workflow.template.parameters, name: value}
    return workflow.model_copy(update={"template": workflow.template.model_copy(update={"parameters": parameters})})


def follow_ports(workflow: Workflow, node_id: str, before: Sequence[str], after: Sequence[str]) -> Workflow:
    """What becomes of a node's outgoing edges when its outputs change.

    A name that changed in its place takes its edges along; edges of an output that is gone are removed.
    """
    kept = set(after)
    # Compared place by place only when none came or went: otherwise a removed variant would hand its edges on.
    renamed = dict(zip(before, after, strict=True)) if len(before) == len(after) else {}
    edges: list[Edge] = []
    for old in workflow.edges:
        source, port = old.from_
        if source != node_id or port in kept or port not in before:
            edges.append(old)
        elif port in renamed and renamed[port] not in before:
            edges.append(edge((source, renamed[port]), old.to))
    return workflow if tuple(edges) == workflow.edges else workflow.model_copy(update={"edges": tuple(edges)})


def insert_on_edge(workflow: Workflow, old: Edge, node_id: str, in_port: str, out_port: str) -> Workflow:
    """The edge now leads through the node."""
    without = remove_edges(workflow, [old])
    return add_edges(without, [edge(old.from_, (node_id, in_port)), edge((node_id, out_port), old.to)])


def replace_node(
    workflow: Workflow, new: Node, inputs: Sequence[str], before: Sequence[str], outputs: Sequence[str]
) -> Workflow:
    """With another node in the place of the one that has its id; its edges stay as far as it has ports for them.

    `before` are the old node's outputs, `outputs` the new one's. An output of the same name keeps its edges, else the
    one at the same place takes them, else the first.
    """
    left = [name for name in outputs if name not in before]
    names: dict[str, str] = {}
    for place, old in enumerate(before):
        if old in outputs:
            names[old] = old
        elif left:
            wanted = outputs[place] if place < len(outputs) else ""
            names[old] = left.pop(left.index(wanted)) if wanted in left else left.pop(0)
        elif outputs:
            names[old] = outputs[0]
    edges: dict[tuple[PortRef, PortRef], None] = {}
    for old_edge in workflow.edges:
        source, target = old_edge.from_, old_edge.to
        if source[0] == new.id:
            if source[1] not in names:
                continue
            source = new.id, names[source[1]]
        if target[0] == new.id:
            if not inputs:
                continue
            target = new.id, target[1] if target[1] in inputs else inputs[0]
        edges[source, target] = None
    kept = tuple(edge(*ends) for ends in edges)
    return replace_nodes(workflow, {new.id: new}).model_copy(update={"edges": kept})
