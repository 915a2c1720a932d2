"""`send.push`: a notification on the device of the contact.

Absent on purpose: a push service; in test mode it is caught with the mails, live it is refused until there is one.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.errors import UserFixable
from studio.domain.node import Composed, Declaration, NodeContext, Outcome, Parameters
from studio.nodes.gate import Gate
from studio.nodes.message_rendering import Rendered
from studio.nodes.message_source import TemplateText
from studio.nodes.parameters import ConsentTopic
from studio.nodes.short_messages import Carrier, caught_as, compose_texts, template_of

TITLE_MAX = 65
TEXT_MAX = 240
"""Longer ones are cut off by the lock screens of phones."""


class PushParameters(Parameters):
    """What `send.push` can be told."""

    subject: Annotated[TemplateText, Field(min_length=1, max_length=200)] = Field(
        title="Title",
        description="The bold line, at most 65 characters. May hold fields.",
        json_schema_extra={"widget": "template"},
    )
    body: Annotated[TemplateText, Field(min_length=1, max_length=1_000)] = Field(
        title="Text",
        description="The text, at most 240 characters, or the name of a text file. May hold fields.",
        json_schema_extra={"widget": "template"},
    )
    link: Annotated[TemplateText, Field(max_length=1_000)] = Field(
        default="", title="Opens", description="The address that a tap opens. Empty: the app or the website."
    )
    topic: ConsentTopic = ""


class Push:
    """Plans one notification per instance; the gate asks for a device, consent to push, cap and quiet hours."""

    declaration: ClassVar[Declaration] = Declaration(
        id="send.push",
        version=1,
        title="Send push",
        summary="Shows a notification on the device of each person who agreed to that.",
        group="Messages",
        icon="bell",
        role="send",
        needs=("contacts", "consent", "push"),
        channel="push",
    )
    Parameters: ClassVar[type[BaseModel]] = PushParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, PushParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(send=batch)

    async def compose(self, batch: pl.DataFrame, context: NodeContext) -> Composed:
        """Raises UserFixable: MAIL-FILE, MAIL-TEMPLATE; CHANNEL-NO-CONNECTOR in a live run."""
        parameters = self.parameters
        gate = Gate("marketing", parameters.topic or context.settings.topic, "push")
        allowed, addresses, blocked = gate.sorted_out(batch, context)
        template = template_of(parameters.subject, parameters.body, context)
        carrier = Carrier(name="push message", address=caught_as("push"), check=_check)
        return await compose_texts(allowed, addresses, blocked, template, carrier, context)


def _check(rendered: Rendered) -> None:
    for name, text, most in (("title", rendered.subject, TITLE_MAX), ("text", rendered.text, TEXT_MAX)):
        if len(text) > most:
            raise UserFixable(
                "PUSH-TOO-LONG",
                f"The {name} has {len(text)} characters; phones show {most}.",
                hint=f"Shorten the {name}.",
            )
