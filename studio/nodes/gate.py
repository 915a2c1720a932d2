"""Who may be written to right now: one answer per instance, with a reason that reports can count.

In this order: a usable address, suppression, what the person said to earlier mail, consent, frequency cap, quiet hours.
Mail about a person's own business (`transactional`) passes the last three, and reaches people who only unsubscribed.
Absent on purpose: remembering anything; every answer comes from contacts, event log and clock of the moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal, TypeAlias

import polars as pl

from studio.domain.duration import parse_duration
from studio.domain.errors import UserFixable
from studio.domain.node import Blocked, NodeContext
from studio.domain.workflow import Settings
from studio.frames.events import AT
from studio.frames.expression import event_property
from studio.nodes.zones import next_time_of_day, within_hours, zones_of

Purpose: TypeAlias = Literal["marketing", "transactional"]

_EMAIL = r"^[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\".]+(\.[^\s@<>()\[\],;:\\\".]+)+$"
ReachedBy: TypeAlias = Literal["email", "sms", "push"]
_FIELDS: Mapping[ReachedBy, str] = {"email": "email", "sms": "phone", "push": "push_token"}
_USABLE: Mapping[ReachedBy, str] = {"email": _EMAIL, "sms": r"^\+?[0-9][0-9 ()/.-]{5,20}$", "push": r"^\S{8,}$"}
_LONGEST: Mapping[ReachedBy, int] = {"email": 254, "sms": 24, "push": 4_096}
_UNUSABLE: Mapping[ReachedBy, str] = {"email": "invalid_address", "sms": "invalid_phone", "push": "no_device"}
_OPTED_OUT = ("unsubscribed", "unsub")
_SAID = {
    "unsubscribed": "has unsubscribed",
    "complained": "has complained",
    "bounced": "could not be reached",
}
_MESSAGES = {
    "invalid_address": "There is no usable mail address.",
    "invalid_phone": "There is no usable phone number.",
    "no_device": "No device is registered for push messages.",
    "no_consent": "There is no consent for this topic.",
    "frequency_cap": "The person has got as many messages as the frequency cap allows.",
    "quiet_hours": "It is quiet hours where the person lives.",
}


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` messages per person in any span of length `per`; what happens to a message beyond it."""

    most: int
    per: timedelta
    action: Literal["defer", "drop"] = "defer"


def cap_of(settings: Settings) -> Cap | None:
    """The workflow's frequency cap, `{"max": 2, "per": "P7D", "action": "defer" | "drop"}`, None without one.

    Raises UserFixable (SETTINGS-CAP) when it cannot be read.
    """
    given = settings.frequency_cap
    if not given:
        return None
    most, per, action = given.get("max"), given.get("per"), given.get("action", "defer")
    unknown = set(given) - {"max", "per", "action"}
    try:
        if unknown or not isinstance(most, int) or most < 1 or action not in ("defer", "drop"):
            raise ValueError(f"{dict(given)} is not a frequency cap")
        return Cap(most, parse_duration(str(per)), "drop" if action == "drop" else "defer")
    except ValueError as error:
        raise UserFixable(
            "SETTINGS-CAP",
            f"The frequency cap cannot be read: {error}.",
            where="settings, frequency_cap",
            hint='Write it like {"max": 2, "per": "P7D", "action": "defer"}; the action is defer or drop.',
        ) from None


def quiet_hours_of(settings: Settings) -> tuple[time, time] | None:
    """Start and end of the workflow's quiet hours, None without. Raises UserFixable (SETTINGS-QUIET-HOURS)."""
    if settings.quiet_hours is None:
        return None
    try:
        start, end = (time.fromisoformat(text) for text in settings.quiet_hours)
    except ValueError:
        raise UserFixable(
            "SETTINGS-QUIET-HOURS",
            f"The quiet hours {' to '.join(settings.quiet_hours)} cannot be read.",
            where="settings, quiet_hours",
            hint='Write them like ["21:00", "08:00"].',
        ) from None
    return (start, end) if start != end else None


SOFT_MAX = 3
SOFT_WITHIN = timedelta(days=30)
"""So many soft bounces or refusals by policy within this time, and the person is left alone until they are past."""
_NOT_FOR_GOOD = ("soft", "policy")
_GRAVEST_FIRST = ("bounced", "complained", "unsubscribed")
_BEGINNING = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Gate:
    """The question for one kind of message."""

    purpose: Purpose
    topic: str
    channel: ReachedBy = "email"

    @property
    def field(self) -> str:
        """The contact field that holds the address of the channel, and its column in what `judge` answers."""
        return _FIELDS[self.channel]

    def judge(self, batch: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """Row by row: `instance_id`, `contact_id`, the address (`field`), `verdict`, `reason`, `message`, `until`.

        `verdict` is allowed, deferred (`until` says to when) or blocked; `reason` and `message` are null when allowed.
        Reasons: invalid_address (invalid_phone, no_device), suppressed:<why>, unsubscribed, complained, bounced,
        no_consent, frequency_cap, quiet_hours.
        """
        facts = self._blocked(batch, context)
        if self.purpose == "marketing":
            facts = _quiet(_capped(facts, context), context)
        allowed = pl.col("reason").is_null()
        verdict = pl.when(allowed).then(pl.lit("allowed")).when(pl.col("until").is_null()).then(pl.lit("blocked"))
        return facts.with_columns(verdict.otherwise(pl.lit("deferred")).alias("verdict"), _message()).select(
            "instance_id", "contact_id", self.field, "verdict", "reason", "message", "until"
        )

    def sorted_out(self, batch: pl.DataFrame, context: NodeContext) -> tuple[pl.DataFrame, pl.Series, list[Blocked]]:
        """Those who may be written to now, row by row where to, and the others with reason."""
        verdicts = self.judge(batch, context)
        allowed = verdicts.get_column("verdict") == "allowed"
        held = verdicts.filter(~allowed).select("instance_id", "reason", "message", "until")
        blocked = [Blocked(*values) for values in held.iter_rows()]
        return batch.filter(allowed), verdicts.get_column(self.field).filter(allowed).cast(pl.String), blocked

    def _blocked(self, batch: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """The batch's ids with the address, and `reason` for who may never get this message."""
        ids = batch.get_column("contact_id").unique().sort()
        facts = batch.select("instance_id", "contact_id")
        for known in (
            context.contacts.fields(ids, (self.field,)),
            context.contacts.suppressed(ids, self.channel, self.topic).rename({"reason": "suppressed"}),
            self._said(ids, context),
        ):
            facts = facts.join(known, on="contact_id", how="left", maintain_order="left")
        address = pl.col(self.field).cast(pl.String).fill_null("")
        usable = address.str.contains(_USABLE[self.channel]) & (address.str.len_bytes() <= _LONGEST[self.channel])
        reasons = [
            pl.when(~usable).then(pl.lit(_UNUSABLE[self.channel])),
            pl.when(self._counts("suppressed")).then(pl.format("suppressed:{}", "suppressed")),
            pl.when(self._counts("said")).then(pl.col("said")),
        ]
        if self.purpose == "marketing":
            consent = context.contacts.consent(ids, self.channel, self.topic)
            facts = facts.join(consent, on="contact_id", how="left", maintain_order="left")
            reasons.append(pl.when(pl.col("state").ne_missing("granted")).then(pl.lit("no_consent")))
        return facts.with_columns(pl.coalesce(reasons).alias("reason"), pl.lit(None, AT).alias("until"))

    def _counts(self, column: str) -> pl.Expr:
        """Who unsubscribed gets no marketing, but still what concerns their own orders."""
        if self.purpose == "marketing":
            return pl.col(column).is_not_null()
        return pl.col(column).is_not_null() & ~pl.col(column).is_in(_OPTED_OUT)

    def _said(self, ids: pl.Series, context: NodeContext) -> pl.DataFrame:
        """`contact_id`, `said`: who bounced, complained or unsubscribed (the gravest), in whatever run."""
        rank = {kind: place for place, kind in enumerate(_GRAVEST_FIRST)}
        found = context.events.rows(_GRAVEST_FIRST, since=_BEGINNING, ids=ids)
        if found.height:
            # A dead mail address says nothing about the phone, and who wants no SMS may still want mail; a complaint
            # is about all of it.
            channel = event_property("channel").fill_null("email")
            found = found.filter((channel == self.channel) | (pl.col("kind") == "complained"))
            found = found.filter((pl.col("kind") != "bounced") | _is_unreachable(context.now))
        found = found.select("contact_id", pl.col("kind").alias("said"))
        if found.is_empty():
            return found
        gravest = pl.col("said").replace_strict(rank, return_dtype=pl.UInt8)
        return found.sort("contact_id", gravest).unique("contact_id", keep="first", maintain_order=True)


def _is_unreachable(now: datetime) -> pl.Expr:
    """Of bounces: the address is dead, or so it looks after several that were not for good within some weeks."""
    grade = event_property("class").fill_null("hard")
    recent = (pl.col("occurred_at") > now - SOFT_WITHIN) & grade.is_in(_NOT_FOR_GOOD) & (pl.col("kind") == "bounced")
    often = recent.sum().over("contact_id") >= SOFT_MAX
    return ~grade.is_in(_NOT_FOR_GOOD) | (recent & often)


def _capped(facts: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
    cap = cap_of(context.settings)
    if cap is None:
        return facts
    ids = facts.get_column("contact_id").unique().sort()
    sent = context.events.totals("sent", since=context.now - cap.per, ids=ids)
    counts = sent.select("contact_id", pl.col("count").alias("sent"), pl.col("first_at").alias("first"))
    facts = facts.join(counts, on="contact_id", how="left", maintain_order="left")
    passing = pl.col("reason").is_null()
    # Several instances of one person in this batch count among themselves, too.
    rank = pl.col("instance_id").cum_count().over("contact_id").cast(pl.Int64) - 1
    over = passing & (pl.col("sent").fill_null(0).cast(pl.Int64) + rank >= cap.most)
    full = pl.col("sent").fill_null(0) >= cap.most
    free_at = pl.when(full).then(pl.col("first") + cap.per).otherwise(pl.lit(context.now + cap.per, AT))
    facts = facts.with_columns(over.alias("over"), free_at.alias("free_at"))
    return _held_back(facts, "over", "frequency_cap", None if cap.action == "drop" else "free_at")


def _quiet(facts: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
    hours = quiet_hours_of(context.settings)
    if hours is None:
        return facts
    start, end = hours
    zones = zones_of(facts, context)
    facts = facts.with_columns(
        within_hours(zones, context.now, start, end).alias("over"),
        next_time_of_day(zones, context.now, end).alias("free_at"),
    )
    return _held_back(facts, "over", "quiet_hours", "free_at")


def _held_back(facts: pl.DataFrame, over: str, reason: str, until: str | None) -> pl.DataFrame:
    newly = pl.col("reason").is_null() & pl.col(over)
    columns = [pl.when(newly).then(pl.lit(reason)).otherwise(pl.col("reason")).alias("reason")]
    if until is not None:
        columns.append(pl.when(newly).then(pl.col(until)).otherwise(pl.col("until")).alias("until"))
    return facts.with_columns(columns)


def _message() -> pl.Expr:
    said = pl.col("reason").replace_strict(_SAID, default=None, return_dtype=pl.String)
    return pl.coalesce(
        pl.col("reason").replace_strict(_MESSAGES, default=None, return_dtype=pl.String),
        pl.when(said.is_not_null()).then(pl.format("The person {}.", said)),
        pl.when(pl.col("reason").str.starts_with("suppressed:")).then(
            pl.format("The address is on the suppression list ({}).", pl.col("reason").str.strip_prefix("suppressed:"))
        ),
    ).alias("message")
