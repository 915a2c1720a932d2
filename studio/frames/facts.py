"""Fetches what rules need beside a frame, and answers them: one look into contacts and event log per field and total.

Absent on purpose: the views themselves (ports), and compiling (`studio.frames.expression`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from studio.domain.expression import Expression, Needs, Total, needs
from studio.domain.reading import ContactView, EventView
from studio.frames.expression import compile_rule, compile_text, compile_value, field_column, total_column
from studio.frames.few import Few, Row, is_few
from studio.frames.row_expression import RowForm, row_form


def rules_hold(
    rules: Sequence[Expression], frame: pl.DataFrame, *, contacts: ContactView, events: EventView, now: datetime
) -> list[pl.Series]:
    """Per rule a Boolean column without nulls, row for row: where it cannot be told, it does not hold.

    Args:
        rules: about contacts (`frame` holds instances) or about events (`frame` holds EVENT_SCHEMA rows).
        frame: with `contact_id`; instances also with `key` and their `var.` columns.
        contacts: as they are known at `now`.
        events: that have happened by `now`.
    """
    facts = with_facts(frame, needs(*rules), contacts=contacts, events=events, now=now)
    if (forms := _row_forms(rules, facts)) is not None:
        rows = facts.to_dicts()
        return [
            pl.Series(f"rule.{index}", [form.as_boolean(row) is True for row in rows], dtype=pl.Boolean)
            for index, form in enumerate(forms)
        ]
    answers = facts.select(
        compile_rule(rule, facts.schema, now).fill_null(False).alias(f"rule.{index}")
        for index, rule in enumerate(rules)
    )
    assert answers.height == frame.height, "every row has its answers"
    return answers.get_columns()


def values_of(
    formulas: Sequence[Expression],
    frame: pl.DataFrame,
    *,
    contacts: ContactView,
    events: EventView,
    now: datetime,
    as_: Literal["value", "text"] = "value",
) -> list[pl.Series]:
    """Per formula a column, row for row; null where it is missing. `as_` text: numbers and truth values written out.

    Args as of `rules_hold`.
    """
    facts = with_facts(frame, needs(*formulas), contacts=contacts, events=events, now=now)
    if (forms := _row_forms(formulas, facts)) is not None:
        rows = facts.to_dicts()
        return [
            pl.Series(f"value.{index}", list(map(form.as_text, rows)), dtype=pl.String())
            if as_ == "text"
            else pl.Series(f"value.{index}", list(map(form.value, rows)), dtype=form.dtype)
            for index, form in enumerate(forms)
        ]
    compiled = compile_text if as_ == "text" else compile_value
    answers = facts.select(
        compiled(formula, facts.schema, now).alias(f"value.{index}") for index, formula in enumerate(formulas)
    )
    assert answers.height == frame.height, "every row has its answers"
    return answers.get_columns()


def few_values(
    expressions: Sequence[Expression], few: Few, *, contacts: ContactView
) -> tuple[list[RowForm], list[Row]] | None:
    """The expressions for rows, and the rows of facts they are asked about; None where Polars has to be asked."""
    wanted = needs(*expressions)
    if wanted.totals:
        return None
    dtypes, rows = few_facts(few, wanted.fields, contacts)
    forms = [row_form(expression, dtypes) for expression in expressions]
    return None if None in forms else ([form for form in forms if form is not None], rows)


def few_facts(few: Few, fields: Sequence[str], contacts: ContactView) -> tuple[Mapping[str, pl.DataType], list[Row]]:
    """A few rows with contact fields as `field_column` names them, and the types of all columns."""
    if not fields:
        return few.dtypes, list(few.rows)
    types, people = contacts.few(few.column("contact_id"), fields)
    columns = [(name, field_column(name)) for name in fields]
    dtypes = {**few.dtypes, **{column: types[name] for name, column in columns if name in types}}
    rows = [
        {**row, **{column: person.get(name) for name, column in columns}}
        for row, person in zip(few.rows, people, strict=True)
    ]
    return dtypes, rows


def with_facts(
    frame: pl.DataFrame, wanted: Needs, *, contacts: ContactView, events: EventView, now: datetime
) -> pl.DataFrame:
    """The frame, row for row, with a column per contact field and per part of a total that is wanted.

    Names as `field_column` and `total_column` give them; counts and sums are 0 for who has no such event.
    """
    if not wanted.fields and not wanted.totals:
        return frame
    ids = frame.get_column("contact_id")
    if not wanted.totals and (_is_ascending(ids) or (is_few(frame) and not ids.null_count())):
        # Everybody once, in order, as most batches are: fields come row for row, so that nothing has to be joined.
        fields = contacts.fields(ids, wanted.fields).get_columns()[1:]
        return frame.hstack([column.alias(field_column(column.name)) for column in fields])
    ids = ids.drop_nulls().unique().sort()
    if wanted.fields:
        fields = contacts.fields(ids, wanted.fields)
        fields = fields.select("contact_id", *(pl.col(name).alias(field_column(name)) for name in wanted.fields))
        frame = frame.join(fields, on="contact_id", how="left", maintain_order="left")
    for total in wanted.totals:
        frame = frame.join(_totals(total, ids, events, now), on="contact_id", how="left", maintain_order="left")
    return frame.with_columns(
        pl.col(total_column(total, part)).fill_null(0) for total in wanted.totals for part in ("count", "value")
    )


def _row_forms(expressions: Sequence[Expression], facts: pl.DataFrame) -> list[RowForm] | None:
    """The expressions for rows, where there are few; None: Polars is asked."""
    if not is_few(facts):
        return None
    schema = {column.name: column.dtype for column in facts.get_columns()}
    forms = [row_form(expression, schema) for expression in expressions]
    return [form for form in forms if form is not None] if None not in forms else None


def _is_ascending(ids: pl.Series) -> bool:
    numbers = ids.to_numpy() if not ids.null_count() else None
    return numbers is not None and bool((numbers[1:] > numbers[:-1]).all())


def _totals(total: Total, ids: pl.Series, events: EventView, now: datetime) -> pl.DataFrame:
    since = None if total.days is None else now - timedelta(days=total.days)
    found = events.totals(total.kind, since=since, ids=ids)
    return found.select(
        "contact_id", *(pl.col(part).alias(total_column(total, part)) for part in ("count", "value", "last_at"))
    )
