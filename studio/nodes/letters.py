"""From a batch to letters: ask the gate, fetch what the texts name, write one message each.

Absent on purpose: declaration and parameters (`nodes.send.email`), and MIME, which the context's builder makes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Protocol

import polars as pl

from studio.domain.errors import UserFixable
from studio.domain.mail import Envelope
from studio.domain.node import Blocked, Composed, Letter, MessageParts, NodeContext, Quarantined
from studio.domain.rendering import RenderTask
from studio.frames.expression import field_column
from studio.nodes.gate import Gate, Purpose
from studio.nodes.link_tags import slug
from studio.nodes.message_rendering import MessageTemplate, Texts
from studio.nodes.personal import personal_columns, with_fields
from studio.nodes.render_tasks import render_here

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
    rows = batch.with_columns(verdicts.get_column("email")).filter(allowed)
    rows = with_fields(rows, template.contact_fields(), context, always=("name",))
    letters: list[Letter] = []
    quarantined: list[Quarantined] = []
    written = 0
    # In a simulation nobody reads the letters; some are written, to find texts that cannot be filled in.
    for part in (rows.head(SAMPLE), rows.slice(SAMPLE)) if context.mode == "simulate" else (rows,):
        if part.height and (not written or quarantined):
            await _write(part, settings, template.texts, context, letters, quarantined)
            written += part.height
    letters += [_unwritten(row, context) for row in rows.slice(written).iter_rows(named=True)]
    blocked = [Blocked(*values) for values in held.select("instance_id", "reason", "message", "until").iter_rows()]
    return Composed(letters=letters, blocked=blocked, quarantined=quarantined)


async def _write(
    rows: pl.DataFrame,
    settings: MessageSettings,
    texts: Texts,
    context: NodeContext,
    letters: list[Letter],
    quarantined: list[Quarantined],
) -> None:
    """Writes everybody's letter into `letters`; who cannot get one goes into `quarantined`."""
    addresses = [_unsubscribe_url(str(outbox_id), context) for outbox_id in rows.get_column("outbox_id")]
    tags = [_tags(arms or "", context) if settings.track else {} for arms in rows.get_column("arms")]
    columns = {
        **personal_columns(rows),
        "unsubscribe_url": addresses,
        "postal_address": [context.sender.postal_address] * rows.height,
        "tags": tags,
    }
    render = context.render or render_here
    made = await render(RenderTask(kind="mail", texts=asdict(texts), columns=columns))
    for place, row in enumerate(rows.iter_rows(named=True)):
        if place % _BREATH == _BREATH - 1:
            # Open mail sessions live on the same loop and must not wait for a whole chunk to be built.
            await asyncio.sleep(0)
        code, message = made["code"][place], made["message"][place]
        if code is None:
            texts_of = {name: str(made[name][place]) for name in ("subject", "html", "text")}
            try:
                letters.append(_letter(row, addresses[place], texts_of, settings, context))
                continue
            except UserFixable as error:
                code, message = error.code, str(error)
        quarantined.append(Quarantined(row["instance_id"], row["contact_id"], code, str(message)))


def _letter(
    row: Mapping[str, object],
    unsubscribe_url: str,
    texts: Mapping[str, str],
    settings: MessageSettings,
    context: NodeContext,
) -> Letter:
    parts = MessageParts(
        message_id=str(row["message_id"]),
        from_address=context.sender.address,
        from_name=settings.from_name,
        to_address=str(row["email"]),
        to_name=str(row[field_column("name")] or ""),
        reply_to=context.sender.reply_to,
        sent_at=context.now,
        headers=_headers(settings.purpose, unsubscribe_url),
        **texts,
    )
    content = b"" if context.mode == "simulate" else context.build(parts)
    envelope = Envelope(parts.from_address, parts.to_address, parts.message_id, content)
    return Letter(int(row["instance_id"]), int(row["contact_id"]), envelope)  # pyright: ignore[reportArgumentType]


def _unwritten(row: Mapping[str, object], context: NodeContext) -> Letter:
    envelope = Envelope(context.sender.address, str(row["email"]), str(row["message_id"]), b"")
    return Letter(int(row["instance_id"]), int(row["contact_id"]), envelope)  # pyright: ignore[reportArgumentType]


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
