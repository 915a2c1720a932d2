"""`content.text`: a text written for each person, which later steps know as a variable."""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import AfterValidator, BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters, Quarantined
from studio.domain.rendering import RenderTask
from studio.frames.facts import few_facts
from studio.frames.few import Few, FewOutcome
from studio.nodes.message_rendering import check_template
from studio.nodes.parameters import VariableName, refusing
from studio.nodes.personal import personal_columns, with_fields
from studio.nodes.render_tasks import render_here, text_template
from studio.nodes.text_columns import compiled_text
from studio.nodes.text_rows import fill_rows


class TextParameters(Parameters):
    """What `content.text` can be told."""

    name: VariableName = Field(title="Name", description="Later steps and messages know the text as var.<name>.")
    text: Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(refusing(check_template))] = Field(
        title="Text",
        description='May hold fields and conditions, such as {{ contact.first_name|default("friend") }}.',
        json_schema_extra={"widget": "template"},
    )


class PersonalText:
    """Everybody goes out through `out` with the text; who lacks a field it needs is set aside, with its name."""

    declaration: ClassVar[Declaration] = Declaration(
        id="content.text",
        version=1,
        title="Personal text",
        summary="Writes a short text for each person, for later steps to use.",
        group="Messages",
        icon="file-text",
        role="pure",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = TextParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, TextParameters)
        self.parameters = parameters
        self._template = text_template(parameters.text)
        self._simple = compiled_text(parameters.text)

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        rows = with_fields(batch, self._template.contact_fields(), context)
        name = f"var.{self.parameters.name}"
        texts = self._simple.fill(rows) if self._simple is not None else _none(batch.height)
        left = texts.is_null().arg_true()
        if not left.len():
            return Outcome(out={"out": batch.with_columns(texts.alias(name))})
        render = context.render or render_here
        # Whatever else is known of people need not be sent, and read, for each of them.
        named = [name for name in rows.columns if name == "key" or self._template.uses(name)]
        columns = personal_columns(rows.select(named)[left])
        task = RenderTask(kind="text", texts={"text": self.parameters.text}, columns=columns)
        made = await render(task)
        written = pl.Series("text", list(made["text"]), dtype=pl.String)
        texts = written if left.len() == batch.height else texts.scatter(left, written)
        whole = batch.with_columns(texts.alias(name))
        refused = [place for place, code in enumerate(made["code"]) if code is not None]
        quarantined = [
            Quarantined(instance, contact, str(made["code"][place]), str(made["message"][place]))
            for place, (instance, contact) in zip(
                refused, batch[left[refused]].select("instance_id", "contact_id").iter_rows(), strict=True
            )
        ]
        return Outcome(out={"out": whole.filter(texts.is_not_null())}, quarantined=quarantined)

    def run_few(self, few: Few, context: NodeContext) -> FewOutcome | None:
        if self._simple is None:
            return None
        texts = fill_rows(self._simple, *few_facts(few, self._simple.fields, context.contacts))
        if None in texts:
            return None
        return FewOutcome(out={"out": few.with_columns([(f"var.{self.parameters.name}", pl.String(), texts)])})


def _none(rows: int) -> pl.Series:
    return pl.Series("text", [None], dtype=pl.String).new_from_index(0, rows)
