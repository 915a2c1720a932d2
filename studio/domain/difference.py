"""What differs between two states of a workflow: a list of facts, in the order a person would tell them.

Absent on purpose: three-way merging; whoever edits, edits the newest state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, JsonValue

from studio.domain.port_words import Ways, port_words
from studio.domain.workflow import Edge, Node, PortRef, Workflow

Kind: TypeAlias = Literal["added", "removed", "changed", "moved"]
What: TypeAlias = Literal["node", "edge", "note", "group", "workflow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is different.

    node: the node concerned, None for what concerns none. For an edge the node it leaves.
    edge: the ports an edge links.
    field: path of what changed inside (`parameters.subject`, `settings.topic`); empty for the thing as a whole.
    before, after: the values, None where there is none.
    """

    kind: Kind
    what: What
    node: str | None = None
    edge: tuple[PortRef, PortRef] | None = None
    field: str = ""
    before: JsonValue = None
    after: JsonValue = None


def differences(before: Workflow, after: Workflow) -> tuple[Difference, ...]:
    """Everything that is different in `after`; empty when the two are equal.

    A node is the same node when it has the same id. O(nodes + edges + size of changed parameters).
    """
    return (
        *_whole(before, after),
        *_nodes(before, after),
        *_edges(before.edges, after.edges),
        *_listed("note", before.notes, after.notes),
        *_listed("group", before.groups, after.groups),
    )


def in_words(difference: Difference, names: Mapping[str, str], ways: Ways | None = None) -> str:
    """One line for a person. `names`: node id → what the canvas calls it.

    >>> in_words(Difference(kind="changed", what="node", node="m", field="parameters.subject", before="Hi",
    ...                     after="Hello"), {"m": "Email A"})
    'Email A: subject was “Hi”, is “Hello”'
    """
    who = names.get(difference.node or "", difference.node or "")
    match difference.what:
        case "node" if difference.kind == "changed":
            was, now = _short(difference.before), _short(difference.after)
            return f"{who}: {_said(difference.field)} was {was}, is {now}"
        case "node":
            return f"{who}: {difference.kind}"
        case "edge":
            assert difference.edge is not None
            (_, port), (target, _) = difference.edge
            words = port_words(port, (ways or {}).get(difference.node or ""))
            through = f" through “{words}”" if words else ""
            return f"Edge {who} → {names.get(target, target)}{through}: {difference.kind}"
        case "workflow":
            was, now = _short(difference.before), _short(difference.after)
            return f"{_said(difference.field).capitalize()} was {was}, is {now}"
        case what:
            title = _short(difference.after if difference.after is not None else difference.before)
            return f"{what.capitalize()} {title}: {difference.kind}"


def _whole(before: Workflow, after: Workflow) -> Iterator[Difference]:
    if before.name != after.name:
        yield Difference(kind="changed", what="workflow", field="name", before=before.name, after=after.name)
    for name in ("template", "settings"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            for path, was, now in _changed(_plain(old), _plain(new), name):
                yield Difference(kind="changed", what="workflow", field=path, before=was, after=now)


def _nodes(before: Workflow, after: Workflow) -> Iterator[Difference]:
    old = {node.id: node for node in before.nodes}
    new = {node.id: node for node in after.nodes}
    for node in after.nodes:
        if node.id not in old:
            yield Difference(kind="added", what="node", node=node.id, after=node.label or node.type)
        elif old[node.id] is not node and old[node.id] != node:
            yield from _node(old[node.id], node)
    for node in before.nodes:
        if node.id not in new:
            yield Difference(kind="removed", what="node", node=node.id, before=node.label or node.type)


def _node(before: Node, after: Node) -> Iterator[Difference]:
    was, now = before.model_dump(mode="json"), after.model_dump(mode="json")
    moved = was.pop("position"), now.pop("position")
    for path, old, new in _changed(was, now, ""):
        yield Difference(kind="changed", what="node", node=after.id, field=path, before=old, after=new)
    if moved[0] != moved[1]:
        yield Difference(kind="moved", what="node", node=after.id, before=moved[0], after=moved[1])


def _edges(before: tuple[Edge, ...], after: tuple[Edge, ...]) -> Iterator[Difference]:
    old = dict.fromkeys((edge.from_, edge.to) for edge in before)
    new = dict.fromkeys((edge.from_, edge.to) for edge in after)
    for edge in new:
        if edge not in old:
            yield Difference(kind="added", what="edge", node=edge[0][0], edge=edge)
    for edge in old:
        if edge not in new:
            yield Difference(kind="removed", what="edge", node=edge[0][0], edge=edge)


def _listed(what: Literal["note", "group"], before: tuple[BaseModel, ...], after: tuple[BaseModel, ...]):
    """Notes and groups have no ids: equal ones are the same, one at the same place in the list was changed."""
    gone, come = [part for part in before if part not in after], [part for part in after if part not in before]
    for old, new in zip(gone, come, strict=False):
        yield Difference(kind="changed", what=what, before=_title(old), after=_title(new))
    for new in come[len(gone) :]:
        yield Difference(kind="added", what=what, after=_title(new))
    for old in gone[len(come) :]:
        yield Difference(kind="removed", what=what, before=_title(old))


def _title(part: BaseModel) -> str:
    return str(getattr(part, "title", None) or getattr(part, "text", ""))


def _plain(part: BaseModel | None) -> JsonValue:
    return None if part is None else part.model_dump(mode="json")


def _changed(before: JsonValue, after: JsonValue, path: str) -> Iterator[tuple[str, JsonValue, JsonValue]]:
    """(path, before, after) of the innermost values that differ; lists of other lengths differ as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _changed(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changed(old, new, f"{path}[{index}]")
    elif before != after:
        yield path, before, after


def _said(path: str) -> str:
    last = path.removeprefix("parameters.").removeprefix("settings.").removeprefix("template.parameters.")
    return last.replace("_", " ").replace(".", ", ")


def _short(value: JsonValue) -> str:
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict) and isinstance(value.get("$param"), str):
        return f"the template's “{_said(value['$param'])}”"
    if isinstance(value, dict | list):
        return f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"
    text = " ".join(str(value).split())
    return f"“{text[:57]}…”" if len(text) > 60 else f"“{text}”"
