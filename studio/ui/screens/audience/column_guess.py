"""Which column of a file probably means what, by its name; the person sees the guess and can change it.

Absent on purpose: looking at the cells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

CONTACT_FIELDS: Mapping[str, str] = {
    "key": "Customer number or other key",
    "email": "Mail address",
    "name": "Name",
    "language": "Language",
    "zone": "Time zone",
}
EVENT_FIELDS: Mapping[str, str] = {
    "contact": "Whose (key of the contact)",
    "kind": "What happened",
    "occurred_at": "When",
    "value": "Amount",
    "currency": "Currency",
    "key": "Order or basket number",
    "event_id": "Id of the event",
}
REQUIRED: Mapping[str, tuple[str, ...]] = {"contacts": ("key",), "events": ("contact", "kind", "occurred_at")}
_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "contacts": {
        "email": ("email", "emailaddress", "mail", "mailadresse", "address"),
        "key": ("key", "id", "customerid", "customernumber", "customer", "contactid", "userid", "kundennummer"),
        "name": ("name", "fullname", "customername", "firstname", "vorname"),
        "language": ("language", "lang", "locale", "sprache"),
        "zone": ("zone", "timezone", "tz", "zeitzone"),
    },
    "events": {
        "contact": ("contact", "contactkey", "contactid", "customerid", "customer", "userid", "email"),
        "kind": ("kind", "event", "eventtype", "type", "action"),
        "occurred_at": ("occurredat", "at", "time", "timestamp", "date", "datetime", "createdat", "orderdate"),
        "value": ("value", "amount", "total", "revenue", "price", "betrag"),
        "currency": ("currency", "waehrung", "währung"),
        "key": ("key", "orderid", "ordernumber", "cartid", "basketid"),
        "event_id": ("eventid", "id"),
    },
}


def guess_columns(kind: str, columns: Sequence[str]) -> dict[str, str]:
    """Field → column. A contact without a number of its own is known by its address."""
    plain = {_plain(column): column for column in columns}
    found: dict[str, str] = {}
    for field, names in _NAMES[kind].items():
        column = next((plain[name] for name in names if name in plain), None)
        if column is not None and column not in found.values():
            found[field] = column
    if kind == "contacts" and "key" not in found and "email" in found:
        found["key"] = found["email"]
    return found


def guess_kind(columns: Sequence[str]) -> str:
    """`events` when all that an event needs is there, otherwise `contacts`."""
    found = guess_columns("events", columns)
    return "events" if all(name in found for name in REQUIRED["events"]) else "contacts"


def _plain(column: str) -> str:
    return re.sub(r"[\W_]", "", column.lower())
