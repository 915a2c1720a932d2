"""What every step can be told beside its own settings: for whom it is, how long it may take, when it is tried again.

The workflow file keeps these beside the parameters (`domain.workflow.Node`); here they are one typed form. Absent on
purpose: what they do (`engine/plan.py`, `engine/stage.py`), and what happens to those who fail for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from studio.domain.duration import format_duration
from studio.domain.expression_parser import parse_expression
from studio.domain.node import Parameters
from studio.domain.workflow import Node, Retry
from studio.nodes.parameters import Duration, PositiveDuration, refusing

_PASSING = ("timeout", "busy", "unreachable")
_OptionalRule = Annotated[
    str,
    Field(max_length=2_000, json_schema_extra={"widget": "rule"}),
    AfterValidator(refusing(lambda text: parse_expression(text, "contact"))),
]


class SourcePolicy(Parameters):
    """Of a step that starts a workflow."""

    tries: Annotated[int, Field(ge=0, le=20)] = Field(
        default=5,
        title="Tries again",
        description="How often, after the first time.",
        json_schema_extra={"unit": "times"},
    )
    retry_on: tuple[Literal["timeout", "busy", "unreachable", "error"], ...] = Field(
        default=_PASSING,
        title="After",
        description="No answer in time, asked to come back later, nobody there; error: the step's own errors.",
    )
    backoff: Duration = Field(
        default=timedelta(minutes=1), title="First wait", description="Doubled each time, and spread a little."
    )
    timeout: PositiveDuration | None = Field(
        default=None, title="Time limit", description="How long one go may take. Empty: as long as it needs."
    )


class StepPolicy(SourcePolicy):
    """Of any other step."""

    condition: _OptionalRule = Field(
        default="",
        title="Only for people who fit",
        description="Everybody else passes this step by. Empty: it is for all.",
    )


def policy_values(node: Node) -> dict[str, JsonValue]:
    """What a node's file says, as values of the form: only what differs from its defaults."""
    covered = {kind for each in node.retry.retry_on for kind in (_PASSING if each == "transient" else (each,))}
    values: dict[str, JsonValue] = {}
    if node.condition:
        values["condition"] = node.condition
    if node.timeout:
        values["timeout"] = node.timeout
    if node.retry.max != Retry().max:
        values["tries"] = node.retry.max
    if node.retry.backoff != Retry().backoff:
        values["backoff"] = node.retry.backoff
    if covered != set(_PASSING):
        values["retry_on"] = [kind for kind in (*_PASSING, "error") if kind in covered]
    return values


def with_policy(node: Node, values: Mapping[str, JsonValue]) -> Node:
    """The node as the form says. Raises pydantic's ValidationError for values that the form marks as wrong."""
    asked = StepPolicy.model_validate(dict(values))
    passing = ("transient",) if set(_PASSING) <= set(asked.retry_on) else ()
    others = tuple(kind for kind in asked.retry_on if not passing or kind not in _PASSING)
    retry = node.retry.model_copy(
        update={"max": asked.tries, "backoff": format_duration(asked.backoff), "retry_on": (*passing, *others)}
    )
    timeout = None if asked.timeout is None else format_duration(asked.timeout)
    return node.model_copy(update={"retry": retry, "timeout": timeout, "condition": asked.condition.strip() or None})
