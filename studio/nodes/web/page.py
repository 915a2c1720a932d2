"""`web.page`: a page that visitors are shown, one variant of it per step; behind a split each arm has its own.

It is published as a file (`studio pages publish`); in test mode every visitor's page is caught like a message.
Absent on purpose: serving it, and counting visits, which arrive as events.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Composed, Declaration, NodeContext, Outcome, Parameters
from studio.nodes.message_source import TemplateText
from studio.nodes.short_messages import Carrier, caught_as, compose_texts, template_of


class PageParameters(Parameters):
    """What `web.page` can be told."""

    subject: Annotated[TemplateText, Field(min_length=1, max_length=200)] = Field(
        title="Title", description="What the tab of the browser and search engines show."
    )
    body: Annotated[TemplateText, Field(min_length=1, max_length=50_000)] = Field(
        title="Text",
        description="The page as text: # for the heading, - for lists, [label](address) for the button.",
        json_schema_extra={"widget": "template"},
    )
    link: Annotated[str, Field(max_length=1_000)] = Field(
        default="", title="Button leads to", description="Where the button leads when the text names no address."
    )
    path: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,60})?$")] = Field(
        default="", title="File name", description="What the published file is called. Empty: the name of the step."
    )


class Page:
    """Shows every instance its page; recorded as `shown`, which is no message and needs no consent."""

    declaration: ClassVar[Declaration] = Declaration(
        id="web.page",
        version=1,
        title="Show a page",
        summary="Shows visitors a page, or one of several in a test.",
        group="Messages",
        icon="globe",
        role="send",
        needs=("contacts",),
        channel="page",
    )
    Parameters: ClassVar[type[BaseModel]] = PageParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, PageParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(send=batch)

    async def compose(self, batch: pl.DataFrame, context: NodeContext) -> Composed:
        """Raises UserFixable: MAIL-FILE, MAIL-TEMPLATE; CHANNEL-NO-CONNECTOR in a live run."""
        parameters = self.parameters
        visitors = batch.get_column("contact_id").cast(pl.String)
        template = template_of(parameters.subject, parameters.body, context)
        carrier = Carrier(name="page", address=caught_as("page"))
        return await compose_texts(batch, visitors, (), template, carrier, context)
