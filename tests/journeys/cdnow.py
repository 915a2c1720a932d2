"""The CDNOW slice read by hand: what people really did, told without any code of the product."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILE = Path(__file__).parents[1] / "data" / "cdnow_500.txt.gz"
EXAMPLES = Path(__file__).parents[2] / "resources" / "examples"
AS_OF = datetime(1997, 10, 1, tzinfo=UTC)
IDLE_DAYS = 120
WINDOW = timedelta(days=90)
STEPS = {
    "It has been a while": "first",
    "What is new since your last order": "first",
    "A small thank-you for coming back": "offer",
    "One last word from us": "last",
}
"""What each subject of the win-back template is, where nothing is known of the business."""


@dataclass(frozen=True, slots=True)
class Order:
    """One row of the file."""

    customer: str
    at: datetime
    value: float


def orders() -> list[Order]:
    """All rows, in the file's order."""
    with gzip.open(FILE, "rt") as file:
        rows = [line.split() for line in file][1:]
    return [Order(c, datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC), float(value)) for c, day, _, value in rows]


def idle() -> set[str]:
    """Who has ordered before the run's moment, and not in the last 120 days."""
    last: dict[str, datetime] = {}
    for order in orders():
        if order.at < AS_OF:
            last[order.customer] = max(order.at, last.get(order.customer, order.at))
    return {customer for customer, at in last.items() if AS_OF - at >= timedelta(days=IDLE_DAYS)}


def bought(people: set[str], before: datetime = AS_OF + WINDOW) -> list[Order]:
    """The orders of these people from the run's moment on."""
    return [order for order in orders() if order.customer in people and AS_OF <= order.at < before]
