"""The story of what is being written: which names there are, whom a rule would hold for, how a message would look.

Answers come from real people of the workspace, a sample of them. Absent on purpose: saving anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import polars as pl
from pydantic import JsonValue

from studio.domain.clock import Clock
from studio.domain.completion import Vocabulary
from studio.domain.errors import StudioError, UserFixable
from studio.domain.expression import Scope, needs, unknown_fields
from studio.domain.expression_parser import parse_expression
from studio.domain.rendering import Rendered, RenderTask
from studio.domain.workflow import Workflow
from studio.frames.facts import rules_hold
from studio.nodes.mail_appearance import as_dark
from studio.nodes.message_lint import Advice, lint_message
from studio.nodes.message_rendering import Texts
from studio.nodes.personal import personal_columns
from studio.nodes.plain_text import plain_text
from studio.store.store import Store
from studio.workspace.previews import READER

SAMPLE = 1_000
_SHOWN = 6
_VALUES_MAX = 12
_EVENTS_SAMPLED = 2_000


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """Whom a rule holds for among the first people, or of the latest events.

    examples: (who, whether it holds), some of both where there are both. remarks: names that nobody has, with the
    nearest one; not errors. problem: why it cannot be told, otherwise empty.
    """

    holds: int = 0
    of: int = 0
    examples: tuple[tuple[str, bool], ...] = ()
    remarks: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """Somebody a message can be tried on; `contact_id` None is the made-up one."""

    contact_id: int | None
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLook:
    """A message as one person would get it, and what there is to say about it. `problem`: why it cannot be written."""

    subject: str = ""
    preheader: str = ""
    html: str = ""
    dark_html: str = ""
    text: str = ""
    advice: tuple[Advice, ...] = ()
    problem: str = ""


class DraftsStory:
    """Everything a form asks while somebody types; each answer within some tens of milliseconds."""

    def __init__(self, store: Store, clock: Clock, render: Callable[[RenderTask], Rendered]) -> None:
        """`render` fills in texts where they can do no harm: a workflow that is edited may come from anybody."""
        self._store = store
        self._clock = clock
        self._render = render

    def vocabulary(self, workflow: Workflow | None = None) -> Vocabulary:
        """The names that rules and messages of this workspace can use; variables are those the workflow makes."""
        people = self._store.contacts.at(self._clock.now())
        names = people.names()
        ids = people.ids(0, SAMPLE)
        rows = people.fields(ids, names)
        recent = self._recent_events()
        kinds = self._store.projections.rollup([""])["kind"].unique().to_list()
        return Vocabulary(
            fields={name: _in_words(rows.schema[name]) for name in names},
            values={name: values for name in names if (values := _few_values(rows[name]))},
            events=tuple(sorted({*kinds, *recent["kind"].unique().to_list()})),
            properties=_properties(recent),
            variables=_variables(workflow) if workflow is not None else (),
        )

    def try_rule(self, text: str, scope: Scope = "contact") -> RuleTrial:
        """Whom the rule holds for among the first 1,000 people, or the latest events."""
        try:
            rule = parse_expression(text, scope)
        except StudioError as error:
            return RuleTrial(problem=str(error))
        now = self._clock.now()
        people, events = self._store.contacts.at(now), self._store.events.at(now)
        if scope == "event":
            rows = self._recent_events()
        else:
            rows = pl.DataFrame({"contact_id": people.ids(0, SAMPLE)}).with_columns(
                pl.lit(None, pl.String).alias("key")
            )
            rows = rows.with_columns(pl.lit(None, pl.String).alias(f"var.{v}") for v in needs(rule).variables)
        if rows.is_empty():
            return RuleTrial(problem="There are no people yet." if scope == "contact" else "There are no events yet.")
        (holds,) = rules_hold([rule], rows, contacts=people, events=events, now=now)
        remarks = tuple(f"{p.message} {p.hint}".strip() for p in unknown_fields(rule, people.names()))
        return RuleTrial(int(holds.sum()), rows.height, self._examples(rows, holds, now), remarks)

    def try_text(self, source: str, contact_id: int | None = None) -> tuple[str, str]:
        """A text filled in for somebody, and why it cannot be, of which one is empty."""
        try:
            (made,) = self._made("text", {"text": source}, contact_id, ("text",))
        except StudioError as error:
            return "", str(error)
        return made, ""

    def sample_people(self, limit: int = 20) -> tuple[SamplePerson, ...]:
        """The made-up reader, and the first people there are."""
        people = self._store.contacts.at(self._clock.now())
        rows = people.fields(people.ids(0, limit), ("name", "email", "key"))
        found = [
            SamplePerson(row["contact_id"], str(row["name"] or row["email"] or row["key"]))
            for row in rows.iter_rows(named=True)
        ]
        return (SamplePerson(None, "Anna Example (made up)"), *found)

    def look(self, texts: Texts, contact_id: int | None = None, *, language: str = "en") -> MessageLook:
        """The message as somebody would get it, with advice, worst first."""
        fields = self._store.contacts.field_names()
        try:
            subject, html, text = self._made("mail", asdict(texts), contact_id, ("subject", "html", "text"))
            preheader, _ = self.try_text(texts.preheader, contact_id)
        except StudioError as error:
            advice = lint_message(texts, language=language, fields=fields)
            return MessageLook(advice=tuple(advice), problem=str(error))
        size = len(html.encode())
        return MessageLook(
            subject=subject,
            preheader=preheader,
            html=html,
            dark_html=as_dark(html),
            text=text or plain_text(html),
            advice=tuple(lint_message(texts, language=language, html_bytes=size, fields=fields)),
        )

    def _made(
        self, kind: Literal["text", "mail"], texts: Mapping[str, str], contact_id: int | None, names: Sequence[str]
    ) -> list[str]:
        """The texts for one reader. Raises UserFixable when they cannot be written for this one, or for anybody."""
        made = self._render(RenderTask(kind=kind, texts=texts, columns=self._reader(contact_id)))
        if made["code"][0] is not None:
            raise UserFixable(made["code"][0], str(made["message"][0]))
        return [str(made[name][0] or "") for name in names]

    def _reader(self, contact_id: int | None) -> dict[str, Sequence[JsonValue]]:
        reader: dict[str, Sequence[JsonValue]] = {name: [value] for name, value in READER.items()}
        if contact_id is None:
            return reader
        people = self._store.contacts.at(self._clock.now())
        names = people.names()
        row = people.fields(pl.Series("contact_id", [contact_id], dtype=pl.UInt32), names)
        nobody = {name: values for name, values in reader.items() if not name.startswith("contact.")}
        return nobody | personal_columns(row.rename({name: f"contact.{name}" for name in names}))

    def _recent_events(self) -> pl.DataFrame:
        newest = self._store.projections.scan().sort("occurred_at", descending=True).head(_EVENTS_SAMPLED)
        return newest.collect()

    def _examples(self, rows: pl.DataFrame, holds: pl.Series, now: datetime) -> tuple[tuple[str, bool], ...]:
        numbered = rows.select("contact_id").with_columns(holds.alias("holds")).unique("contact_id", keep="first")
        numbered = numbered.drop_nulls("contact_id").sort("contact_id")
        half = _SHOWN // 2
        yes, no = numbered.filter("holds"), numbered.filter(~pl.col("holds"))
        shown = pl.concat([yes.head(_SHOWN - min(half, no.height)), no.head(_SHOWN - min(half, yes.height))]).head(
            _SHOWN
        )
        names = self._store.contacts.at(now).fields(shown["contact_id"], ("name", "email", "key"))
        told = [str(r["name"] or r["email"] or r["key"] or r["contact_id"]) for r in names.iter_rows(named=True)]
        return tuple(zip(told, shown["holds"].to_list(), strict=True))


def _in_words(kind: pl.DataType) -> str:
    if kind == pl.Boolean:
        return "yes or no"
    return "number" if kind.is_numeric() else "text"


def _few_values(column: pl.Series) -> tuple[str, ...]:
    """The values of a column that has few different ones, the most frequent first; of others none."""
    if column.dtype != pl.String:
        return ()
    counted = column.drop_nulls().value_counts(sort=True)
    return tuple(counted[column.name].to_list()) if 0 < counted.height <= _VALUES_MAX else ()


def _properties(events: pl.DataFrame) -> dict[str, str]:
    texts = events["properties"].drop_nulls()
    if texts.is_empty():
        return {}
    found: dict[str, str] = {}
    for text in texts.unique():
        for name, value in json.loads(text).items():
            found.setdefault(name, _kind_of(value))
    return found


def _kind_of(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes or no"
    return "number" if isinstance(value, int | float) else "text"


def _variables(workflow: Workflow) -> Sequence[str]:
    """What the workflow's steps give instances to carry: the parameters tests try, and names given in settings."""
    found: dict[str, None] = {}
    for node in workflow.nodes:
        for setting in ("parameter", "variable", "save_as"):
            value = node.parameters.get(setting)
            if isinstance(value, str) and value.isidentifier():
                found[value] = None
        found |= dict.fromkeys(_named(node.parameters.get("fields")))
        found |= dict.fromkeys(_named(node.parameters.get("values")))
    return tuple(found)


def _named(entries: JsonValue) -> Iterator[str]:
    """Names in a list of values that a step works out or is answered."""
    for entry in entries if isinstance(entries, list) else ():
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name.isidentifier():
            yield name
