"""The functions of rules and formulas that choose, reckon and write: what each takes and gives.

Functions of the event log (`count`, `days_since` …) and the first ones on texts have their own nodes in the tree.
Absent on purpose: reading them (`expression_parser`) and doing them (`studio.frames.expression`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

CallFunction: TypeAlias = Literal[
    "if", "default", "round", "abs", "min", "max", "join", "upper", "trim", "ends_with", "days_to"
]
Takes: TypeAlias = Literal["condition", "value", "number", "text", "digits", "separator"]
"""value: anything, but all of one kind. digits: a whole number that is written out; separator: a text that is."""
Gives: TypeAlias = Literal["value", "number", "text", "boolean"]

DIGITS_MAX = 6
_MANY = 20


@dataclass(frozen=True, slots=True)
class Signature:
    """`takes` for each argument; the last one holds for all that follow, up to `most`. `example` shows it in use."""

    takes: tuple[Takes, ...]
    gives: Gives
    least: int
    most: int
    example: str

    def taken(self, place: int) -> Takes:
        """What the argument at a place (from 0) is."""
        return self.takes[min(place, len(self.takes) - 1)]


CALLS: Mapping[CallFunction, Signature] = {
    "if": Signature(("condition", "value", "value"), "value", 2, 3, 'if(age >= 18, "adult", "minor")'),
    "default": Signature(("value",), "value", 2, _MANY, 'default(nickname, first_name, "friend")'),
    "round": Signature(("number", "digits"), "number", 1, 2, "round(score / 3, 1)"),
    "abs": Signature(("number",), "number", 1, 1, "abs(balance)"),
    "min": Signature(("number",), "number", 2, _MANY, 'min(10, count("order"))'),
    "max": Signature(("number",), "number", 2, _MANY, "max(score, 0)"),
    "join": Signature(("separator", "text"), "text", 2, _MANY, 'join(" ", first_name, last_name)'),
    "upper": Signature(("text",), "text", 1, 1, "upper(country)"),
    "trim": Signature(("text",), "text", 1, 1, "trim(name)"),
    "ends_with": Signature(("text",), "boolean", 2, 2, 'ends_with(email, ".org")'),
    "days_to": Signature(("text",), "number", 1, 1, "days_to(trial_ends) <= 3"),
}
