"""Proof in the event log that a message in doubt arrived: whoever opened it, clicked in it or bounced it must have it.

An event counts when its properties name our Message-ID (`message_id`, with or without angle brackets) or the ledger's
own id (`outbox_id`, which stands in every unsubscribe link). Absent on purpose: asking the mail server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

import polars as pl

from studio.domain.reading import EventView

KINDS = ("delivered", "opened", "clicked", "replied", "bounced", "complained", "unsubscribed")
_NAMES = ("message_id", "outbox_id")


def proven(view: EventView, doubtful: pl.DataFrame, since: datetime) -> set[str]:
    """Outbox ids, out of ledger rows (`outbox_id`, `contact_id`, `message_id`), that some event since then names."""
    if doubtful.is_empty():
        return set()
    known = doubtful.select("outbox_id", "message_id").rows()
    ids = {name.strip("<>"): str(outbox_id) for outbox_id, message_id in known for name in (outbox_id, message_id)}
    rows = view.rows(KINDS, since=since, ids=doubtful.get_column("contact_id").unique())
    texts = rows.get_column("properties").drop_nulls()
    telling = texts.filter(texts.str.contains_any(list(_NAMES)))
    return {ids[name] for text in telling for name in _named(text) if name in ids}


def _named(text: str) -> Iterator[str]:
    try:
        properties = json.loads(text)
    except ValueError:
        return
    if isinstance(properties, Mapping):
        yield from (str(properties[name]).strip("<>") for name in _NAMES if name in properties)
