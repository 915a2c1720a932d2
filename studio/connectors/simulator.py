"""The simulated audience: what people would do with the messages a run sends, drawn from seed and ids alone.

Rates are shares of messages sent. Each is met exactly on average, whatever arm, position or interest: lasting interest
and the moment's mood are mixed into one uniform number (a Gaussian copula), and whoever lies below a rate does it, so
that the keenest buy, more of them click, still more open. A rate is multiplied by the `truth` of every arm the instance
is in and by the decay of its position; a statistic can thus be checked against what is true.
Absent on purpose: any connector, memory of earlier calls, and effects of one message on the next.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import JsonValue
from scipy.special import ndtr, ndtri

from studio.domain.errors import UserFixable
from studio.domain.ports import SimulationContext
from studio.domain.spelling import nearest
from studio.experiments.assignment import hash64
from studio.frames.events import AT, as_events, empty_events

Floats = NDArray[np.float64]

RATES: Mapping[str, float] = {
    "open": 0.5204,
    "click": 0.0531,
    "convert": 0.0171,
    "unsubscribe": 0.0073,
    "bounce": 0.0083,
    "complaint": 0.0005,
    "machine_open": 0.25,
    "organic": 0.0,
    "organic_days": 30.0,
    "value": 60.0,
    "value_spread": 0.6,
}
"""What a rate is when the template says nothing.

open, click, convert, unsubscribe: Klaviyo 2024, all flows. bounce, complaint: B&Co 2026, their own 7.1 million sends.
machine_open: share of people whose mail program opens by itself; the rise of published open rates from about 20 % to
about 40 % at flat click rates. organic: share of instances that reach the goal without any message within organic_days.
value: mean worth of a goal event; value_spread: standard deviation of its logarithm (both without published source).
"""

_SHARES = ("open", "click", "convert", "unsubscribe", "bounce", "complaint", "machine_open", "organic")
RESPOND = "respond:"
"""Begins the rate of something else that people do after a message than reach the goal: `respond:activated`. Met like
the others, as a share of messages sent; it is never the goal itself."""
_ANSWERS: Mapping[str, tuple[str, tuple[tuple[float, JsonValue], ...]]] = {
    "survey_answered": ("score", ((0.06, 3), (0.2, 6), (0.35, 7), (0.55, 8), (0.78, 9), (1.0, 10))),
    "review_written": ("stars", ((0.06, 1), (0.1, 2), (0.18, 3), (0.4, 4), (1.0, 5))),
    "appointment_answered": ("answer", ((0.85, "confirm"), (1.0, "move"))),
    "quote_answered": ("answer", ((0.6, "yes"), (1.0, "no"))),
}
"""What an answer says: kind → property, and its values by cumulative share. Assumed, without published source."""
_LATENT_SHARE = 0.5
"""How much of the variance of somebody's mood is lasting interest."""

_BY_ADDRESS = ("email", "sms", "push")
_HOURS_US = 3_600_000_000
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_OPEN_CURVE = ((0.0, 0.1966, 0.5, 0.7326, 1.0), (0.0, 1.0, 8.0, 26.0, 240.0))
_CLICK_CURVE = ((0.0, 0.3195, 0.5, 0.8253, 1.0), (0.0, 1.0, 4.0, 26.0, 240.0))
"""Share → hours after delivery. GetResponse 2022: 19.66 % of opens and 31.95 % of clicks in the first hour, half of the
opens by 8 h and of the clicks by 4 h, 26.74 % and 17.47 % after 26 h; the end of the tail is assumed."""
_SESSION_CURVE = ((0.0, 0.5, 0.8, 0.95, 1.0), (0.0, 0.5, 6.0, 48.0, 168.0))
"""Share → hours from click to goal; assumed."""
_DECAY = ((1, 1.0, 1.0), (10, 27 / 67, 8.8 / 37), (19, 19.7 / 67, 4.8 / 37), (29, 17.6 / 67, 3.7 / 37))
"""Up to which message of a sequence → factor on opens, on clicks and goals. GetResponse 2013, 300 million mails."""


class SimulatedAudience:
    """The port `Simulator`. Holds nothing: the same arguments give the same events, however they are batched."""

    def react(self, sends: pl.DataFrame, context: SimulationContext) -> pl.DataFrame:
        """EVENT_SCHEMA: delivered or bounced, opened, clicked, goal, unsubscribed, complained; by `occurred_at`.

        Args:
            sends: instances (`instance_id`, `contact_id`, `key`, `arms`), whose message goes out at `context.now`.
            context: `position` counts earlier messages on the way, 0 for the first.

        Raises:
            UserFixable: SIMULATION-RATE, a rate that does not exist or is out of range; SIMULATION-TRUTH.
        """
        rates = _checked_rates(context)
        if sends.is_empty():
            return empty_events()
        audience = _Audience(sends, context, rates)
        return _ordered(_reactions(audience))

    def organic(self, entries: pl.DataFrame, context: SimulationContext) -> pl.DataFrame:
        """Goal events without any message: `rates["organic"]` of the instances, spread evenly over `organic_days`."""
        rates = _checked_rates(context)
        if entries.is_empty() or not rates["organic"]:
            return empty_events()
        audience = _Audience(entries, context, rates)
        does = audience.drawn("organic") < rates["organic"]
        hours = audience.drawn("organic-when") * rates["organic_days"] * 24.0
        return _ordered([audience.goal(does, hours, "organic")])


@dataclass(frozen=True, slots=True)
class _Audience:
    """The people of one batch, and every number that is drawn for them."""

    rows: pl.DataFrame
    context: SimulationContext
    rates: Mapping[str, float]

    def drawn(self, what: str) -> Floats:
        """In (0, 1), per instance and position."""
        return _uniform(f"{self.context.seed}|{self.context.position}|{what}", self.rows.get_column("instance_id"))

    def lasting(self, what: str) -> Floats:
        """In (0, 1), per contact."""
        return _uniform(f"{self.context.seed}|{what}", self.rows.get_column("contact_id"))

    def mood(self) -> Floats:
        """In (0, 1), uniform, small for the keen: lasting interest and the moment's mood."""
        mixed = np.sqrt(_LATENT_SHARE) * ndtri(self.lasting("interest")) + np.sqrt(1 - _LATENT_SHARE) * ndtri(
            self.drawn("mood")
        )
        return ndtr(mixed)

    def chance(self, rate: str, effect: Floats | float = 1.0) -> Floats:
        """Per instance how likely it does this, given that the message is delivered."""
        opens, clicks = _decay(self.context.position)
        decay = {"open": opens, "click": clicks, "convert": clicks}.get(rate, 1.0)
        lost = self.rates["bounce"] if self.context.channel in _BY_ADDRESS else 0.0
        return np.minimum(self.rates[rate] * decay * effect / (1.0 - lost), 1.0)

    def effect(self) -> Floats:
        """Per instance the product of the `truth` of its arms."""
        arms = self.rows.get_column("arms").fill_null("")
        known = {text: _effect(text, self.context.truth) for text in arms.unique()}
        return arms.replace_strict(list(known), list(known.values()), return_dtype=pl.Float64).to_numpy()

    def answers(self, kind: str, does: NDArray[np.bool_], hours: Floats) -> pl.DataFrame:
        """One event of another kind than the goal for each instance that `does`, with what it answers."""
        return self._answered(self.events(kind, does, hours), kind, does)

    def _answered(self, found: pl.DataFrame, kind: str, does: NDArray[np.bool_]) -> pl.DataFrame:
        """The events of a kind that says something, with what each says."""
        if kind not in _ANSWERS or found.is_empty():
            return found
        name, shares = _ANSWERS[kind]
        drawn = self.drawn(f"answer-{kind}")[does]
        places = np.searchsorted([share for share, _ in shares], drawn, side="left")
        texts = [json.dumps({name: shares[min(place, len(shares) - 1)][1]}) for place in places.tolist()]
        return found.with_columns(pl.Series("properties", texts, dtype=pl.String))

    def events(
        self,
        kind: str,
        does: NDArray[np.bool_],
        hours: Floats,
        *,
        actor: str = "human",
        cause: str = "message",
        properties: str | None = None,
    ) -> pl.DataFrame:
        """One event for each instance that `does`, so many hours from now; `cause` tells apart two of the same kind."""
        places = np.flatnonzero(does)
        if not len(places):
            return empty_events()
        # Column by column: an expression costs as much as some hundred people, and most batches have fewer.
        names = ("contact_id", "key", "arms", "instance_id")
        rows = pl.DataFrame([self.rows.get_column(name) for name in names])[pl.Series(places)]
        known = {name: rows.get_column(name) for name in names}
        moments = np.round(hours[places] * _HOURS_US).astype(np.int64) + (self.context.now - _EPOCH) // _MICROSECOND
        salt = f"{self.context.seed}|{self.context.workflow_id}|{self.context.position}|{kind}|{actor}|{cause}"
        made = {"kind": kind, "actor": actor, "properties": properties}
        return as_events(
            pl.DataFrame(
                [
                    *known.values(),
                    pl.Series("event_id", hash64(salt, known["instance_id"].to_numpy())),
                    pl.Series("occurred_at", moments).cast(AT),
                    *(pl.Series(n, [v], dtype=pl.String).new_from_index(0, len(places)) for n, v in made.items()),
                ]
            )
        )

    def goal(self, does: NDArray[np.bool_], hours: Floats, cause: str = "message") -> pl.DataFrame:
        """Goal events with their worth: as from outside, so without arms."""
        kind = self.context.goal_kind
        events = self._answered(self.events(kind, does, hours, cause=cause), kind, does)
        if events.is_empty():
            return events
        spread = self.rates["value_spread"]
        worth = self.rates["value"] * np.exp(spread * ndtri(self.drawn(f"worth-{cause}")) - spread**2 / 2)
        return events.with_columns(
            pl.Series("value", np.round(worth[does], 2)),
            pl.lit(self.context.currency).alias("currency"),
            pl.lit(None, pl.String).alias("arms"),
        )


def _reactions(audience: _Audience) -> list[pl.DataFrame]:
    """By the means of the channel: a text message is not opened, a page neither bounces nor is unsubscribed from, and
    a notice is for the team.
    """
    rates, channel = audience.rates, audience.context.channel
    other = "" if channel == "email" else f"-{channel}"
    arrives = audience.lasting(f"address{other}") >= (rates["bounce"] if channel in _BY_ADDRESS else 0.0)
    told = None if channel == "email" else json.dumps({"channel": channel})
    if channel == "notice":
        return [audience.events("delivered", arrives, np.zeros(audience.rows.height), actor="machine", properties=told)]
    delivered_at = audience.drawn("transport") * 30.0 / 3_600.0
    mood, effect = audience.mood(), audience.effect()
    likely_click = audience.chance("click", effect)
    converts = arrives & (mood < audience.chance("convert", effect))
    clicks = arrives & (mood < likely_click)
    opens = arrives & (mood < np.maximum(audience.chance("open", effect), likely_click))
    clicked_at = delivered_at + _after(_CLICK_CURVE, audience.drawn("click-when"))
    # Who clicks has opened just before; who only opens follows the curve of opens.
    seconds_before = np.minimum((2.0 + 58.0 * audience.drawn("reading")) / 3_600.0, clicked_at - delivered_at)
    opened_at = delivered_at + _after(_OPEN_CURVE, audience.drawn("open-when"))
    opened_at = np.where(clicks, clicked_at - seconds_before, opened_at)
    from_where = np.where(clicks, clicked_at, np.where(opens, opened_at, delivered_at))
    converted_at = from_where + _after(_SESSION_CURVE, audience.drawn("session"))
    by_machine = arrives & (audience.lasting("machine") < rates["machine_open"])
    machine_at = delivered_at + audience.drawn("machine-when") / 6.0
    unsubscribes = arrives & (audience.drawn("unsubscribe") < audience.chance("unsubscribe"))
    complains = arrives & (audience.drawn("complaint") < audience.chance("complaint"))
    left_at = delivered_at + _after(_CLICK_CURVE, audience.drawn("leave-when"))
    bounce = json.dumps({"class": "hard"} if channel == "email" else {"class": "hard", "channel": channel})
    found = [
        audience.events("delivered", arrives, delivered_at, actor="machine", properties=told),
        audience.events("clicked", clicks, clicked_at, properties=told),
        audience.goal(converts, converted_at),
    ]
    if channel == "email":
        found.append(audience.events("opened", by_machine, machine_at, actor="machine"))
        found.append(audience.events("complained", complains, left_at))
    if channel != "sms":
        found.append(audience.events("opened", opens, opened_at, properties=told))
    if channel in _BY_ADDRESS:
        found.append(audience.events("bounced", ~arrives, delivered_at, actor="machine", properties=bounce))
        found.append(audience.events("unsubscribed", unsubscribes, left_at, properties=told))
    return found + [
        audience.answers(kind, arrives & (mood < audience.chance(f"{RESPOND}{kind}", effect)), converted_at)
        for kind in _responses(rates)
        if kind != audience.context.goal_kind
    ]


def _responses(rates: Mapping[str, float]) -> list[str]:
    return [name.removeprefix(RESPOND) for name in rates if name.startswith(RESPOND)]


def _ordered(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([empty_events(), *(part for part in parts if part.height)]).sort("occurred_at", "event_id")


def _uniform(salt: str, ids: pl.Series) -> Floats:
    # Half a step up: the normal quantile of 0 is not finite.
    return ((hash64(salt, ids.cast(pl.UInt64).to_numpy()) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def _after(curve: tuple[Sequence[float], Sequence[float]], drawn: Floats) -> Floats:
    """Hours, straight between the points of the curve on a logarithmic scale of time."""
    shares, hours = curve
    return np.expm1(np.interp(drawn, shares, np.log1p(hours)))


def _decay(position: int) -> tuple[float, float]:
    return next(((opens, clicks) for last, opens, clicks in _DECAY if position < last), _DECAY[-1][1:])


def _effect(arms: str, truth: Mapping[str, float]) -> float:
    return float(np.prod([truth.get(arm, 1.0) for arm in arms.split("|")]))


def _checked_rates(context: SimulationContext) -> Mapping[str, float]:
    for name, value in context.rates.items():
        is_response = name.startswith(RESPOND)
        if name not in RATES and not is_response:
            hint = nearest(name, RATES) or f"There are {', '.join(RATES)}."
            raise UserFixable("SIMULATION-RATE", f"The simulated audience has no rate “{name}”.", where=name, hint=hint)
        if not 0 <= value <= (1 if name in _SHARES or is_response else 1e9) or (name == "bounce" and value == 1):
            hint = "Shares lie between 0 and 1, and some messages have to arrive."
            raise UserFixable("SIMULATION-RATE", f"{name} cannot be {value}.", where=name, hint=hint)
    for arm, effect in context.truth.items():
        if not 0 <= effect <= 1_000:
            hint = "1.25 means a quarter more than without."
            raise UserFixable("SIMULATION-TRUTH", f"The effect of {arm} cannot be {effect}.", where=arm, hint=hint)
    return {**RATES, **context.rates}
