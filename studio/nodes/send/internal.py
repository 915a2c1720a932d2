"""`send.internal`: tells somebody of the team about a person who needs attention, as a mail.

Absent on purpose: consent and caps, which are the contact's; chat programs, which need a connector.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Composed, Declaration, NodeContext, Outcome, Parameters
from studio.nodes.message_source import TemplateText
from studio.nodes.short_messages import Carrier, compose_texts, template_of


class InternalParameters(Parameters):
    """What `send.internal` can be told."""

    to: Annotated[str, Field(max_length=254, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")] = Field(
        title="To", description="The mail address of the colleague, or of the team."
    )
    subject: Annotated[TemplateText, Field(min_length=1, max_length=300)] = Field(
        title="Subject",
        description="What it is about. May hold fields of the contact.",
        json_schema_extra={"widget": "template"},
    )
    body: Annotated[TemplateText, Field(min_length=1, max_length=10_000)] = Field(
        title="Text",
        description="What your colleague should know and do, or the name of a text file. May hold fields.",
        json_schema_extra={"widget": "template"},
    )


class Internal:
    """Plans one notice per instance; it counts neither as a message to the contact nor for the frequency cap."""

    declaration: ClassVar[Declaration] = Declaration(
        id="send.internal",
        version=1,
        title="Tell a colleague",
        summary="Sends a notice about a person to somebody of your team.",
        group="Messages",
        icon="message-square",
        role="send",
        needs=("contacts",),
        channel="notice",
    )
    Parameters: ClassVar[type[BaseModel]] = InternalParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, InternalParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(send=batch)

    async def compose(self, batch: pl.DataFrame, context: NodeContext) -> Composed:
        """Raises UserFixable: MAIL-FILE, MAIL-TEMPLATE."""
        parameters = self.parameters
        to = pl.repeat(parameters.to, batch.height, eager=True, dtype=pl.String)
        template = template_of(parameters.subject, parameters.body, context)
        carrier = Carrier(name="notice", address=lambda own: own, is_live=True)
        return await compose_texts(batch, to, (), template, carrier, context)
