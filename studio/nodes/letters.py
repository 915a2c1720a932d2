"""From a batch to letters: ask the gate, fetch what the texts name, write one message each.

Absent on purpose: declaration and parameters (`nodes.send.email`), and MIME, which the context's builder makes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Protocol

import polars as pl
from pydantic import JsonValue

from studio.domain.errors import UserFixable
from studio.domain.mail import Envelope
from studio.domain.node import Blocked, Composed, Letter, MessageParts, NodeContext, Quarantined
from studio.frames.expression import field_column
from studio.nodes.gate import Gate, Purpose
from studio.nodes.link_tags import slug
from studio.nodes.message_rendering import MessageTemplate
from studio.nodes.mjml_conversion import RenderError

MAX_FIELD = 10_000
"""Characters of one field that go into a message."""

_BREATH = 100
SAMPLE = 5
"""Letters of a batch that a simulation writes, to find texts that cannot be filled in; all of them when one fails."""


class MessageSettings(Protocol):
    """What letters need of a send node's parameters."""

    @property
    def from_name(self) -> str: ...
    @property
    def purpose(self) -> Purpose: ...
    @property
    def topic(self) -> str: ...
    @property
    def track(self) -> bool: ...


async def compose_letters(
    settings: MessageSettings, template: MessageTemplate, batch: pl.DataFrame, context: NodeContext
) -> Composed:
    """A letter per instance that may be written to; the others with reason, or with the field that is missing.

    Args:
        settings: of the send node.
        template: its texts.
        batch: instances with `outbox_id` and `message_id`.
        context: in mode `simulate` nobody reads the letters: after a sample that could be written the rest are empty.
    """
    gate = Gate(purpose=settings.purpose, topic=settings.topic or context.settings.topic)
    verdicts = gate.judge(batch, context)
    allowed = verdicts.get_column("verdict") == "allowed"
    held = verdicts.filter(~allowed)
    rows = _facts(batch.with_columns(verdicts.get_column("email")).filter(allowed), template, context)
    letters: list[Letter] = []
    quarantined: list[Quarantined] = []
    for index, row in enumerate(rows.iter_rows(named=True)):
        if index % _BREATH == 0:
            # Open mail sessions live on the same loop and must not wait for a whole chunk to be written.
            await asyncio.sleep(0)
        if context.mode == "simulate" and index >= SAMPLE and not quarantined:
            letters.append(_unwritten(row, context))
            continue
        try:
            letters.append(_letter(row, settings, template, context))
        except RenderError as error:
            quarantined.append(Quarantined(row["instance_id"], row["contact_id"], error.code, str(error)))
        except UserFixable as error:
            quarantined.append(Quarantined(row["instance_id"], row["contact_id"], error.code, str(error)))
    blocked = [Blocked(*values) for values in held.select("instance_id", "reason", "message", "until").iter_rows()]
    return Composed(letters=letters, blocked=blocked, quarantined=quarantined)


def _facts(batch: pl.DataFrame, template: MessageTemplate, context: NodeContext) -> pl.DataFrame:
    """The batch with the contact fields that the texts may name, as `contact.<name>`, texts cut at `MAX_FIELD`."""
    known = context.contacts.names()
    named = template.contact_fields()
    names = ["name", *sorted((set(known) if named is None else named) - {"name"})]
    ids = batch.get_column("contact_id").unique().sort()
    fields = context.contacts.fields(ids, names)
    fields = fields.select("contact_id", *(pl.col(name).alias(field_column(name)) for name in names))
    joined = batch.join(fields, on="contact_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col(pl.String).exclude("var.event").str.slice(0, MAX_FIELD))


def _letter(
    row: Mapping[str, object], settings: MessageSettings, template: MessageTemplate, context: NodeContext
) -> Letter:
    unsubscribe_url = _unsubscribe_url(str(row["outbox_id"]), context)
    tags = _tags(str(row["arms"] or ""), context) if settings.track else {}
    rendered = template.render(_data(row, unsubscribe_url, context), tags)
    parts = MessageParts(
        message_id=str(row["message_id"]),
        from_address=context.sender.address,
        from_name=settings.from_name,
        to_address=str(row["email"]),
        to_name=str(row[field_column("name")] or ""),
        reply_to=context.sender.reply_to,
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        sent_at=context.now,
        headers=_headers(settings.purpose, unsubscribe_url),
    )
    content = b"" if context.mode == "simulate" else context.build(parts)
    envelope = Envelope(parts.from_address, parts.to_address, parts.message_id, content)
    return Letter(int(row["instance_id"]), int(row["contact_id"]), envelope)  # pyright: ignore[reportArgumentType]


def _unwritten(row: Mapping[str, object], context: NodeContext) -> Letter:
    envelope = Envelope(context.sender.address, str(row["email"]), str(row["message_id"]), b"")
    return Letter(int(row["instance_id"]), int(row["contact_id"]), envelope)  # pyright: ignore[reportArgumentType]


def _data(row: Mapping[str, object], unsubscribe_url: str, context: NodeContext) -> dict[str, JsonValue]:
    """Plain data only, and nothing that is empty: what is not there is missing to a template."""
    data: dict[str, JsonValue] = {
        "contact": dict(_present(row, "contact.")),
        "var": dict(_present(row, "var.")),
        "event": _event(row.get("var.event")),
        "unsubscribe_url": unsubscribe_url,
        "postal_address": context.sender.postal_address,
    }
    if row["key"] is not None:
        data["key"] = str(row["key"])
    return data


def _present(row: Mapping[str, object], prefix: str) -> Iterator[tuple[str, JsonValue]]:
    for name, value in row.items():
        if name.startswith(prefix) and name != "var.event" and value is not None and value != "":
            yield name.removeprefix(prefix), _plain(value)


def _plain(value: object) -> JsonValue:
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return str(value)


def _event(text: object) -> dict[str, JsonValue]:
    """The event the instance entered with: its properties, and beside them kind, occurred_at, value, currency, key."""
    if not isinstance(text, str):
        return {}
    event = json.loads(text)
    properties = event.pop("properties", None)
    known = {**(_decoded(properties)), **event}
    return {name: _whole(value) for name, value in known.items() if value is not None and value != ""}


def _decoded(text: object) -> dict[str, JsonValue]:
    if not isinstance(text, str):
        return {}
    try:
        decoded = json.loads(text)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _whole(value: JsonValue) -> JsonValue:
    return _plain(value) if isinstance(value, float) else value


def _unsubscribe_url(outbox_id: str, context: NodeContext) -> str:
    base = context.sender.unsubscribe_base_url
    if base:
        return f"{base}{'&' if '?' in base else '?'}m={outbox_id}"
    address = context.sender.reply_to or context.sender.address
    return f"mailto:{address}?subject=unsubscribe%20{outbox_id}"


def _headers(purpose: Purpose, unsubscribe_url: str) -> dict[str, str]:
    """RFC 2369 and, where there is a server to ask, one-click unsubscribing (RFC 8058)."""
    if purpose != "marketing":
        return {}
    headers = {"List-Unsubscribe": f"<{unsubscribe_url}>"}
    if unsubscribe_url.startswith("https://"):
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _tags(arms: str, context: NodeContext) -> dict[str, str]:
    variants = [part.split("=", 1)[1] for part in arms.split("|") if "=" in part]
    return {
        "utm_source": "flowlight",
        "utm_medium": "email",
        "utm_campaign": slug(context.workflow_id),
        "utm_content": slug("_".join((context.node_id, *variants))),
    }
