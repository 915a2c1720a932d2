"""A workflow compiled for running: node objects, who follows whom, and what listens to events.

Absent on purpose: running anything. Where a stage ends is decided by what nodes do with a batch (`engine/stage.py`):
whatever waits, is to be sent, or has ended goes no further, so the plan needs no list of stages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from studio.domain.debugging import Aids
from studio.domain.duration import parse_duration
from studio.domain.errors import Problem, Transient, UserFixable
from studio.domain.expression import Expression
from studio.domain.expression_parser import parse_expression
from studio.domain.node import (
    SENT_KINDS,
    EventTrigger,
    Joins,
    Listens,
    Mode,
    NodeType,
    Role,
    Sends,
    Source,
    Waits,
    Watches,
)
from studio.domain.validation import Catalogue, exit_rule, make_node
from studio.domain.workflow import LOOP, Node, Retry, Workflow, topological_order

ERROR_PORT = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """How often a step is tried again after the first time, after which failures, and how long it waits; doubled per
    attempt.
    """

    max: int
    backoff: timedelta
    jitter: float
    on: frozenset[str] = frozenset({"transient"})

    def covers(self, error: Exception) -> bool:
        """Whether this kind of failure is tried again at all; others fail at once."""
        if isinstance(error, Transient):
            return "transient" in self.on or error.why in self.on
        return "error" in self.on

    def again_at(self, now: datetime, attempt: int, chance: float, error: Exception) -> datetime | None:
        """When to try again after the `attempt`-th try (from 1); None after the last, or after what is not covered.

        `chance` in [0, 1) spreads the waits; the other side is left alone for as long as it asks to be.
        """
        if attempt > self.max or not self.covers(error):
            return None
        asked_s = error.retry_after_s if isinstance(error, Transient) else None
        spread = 1 + self.jitter * (2 * chance - 1)
        own = self.backoff * min(2 ** (attempt - 1), 1_024) * spread
        return now + max(own, timedelta(seconds=asked_s or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One enabled node. `targets`: port → nodes that get what leaves there, with switched-off nodes stepped over.

    `condition`: who does not fulfil it passes by, out through the first port, as if the node were switched off.
    `position` counts the send nodes before this one on the longest way to it (the first mail has 0).
    """

    id: str
    node: NodeType
    declared: Node
    role: Role
    order: int
    ports: tuple[str, ...]
    targets: Mapping[str, tuple[str, ...]]
    retry: RetryRule
    timeout_s: float | None
    condition: Expression | None = None
    position: int = 0

    @property
    def label(self) -> str:
        """What a person calls the step."""
        return self.declared.label or self.node.declaration.title

    @property
    def sent_kind(self) -> str:
        """The contact event that a message of this step is recorded as when it has gone out."""
        return SENT_KINDS.get(self.node.declaration.channel or "email", "sent")

    @property
    def main_port(self) -> str | None:
        """Where those go on who pass a step that did nothing with them."""
        return self.ports[0] if self.ports else None


@dataclass(frozen=True)
class Plan:
    """Steps by id in topological order."""

    workflow: Workflow
    steps: Mapping[str, Step]
    pinned: frozenset[str] = frozenset()
    """Steps that give what is pinned to them, once, and do not run."""
    start: str | None = None
    """The step at which a part of the workflow begins; nothing else lets anybody in then."""

    @cached_property
    def sources(self) -> tuple[Step, ...]:
        return tuple(step for step in self._starting if isinstance(step.node, Source))

    @cached_property
    def triggers(self) -> tuple[Step, ...]:
        return tuple(step for step in self._starting if isinstance(step.node, EventTrigger))

    @cached_property
    def exit_rule(self) -> Expression | None:
        """Who fits it leaves the run, asked when a wait is over and before each message."""
        return exit_rule(self.workflow)

    @property
    def _starting(self) -> tuple[Step, ...]:
        if self.start is not None:
            return ()
        return tuple(step for step in self.steps.values() if step.id not in self.pinned)

    @cached_property
    def goals(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps.values() if step.role == "goal")

    @cached_property
    def listeners(self) -> tuple[Step, ...]:
        """Waits that end when an event comes; goals are not among them."""
        return tuple(s for s in self.steps.values() if s.role == "wait" and isinstance(s.node, Listens))

    @cached_property
    def joints(self) -> tuple[Step, ...]:
        """Steps at which parallel branches meet."""
        return tuple(step for step in self.steps.values() if isinstance(step.node, Joins))

    @cached_property
    def has_loop(self) -> bool:
        """Whether somebody may come to a step several times."""
        return any(step.declared.type == LOOP for step in self.steps.values())

    @cached_property
    def trigger_kinds(self) -> tuple[str, ...]:
        return _kinds(self.triggers)

    @cached_property
    def match_kinds(self) -> tuple[str, ...]:
        return _kinds((*self.goals, *self.listeners))

    @cached_property
    def has_fan_out(self) -> bool:
        """Whether one port leads to several nodes, so that one instance can come to a node twice."""
        return any(len(targets) > 1 for step in self.steps.values() for targets in step.targets.values())

    @cached_property
    def behind(self) -> Mapping[str, frozenset[str]]:
        """Node → everything that comes after it."""
        return {
            step.id: frozenset(self.reach(t for targets in step.targets.values() for t in targets))
            for step in self.steps.values()
        }

    def reach(self, starts: Iterable[str]) -> set[str]:
        """The nodes and everything that comes after them."""
        seen, todo = set[str](), [start for start in starts if start in self.steps]
        while todo:
            node_id = todo.pop()
            if node_id not in seen:
                seen.add(node_id)
                todo.extend(t for targets in self.steps[node_id].targets.values() for t in targets)
        return seen


def carrier_of(step: Step, mode: Mode) -> Literal["mail", "web"]:
    """Over what a send step's messages go in a run of this mode; all but live ones go to the mail catcher."""
    return step.node.declaration.carrier if mode == "live" else "mail"


def sent_kind(step: Step) -> str:
    """The contact event of a step's messages that went out. What is no message to the contact (a web call, a notice to
    the team, a page) is called something else, and caps do not count it.
    """
    declared = step.node.declaration
    return "called" if declared.carrier == "web" else SENT_KINDS.get(declared.channel or "email", "sent")


def compile_plan(workflow: Workflow, catalogue: Catalogue) -> Plan:
    """The plan of a workflow that `domain.validation.check` found sound.

    Raises:
        UserFixable: ENGINE-CYCLE, ENGINE-CONDITION, ENGINE-NODE (a type lacks what its role asks for), and whatever
            making a node or reading a condition raises.
    """
    order, cyclic = topological_order(workflow)
    if cyclic:
        raise UserFixable(
            "ENGINE-CYCLE",
            f"These nodes lead back to themselves: {', '.join(cyclic[:6])}.",
            where=cyclic[0],
            hint="Remove one of the edges between them; to repeat steps use a loop node.",
        )
    made = {node.id: make_node(catalogue, workflow, node) for node in workflow.nodes}
    follows = _followers(workflow, made)
    problems: list[Problem] = []
    steps: dict[str, Step] = {}
    for place, node_id in enumerate(order):
        declared = workflow.node(node_id)
        if declared.enabled:
            condition, wrong = _condition(declared, made[node_id])
            problems += [*wrong, *_shortcomings(declared, made[node_id])]
            steps[node_id] = _step(declared, made[node_id], place, condition, follows)
    if problems:
        texts = " ".join(str(problem) for problem in problems)
        raise UserFixable(problems[0].code, texts, where=problems[0].node, hint=problems[0].hint, problems=problems)
    return Plan(workflow, _with_positions(steps))


def limited(plan: Plan, aids: Aids) -> Plan:
    """The part of a plan that a run is asked for: up to a step, from a step, with pinned ones.

    Raises:
        UserFixable: AID-PART when no way leads from the one step to the other.
    """
    kept = set(plan.steps)
    if aids.to_node is not None:
        kept &= {step_id for step_id in plan.steps if aids.to_node in plan.reach([step_id])}
    if aids.from_node is not None:
        kept &= plan.reach([aids.from_node])
    if aids.from_node is not None and aids.from_node not in kept:
        text = f"No way leads from “{aids.from_node}” to “{aids.to_node}”."
        raise UserFixable("AID-PART", text, where="--from", hint="Choose a step that lies before the other.")
    steps = {step_id: _cut(step, kept, is_last=step_id == aids.to_node) for step_id, step in plan.steps.items()}
    return Plan(
        plan.workflow,
        {step_id: step for step_id, step in steps.items() if step_id in kept},
        pinned=frozenset(pin.node for pin in aids.pins) & kept,
        start=aids.from_node,
    )


def _cut(step: Step, kept: Collection[str], *, is_last: bool) -> Step:
    targets = {port: tuple(t for t in found if t in kept) for port, found in step.targets.items()}
    return replace(step, targets={} if is_last else targets)


def _step(
    declared: Node,
    node: NodeType,
    place: int,
    condition: Expression | None,
    follows: Mapping[tuple[str, str], tuple[str, ...]],
) -> Step:
    ports = tuple(node.outputs())
    targets = {port: follows[declared.id, port] for port in (*ports, ERROR_PORT) if (declared.id, port) in follows}
    return Step(
        id=declared.id,
        node=node,
        declared=declared,
        role=node.declaration.role,
        order=place,
        ports=ports,
        targets=targets,
        retry=_retry_rule(declared.retry),
        timeout_s=parse_duration(declared.timeout).total_seconds() if declared.timeout else None,
        condition=condition,
    )


def _followers(workflow: Workflow, made: Mapping[str, NodeType]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(node, port) → enabled nodes behind it; a switched-off one stands for what follows its first port."""
    edges: dict[tuple[str, str], list[str]] = {}
    for edge in workflow.edges:
        edges.setdefault((edge.from_[0], edge.from_[1]), []).append(edge.to[0])
    enabled = {node.id for node in workflow.nodes if node.enabled}

    def behind(place: tuple[str, str]) -> list[str]:
        found: list[str] = []
        for target in edges.get(place, ()):
            if target in enabled:
                found.append(target)
            elif ports := made[target].outputs():
                found += behind((target, ports[0]))
        return found

    return {place: tuple(dict.fromkeys(behind(place))) for place in edges}


def _with_positions(steps: Mapping[str, Step]) -> dict[str, Step]:
    before = dict.fromkeys(steps, 0)
    for step in steps.values():
        after = before[step.id] + (step.role == "send")
        for target in {t for targets in step.targets.values() for t in targets}:
            before[target] = max(before[target], after)
    return {key: replace(step, position=before[key]) for key, step in steps.items()}


def _condition(declared: Node, node: NodeType) -> tuple[Expression | None, list[Problem]]:
    if declared.condition is None or not declared.condition.strip():
        return None, []
    if node.declaration.role == "source":
        text = "A condition cannot stand on the step that starts the workflow: nobody is there yet to be asked about."
        return None, [Problem("ENGINE-CONDITION", text, "Put a filter behind it.", declared.id, "condition")]
    try:
        return parse_expression(declared.condition), []
    except UserFixable as error:
        found = error.problems or (Problem(error.code, error.message, error.hint or ""),)
        return None, [Problem(p.code, p.message, p.hint, declared.id, "condition") for p in found]


def _shortcomings(declared: Node, node: NodeType) -> list[Problem]:
    problems: list[Problem] = []
    needed = {"source": (Source, EventTrigger), "wait": (Waits,), "goal": (Waits,), "send": (Sends,)}
    wanted = needed.get(node.declaration.role, ())
    is_fit = not wanted or isinstance(node, wanted)
    if not is_fit or (node.declaration.role == "goal" and not isinstance(node, Watches)):
        text = f"The node type “{declared.type}” lacks what a {node.declaration.role} node must have."
        problems.append(Problem("ENGINE-NODE", text, "Report it to who wrote this node type.", declared.id))
    return problems


def _retry_rule(retry: Retry) -> RetryRule:
    return RetryRule(
        max=retry.max,
        backoff=parse_duration(retry.backoff),
        jitter=retry.jitter,
        on=frozenset(retry.retry_on),
    )


def _kinds(steps: Iterable[Step]) -> tuple[str, ...]:
    kinds = {
        kind for step in steps if isinstance(step.node, Listens | EventTrigger) for kind in step.node.event_kinds()
    }
    return tuple(sorted(kinds))
