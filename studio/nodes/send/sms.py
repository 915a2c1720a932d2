"""`send.sms`: one short text per instance, to the phone number of the contact.

Absent on purpose: a gateway; in test mode the text is caught with the mails, live it is refused until there is one.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, model_validator

from studio.domain.errors import UserFixable
from studio.domain.node import Composed, Declaration, NodeContext, Outcome, Parameters
from studio.nodes.gate import Gate
from studio.nodes.message_rendering import Rendered, check_template
from studio.nodes.message_source import is_text_file
from studio.nodes.parameters import ConsentTopic, refuse, refusing
from studio.nodes.short_messages import Carrier, caught_as, compose_texts, template_of

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = frozenset("^{}\\[~]|€\f")


def segments(text: str) -> int:
    """How many SMS a text is sent and paid as (3GPP TS 23.038): 160 or 153 characters each, 70 or 67 in Unicode."""
    if all(sign in _GSM or sign in _GSM_DOUBLE for sign in text):
        length = sum(2 if sign in _GSM_DOUBLE else 1 for sign in text)
        return 1 if length <= 160 else -(-length // 153)
    length = len(text.encode("utf-16-le")) // 2
    return 1 if length <= 70 else -(-length // 67)


class SmsParameters(Parameters):
    """What `send.sms` can be told."""

    body: Annotated[str, Field(min_length=1, max_length=2_000)] = Field(
        title="Text",
        description="The text, or the name of a text file of the template. May hold fields.",
        json_schema_extra={"widget": "template"},
    )
    sender: Annotated[str, Field(max_length=11)] = Field(
        default="", title="Sender", description="The name that phones show, at most 11 letters. Empty: the number."
    )
    purpose: Literal["marketing", "transactional"] = Field(
        default="marketing",
        title="Purpose",
        description="Marketing asks for consent to SMS, cap and quiet hours; transactional only for a usable number.",
    )
    topic: ConsentTopic = ""
    segments_max: Annotated[int, Field(ge=1, le=10)] = Field(
        default=2,
        title="At most",
        description="How many SMS one text may be paid as; a longer one is held back. 160 characters make one.",
        json_schema_extra={"unit": "SMS"},
    )

    @model_validator(mode="after")
    def _is_sendable(self) -> SmsParameters:
        if is_text_file(self.body):
            return self
        refusing(check_template)(self.body)
        if self.purpose == "marketing" and "STOP" not in self.body:
            refuse("SMS-STOP", "The text does not say how to stop such messages", "End it with: Reply STOP to end.")
        return self


class Sms:
    """Plans one text per instance; the gate asks for a number, consent to SMS, cap and quiet hours."""

    declaration: ClassVar[Declaration] = Declaration(
        id="send.sms",
        version=1,
        title="Send SMS",
        summary="Sends a short text to the phone of each person who agreed to that.",
        group="Messages",
        icon="smartphone",
        role="send",
        needs=("contacts", "consent", "phone"),
        channel="sms",
    )
    Parameters: ClassVar[type[BaseModel]] = SmsParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, SmsParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(send=batch)

    async def compose(self, batch: pl.DataFrame, context: NodeContext) -> Composed:
        """Raises UserFixable: MAIL-FILE, MAIL-TEMPLATE; CHANNEL-NO-CONNECTOR in a live run."""
        parameters = self.parameters
        gate = Gate(parameters.purpose, parameters.topic or context.settings.topic, "sms")
        allowed, addresses, blocked = gate.sorted_out(batch, context)
        carrier = Carrier(name="SMS", address=caught_as("sms"), check=self._check)
        return await compose_texts(
            allowed, addresses, blocked, template_of("", parameters.body, context), carrier, context
        )

    def _check(self, rendered: Rendered) -> None:
        paid = segments(rendered.text)
        if paid > self.parameters.segments_max:
            most = self.parameters.segments_max
            raise UserFixable(
                "SMS-TOO-LONG", f"The text is {paid} SMS long, at most {most} are allowed.", hint="Shorten the text."
            )
