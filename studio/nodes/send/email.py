"""`send.email`: one mail per instance, written at the moment it goes out.

The gate is asked first, then subject, HTML and text are rendered for each person. Absent on purpose: MIME (the builder
in the context makes it), and handing over (the engine's outbox).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, field_validator, model_validator

from studio.domain.node import Composed, Declaration, NodeContext, Outcome, Parameters
from studio.nodes.letters import compose_letters
from studio.nodes.message_rendering import MessageTemplate, Texts, check_template, compiled
from studio.nodes.message_source import TemplateText, body_source, check_footer, is_inline, is_text_file, text_source
from studio.nodes.parameters import ConsentTopic, refusing


class EmailParameters(Parameters):
    """What `send.email` can be told."""

    subject: Annotated[TemplateText, Field(min_length=1, max_length=1_000)] = Field(
        title="Subject",
        description='May hold fields, such as {{ contact.first_name|default("friend") }} or {{ var.subject|fill }}.',
        json_schema_extra={"widget": "template"},
    )
    preheader: Annotated[TemplateText, Field(max_length=1_000)] = Field(
        default="",
        title="Preview text",
        description="What mail programs show after the subject. May hold fields.",
        json_schema_extra={"widget": "template"},
    )
    body: Annotated[str, Field(min_length=1, max_length=100_000)] = Field(
        title="Message",
        description="The name of a message file of the template, such as m1.en.mjml, or the MJML itself.",
        json_schema_extra={"widget": "mjml"},
    )
    text: Annotated[str, Field(max_length=100_000)] = Field(
        default="",
        title="Plain text",
        description="The name of a text file of the template, or the text itself. Empty: taken from the message.",
        json_schema_extra={"widget": "template"},
    )
    from_name: Annotated[str, Field(max_length=200)] = Field(
        default="", title="From", description="The sender's name. Empty: only the address."
    )
    purpose: Literal["marketing", "transactional"] = Field(
        default="marketing",
        title="Purpose",
        description="Marketing asks for consent, cap and quiet hours; transactional mail only for a usable address.",
    )
    topic: ConsentTopic = ""
    track: bool = Field(
        default=True,
        title="Tag links",
        description="Adds utm_source, utm_medium, utm_campaign and utm_content to links, for your web statistics.",
    )

    @field_validator("text")
    @classmethod
    def _text_can_be_filled_in(cls, text: str) -> str:
        return text if is_text_file(text) else refusing(check_template)(text)

    @model_validator(mode="after")
    def _body_is_complete(self) -> EmailParameters:
        if is_inline(self.body):
            refusing(check_template)(self.body)
            refusing(lambda body: check_footer(body, self.purpose))(self.body)
        return self


class Email:
    """Plans one message per instance; writes it when the engine is about to send it."""

    declaration: ClassVar[Declaration] = Declaration(
        id="send.email",
        version=1,
        title="Send email",
        summary="Writes to each person, if they may be written to.",
        group="Messages",
        icon="mail",
        role="send",
        needs=("contacts", "consent", "email"),
        channel="email",
    )
    Parameters: ClassVar[type[BaseModel]] = EmailParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, EmailParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(send=batch)

    async def compose(self, batch: pl.DataFrame, context: NodeContext) -> Composed:
        """Raises UserFixable: MAIL-FILE, MAIL-TEMPLATE or MAIL-FOOTER when nobody could get this message."""
        return await compose_letters(self.parameters, self._template(context), batch, context)

    def _template(self, context: NodeContext) -> MessageTemplate:
        parameters = self.parameters
        body = body_source(parameters.body, context.texts)
        check_footer(body, parameters.purpose)
        text = text_source(parameters.text, context.texts)
        return compiled(Texts(parameters.subject, parameters.preheader, body, text))
