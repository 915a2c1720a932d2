"""Whether what a run left at a step is still what the workflow as it stands now would do there.

A step's result depends on the step, on everything before it and on the settings; positions, labels and notes do not
count. Absent on purpose: results themselves.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import JsonValue

from studio.domain.ids import stable_id
from studio.domain.workflow import Node, Workflow, topological_order

Freshness: TypeAlias = Literal["fresh", "stale", "never run"]


@dataclass(frozen=True, slots=True)
class Staleness:
    """How a step's result stands, and why in words when it is stale."""

    state: Freshness
    why: str = ""


def staleness(now: Workflow, then: Workflow, ran: Collection[str]) -> dict[str, Staleness]:
    """Node of `now` → how its result from a run of `then` stands. `ran`: the nodes that were gone to in that run."""
    own_now, own_then = _own(now), _own(then)
    whole_now, whole_then = _whole(now, own_now), _whole(then, own_then)
    names = {node.id: node.label or node.id for node in now.nodes}
    found: dict[str, Staleness] = {}
    for node in now.nodes:
        if node.id not in ran:
            found[node.id] = Staleness("never run")
        elif whole_now.get(node.id) == whole_then.get(node.id):
            found[node.id] = Staleness("fresh")
        elif own_now[node.id] != own_then.get(node.id):
            found[node.id] = Staleness("stale", "This step was edited since.")
        else:
            found[node.id] = Staleness("stale", _why(now, node.id, own_now, own_then, names))
    return found


def _why(
    workflow: Workflow, node_id: str, now: Mapping[str, str], then: Mapping[str, str], names: Mapping[str, str]
) -> str:
    """The edited step before this one, the nearest first."""
    todo, seen = [node_id], {node_id}
    while todo:
        current = todo.pop(0)
        for edge in workflow.edges:
            source = edge.from_[0]
            if edge.to[0] == current and source not in seen:
                if now.get(source) != then.get(source):
                    return f"“{names.get(source, source)}” before it was edited since."
                seen.add(source)
                todo.append(source)
    return "Steps before it were linked differently, or the settings were changed."


def _own(workflow: Workflow) -> dict[str, str]:
    """Node → digest of what the node itself does."""
    return {node.id: stable_id(_text(workflow, node)) for node in workflow.nodes}


def _text(workflow: Workflow, node: Node) -> str:
    data: dict[str, JsonValue] = node.model_dump(mode="json", exclude={"position", "note", "label", "parameters"})
    return json.dumps([data, workflow.bound(node)], sort_keys=True, default=str)


def _whole(workflow: Workflow, own: Mapping[str, str]) -> dict[str, str]:
    """Node → digest of the node and all that leads to it. O(edges)."""
    order, rest = topological_order(workflow)
    settings = workflow.settings.model_dump_json()
    whole: dict[str, str] = {}
    incoming: dict[str, list[tuple[str, str]]] = {}
    for edge in workflow.edges:
        incoming.setdefault(edge.to[0], []).append(edge.from_)
    for node_id in (*order, *rest):
        links = sorted((source, port, whole.get(source, "")) for source, port in incoming.get(node_id, ()))
        whole[node_id] = stable_id(own[node_id], settings, *(part for link in links for part in link))
    return whole
