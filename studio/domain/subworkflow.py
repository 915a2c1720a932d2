"""A workflow that calls others, written out: their steps stand where they are called, under names of their own.

`call1` calling a workflow with a step `m1` makes a step `call1--m1`. Whoever comes to an end of the called workflow (an
exit, or an output that leads nowhere) goes on behind the call. Absent on purpose: reading workflows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from studio.domain.errors import UserFixable
from studio.domain.validation import Catalogue, make_node
from studio.domain.workflow import Edge, Group, Node, Workflow

CALL = "flow.call"
EXIT = "flow.exit"
DEPTH_MAX = 5
_ID_MAX = 64

Lookup = Callable[[str], Workflow]
"""Workflow id → workflow; raises UserFixable for one there is not."""


def written_out(workflow: Workflow, lookup: Lookup, catalogue: Catalogue, _path: tuple[str, ...] = ()) -> Workflow:
    """The workflow with all it calls in it; the same object when it calls none.

    Raises:
        UserFixable: CALL-LOOP, CALL-DEPTH, CALL-GOAL, CALL-NAME, CALL-EMPTY, and what `lookup` raises.
    """
    calls = [node for node in workflow.nodes if node.type == CALL and node.enabled]
    for call in calls:
        called = str(workflow.bound(call).get("workflow", ""))
        path = (*_path, called)
        if called in _path:
            words = " → ".join(path)
            raise UserFixable("CALL-LOOP", f"Workflows call each other for ever: {words}.", where=call.id, hint=_BREAK)
        if len(path) > DEPTH_MAX:
            text = f"Calls are nested more than {DEPTH_MAX} deep."
            raise UserFixable("CALL-DEPTH", text, where=call.id, hint="Put some of the steps into this workflow.")
        workflow = _inserted(workflow, call, written_out(lookup(called), lookup, catalogue, path), catalogue)
    return workflow


_BREAK = "Remove one of the calls; to repeat steps use a loop."


def _inserted(workflow: Workflow, call: Node, called: Workflow, catalogue: Catalogue) -> Workflow:
    roles = {node.id: catalogue[node.type].declaration.role for node in called.nodes if node.type in catalogue}
    goals = [node.label or node.id for node in called.nodes if roles.get(node.id) == "goal"]
    if goals:
        hint = "Put the goal into the workflow that calls."
        text = f"“{called.name}” has a goal of its own, “{goals[0]}”."
        raise UserFixable("CALL-GOAL", text, where=call.id, hint=hint)
    sources = {node_id for node_id, role in roles.items() if role == "source"}
    left_out = sources | {node.id for node in called.nodes if node.type == EXIT}
    kept = [node for node in called.nodes if node.id not in left_out]
    names = {node.id: _name(call, node) for node in kept}
    starts = [e.to for e in called.edges if e.from_[0] in sources]
    if not starts:
        text = f"Nothing follows the trigger of “{called.name}”."
        raise UserFixable("CALL-EMPTY", text, where=call.id, hint="Connect its steps first.")
    after = [edge.to for edge in workflow.edges if edge.from_ == (call.id, "out")]
    ends = _ends(called, kept, catalogue, left_out)
    edges = [edge for edge in workflow.edges if edge.from_ != (call.id, "out")]
    edges += [
        _edge((names[e.from_[0]], e.from_[1]), (names[e.to[0]], e.to[1]))
        for e in called.edges
        if e.from_[0] in names and e.to[0] in names
    ]
    for target in dict.fromkeys(starts):
        ways = [(names[target[0]], target[1])] if target[0] in names else after
        edges += [_edge((call.id, "out"), way) for way in ways]
    edges += [_edge((names[node_id], port), way) for node_id, port in ends for way in after]
    return workflow.model_copy(
        update={
            "nodes": (*workflow.nodes, *_placed(call, called, kept, names)),
            "edges": tuple(dict.fromkeys(edges)),
            "groups": (*workflow.groups, Group(title=called.name, nodes=tuple(names.values()))),
        }
    )


def _ends(called: Workflow, kept: Sequence[Node], catalogue: Catalogue, left_out: set[str]) -> list[tuple[str, str]]:
    """Outputs of the called workflow's steps that lead nowhere, or to an exit."""
    leads = {edge.from_ for edge in called.edges if edge.to[0] not in left_out}
    return [
        (node.id, port)
        for node in kept
        for port in make_node(catalogue, called, node).outputs()
        if (node.id, port) not in leads
    ]


def _placed(call: Node, called: Workflow, kept: Sequence[Node], names: Mapping[str, str]) -> list[Node]:
    """The steps under their new names, below the call, with the called workflow's own values bound."""
    left = min((node.position[0] for node in kept), default=0.0)
    top = min((node.position[1] for node in kept), default=0.0)
    return [
        node.model_copy(
            update={
                "id": names[node.id],
                "parameters": called.bound(node),
                "position": (
                    call.position[0] + node.position[0] - left,
                    call.position[1] + 240 + node.position[1] - top,
                ),
            }
        )
        for node in kept
    ]


def _name(call: Node, node: Node) -> str:
    name = f"{call.id}--{node.id}"
    if len(name) > _ID_MAX:
        text = f"The name “{name}” would be too long."
        raise UserFixable("CALL-NAME", text, where=call.id, hint="Give the step or the call a shorter id.")
    return name


def _edge(source: tuple[str, str], target: tuple[str, str]) -> Edge:
    return Edge.model_validate({"from": source, "to": target})
