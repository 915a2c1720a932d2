"""`web.form`: a sign-up or enquiry form; starts with whoever sends it in.

The form is published as a page of its own (`studio pages publish`); what it sends arrives as the event `form_submitted`
with the form's name as its key. Absent on purpose: receiving it, which a server does.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.reentry import entries_from, re_entry_of

SUBMITTED = "form_submitted"


class FormField(Parameters):
    """One field of a form."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = Field(
        title="Name", description="The contact field that the answer goes to, such as company."
    )
    label: Annotated[str, Field(min_length=1, max_length=120)] = Field(
        title="Label", description="What visitors read beside the field."
    )
    kind: Literal["text", "email", "phone", "date", "choice", "long"] = Field(
        default="text", title="Kind", description="What the visitor is asked for."
    )
    choices: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), title="Choices", description="For choice: what visitors can choose from."
    )
    required: bool = Field(default=False, title="Required", description="Whether the form goes out without an answer.")


class FormParameters(Parameters):
    """What `web.form` can be told."""

    form: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,60}$")] = Field(
        title="Form", description="A short name for the form, such as guide; it is the key of what it sends."
    )
    title: Annotated[str, Field(max_length=120)] = Field(
        default="", title="Heading", description="What stands above the form."
    )
    fields: Annotated[tuple[FormField, ...], Field(max_length=20)] = Field(
        default=(),
        title="Fields",
        description="What the form asks for besides the mail address.",
        json_schema_extra={"widget": "conditions"},
    )
    consent_text: Annotated[str, Field(max_length=1_000)] = Field(
        default="",
        title="Consent",
        description="The sentence beside the box to tick, if the form also asks for consent to mail.",
    )
    consent_version: Annotated[str, Field(max_length=40)] = Field(
        default="1", title="Version of the consent", description="Kept with each consent; change it with the text."
    )
    button: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        default="Send", title="Button", description="What the button of the form says."
    )
    action: Annotated[str, Field(max_length=500)] = Field(
        default="", title="Goes to", description="The address that receives the form. Empty: it is set when publishing."
    )
    redirect: Annotated[str, Field(max_length=500)] = Field(
        default="", title="Then open", description="The page that opens after sending. Empty: a word of thanks."
    )
    re_entry: Literal["never", "every_time", "after_days"] = Field(
        default="never",
        title="Starting again",
        description="Whether somebody who sends it again starts again.",
        json_schema_extra={
            "words": {"never": "Never", "every_time": "Every time", "after_days": "Some days after the last start"}
        },
    )
    re_entry_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=30,
        title="Start again after",
        description="Where some days have to pass: so many between two starts of the same contact.",
        json_schema_extra={"unit": "days"},
    )


class Form:
    """Makes entries out of submitted forms of its name. The answers travel along as `event`."""

    declaration: ClassVar[Declaration] = Declaration(
        id="web.form",
        version=1,
        title="Form",
        summary="Starts with everybody who sends in a form.",
        group="Start",
        icon="list",
        role="source",
        inputs=(),
        needs=("events",),
    )
    Parameters: ClassVar[type[BaseModel]] = FormParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, FormParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    def event_kinds(self) -> tuple[str, ...]:
        return (SUBMITTED,)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def enter(self, events: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """Columns as `EventTrigger.enter` says. Events from before the start of the run start nothing."""
        parameters = self.parameters
        chosen = events.filter(
            (pl.col("kind") == SUBMITTED)
            & (pl.col("occurred_at") >= context.started_at)
            & (pl.col("key") == parameters.form)
        )
        return entries_from(chosen, "", re_entry_of(parameters, context), context)
