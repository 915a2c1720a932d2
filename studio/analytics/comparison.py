"""Two runs side by side: everything that differs, what most likely caused the rest first.

A changed parameter, message, audience, error or schema is a possible cause; differing counts are effects. A cause ranks
by the largest effect at its node or behind it, so a change that nothing followed from comes last. Absent on purpose:
claims of proof; two runs are no experiment, and the words say so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import polars as pl
from pydantic import JsonValue

from studio.analytics.side_by_side import StepPair, side_by_side
from studio.domain.clock import iso
from studio.domain.port_words import left_words, ways_of
from studio.domain.ports import RunRow
from studio.domain.run import RunView, StepView
from studio.domain.workflow import Node, Workflow, topological_order

Kind: TypeAlias = Literal["setup", "graph", "parameter", "message", "schema", "error", "count", "timing"]

_NOISE_P = 0.01
_SLOWER = 1.5
_TIMING_FLOOR_MS = 50.0
_EFFECT_FULL = 0.5
"""Cohen's h from which on a difference of shares counts as whole (Cohen 1988, section 6.2: medium effect)."""
_CAUSES: tuple[Kind, ...] = ("setup", "graph", "parameter", "message", "schema", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSide:
    """One of the two runs. `events`: kind → count; `schema`: `node:in` or `node:out.port` → column → type."""

    run: RunRow
    workflow: Workflow
    view: RunView
    events: Mapping[str, int]
    schema: Mapping[str, Mapping[str, pl.DataType]]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs. `score` in [0, 1] ranks; `effects` says what differs at the node or behind it."""

    kind: Kind
    node: str | None
    what: str
    a: JsonValue
    b: JsonValue
    score: float
    words: str
    effects: tuple[str, ...] = ()

    @property
    def is_cause(self) -> bool:
        """Whether it may have caused something, rather than being what came of it."""
        return self.kind in _CAUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All differences, ranked: causes first, by the size of what may have followed; and every step of both."""

    run_a: str
    run_b: str
    finding: str
    differences: tuple[Difference, ...]
    steps: tuple[StepPair, ...] = ()


def compare_runs(a: RunSide, b: RunSide) -> Comparison:
    """What differs between `a` and `b`; every `b` is told as a change from `a`."""
    effects = sorted(_counts(a, b), key=lambda d: -d.score)
    reach = _reach(b.workflow) | _reach(a.workflow)
    causes = [_weighed(cause, effects, reach) for cause in _possible_causes(a, b)]
    causes.sort(key=lambda d: (-d.score, d.node or "", d.what))
    ranked = (*causes, *effects, *sorted(_timings(a, b), key=lambda d: -d.score))
    return Comparison(
        run_a=a.run.run_id,
        run_b=b.run.run_id,
        finding=_finding(causes, effects),
        differences=ranked,
        steps=side_by_side((a.workflow, a.view), (b.workflow, b.view)),
    )


def _possible_causes(a: RunSide, b: RunSide) -> Iterator[Difference]:
    yield from _setup(a, b)
    yield from _graph(a.workflow, b.workflow)
    yield from _texts(a.texts, b.texts)
    yield from _schemas(a.schema, b.schema)
    yield from _errors(a, b)


def _setup(a: RunSide, b: RunSide) -> Iterator[Difference]:
    told = {
        "mode": (a.run.mode, b.run.mode, 0.6),
        "seed": (a.run.seed, b.run.seed, 0.1 if "simulate" in (a.run.mode, b.run.mode) else 0.0),
        "start": (iso(a.run.started_at)[:10], iso(b.run.started_at)[:10], 0.1),
        "profile": (_option(a, "profile"), _option(b, "profile"), 0.2),
        "clock": (a.run.clock, b.run.clock, 0.05),
    }
    for what, (old, new, score) in told.items():
        if old != new and score:
            yield _difference("setup", None, what, old, new, score, f"The {what} was {_say(old)}, now {_say(new)}.")
    if a.view.state != b.view.state:
        words = f"The first run is {a.view.state}, the second {b.view.state}: one may not have gone as far."
        yield _difference("setup", None, "state", a.view.state, b.view.state, 0.3, words)


def _option(side: RunSide, name: str) -> JsonValue:
    return side.run.options.get(name)


def _graph(a: Workflow, b: Workflow) -> Iterator[Difference]:
    old, new = {n.id: n for n in a.nodes}, {n.id: n for n in b.nodes}
    for node_id in sorted(old.keys() - new.keys()):
        yield _difference("graph", node_id, "node", old[node_id].type, None, 0.2, f"{_name(old[node_id])} was removed.")
    for node_id in sorted(new.keys() - old.keys()):
        yield _difference("graph", node_id, "node", None, new[node_id].type, 0.2, f"{_name(new[node_id])} was added.")
    edges_a, edges_b = ({(e.from_, e.to) for e in w.edges} for w in (a, b))
    for edges, words in ((edges_a - edges_b, "is no longer linked to"), (edges_b - edges_a, "is now linked to")):
        for (source, port), (target, _) in sorted(edges):
            if source in old and source in new and target in old and target in new:
                text = f"{_name(new[source])} ({port}) {words} {_name(new[target])}."
                yield _difference("graph", source, f"edge {port}", None, target, 0.2, text)
    for node_id in sorted(old.keys() & new.keys()):
        yield from _parameters(old[node_id], a.bound(old[node_id]), new[node_id], b.bound(new[node_id]))
    yield from _fields("settings", None, "workflow", a.settings.model_dump(), b.settings.model_dump())


def _parameters(
    old: Node, bound_old: Mapping[str, JsonValue], new: Node, bound_new: Mapping[str, JsonValue]
) -> Iterator[Difference]:
    common = {"type", "enabled", "condition", "on_error", "timeout"}
    yield from _fields("", new.id, _name(new), old.model_dump(include=common), new.model_dump(include=common))
    yield from _fields("", new.id, _name(new), bound_old, bound_new)


def _fields(
    prefix: str, node_id: str | None, name: str, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]
) -> Iterator[Difference]:
    for field in dict.fromkeys((*old, *new)):
        before, after = old.get(field), new.get(field)
        if before != after:
            what = f"{prefix}.{field}" if prefix else field
            words = f"{name}: {field.replace('_', ' ')} was {_say(before)}, now {_say(after)}."
            yield _difference("parameter", node_id, what, before, after, 0.2, words)


def _texts(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(a.keys() | b.keys()):
        if a.get(name) != b.get(name):
            words = f"The text of {name} is {'another' if name in a and name in b else 'new' if name in b else 'gone'}."
            yield _difference("message", None, name, a.get(name, "")[:200], b.get(name, "")[:200], 0.2, words)


def _schemas(
    a: Mapping[str, Mapping[str, pl.DataType]], b: Mapping[str, Mapping[str, pl.DataType]]
) -> Iterator[Difference]:
    for place in sorted(a.keys() & b.keys()):
        node_id = place.partition(":")[0]
        for column in dict.fromkeys((*a[place], *b[place])):
            old, new = a[place].get(column), b[place].get(column)
            if old == new:
                continue
            if new is None:
                words = f"{column} is gone"
            elif old is None:
                words = f"{column} is new"
            else:
                words = f"{column} was {old}, now {new}"
            kinds = None if old is None else str(old), None if new is None else str(new)
            yield _difference("schema", node_id, place, *kinds, 0.3, f"At {node_id}: {words}.")


def _errors(a: RunSide, b: RunSide) -> Iterator[Difference]:
    for node_id in dict.fromkeys((*a.view.steps, *b.view.steps)):
        old = {p.code: p for p in a.view.step(node_id).problems if p.count}
        new = {p.code: p for p in b.view.step(node_id).problems if p.count}
        for code in dict.fromkeys((*old, *new)):
            before, after = (found[code].count if code in found else 0 for found in (old, new))
            shares = _share(before, a.view.step(node_id)), _share(after, b.view.step(node_id))
            if before == after or abs(shares[1] - shares[0]) < 1e-3:
                continue
            told = (new.get(code) or old[code]).message
            words = f"{_label(b, node_id)}: {told} ({before:,} people before, {after:,} now)"
            score = 0.3 + 0.4 * min(1.0, abs(shares[1] - shares[0]) * 2)
            yield _difference("error", node_id, code, before, after, score, words)


def _share(count: int, step: StepView) -> float:
    return count / step.arrived if step.arrived else 0.0


def _counts(a: RunSide, b: RunSide) -> Iterator[Difference]:
    """Who entered, and which share of those who came to a node left by each port, where chance is no explanation."""
    for node_id in dict.fromkeys((*(n.id for n in b.workflow.nodes), *(n.id for n in a.workflow.nodes))):
        old, new = a.view.step(node_id), b.view.step(node_id)
        label = _label(b, node_id)
        is_source = not any(edge.to[0] == node_id for edge in b.workflow.edges)
        if is_source and old.arrived != new.arrived and max(old.arrived, new.arrived):
            ratio = abs(math.log2((new.arrived + 1) / (old.arrived + 1)))
            words = f"{label}: {old.arrived:,} people entered before, {new.arrived:,} now."
            yield _difference("count", node_id, "in", old.arrived, new.arrived, min(1.0, ratio / 3), words)
        labels = {**ways_of(a.workflow), **ways_of(b.workflow)}.get(node_id, {})
        ports = () if is_source else dict.fromkeys((*old.out, *new.out))
        for port in ports:
            yield from _port_shares(node_id, (label, left_words(port, labels)), port, old, new)
    for kind in sorted(a.events.keys() | b.events.keys()):
        yield from _event_shares(kind, a.events, b.events)


def _port_shares(node_id: str, said: tuple[str, str], port: str, old: StepView, new: StepView) -> Iterator[Difference]:
    if not old.arrived or not new.arrived:
        return
    counts = (old.out.get(port, 0), old.arrived, new.out.get(port, 0), new.arrived)
    shares = counts[0] / counts[1], counts[2] / counts[3]
    size = _effect(*counts)
    if size:
        label, left = said
        words = f"{label}: {shares[0]:.1%} {left} before, {shares[1]:.1%} now."
        yield _difference("count", node_id, f"out {port}", round(shares[0], 6), round(shares[1], 6), size, words)


def _event_shares(kind: str, a: Mapping[str, int], b: Mapping[str, int]) -> Iterator[Difference]:
    entered = a.get("entered", 0), b.get("entered", 0)
    if kind == "entered" or not all(entered):
        return
    counts = (a.get(kind, 0), entered[0], b.get(kind, 0), entered[1])
    size = _effect(min(counts[0], counts[1]), counts[1], min(counts[2], counts[3]), counts[3])
    if size:
        shares = counts[0] / counts[1], counts[2] / counts[3]
        words = f"{kind.capitalize()} per person who entered: {shares[0]:.3g} before, {shares[1]:.3g} now."
        yield _difference("count", None, kind, round(shares[0], 6), round(shares[1], 6), size, words)


def _effect(count_a: int, n_a: int, count_b: int, n_b: int) -> float:
    """Cohen's h in parts of a medium effect, at most 1; 0 where chance alone may make such a difference (pooled z)."""
    pooled = (count_a + count_b) / (n_a + n_b)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)
    if variance <= 0:
        return 0.0
    z = abs(count_b / n_b - count_a / n_a) / math.sqrt(variance)
    if math.erfc(z / math.sqrt(2)) > _NOISE_P:
        return 0.0
    angles = (2 * math.asin(math.sqrt(min(count / n, 1.0))) for count, n in ((count_a, n_a), (count_b, n_b)))
    first, second = angles
    return min(1.0, abs(second - first) / _EFFECT_FULL)


def _timings(a: RunSide, b: RunSide) -> Iterator[Difference]:
    for node_id in a.view.steps.keys() & b.view.steps.keys():
        old, new = a.view.step(node_id), b.view.step(node_id)
        if max(old.duration_ms, new.duration_ms) < _TIMING_FLOOR_MS or not old.arrived or not new.arrived:
            continue
        each = old.duration_ms / old.arrived, new.duration_ms / new.arrived
        ratio = (each[1] + 1e-6) / (each[0] + 1e-6)
        if not 1 / _SLOWER < ratio < _SLOWER:
            word = f"{ratio:.1f} times as slow" if ratio > 1 else f"{1 / ratio:.1f} times as fast"
            words = f"{_label(b, node_id)}: {word} per person ({each[0]:.3g} ms before, {each[1]:.3g} ms now)."
            values = round(each[0], 6), round(each[1], 6)
            yield _difference("timing", node_id, "ms per person", *values, min(1.0, abs(math.log2(ratio)) / 5), words)


def _weighed(cause: Difference, effects: Sequence[Difference], reach: Mapping[str, set[str]]) -> Difference:
    """The cause with what may have followed from it: at its node or behind it, anywhere for the whole workflow's."""
    behind = None if cause.node is None else reach.get(cause.node, {cause.node})
    followed = [e for e in effects if behind is None or e.node is None or e.node in behind]
    at_node = [e for e in followed if cause.node is not None and e.node == cause.node]
    largest = max((e.score for e in followed), default=0.0)
    nearest = max((e.score for e in at_node), default=0.0)
    score = min(1.0, cause.score + 0.4 * largest + 0.2 * nearest) if followed else cause.score / 2
    told = [*at_node, *(e for e in followed if e not in at_node)]
    return replace(cause, score=round(score, 4), effects=tuple(e.words for e in told[:3]))


def _reach(workflow: Workflow) -> dict[str, set[str]]:
    """Node → itself and all behind it. O(nodes · edges)."""
    order, _ = topological_order(workflow)
    behind: dict[str, set[str]] = {}
    for node_id in reversed(order):
        targets = [e.to[0] for e in workflow.edges if e.from_[0] == node_id]
        behind[node_id] = {node_id}.union(*(behind.get(target, set()) for target in targets))
    return behind


def _finding(causes: Sequence[Difference], effects: Sequence[Difference]) -> str:
    if not causes and not effects:
        return "The two runs did the same."
    if not effects:
        return f"They were set up differently, but the counts are the same within chance. {causes[0].words}"
    if not causes:
        return f"Nothing was changed, yet the counts differ: {effects[0].words} Look at the data."
    return f"{effects[0].words} Most likely because: {causes[0].words}"


def _difference(
    kind: Kind, node: str | None, what: str, a: JsonValue, b: JsonValue, score: float, words: str
) -> Difference:
    return Difference(kind=kind, node=node, what=what, a=a, b=b, score=round(score, 4), words=words)


def _label(side: RunSide, node_id: str) -> str:
    named: Iterable[Node] = (node for node in side.workflow.nodes if node.id == node_id)
    return next((_name(node) for node in named), node_id)


def _name(node: Node) -> str:
    return f"“{node.label}”" if node.label else node.id


def _say(value: JsonValue) -> str:
    if value is None or value == "":
        return "not set"
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
