"""Messages that are text alone (SMS, push, notices, pages): written like mails, and in test mode caught like mails.

Nothing outside carries them yet: in live mode writing one is refused, except for notices to the team, which are mail.
Absent on purpose: declaration and parameters (the node types), and MIME, which the context's builder makes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import polars as pl

from studio.domain.errors import UserFixable
from studio.domain.mail import Envelope
from studio.domain.node import Blocked, Composed, Letter, MessageParts, NodeContext, Quarantined
from studio.domain.rendering import RenderTask
from studio.nodes.letters import SAMPLE
from studio.nodes.message_rendering import MessageTemplate, Rendered, Texts, compiled
from studio.nodes.message_source import text_source
from studio.nodes.personal import personal_columns, with_fields
from studio.nodes.render_tasks import render_here

_EMPTY = "<mjml><mj-body></mj-body></mjml>"
_UNSUBSCRIBE = "https://example.invalid/stop"
NO_CONNECTOR = "CHANNEL-NO-CONNECTOR"
CHANNEL_NAMES = {"sms": "SMS", "push": "push message", "page": "page"}
"""The channels that nothing carries yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """How one kind of text reaches somebody.

    name: what people call it. address: of the message that the catcher gets for it, made from the person's own.
    check: refuses what this channel cannot carry.
    """

    name: str
    address: Callable[[str], str]
    check: Callable[[Rendered], None] = lambda _: None
    is_live: bool = False


def template_of(title: str, body: str, context: NodeContext) -> MessageTemplate:
    """The compiled texts; `body` may be the name of a text file of the template."""
    return compiled(Texts(title or "-", "", _EMPTY, text_source(body, context.texts)))


async def compose_texts(
    batch: pl.DataFrame,
    addresses: pl.Series,
    blocked: Sequence[Blocked],
    template: MessageTemplate,
    carrier: Carrier,
    context: NodeContext,
) -> Composed:
    """One letter per row of `batch`, which holds those who may be written to.

    Args:
        batch: instances with `outbox_id` and `message_id`.
        addresses: row by row where it goes.
        blocked: those the gate holds back; they are handed on.
        template: of `template_of`.
        carrier: what carries it.
        context: in mode `simulate` only a sample is written, as for mails.

    Raises:
        UserFixable: CHANNEL-NO-CONNECTOR in live mode, when nothing carries it.
    """
    if context.mode == "live" and not carrier.is_live:
        raise no_connector(carrier.name, context.node_id)
    rows = with_fields(batch.with_columns(addresses.alias("to")), template.contact_fields(), context)
    letters: list[Letter] = []
    quarantined: list[Quarantined] = []
    written = 0
    for part in (rows.head(SAMPLE), rows.slice(SAMPLE)) if context.mode == "simulate" else (rows,):
        if part.height and (not written or quarantined):
            await _write(part, template, carrier, context, letters, quarantined)
            written += part.height
    letters += [_letter(row, b"", carrier, context) for row in rows.slice(written).iter_rows(named=True)]
    return Composed(letters=letters, blocked=blocked, quarantined=quarantined)


async def _write(
    rows: pl.DataFrame,
    template: MessageTemplate,
    carrier: Carrier,
    context: NodeContext,
    letters: list[Letter],
    quarantined: list[Quarantined],
) -> None:
    """Writes everybody's text into `letters`; who cannot get one goes into `quarantined`."""
    columns = {
        **personal_columns(rows),
        "unsubscribe_url": [_UNSUBSCRIBE] * rows.height,
        "postal_address": [context.sender.postal_address] * rows.height,
        "tags": [{}] * rows.height,
    }
    render = context.render or render_here
    made = await render(RenderTask(kind="mail", texts=asdict(template.texts), columns=columns))
    for place, row in enumerate(rows.iter_rows(named=True)):
        code, message = made["code"][place], made["message"][place]
        if code is None:
            rendered = Rendered(*(str(made[name][place]) for name in ("subject", "html", "text")))
            try:
                carrier.check(rendered)
                content = b"" if context.mode == "simulate" else context.build(_parts(row, rendered, carrier, context))
                letters.append(_letter(row, content, carrier, context))
                continue
            except UserFixable as error:
                code, message = error.code, str(error)
        quarantined.append(Quarantined(row["instance_id"], row["contact_id"], code, str(message)))


def no_connector(name: str, where: str | None = None) -> UserFixable:
    """What a live run is told that wants to use a channel which nothing carries yet."""
    return UserFixable(
        NO_CONNECTOR,
        f"Nothing here can send a live {name} yet.",
        where=where,
        hint="Switch the step off, or run in test mode, where you can read what would be sent.",
    )


def _letter(row: Mapping[str, object], content: bytes, carrier: Carrier, context: NodeContext) -> Letter:
    envelope = Envelope(context.sender.address, carrier.address(str(row["to"])), str(row["message_id"]), content)
    return Letter(int(row["instance_id"]), int(row["contact_id"]), envelope)  # pyright: ignore[reportArgumentType]


def _parts(row: Mapping[str, object], rendered: Rendered, carrier: Carrier, context: NodeContext) -> MessageParts:
    title = "" if rendered.subject == "-" else rendered.subject
    subject = title if carrier.is_live else f"[{carrier.name}] {title or rendered.text[:60]}"
    return MessageParts(
        message_id=str(row["message_id"]),
        from_address=context.sender.address,
        from_name="",
        to_address=carrier.address(str(row["to"])),
        to_name="",
        reply_to=context.sender.reply_to,
        subject=" ".join(subject.split()),
        html="",
        text=rendered.text,
        sent_at=context.now,
        headers={"X-Flowlight-Channel": context.node_id},
    )


def caught_as(channel: str) -> Callable[[str], str]:
    """The mail address under which the catcher shows a message of a channel: letters and digits of the real one."""

    def address(own: str) -> str:
        return f"{re.sub(r'[^A-Za-z0-9]', '', own)[:48] or 'nobody'}@{channel}.invalid"

    return address
