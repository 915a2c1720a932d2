"""The workflow file (`studio.workflow/1`): the graph a person edits and a run refers to by content hash.

Absent on purpose: what the node types mean (see `domain/node.py`) and everything about running.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, ValidationError

from studio.domain.errors import Problem, UserFixable
from studio.domain.refusals import in_words

GOAL_TYPE = "flow.goal"
FORMAT = "studio.workflow/1"
MAX_NODES = 5_000
MAX_EDGES = 20_000

LOOP = "flow.loop"
"""The one node type that edges may lead back to, out of the steps behind its port `LOOP_BODY`."""
LOOP_BODY = "body"
VISITS = "var.visits."
"""With a loop's id: how often somebody is going round it."""

PortRef: TypeAlias = tuple[str, str]
"""(node id, port name)."""

ReEntryPolicy: TypeAlias = Literal["never", "every_time", "one_per_key", "after_days", "after_exit"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


RETRY_ON = ("transient", "timeout", "busy", "unreachable", "error")
"""What a retry policy may cover: every failure that may pass (`transient`), some of them (`domain.errors.Passing`), or
also errors of the step itself; a message that was refused is never tried again by itself.
"""


class Retry(_Part):
    """How often and how patiently a step is tried again, and after which failures (`RETRY_ON`; none: never).

    `backoff` is an ISO 8601 duration, doubled per attempt.
    """

    max: Annotated[int, Field(ge=0, le=20)] = 5
    backoff: str = "PT1M"
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.2
    retry_on: tuple[str, ...] = ("transient",)


class Node(_Part):
    """One step of the graph. `parameters` are checked by the node type, not here."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
    type: str
    version: int = 1
    label: str = ""
    position: tuple[FiniteFloat, FiniteFloat] = (0.0, 0.0)
    parameters: Mapping[str, JsonValue] = {}
    on_error: Literal["fail", "skip", "route"] = "fail"
    retry: Retry = Retry()
    note: str = ""
    enabled: bool = True
    condition: str | None = None
    timeout: str | None = None


class Edge(_Part):
    """A link from an output port to an input port."""

    from_: Annotated[PortRef, Field(alias="from")]
    to: PortRef


class TemplateRef(_Part):
    """The template a workflow was made from, with the values its parameters got."""

    id: str
    version: int = 1
    parameters: Mapping[str, JsonValue] = {}


class Settings(_Part):
    """What holds for the whole workflow. Durations are ISO 8601; `topic` is what consent is asked for.

    `goal`: the kind of event that counts as success, for goals that do not say so themselves.
    `exit`: a rule about contacts; whoever fits it leaves, asked when a wait is over and before each message.
    `re_entry`: whether somebody may start again, for triggers that do not say so themselves; None: each as it does.
    """

    topic: str = "marketing"
    goal: str | None = None
    exit: str | None = None
    re_entry: ReEntryPolicy | None = None
    quiet_hours: tuple[str, str] | None = None
    zone: str = "UTC"
    frequency_cap: Mapping[str, JsonValue] | None = None
    cost_per_message: Mapping[str, JsonValue] | None = None
    currency: str = "EUR"


class Note(_Part):
    """A sticky note on the canvas."""

    text: str
    position: tuple[FiniteFloat, FiniteFloat] = (0.0, 0.0)
    size: tuple[float, float] = (200.0, 120.0)


class Group(_Part):
    """A titled, coloured frame around nodes."""

    title: str
    nodes: tuple[str, ...] = ()
    colour: str = ""


class Workflow(_Part):
    """The whole document. Key order in the file is the field order here, so that a diff reads well."""

    format: Literal["studio.workflow/1"] = FORMAT
    name: str
    template: TemplateRef | None = None
    settings: Settings = Settings()
    nodes: Annotated[tuple[Node, ...], Field(max_length=MAX_NODES)] = ()
    edges: Annotated[tuple[Edge, ...], Field(max_length=MAX_EDGES)] = ()
    notes: tuple[Note, ...] = ()
    groups: tuple[Group, ...] = ()

    def node(self, node_id: str) -> Node:
        """The node with this id; KeyError when there is none."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)

    def bound(self, node: Node) -> dict[str, JsonValue]:
        """The node's parameters with every `{"$param": name}` replaced by the template parameter's value.

        A goal that names no event of its own watches for the workflow's (`settings.goal`).

        Raises:
            UserFixable: WORKFLOW-PARAM when a name is bound that the workflow's template part does not hold.
        """
        values = self.template.parameters if self.template else {}
        bound = {name: _bind(value, values, node.id, name) for name, value in node.parameters.items()}
        if node.type == GOAL_TYPE and self.settings.goal and not bound.get("event"):
            bound["event"] = self.settings.goal
        return bound

    def to_json(self) -> str:
        """The file's text: stable key order, two-space indent, a final newline."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False) + "\n"

    def content_hash(self) -> str:
        """What a workflow version is known by: a digest of everything that changes how it runs.

        Positions, notes and groups do not count: moving a node does not make a new version.
        """
        data = self.model_dump(mode="json", by_alias=True, exclude={"notes", "groups"})
        for node in data["nodes"]:
            del node["position"], node["note"]
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def parameter_refs(value: JsonValue, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, template parameter) of every `{"$param": name}` inside a value."""
    if isinstance(value, dict):
        if set(value) == {"$param"}:
            yield path, str(value["$param"])
        else:
            for key, inner in value.items():
                yield from parameter_refs(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from parameter_refs(inner, f"{path}[{index}]")


def parse_workflow(text: str | bytes, *, where: str = "workflow") -> Workflow:
    """Reads the file's text.

    Raises:
        UserFixable: WORKFLOW-FILE with every problem of form, each with its path; structure and node parameters
            are checked by `domain.validation.check`.
    """
    try:
        return Workflow.model_validate_json(text)
    except ValidationError as error:
        problems = tuple(
            Problem(code="WORKFLOW-FIELD", message=in_words(item), field=_path(item["loc"]), hint=_remedy(item["type"]))
            for item in error.errors()
        )
        first = problems[0]
        raise UserFixable(
            "WORKFLOW-FILE",
            f"This is not a workflow file: {first.field or 'the text'}: {first.message}",
            where=where,
            hint="Mend the fields named, or export the workflow again.",
            problems=problems,
        ) from None


def topological_order(workflow: Workflow) -> tuple[list[str], list[str]]:
    """Node ids so that every edge points forward, and the ids that lie on or behind a cycle.

    Edges that lead back to a loop node out of its body are how a loop is closed, and count as none.
    """
    known = {node.id for node in workflow.nodes}
    targets: dict[str, list[str]] = {node_id: [] for node_id in known}
    incoming = dict.fromkeys(known, 0)
    back = _edges_back(workflow)
    for edge in workflow.edges:
        if edge.from_[0] in known and edge.to[0] in known and edge not in back:
            targets[edge.from_[0]].append(edge.to[0])
            incoming[edge.to[0]] += 1
    ready = deque(node.id for node in workflow.nodes if not incoming[node.id])
    order: list[str] = []
    while ready:
        node_id = ready.popleft()
        order.append(node_id)
        for target in targets[node_id]:
            incoming[target] -= 1
            if not incoming[target]:
                ready.append(target)
    placed = set(order)
    return order, [node.id for node in workflow.nodes if node.id not in placed]


def _edges_back(workflow: Workflow) -> set[Edge]:
    loops = {node.id for node in workflow.nodes if node.type == LOOP}
    back: set[Edge] = set()
    for loop in loops:
        inside, todo = set[str](), [e.to[0] for e in workflow.edges if e.from_ == (loop, LOOP_BODY)]
        while todo:
            node_id = todo.pop()
            if node_id not in inside and node_id != loop:
                inside.add(node_id)
                todo.extend(e.to[0] for e in workflow.edges if e.from_[0] == node_id)
        back |= {e for e in workflow.edges if e.to[0] == loop and e.from_[0] in inside}
    return back


def _bind(value: JsonValue, values: Mapping[str, JsonValue], node_id: str, field: str) -> JsonValue:
    if isinstance(value, dict):
        if set(value) == {"$param"}:
            name = str(value["$param"])
            if name not in values:
                raise UserFixable(
                    "WORKFLOW-PARAM",
                    f"The template parameter “{name}” has no value.",
                    where=f"{node_id}, {field}",
                    hint=f"Add “{name}” under template.parameters, or write the value itself.",
                )
            return values[name]
        return {key: _bind(inner, values, node_id, field) for key, inner in value.items()}
    if isinstance(value, list):
        return [_bind(inner, values, node_id, field) for inner in value]
    return value


def _path(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _remedy(kind: str) -> str:
    return {
        "extra_forbidden": "Remove it, or check its spelling.",
        "missing": "Add it.",
        "json_invalid": "Take a file that was written by the program, or mend it at that place.",
    }.get(kind, "")
