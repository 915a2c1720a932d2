"""Reference journeys for the fault tests: small workflows with every kind of step, and what everybody must get in them.

People are known by how the mail server treats them (`sink.MISHAPS`): their address begins with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from studio.domain.workflow import Workflow
from studio.frames.events import AT, as_events
from tests.engine.bench import workflow

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALM = ("anna", "ben", "cleo", "dora", "emil", "fay")
ROUGH = ("anna", "later", "refuse", "cut", "lost", "kept", "late", "ben")

Happening = tuple[str, int, float]
"""(kind, contact, minutes after the start)."""


@dataclass(frozen=True)
class Journey:
    """A workflow, its people, what happens meanwhile, and `expected`: node → contacts who must get its message.

    `refused` get none, because the server says so; `doubts` can be in doubt without any kill.
    """

    name: str
    make: Callable[[], Workflow]
    expected: dict[str, Sequence[int]]
    people: Sequence[str] = CALM
    happenings: Sequence[Happening] = ()
    refused: dict[str, Sequence[int]] = field(default_factory=dict)
    doubts: int = 0

    def address(self, contact_id: int) -> str:
        return f"{self.people[contact_id]}{contact_id}@example.invalid"

    def events(self) -> pl.DataFrame:
        rows = [
            {
                "event_id": number,
                "occurred_at": START + timedelta(minutes=minutes),
                "kind": kind,
                "contact_id": contact,
                "value": 10.0,
                "currency": "EUR",
                "key": "k",
            }
            for number, (kind, contact, minutes) in enumerate(self.happenings, start=1)
        ]
        return as_events(pl.DataFrame(rows, schema_overrides={"event_id": pl.UInt64, "occurred_at": AT}))


def _people(count: int = len(CALM)) -> tuple[str, dict]:
    return "people", {"count": count}


def _newsletter() -> Workflow:
    nodes = {"s": _people(), "m1": ("mail", {}), "p": ("pause", {"wait": "P1D"}), "m2": ("mail", {})}
    return workflow(nodes, "s > m1", "m1 > p", "p > m2")


def _carts() -> Workflow:
    return workflow(
        {
            "c": ("cart", {}),
            "w": ("await", {"timeout": "PT1H"}),
            "m1": ("mail", {}),
            "p": ("pause", {"wait": "PT2H", "spread": "PT1H"}),
            "m2": ("mail", {}),
            "g": ("target", {"window": "P2D", "match_key": True}),
            "thanks": ("mail", {}),
        },
        "c > w",
        "w.timeout > m1",
        "m1 > p",
        "p > m2",
        "m2 > g",
        "g.reached > thanks",
    )


def _branches() -> Workflow:
    return workflow(
        {
            "s": _people(),
            "k": ("keep", {}),
            "a": ("mail", {}),
            "b": ("mail", {}),
            "p": ("pause", {"wait": "PT6H", "spread": "PT1H"}),
            "both": ("mail", {}),
            "aside": ("mail", {}),
        },
        "s > k",
        "s > aside",
        "k.pass > a",
        "k.fail > b",
        "a > p",
        "b > p",
        "p > both",
    )


def _rough() -> Workflow:
    patient = {"retry": {"max": 4, "backoff": "PT5M", "jitter": 0.2}}
    return workflow(
        {
            "s": _people(len(ROUGH)),
            "m1": ("mail", {}, {**patient, "on_error": "skip"}),
            "p": ("pause", {"wait": "P1D"}),
            "m2": ("mail", {}, {**patient, "on_error": "skip"}),
        },
        "s > m1",
        "m1 > p",
        "p > m2",
    )


_EVERYBODY = tuple(range(len(CALM)))
_REACHABLE = tuple(number for number, name in enumerate(ROUGH) if name != "refuse")
_REFUSED = tuple(number for number, name in enumerate(ROUGH) if name == "refuse")

JOURNEYS = (
    Journey("newsletter", _newsletter, {"m1": _EVERYBODY, "m2": _EVERYBODY}),
    Journey(
        "carts",
        _carts,
        # 1 orders before the first mail, 3 after it, 4 after the second.
        {"m1": (0, 2, 3, 4), "m2": (0, 2, 4), "thanks": (1, 3, 4)},
        happenings=[("cart", person, 10.0 + person) for person in range(5)]
        + [("order", 1, 30.0), ("order", 3, 130.0), ("order", 4, 600.0)],
    ),
    Journey("branches", _branches, {"a": (0, 2, 4), "b": (1, 3, 5), "both": _EVERYBODY, "aside": _EVERYBODY}),
    Journey(
        "rough",
        _rough,
        {"m1": _REACHABLE, "m2": _REACHABLE},
        people=ROUGH,
        refused={"m1": _REFUSED, "m2": _REFUSED},
        # Whose connection breaks after the dot, each at both messages.
        doubts=4,
    ),
)


class People:
    """The ports `Contacts` and `ContactView`: those of a journey."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey

    def at(self, now: datetime) -> People:
        return self

    def ids(self, after: int, limit: int, source: str | None = None) -> pl.Series:
        first = after + 1
        return pl.Series("contact_id", range(first, min(first + limit, len(self._journey.people))), dtype=pl.UInt32)

    def fields(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame:
        known = {"email": [self._journey.address(i) for i in ids], "key": [str(i) for i in ids]}
        return pl.DataFrame({"contact_id": ids, **{name: known.get(name, [None] * len(ids)) for name in names}})

    def few(self, ids, names):
        found = self.fields(pl.Series("contact_id", ids, dtype=pl.UInt32), names)
        return dict(found.schema), found.to_dicts()

    def names(self) -> tuple[str, ...]:
        return ("key", "email")

    def consent(self, ids: pl.Series, channel: str, topic: str) -> pl.DataFrame:
        return pl.DataFrame({"contact_id": ids, "state": ["granted"] * len(ids)})

    def suppressed(self, ids: pl.Series, channel: str, topic: str) -> pl.DataFrame:
        return pl.DataFrame(schema={"contact_id": pl.UInt32, "reason": pl.String})
