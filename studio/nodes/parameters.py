"""Types that several nodes' parameters share: durations, times of day, rules, ids that become ports, event kinds,
audiences, topics.

Every check here answers with words for the person who fills in the form. Absent on purpose: the parameters of any node.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import time, timedelta
from typing import Annotated, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from studio.domain.duration import format_duration, parse_duration
from studio.domain.errors import UserFixable
from studio.domain.expression_parser import parse_expression, parse_value

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def refuse(code: str, message: str, hint: str = "") -> NoReturn:
    """Refuses a parameter. Pydantic collects it with the others; `domain.validation` shows code, message and hint."""
    # The message goes in as a value: braces in it must not be taken for placeholders.
    raise PydanticCustomError("parameter", "{message}", {"message": message, "code": code, "hint": hint})


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return parse_duration(value if isinstance(value, str) else repr(value))
    except ValueError as error:
        refuse("NODE-DURATION", str(error), "PT is for hours and minutes (PT90M), P for days and weeks (P7D).")


def _positive(length: timedelta) -> timedelta:
    if not length:
        refuse("NODE-DURATION", "This has to be longer than no time at all", "Write it like PT1H or P7D.")
    return length


Duration = Annotated[
    timedelta,
    Field(json_schema_extra={"widget": "duration"}),
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "format": "duration"}),
]
"""An ISO 8601 duration in files and forms, a timedelta here."""

PositiveDuration = Annotated[Duration, AfterValidator(_positive)]


def _clock(value: object) -> time:
    if isinstance(value, time):
        return value
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        refuse("NODE-TIME", f"“{value}” is not a time of day", "Write it like 09:00 or 18:30.")
    return time(int(found[1]), int(found[2]))


TimeOfDay = Annotated[
    time,
    Field(json_schema_extra={"widget": "time"}),
    BeforeValidator(_clock),
    PlainSerializer(lambda at: at.strftime("%H:%M"), return_type=str),
    WithJsonSchema({"type": "string", "format": "time-of-day"}),
]
"""`HH:MM` in files and forms."""


def refusing(check: Callable[[str], object]) -> Callable[[str], str]:
    """A validator out of a check that raises UserFixable: an empty text passes, every other goes through unchanged."""

    def validate(text: str) -> str:
        if text.strip():
            try:
                check(text)
            except UserFixable as error:
                refuse(error.code, error.message, error.hint or "")
        return text

    return validate


ContactRule = Annotated[
    str,
    Field(min_length=1, max_length=2_000, json_schema_extra={"widget": "rule"}),
    AfterValidator(refusing(lambda text: parse_expression(text, "contact"))),
]
"""A yes-or-no rule about a contact, in the language of `domain.expression`."""

EventRule = Annotated[
    str,
    Field(max_length=2_000, json_schema_extra={"widget": "event_rule"}),
    AfterValidator(refusing(lambda text: parse_expression(text, "event"))),
]
"""A yes-or-no rule about one event; an empty one lets every event through."""

Formula = Annotated[
    str,
    Field(min_length=1, max_length=2_000, json_schema_extra={"widget": "rule"}),
    AfterValidator(refusing(parse_value)),
]
"""A value about a contact, of any type, in the language of `domain.expression`."""

OptionalFormula = Annotated[
    str, Field(max_length=2_000, json_schema_extra={"widget": "rule"}), AfterValidator(refusing(parse_value))
]
"""A value as above, or an empty text."""

RESERVED_VARIABLES = ("event", "reached")
"""Variables that the program itself sets."""


def _variable(name: str) -> str:
    if name in RESERVED_VARIABLES:
        refuse("NODE-VARIABLE", f"var.{name} is set by the program itself", "Choose another name.")
    return name


VariableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$"), AfterValidator(_variable)]
"""The part of a variable's name behind `var.`."""

PortId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
"""An id that becomes the name of an output."""

EventKind = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[^\s|=]+$", json_schema_extra={"widget": "event"})
]
"""What an event is called in the event log, such as order."""

AudienceName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="“everyone”, or the name of one import.",
        json_schema_extra={"widget": "audience"},
    ),
]
"""Whom a source starts with; `audience_of.Audience` finds them."""

ConsentTopic = Annotated[
    str,
    Field(
        max_length=100,
        title="Topic",
        description="What consent is asked for. Empty: the topic of the workflow.",
        json_schema_extra={"widget": "topic"},
    ),
]
"""What people agreed to be written to about."""


def distinct_ports(ids: Iterable[str], reserved: tuple[str, ...]) -> None:
    """Refuses ids that occur twice or that mean another output of the same node."""
    seen: set[str] = set()
    for port in ids:
        if port in (*reserved, "error"):
            refuse("NODE-PORT", f"“{port}” is the name of another output of this step", "Choose another id.")
        if port in seen:
            refuse("NODE-PORT", f"The id “{port}” is there twice", "Give each its own id.")
        seen.add(port)
