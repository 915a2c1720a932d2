"""What a person can set for a whole workflow, as one typed form: goal, early exit, starting again, quiet hours, cost.

The workflow file keeps these as `domain.workflow.Settings`. Absent on purpose: what they do (`nodes/gate.py`,
`engine/plan.py`), and the template's parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, JsonValue, model_validator

from studio.domain.duration import format_duration
from studio.domain.expression_parser import parse_expression
from studio.domain.node import Parameters
from studio.domain.spelling import nearest
from studio.domain.workflow import ReEntryPolicy, Settings, Workflow
from studio.nodes.parameters import EventKind, PositiveDuration, TimeOfDay, refuse, refusing
from studio.nodes.reentry import RE_ENTRY_WORDS

_WEEK = timedelta(days=7)


def _zone(name: str) -> str:
    known = available_timezones()
    # Without a zone database on this computer there is nothing to compare with.
    if known and name not in known:
        refuse("SETTINGS-ZONE", f"There is no time zone “{name}”", nearest(name, sorted(known)))
    return name


class WorkflowForm(Parameters):
    """The settings of a workflow, each as a person would say it."""

    goal: EventKind | None = Field(
        default=None,
        title="What counts as success",
        description="The event that goals wait for when they name none of their own, such as order.",
    )
    exit: Annotated[
        str,
        Field(max_length=2_000, json_schema_extra={"widget": "rule"}),
        AfterValidator(refusing(lambda text: parse_expression(text, "contact"))),
    ] = Field(
        default="",
        title="Who leaves early",
        description="Whoever fits this rule leaves after the next wait, and gets no further message. Empty: nobody.",
    )
    re_entry: ReEntryPolicy | None = Field(
        default=None,
        title="Starting again",
        description="Whether somebody may go through the workflow again, for starts that do not say so themselves.",
        json_schema_extra={"words": dict(RE_ENTRY_WORDS)},
    )
    topic: str = Field(
        default="marketing",
        min_length=1,
        max_length=100,
        title="Topic",
        description="What people agreed to be written to about. Nobody who said no to it gets a message.",
        json_schema_extra={"widget": "topic"},
    )
    quiet_from: TimeOfDay | None = Field(
        default=None, title="Quiet from", description="No message from then on; it waits until the quiet hours end."
    )
    quiet_until: TimeOfDay | None = Field(
        default=None, title="Quiet until", description="By the clock where the person lives, if that is known."
    )
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", title="Time zone", description="For people whose own is not known, such as Europe/Berlin."
    )
    cap: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None,
        title="At most",
        description="So many messages for one person, of all workflows together. Empty: no limit.",
        json_schema_extra={"unit": "messages"},
    )
    cap_per: PositiveDuration = Field(default=_WEEK, title="Within", description="The time the limit is for.")
    cap_action: Literal["defer", "drop"] = Field(
        default="defer",
        title="Beyond that",
        description="What becomes of a message over the limit.",
        json_schema_extra={"words": {"defer": "Send it later", "drop": "Leave it out"}},
    )
    cost: Annotated[float, Field(ge=0, le=1_000)] | None = Field(
        default=None, title="Cost of one message", description="What figures and predictions count with."
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        default="EUR", title="Currency", description="Three letters, such as EUR."
    )

    @model_validator(mode="after")
    def _both_ends(self) -> WorkflowForm:
        if (self.quiet_from is None) != (self.quiet_until is None):
            refuse("SETTINGS-QUIET-HOURS", "Quiet hours need a beginning and an end", "Write both, or neither.")
        return self


def form_values(workflow: Workflow) -> dict[str, JsonValue]:
    """What a workflow's file says, as values of the form: only what differs from its defaults."""
    settings = workflow.settings
    cap, cost = settings.frequency_cap or {}, settings.cost_per_message or {}
    quiet = settings.quiet_hours or (None, None)
    values: dict[str, JsonValue] = {
        "goal": settings.goal,
        "exit": settings.exit or "",
        "re_entry": settings.re_entry,
        "topic": settings.topic,
        "quiet_from": quiet[0],
        "quiet_until": quiet[1],
        "zone": settings.zone,
        "cap": cap.get("max"),
        "cap_per": cap.get("per", format_duration(_WEEK)),
        "cap_action": cap.get("action", "defer"),
        "cost": cost.get("amount"),
        "currency": settings.currency,
    }
    plain = WorkflowForm().model_dump(mode="json")
    return {name: value for name, value in values.items() if value != plain[name]}


def with_settings(settings: Settings, values: Mapping[str, JsonValue]) -> Settings:
    """The settings as the form says. Raises pydantic's ValidationError for values that the form marks as wrong."""
    asked = WorkflowForm.model_validate(dict(values))
    quiet = None
    if asked.quiet_from is not None and asked.quiet_until is not None:
        quiet = f"{asked.quiet_from:%H:%M}", f"{asked.quiet_until:%H:%M}"
    cap = None
    if asked.cap is not None:
        cap = {"max": asked.cap, "per": format_duration(asked.cap_per), "action": asked.cap_action}
    cost = None
    if asked.cost is not None:
        # What else a file says of the cost stays.
        cost = {**(settings.cost_per_message or {}), "amount": asked.cost, "currency": asked.currency}
    return settings.model_copy(
        update={
            "goal": asked.goal,
            "exit": asked.exit.strip() or None,
            "re_entry": asked.re_entry,
            "topic": asked.topic,
            "quiet_hours": quiet,
            "zone": asked.zone,
            "frequency_cap": cap,
            "cost_per_message": cost,
            "currency": asked.currency,
        }
    )
