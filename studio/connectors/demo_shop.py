"""Bloom & Barley, a coffee shop that does not exist: customers, order history, and the carts of the weeks ahead.

Everything follows from one seed, so that a demo can be repeated to the last digit. What people do *because of* a
message is not made here but by the simulated audience (`connectors/simulator.py`).
Absent on purpose: writing to a workspace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from studio.frames.events import as_events

CUSTOMERS = 12_480
START = datetime(2026, 3, 2, tzinfo=UTC)
"""The virtual day the demo begins on; history lies before it, carts after it."""
CART_DAYS = 28
CARTS_PER_DAY = 720
HISTORY_DAYS = 365
CURRENCY = "EUR"
DESCRIPTION = (
    "Bloom & Barley is a speciality coffee and tea roastery from Hamburg with an online shop, "
    "www.bloomandbarley.example. We sell freshly roasted "
    "coffee beans, loose leaf tea and brewing gear to home brewers and people looking for a gift, and ship across "
    "Germany and Austria. Many visitors fill a basket and do not finish the order. New subscribers get 10 % off their "
    "first order. We write in a warm, expert tone and want more repeat orders."
)

CONSENT_SHARE = 0.95
BOUGHT_AT_ONCE = 0.32
"""Share of carts paid within the first hour or so, without any reminder."""
BOUGHT_LATER = 0.06
"""Share of the other carts that come back by themselves within a few days."""

FIRST = (
    *("Anna", "Ben", "Clara", "David", "Elif", "Finn", "Greta", "Hugo", "Ida", "Jonas"),
    *("Klara", "Leon", "Mara", "Nils", "Oskar", "Paula", "Quirin", "Rosa", "Sami", "Tilda"),
)
LAST = (
    *("Adler", "Bauer", "Celik", "Dietz", "Engel", "Fuchs", "Graf", "Huber", "Imhof"),
    *("Jansen", "Keller", "Lang", "Moser", "Nagel", "Ott", "Pohl", "Roth", "Seidel"),
)
PRODUCTS = (
    "Ethiopia Guji",
    "House espresso",
    "Decaf Colombia",
    "Sencha",
    "Earl Grey",
    "Hand grinder",
    "Pour-over kettle",
)
HOUR_WEIGHTS = np.array([1, 1, 1, 1, 1, 1, 2, 4, 6, 6, 6, 6, 7, 6, 5, 5, 6, 7, 9, 12, 13, 11, 7, 3], dtype=float)


@dataclass(frozen=True, slots=True)
class DemoShop:
    """Frames as the store takes them.

    contacts: key, email, name, language, zone, properties (JSON). consents: key, channel, topic, state, basis, source,
    at. events: EVENT_SCHEMA with `contact_key` in place of `contact_id`, orders and carts, past and to come.
    """

    contacts: pl.DataFrame
    consents: pl.DataFrame
    events: pl.DataFrame


def make_demo_shop(seed: int, customers: int = CUSTOMERS, carts_per_day: int = CARTS_PER_DAY) -> DemoShop:
    """The shop of this seed. O(customers + carts), about 0.2 s at the default size."""
    rng = np.random.default_rng([seed, 0xB100])
    contacts = _contacts(rng, customers)
    keys = contacts["key"]
    loyalty = rng.gamma(2.0, 1.0, customers)
    events = pl.concat([_history(rng, keys, loyalty), _carts(rng, keys, loyalty, carts_per_day)])
    return DemoShop(contacts, _consents(rng, keys), events.sort("occurred_at", "event_id"))


def _contacts(rng: np.random.Generator, n: int) -> pl.DataFrame:
    first, last = rng.choice(FIRST, n), rng.choice(LAST, n)
    austria = rng.random(n) < 0.15
    english = rng.random(n) < 0.12
    numbers = np.arange(1, n + 1)
    return pl.DataFrame(
        {
            "key": [f"bb-{number:05d}" for number in numbers],
            "email": [
                f"{a}.{b}.{number}@example.com".lower() for a, b, number in zip(first, last, numbers, strict=True)
            ],
            "name": [f"{a} {b}" for a, b in zip(first, last, strict=True)],
            "language": np.where(english, "en", "de"),
            "zone": np.where(austria, "Europe/Vienna", "Europe/Berlin"),
            "properties": [json.dumps({"country": "AT" if is_at else "DE"}) for is_at in austria],
        }
    )


def _consents(rng: np.random.Generator, keys: pl.Series) -> pl.DataFrame:
    given = rng.random(keys.len()) < CONSENT_SHARE
    days = rng.integers(1, HISTORY_DAYS, keys.len())
    frame = pl.DataFrame({"key": keys, "given": given, "days": days})
    return frame.filter("given").select(
        "key",
        pl.lit("email").alias("channel"),
        pl.lit("marketing").alias("topic"),
        pl.lit("granted").alias("state"),
        pl.lit("consent").alias("basis"),
        pl.lit("demo shop, sign-up form").alias("source"),
        (pl.lit(START) - pl.duration(days=pl.col("days"))).cast(pl.Datetime("us", "UTC")).alias("at"),
    )


def _history(rng: np.random.Generator, keys: pl.Series, loyalty: np.ndarray) -> pl.DataFrame:
    counts = rng.poisson(loyalty * 1.4)
    who = np.repeat(np.arange(keys.len()), counts)
    moments = _moments(rng, START - timedelta(days=HISTORY_DAYS), rng.integers(0, HISTORY_DAYS, who.size))
    return _frame("order", keys, who, moments, _basket(rng, who.size), [None] * who.size, 1)


def _carts(rng: np.random.Generator, keys: pl.Series, loyalty: np.ndarray, per_day: int) -> pl.DataFrame:
    total = per_day * CART_DAYS
    who = rng.choice(keys.len(), total, p=loyalty / loyalty.sum())
    moments = _moments(rng, START, np.sort(rng.integers(0, CART_DAYS, total)))
    values = _basket(rng, total)
    cart_keys = [f"cart-{number:06d}" for number in range(1, total + 1)]
    at_once = rng.random(total) < BOUGHT_AT_ONCE
    later = ~at_once & (rng.random(total) < BOUGHT_LATER)
    lag_us = np.where(at_once, rng.exponential(14 * 60, total), 3_600 + rng.exponential(30 * 3_600, total)) * 1e6
    bought = at_once | later
    carts = _frame("cart_updated", keys, who, moments, values, cart_keys, 2)
    orders = _frame(
        "order",
        keys,
        who[bought],
        moments[bought] + lag_us[bought].astype("timedelta64[us]"),
        values[bought],
        [key for key, is_bought in zip(cart_keys, bought, strict=True) if is_bought],
        3,
    )
    names = rng.choice(PRODUCTS, total)
    carts = carts.with_columns(pl.Series("properties", [json.dumps({"product": str(name)}) for name in names]))
    return pl.concat([carts, orders])


def _basket(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.round(np.exp(rng.normal(np.log(31.0), 0.45, n)), 2)


def _moments(rng: np.random.Generator, start: datetime, days: np.ndarray) -> np.ndarray:
    hours = rng.choice(24, days.size, p=HOUR_WEIGHTS / HOUR_WEIGHTS.sum())
    seconds = days * 86_400 + hours * 3_600 + rng.integers(0, 3_600, days.size)
    return np.datetime64(start.replace(tzinfo=None), "us") + seconds.astype("timedelta64[s]")


def _frame(
    kind: str,
    keys: pl.Series,
    who: np.ndarray,
    moments: np.ndarray,
    values: np.ndarray,
    cart: list[str | None],
    block: int,
) -> pl.DataFrame:
    # Event ids need only be distinct inside one demo: a block number over a running number says so by itself.
    ids = (np.uint64(block) << np.uint64(40)) + np.arange(who.size, dtype=np.uint64)
    frame = pl.DataFrame(
        {
            "event_id": ids,
            "occurred_at": pl.Series(moments).dt.replace_time_zone("UTC"),
            "kind": [kind] * who.size,
            "value": values,
            "currency": [CURRENCY] * who.size,
            "key": pl.Series(cart, dtype=pl.String),
            "actor": ["human"] * who.size,
        }
    )
    return as_events(frame).drop("contact_id").with_columns(keys.gather(who).alias("contact_key"))
