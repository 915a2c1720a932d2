"""Debugging aids a run can be asked for: breakpoints in a marketer's words, parts of a workflow, pinned data.

Absent on purpose: stopping, which is the engine's, and where aids are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, cast, get_args

from pydantic import JsonValue

from studio.domain.errors import Problem, UserFixable
from studio.domain.port_words import Ways, port_words
from studio.domain.workflow import Workflow

When: TypeAlias = Literal["before", "count", "empty", "contact", "error", "new_value"]
StepBy: TypeAlias = Literal["chunk", "node"]

_NODE = r"[A-Za-z][A-Za-z0-9_-]*"
_PLACE = rf"(?P<node>{_NODE})(?:\.(?P<port>{_NODE}))?"
_FORMS: tuple[tuple[When, re.Pattern[str]], ...] = (
    ("before", re.compile(rf"before:(?P<node>{_NODE})")),
    ("count", re.compile(rf"{_PLACE}\s*>\s*(?P<more_than>\d+)")),
    ("empty", re.compile(rf"empty:{_PLACE}")),
    ("contact", re.compile(rf"contact:(?P<contact>[^,\s][^,]*)(?:,(?P<node>{_NODE}))?")),
    ("error", re.compile(rf"error(?::(?P<node>{_NODE}))?")),
    ("new_value", re.compile(rf"new:(?P<node>{_NODE})\.(?P<field>\S.*)")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakpoint:
    """Where a run holds.

    before: whenever somebody comes to `node`. count: once more than `more_than` people have come to `node`, or have
    left it through `port`; those who are too many are held before they go on. empty: `node` lets nobody out through
    `port` (None: through any). contact: this contact comes to `node` (None: to any). error: a step (`node`, or any)
    fails for somebody. new_value: somebody comes to `node` with a value of `field` (of the contact, or `var.name`) that
    nobody had before him. `contact_id` is filled in where the breakpoint is set.
    """

    when: When
    node: str | None = None
    port: str | None = None
    more_than: int | None = None
    contact: str | None = None
    field: str | None = None
    contact_id: int | None = None

    def __str__(self) -> str:
        place = f"{self.node}.{self.port}" if self.port else f"{self.node}"
        match self.when:
            case "before":
                return f"before:{self.node}"
            case "count":
                return f"{place}>{self.more_than}"
            case "empty":
                return f"empty:{place}"
            case "contact":
                return f"contact:{self.contact}" + (f",{self.node}" if self.node else "")
            case "error":
                return f"error:{self.node}" if self.node else "error"
            case "new_value":
                return f"new:{self.node}.{self.field}"

    def in_words(self, labels: Mapping[str, str], ways: Ways | None = None) -> str:
        """The breakpoint as a person would say it; `labels` by node id, `ways`: what the steps call their outputs."""
        step = f"“{labels.get(self.node, self.node)}”" if self.node else "any step"
        way = port_words(self.port, (ways or {}).get(self.node or "")) if self.port else ""
        port = f" through “{way}”" if way else ""
        many = f"more than {self.more_than or 0:,} people"
        words: dict[When, str] = {
            "before": f"before {step}",
            "count": f"before {many} leave {step}{port}" if port else f"before {step} for {many}",
            "empty": f"when nobody leaves {step}{port}",
            "contact": f"on contact {self.contact}" + (f" before {step}" if self.node else ""),
            "error": f"when {step} fails for somebody",
            "new_value": f"before {step}, on a new value of {self.field}",
        }
        return words[self.when]


def parse_breakpoint(text: str) -> Breakpoint:
    """Reads `before:N`, `N>200`, `N.port>200`, `empty:N.port`, `contact:C,N`, `error:N` or `new:N.field`.

    Raises:
        UserFixable: BREAKPOINT-TEXT.
    """
    for when, form in _FORMS:
        found = form.fullmatch(text.strip())
        if found is not None:
            parts = found.groupdict()
            more_than = int(parts["more_than"]) if parts.get("more_than") else None
            named = {name: parts.get(name) for name in ("node", "port", "contact", "field")}
            return Breakpoint(when=when, more_than=more_than, **named)
    raise UserFixable(
        "BREAKPOINT-TEXT",
        f"“{text}” is not a breakpoint.",
        where="--break",
        hint="Write before:STEP, STEP>200, STEP.port>200, empty:STEP.port, contact:KEY, error, error:STEP or "
        "new:STEP.field.",
    )


def breakpoint_json(given: Breakpoint) -> JsonValue:
    """A breakpoint as it is kept."""
    return {"text": str(given), "contact_id": given.contact_id}


def read_breakpoint(value: JsonValue) -> Breakpoint:
    """A breakpoint out of what is kept."""
    text, contact_id = (value.get("text"), value.get("contact_id")) if isinstance(value, dict) else (value, None)
    return replace(parse_breakpoint(str(text)), contact_id=contact_id if isinstance(contact_id, int) else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRow:
    """One instance that a pinned step gives: the contact's key, the instance's own key, its variables."""

    contact: str
    key: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A step that is not run: it gives these rows through these ports, once, when the run begins."""

    node: str
    rows: Mapping[str, Sequence[PinnedRow]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aids:
    """Everything a run can be asked for beyond running.

    `to_node`: nothing behind it runs; `from_node`: it begins there, with people who are handed over at the start.
    """

    breakpoints: tuple[Breakpoint, ...] = ()
    to_node: str | None = None
    from_node: str | None = None
    pins: tuple[Pin, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.breakpoints or self.to_node or self.from_node or self.pins)

    def as_json(self) -> dict[str, JsonValue]:
        """What a run's options keep."""
        return {
            "breakpoints": [breakpoint_json(breakpoint_) for breakpoint_ in self.breakpoints],
            "to": self.to_node,
            "from": self.from_node,
            "pins": [pin_json(pin) for pin in self.pins],
        }


NO_AIDS = Aids()


def pin_json(pin: Pin) -> dict[str, JsonValue]:
    """A pin as it is kept."""
    rows: dict[str, JsonValue] = {
        port: [{"contact": r.contact, "key": r.key, "variables": dict(r.variables)} for r in rows]
        for port, rows in pin.rows.items()
    }
    return {"node": pin.node, "rows": rows}


def read_pin(value: JsonValue) -> Pin:
    """A pin out of JSON. Raises UserFixable PIN-FORM."""
    try:
        assert isinstance(value, dict)
        rows = cast("Mapping[str, Sequence[Mapping[str, JsonValue]]]", value["rows"])
        read = {
            port: tuple(
                PinnedRow(
                    contact=str(row["contact"]),
                    key=None if row.get("key") is None else str(row["key"]),
                    variables=cast("Mapping[str, JsonValue]", row.get("variables") or {}),
                )
                for row in given
            )
            for port, given in rows.items()
        }
        return Pin(node=str(value["node"]), rows=read)
    except (AssertionError, AttributeError, KeyError, TypeError) as error:
        hint = 'Write {"node": "id", "rows": {"port": [{"contact": "key", "variables": {}}]}}.'
        raise UserFixable("PIN-FORM", "This is not pinned data.", hint=hint) from error


def read_aids(value: JsonValue) -> Aids:
    """The aids out of a run's options; none where there are none."""
    if not isinstance(value, dict):
        return Aids()
    texts, pins = value.get("breakpoints"), value.get("pins")
    to_node, from_node = value.get("to"), value.get("from")
    return Aids(
        breakpoints=tuple(read_breakpoint(text) for text in texts) if isinstance(texts, list) else (),
        to_node=str(to_node) if to_node else None,
        from_node=str(from_node) if from_node else None,
        pins=tuple(read_pin(pin) for pin in pins) if isinstance(pins, list) else (),
    )


def aid_problems(aids: Aids, workflow: Workflow) -> list[Problem]:
    """What does not fit the workflow: nodes that are not in it."""
    known = {node.id for node in workflow.nodes if node.enabled}
    named: Iterable[tuple[str, str | None]] = (
        *((str(b), b.node) for b in aids.breakpoints),
        ("--to", aids.to_node),
        ("--from", aids.from_node),
        *(("--pin", pin.node) for pin in aids.pins),
    )
    return [
        Problem(
            "AID-NODE", f"There is no step “{node}” that is switched on.", "Name a step of the workflow.", field=what
        )
        for what, node in named
        if node is not None and node not in known
    ]


assert set(get_args(When)) == {when for when, _ in _FORMS}, "every kind of breakpoint has its text"
