"""From a table's columns to contacts and events, by a mapping that a person writes in TOML.

A value is a column's name, a text with columns in braces (`"{customer_id}@example.invalid"`), or a constant. Rows that
cannot be used are quarantined with row, field and reason; the others go on. Absent on purpose: writing to the store.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from studio.domain.errors import Problem, UserFixable
from studio.domain.refusals import in_words
from studio.frames.events import AT

REJECT_SCHEMA = {
    "row": pl.UInt32(),
    "field": pl.String(),
    "code": pl.String(),
    "message": pl.String(),
    "value": pl.String(),
}
DATE_FORMATS = ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
# Addresses of this plain shape need no closer look; the rest goes to email-validator one by one.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN_ADDRESS = rf"^{_ATOM}(\.{_ATOM})*@({_LABEL}\.)+[A-Za-z]{{2,63}}$"
_BRACES = re.compile(r"\{([^{}]+)\}")


MAX_FILE = 100_000
"""Characters of a mapping file."""
_MAX_DOTS = 2_000

Rule = Annotated[str, Field(max_length=1_000)]
"""A column, a text with `{column}`, or a constant."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileOptions(_Part):
    """How the file is to be read where it does not say so itself."""

    encoding: str | None = None
    separator: str | None = None
    date_format: str | None = None
    decimal_comma: bool = False


class ConsentRule(_Part):
    """The consent that every imported contact comes with, and its proof."""

    topic: str
    basis: str
    source: str
    channel: str = "email"
    text_version: str | None = None


class ContactMapping(_Part):
    """Target field → column, text with `{column}`, or constant."""

    key: Rule
    email: Rule | None = None
    name: Rule | None = None
    language: Rule | None = None
    zone: Rule | None = None
    properties: Mapping[str, Rule] = Field(default_factory=dict)
    consent: ConsentRule | None = None
    file: FileOptions = FileOptions()


class EventMapping(_Part):
    """As for contacts; `contact` is the contact's key."""

    kind: Rule
    contact: Rule
    occurred_at: Rule
    event_id: Rule | None = None
    value: Rule | None = None
    currency: Rule | None = None
    key: Rule | None = None
    properties: Mapping[str, Rule] = Field(default_factory=dict)
    file: FileOptions = FileOptions()


@dataclass(frozen=True, slots=True)
class Mapped:
    """What became of a batch: usable rows, and rejected ones (REJECT_SCHEMA)."""

    rows: pl.DataFrame
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECT_SCHEMA))


def load_mapping(
    path: Path | None, kind: Literal["contacts", "events"], columns: Sequence[str]
) -> ContactMapping | EventMapping:
    """The mapping file checked against the columns there are; without a file, columns of the fields' own names.

    Raises:
        UserFixable: MAP-FILE with every problem found.
    """
    model = ContactMapping if kind == "contacts" else EventMapping
    where = str(path) if path else "mapping"
    data = _read_toml(path) if path else _own_names(model, columns)
    try:
        mapping = model.model_validate(data)
    except ValidationError as error:
        problems = [
            Problem("MAP-FIELD", in_words(item), _hint(item, model), field=".".join(map(str, item["loc"])))
            for item in error.errors()
        ]
        raise _refusal(where, problems, columns) from None
    problems = _unknown_columns(mapping, columns)
    if problems:
        raise _refusal(where, problems, columns)
    return mapping


def mapping_text(fields: Mapping[str, object]) -> str:
    """The TOML of a mapping that was made in a form: texts, and tables of texts (`consent`, `properties`)."""
    plain = {name: value for name, value in fields.items() if not isinstance(value, Mapping)}
    lines = [f"{name} = {_quoted(value)}" for name, value in plain.items()]
    for name, table in fields.items():
        if isinstance(table, Mapping):
            lines += [f"\n[{name}]", *(f"{_quoted(key)} = {_quoted(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: object) -> str:
    # TOML's strings are JSON's but for the delete character, which it wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def map_contacts(frame: pl.DataFrame, mapping: ContactMapping) -> Mapped:
    """`row, key, email, name, language, zone, properties` (JSON or null); malformed addresses, empty keys rejected."""
    columns = [column for column in frame.columns if column != "row"]
    rows = frame.select(
        "row",
        *(_value(getattr(mapping, name), columns).alias(name) for name in ("key", "email", "name", "language", "zone")),
        _properties(mapping.properties, columns).alias("properties"),
    ).with_columns(pl.col("email").str.to_lowercase())
    no_key = rows.filter(pl.col("key").is_null())
    rejected = [_reject(no_key, "key", "CONTACT-NO-KEY", "The row has no key.", pl.lit(None, pl.String))]
    rows = rows.filter(pl.col("key").is_not_null())
    doubtful = rows.filter(pl.col("email").is_not_null() & ~pl.col("email").str.contains(_PLAIN_ADDRESS))
    verdicts = [(row, _address_problem(email)) for row, email in doubtful.select("row", "email").iter_rows()]
    bad = pl.DataFrame(
        [(row, text) for row, text in verdicts if text], schema={"row": pl.UInt32, "why": pl.String}, orient="row"
    )
    failing = rows.join(bad, on="row", how="inner")
    rejected.append(
        failing.select(
            "row", pl.lit("email").alias("field"), pl.lit("CONTACT-ADDRESS").alias("code"),
            pl.col("why").alias("message"), pl.col("email").alias("value"),
        )
    )  # fmt: skip
    return Mapped(rows.join(bad, on="row", how="anti"), pl.concat(rejected))


def map_events(frame: pl.DataFrame, mapping: EventMapping) -> Mapped:
    """`row, event_key, occurred_at, kind, contact_key, value, currency, key, properties`; unreadable times, amounts and
    rows without a contact are rejected. `event_key` is null where the file has no ids of its own."""
    columns = [column for column in frame.columns if column != "row"]
    raw = frame.select(
        "row",
        _value(mapping.event_id, columns).alias("event_key"),
        _value(mapping.occurred_at, columns).alias("moment"),
        _value(mapping.kind, columns).alias("kind"),
        _value(mapping.contact, columns).alias("contact_key"),
        _value(mapping.value, columns).alias("amount"),
        _value(mapping.currency, columns).alias("currency"),
        _value(mapping.key, columns).alias("key"),
        _properties(mapping.properties, columns).alias("properties"),
    )
    amount = pl.col("amount").str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    rows = raw.with_columns(
        _moment(raw["moment"], mapping.file.date_format).alias("occurred_at"),
        (amount if mapping.file.decimal_comma else pl.col("amount")).cast(pl.Float64, strict=False).alias("value"),
    ).with_columns(pl.when(pl.col("value").is_finite()).then(pl.col("value")).alias("value"))
    checks = (
        ("contact", "EVENT-NO-CONTACT", "The row names no contact.", pl.col("contact_key").is_null(), "contact_key"),
        ("kind", "EVENT-NO-KIND", "The row has no kind.", pl.col("kind").is_null(), "kind"),
        ("occurred_at", "EVENT-TIME", "The time cannot be read.", pl.col("occurred_at").is_null(), "moment"),
        (
            "value",
            "EVENT-VALUE",
            "The amount is no number.",
            pl.col("value").is_null() & pl.col("amount").is_not_null(),
            "amount",
        ),
    )  # fmt: skip
    rejected = [
        _reject(rows.filter(wrong), name, code, message, pl.col(column))
        for name, code, message, wrong, column in checks
    ]
    usable = rows.filter(~pl.any_horizontal(wrong for _, _, _, wrong, _ in checks))
    return Mapped(usable.drop("moment", "amount"), pl.concat(rejected).unique("row", keep="first", maintain_order=True))


def consent_at(mapping: ContactMapping, keys: pl.Series, at: datetime) -> pl.DataFrame:
    """One granted consent per key: `key, channel, topic, state, basis, source, text_version, at`."""
    rule = mapping.consent
    assert rule is not None
    return pl.DataFrame({"key": keys}).with_columns(
        pl.lit(rule.channel).alias("channel"),
        pl.lit(rule.topic).alias("topic"),
        pl.lit("granted").alias("state"),
        pl.lit(rule.basis).alias("basis"),
        pl.lit(rule.source).alias("source"),
        pl.lit(rule.text_version, pl.String).alias("text_version"),
        pl.lit(at.astimezone(UTC)).cast(AT).alias("at"),
    )


def _value(rule: str | None, columns: Sequence[str]) -> pl.Expr:
    if rule is None:
        return pl.lit(None, pl.String)
    if rule in columns:
        return _clean(pl.col(rule))
    names = _BRACES.findall(rule)
    if not names:
        return pl.lit(rule)
    return pl.format(_BRACES.sub("{}", rule), *(_clean(pl.col(name)) for name in names))


def _clean(column: pl.Expr) -> pl.Expr:
    text = column.str.strip_chars()
    return pl.when(text != "").then(text)


def _properties(rules: Mapping[str, str], columns: Sequence[str]) -> pl.Expr:
    if not rules:
        return pl.lit(None, pl.String)
    return pl.struct(_value(rule, columns).alias(name) for name, rule in rules.items()).struct.json_encode()


def _moment(texts: pl.Series, date_format: str | None) -> pl.Series:
    if date_format is not None:
        return texts.str.to_datetime(date_format, strict=False, time_unit="us").dt.replace_time_zone("UTC")
    candidates = [texts.str.to_datetime(f, strict=False, time_unit="us") for f in DATE_FORMATS if _may_fit(texts, f)]
    zoned = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="us").dt.replace_time_zone(None)
    best = min([*candidates, zoned], key=lambda series: series.null_count())
    return best.dt.replace_time_zone("UTC")


def _may_fit(texts: pl.Series, date_format: str) -> bool:
    first = texts.drop_nulls().head(1).to_list()
    try:
        return bool(first) and datetime.strptime(first[0], date_format) is not None  # noqa: DTZ007 - only the shape counts
    except ValueError:
        return False


def _address_problem(email: str) -> str | None:
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return str(error)
    return None


def _reject(rows: pl.DataFrame, name: str, code: str, message: str, value: pl.Expr) -> pl.DataFrame:
    return rows.select(
        "row", pl.lit(name).alias("field"), pl.lit(code).alias("code"), pl.lit(message).alias("message"),
        value.cast(pl.String).alias("value"),
    )  # fmt: skip


def _read_toml(path: Path) -> dict[str, object]:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_FILE + 1)
        # TOML's reader takes time with the square of a name's dots.
        if len(text) > MAX_FILE or text.count(".") > _MAX_DOTS:
            raise UserFixable("MAP-FILE", "This is far larger than a mapping is.", where=str(path), hint="Shorten it.")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise UserFixable(
            "FILE-MISSING", "There is no such mapping file.", where=str(path), hint="Check the name and the folder."
        ) from None
    except RecursionError:
        message = "The mapping holds lists within lists without end."
        raise UserFixable("MAP-FILE", message, where=str(path), hint="Mend that line.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UserFixable(
            "MAP-FILE", f"The mapping is not readable TOML: {error}.", where=str(path), hint="Mend that line."
        ) from None


def _own_names(model: type[BaseModel], columns: Sequence[str]) -> dict[str, object]:
    lower = {column.lower(): column for column in columns}
    # A column “consent” with yes and no is no proof of consent: like any other column it becomes a property.
    tables = {"consent", "properties", "file"}
    data: dict[str, object] = {name: lower[name] for name in model.model_fields if name in lower and name not in tables}
    if model is ContactMapping:
        data.setdefault("key", lower.get("email", "key"))
        used = {str(value) for value in data.values()}
        data["properties"] = {column: column for column in columns if column not in used}
    return data


def _unknown_columns(mapping: BaseModel, columns: Sequence[str]) -> list[Problem]:
    problems = []
    data = mapping.model_dump(exclude={"consent", "file"})
    rules = {**{k: v for k, v in data.items() if isinstance(v, str)}, **_prefixed(data["properties"])}
    must_be_column = (
        {"key", "email", "contact", "occurred_at", "event_id", "value"} if "contact" in data else {"key", "email"}
    )
    for name, rule in rules.items():
        named = _BRACES.findall(rule) or ([rule] if name in must_be_column and rule not in columns else [])
        problems += [
            Problem("MAP-COLUMN", f"The file has no column “{column}”.", _near(column, columns), field=name)
            for column in named
            if column not in columns
        ]
    return problems


def _prefixed(properties: object) -> dict[str, str]:
    assert isinstance(properties, Mapping)
    return {f"properties.{name}": str(rule) for name, rule in properties.items()}


def _near(word: str, choices: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, list(choices), n=1)
    return f"Did you mean “{close[0]}”?" if close else f"It has: {', '.join(list(choices)[:12])}."


def _hint(item: Mapping[str, object], model: type[BaseModel]) -> str:
    loc = item["loc"]
    assert isinstance(loc, tuple)
    if item["type"] == "missing":
        return f'Say which column it is, for example {loc[-1]} = "{{column}}".'
    return _near(str(loc[-1]), list(model.model_fields)) if item["type"] == "extra_forbidden" else ""


def _refusal(where: str, problems: Sequence[Problem], columns: Sequence[str]) -> UserFixable:
    first = problems[0]
    return UserFixable(
        "MAP-FILE",
        f"The mapping does not fit the file: {first.field}: {first.message}",
        where=where,
        hint=f"{first.hint} Columns: {json.dumps(list(columns)[:20], ensure_ascii=False)}.",
        problems=problems,
    )
