"""Green but wrong: a run that ended without an error and yet is far from what its workflow usually does.

Compares a run's profile (how many came and left by which port, which columns were filled) with those of earlier runs.
Absent on purpose: making profiles, and telling people.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from pydantic import JsonValue

from studio.domain.port_words import Ways, left_words

_PEOPLE_MIN = 20
_FACTOR = 2.0
_SHARE_P = 0.001
_SHARE_SHIFT = 0.15
_SPREAD = 3.0
_ROWS_MIN = 10
_EMPTY_NOW = 0.5
_EMPTY_BEFORE = 0.1
_NAMED_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a run looked like. `filled`: `node.port` → column → (type, share of empty cells); `rows`: of that sample."""

    came: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    filled: Mapping[str, Mapping[str, tuple[str, float]]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, JsonValue]:
        """What is kept."""
        return cast(
            "dict[str, JsonValue]",
            {
                "came": dict(self.came),
                "left": {node: dict(ports) for node, ports in self.left.items()},
                "filled": {place: {c: list(v) for c, v in columns.items()} for place, columns in self.filled.items()},
                "rows": dict(self.rows),
            },
        )


def read_profile(value: Mapping[str, JsonValue]) -> Profile:
    """What `as_json` gave."""
    filled = cast("Mapping[str, Mapping[str, Sequence[object]]]", value["filled"])
    return Profile(
        came=cast("Mapping[str, int]", value["came"]),
        left=cast("Mapping[str, Mapping[str, int]]", value["left"]),
        filled={
            place: {name: (str(kind), float(cast("float", empty))) for name, (kind, empty) in columns.items()}
            for place, columns in filled.items()
        },
        rows=cast("Mapping[str, int]", value["rows"]),
    )


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is far from usual at a step, in words."""

    node: str
    code: str
    message: str
    hint: str


def alarms(
    now: Profile,
    earlier: Sequence[Profile],
    nodes: Collection[str],
    sources: Collection[str],
    ways: Ways | None = None,
) -> list[Alarm]:
    """What is far from usual at some nodes. `sources` are those that let people in; their counts are compared as such.
    `ways`: what the nodes call their outputs.

    Nothing is said without an earlier run to compare with.
    """
    found: list[Alarm] = []
    for node in nodes if earlier else ():
        if node in sources:
            found += _count(node, now, earlier)
            found += _new_columns(node, now, earlier)
        else:
            found += _shares(node, now, earlier, (ways or {}).get(node, {}))
        found += _columns(node, now, earlier)
    return found


def _count(node: str, now: Profile, earlier: Sequence[Profile]) -> Iterator[Alarm]:
    """The audience doubled or halved, or, where it always varies, left the band it varies in (median, MAD; Hampel)."""
    before = [profile.came[node] for profile in earlier if node in profile.came]
    count = now.came.get(node, 0)
    if not before or max(count, *before) < _PEOPLE_MIN:
        return
    logs = [math.log(number + 1) for number in before]
    usual = statistics.median(logs)
    spread = 1.4826 * statistics.median(abs(one - usual) for one in logs)
    distance = math.log(count + 1) - usual
    if abs(distance) < max(math.log(_FACTOR) - 1e-9, _SPREAD * spread):
        return
    normal = math.exp(usual) - 1
    word = "more" if distance > 0 else "fewer"
    runs = "the last run" if len(before) == 1 else f"the last {len(before)} runs"
    yield Alarm(
        node,
        "NORM-COUNT",
        f"{count:,} people came in, far {word} than usual (about {normal:,.0f} in {runs}).",
        "Check the audience before more is sent.",
    )


def _shares(node: str, now: Profile, earlier: Sequence[Profile], labels: Mapping[str, str]) -> Iterator[Alarm]:
    """The share that leaves by a port moved further than chance and taste allow (pooled two-proportion z)."""
    came = now.came.get(node, 0)
    came_before = sum(profile.came.get(node, 0) for profile in earlier)
    if came < _PEOPLE_MIN or came_before < _PEOPLE_MIN:
        return
    left = now.left.get(node, {})
    ports = dict.fromkeys((*left, *(port for profile in earlier for port in profile.left.get(node, {}))))
    for port in ports:
        before = sum(profile.left.get(node, {}).get(port, 0) for profile in earlier) / came_before
        share = left.get(port, 0) / came
        pooled = (share * came + before * came_before) / (came + came_before)
        variance = pooled * (1 - pooled) * (1 / came + 1 / came_before)
        is_far = abs(share - before) >= _SHARE_SHIFT or (share == 0 and before >= 0.05)
        if variance > 0 and is_far and _p(abs(share - before) / math.sqrt(variance)) < _SHARE_P:
            yield Alarm(
                node,
                f"NORM-SHARE-{port}",
                f"{share:.0%} of the people {left_words(port, labels)}; usually it is {before:.0%}.",
                "Look at the people of this step, and compare the run with an earlier one.",
            )


def _columns(node: str, now: Profile, earlier: Sequence[Profile]) -> Iterator[Alarm]:
    last = earlier[-1]
    for place, columns in now.filled.items():
        if place.partition(".")[0] != node or now.rows.get(place, 0) < _ROWS_MIN or place not in last.filled:
            continue
        for name, (kind, empty) in last.filled[place].items():
            yield from _column(node, name, (kind, empty), columns.get(name))


def _new_columns(node: str, now: Profile, earlier: Sequence[Profile]) -> Iterator[Alarm]:
    """Columns that no earlier run knew. Told where people come in only: what a step writes is meant."""
    for place, columns in now.filled.items():
        before = [profile.filled[place] for profile in earlier if place in profile.filled]
        if place.partition(".")[0] != node or not before:
            continue
        known = {name for profile in before for name in profile}
        fresh = sorted(name.removeprefix("var.") for name in columns if name not in known and columns[name][1] < 1)
        if fresh:
            told = ", ".join(f"“{name}”" for name in fresh[:_NAMED_MAX])
            more = f" and {len(fresh) - _NAMED_MAX} more" if len(fresh) > _NAMED_MAX else ""
            text = f"{told}{more}: new in this run; earlier runs had no such field."
            hint = "Use it in rules and messages, or check the import: a column may have got another name."
            yield Alarm(node, "NORM-NEW", text, hint)


def _column(node: str, name: str, before: tuple[str, float], now: tuple[str, float] | None) -> Iterator[Alarm]:
    field_name = name.removeprefix("var.")
    if now is None:
        if before[1] < 1:
            text = f"“{field_name}” is gone; the last run had it."
            yield Alarm(node, f"NORM-GONE-{name}", text, "Check the import, or what the step before writes.")
        return
    if now[1] >= _EMPTY_NOW and before[1] <= _EMPTY_BEFORE:
        text = f"“{field_name}” is empty for {now[1]:.0%} of the people; in the last run it was for {before[1]:.0%}."
        yield Alarm(node, f"NORM-EMPTY-{name}", text, "Check the import: a column may have got another name.")
    elif now[0] != before[0] and now[1] < 1 and before[1] < 1:
        text = f"“{field_name}” holds {_kind(now[0])} now; in the last run it held {_kind(before[0])}."
        yield Alarm(node, f"NORM-TYPE-{name}", text, "Check the import, or what the step before writes.")


def _p(z: float) -> float:
    return math.erfc(z / math.sqrt(2))


def _kind(dtype: str) -> str:
    if dtype.startswith(("Int", "UInt", "Float")):
        return "numbers"
    return {"String": "text", "Boolean": "yes or no"}.get(dtype, dtype.lower())
