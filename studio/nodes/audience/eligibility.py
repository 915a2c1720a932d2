"""`audience.eligibility`: asks the gate before there is a message, so that a branch can be taken on its answer.

The gate of `send.email` asks again when the message goes out.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.gate import Gate
from studio.nodes.parameters import ConsentTopic
from studio.nodes.recording import contact_events


class EligibilityParameters(Parameters):
    """What `audience.eligibility` can be told."""

    purpose: Literal["marketing", "transactional"] = Field(
        default="marketing",
        title="Purpose",
        description="Marketing asks for consent, cap and quiet hours; transactional mail only for a usable address.",
    )
    topic: ConsentTopic = ""


class Eligibility:
    """Sorts people into those who may be written to now, later, or not at all."""

    declaration: ClassVar[Declaration] = Declaration(
        id="audience.eligibility",
        version=1,
        title="May we write?",
        summary="Checks consent, suppression, frequency cap and quiet hours.",
        group="Audience",
        icon="shield-check",
        role="pure",
        needs=("contacts", "consent"),
    )
    Parameters: ClassVar[type[BaseModel]] = EligibilityParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, EligibilityParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("allowed", "deferred", "blocked")

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        """Records one `blocked` event, with its reason, for each person who may not be written to."""
        gate = Gate(purpose=self.parameters.purpose, topic=self.parameters.topic or context.settings.topic)
        verdicts = gate.judge(batch, context)
        ports = {
            port: batch.filter(verdicts.get_column("verdict") == port) for port in ("allowed", "deferred", "blocked")
        }
        reasons = verdicts.filter(pl.col("verdict") == "blocked").select("reason", "message")
        return Outcome(out=ports, events=contact_events(ports["blocked"], "blocked", context, properties=reasons))
