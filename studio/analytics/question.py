"""A question in words, read by a fixed grammar: a figure, by what, of whom, when. Nothing is guessed.

`clicks by step for variant B in the last 7 days`, `conversion rate by variant`, `revenue by week since 2026-03-01`.
Words the grammar does not know are named with the nearest it does. Absent on purpose: a language model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Literal, TypeAlias

from studio.domain.errors import UserFixable

Figure: TypeAlias = Literal["events", "people", "value", "rate"]
By: TypeAlias = Literal["hour", "day", "week", "step", "variant", "link", "reason", "actor"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure one can ask for: events of `kind`, different people, money, or a share of the people of `of`."""

    name: str
    figure: Figure
    kind: str
    of: str | None = None
    words: tuple[str, ...] = ()


METRICS: tuple[Metric, ...] = (
    Metric("entered", "people", "entered", words=("people who entered", "people", "audience")),
    Metric("messages sent", "events", "sent", words=("sent", "messages", "mails sent", "emails sent", "sends")),
    Metric("deliveries", "events", "delivered", words=("delivered",)),
    Metric("opens", "events", "opened", words=("opened",)),
    Metric("people who opened", "people", "opened", words=("openers",)),
    Metric("clicks", "events", "clicked", words=("clicked",)),
    Metric("people who clicked", "people", "clicked", words=("clickers",)),
    Metric("orders", "events", "converted", words=("conversions", "purchases", "goals")),
    Metric("buyers", "people", "converted", words=("customers", "people who bought", "people who converted")),
    Metric("revenue", "value", "converted", words=("money", "sales", "turnover", "earnings")),
    Metric("unsubscribes", "events", "unsubscribed", words=("unsubscribed", "opt outs")),
    Metric("complaints", "events", "complained", words=("spam complaints",)),
    Metric("bounces", "events", "bounced", words=("bounced",)),
    Metric("kept back", "people", "blocked", words=("blocked", "people kept back")),
    Metric("exits", "people", "exited", words=("people who left", "leavers")),
    Metric("delivery rate", "rate", "delivered", "sent", ("share delivered",)),
    Metric("open rate", "rate", "opened", "delivered", ("share opened",)),
    Metric("click rate", "rate", "clicked", "delivered", ("click through rate", "ctr", "share clicked")),
    Metric("conversion rate", "rate", "converted", "sent", ("share converted", "share that bought")),
    Metric("unsubscribe rate", "rate", "unsubscribed", "delivered", ("opt out rate",)),
    Metric("complaint rate", "rate", "complained", "delivered", ("spam rate",)),
    Metric("bounce rate", "rate", "bounced", "sent", ()),
)
DIMENSIONS: Mapping[By, tuple[str, ...]] = {
    "hour": ("hour", "hours", "hourly"),
    "day": ("day", "days", "daily", "date"),
    "week": ("week", "weeks", "weekly"),
    "step": ("step", "steps", "message", "email", "mail", "node"),
    "variant": ("variant", "variants", "arm"),
    "link": ("link", "links", "url"),
    "reason": ("reason", "reasons", "class"),
    "actor": ("actor", "human or machine", "who"),
}
_NOISE_WORDS = """
how many much what is was were be the a an show me give us of number our did do does please in and there which tell
total we get got have has had for with at to from per rate count are
"""
_NOISE = frozenset(_NOISE_WORDS.split())
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """What was understood. `step` is a node id; `since` is included, `until` is not; `human` leaves machines out."""

    metric: Metric
    by: By | None = None
    variant: str | None = None
    step: str | None = None
    human: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    def text(self) -> str:
        """The query in the grammar's own words; reading it gives the same query."""
        parts = [self.metric.name]
        parts += [f"by {self.by}"] if self.by else []
        parts += [f"for variant {self.variant}"] if self.variant else []
        parts += [f"at step {self.step}"] if self.step else []
        parts += [] if self.human is None else ["by people only" if self.human else "by machines only"]
        parts += [f"since {_written(self.since)}"] if self.since else []
        parts += [f"until {_written(self.until)}"] if self.until else []
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Known:
    """What a run has: variants of its first split, steps (node id → label), and its clock, which "last week" means."""

    now: datetime
    variants: Sequence[str] = ()
    steps: Mapping[str, str] | None = None


def read(text: str, known: Known) -> Query:
    """The query a question means.

    Raises:
        UserFixable: ASK-EMPTY, ASK-FIGURE when no figure is named, ASK-WORD for a word that means nothing here.
    """
    rest = " ".join(re.findall(r"[\w\-:.%’']+", text.lower())).rstrip(". ")
    if not rest:
        hint = "For example: click rate by step in the last 7 days."
        raise UserFixable("ASK-EMPTY", "Nothing was asked.", hint=hint)
    since, until, rest = _times(rest, known.now)
    rest, human = _actor(rest)
    step, rest = _step(rest, known.steps or {})
    variant, rest = _variant(rest, known.variants)
    by, rest = _dimension(rest)
    metric, rest = _metric(rest)
    left = [word for word in rest.split() if word not in _NOISE]
    if metric is None:
        raise _no_figure(text, left)
    if left:
        raise _unknown(next((word for word in left if word != "by"), "by"), text, known)
    return Query(metric, by, variant, step, human, since, until)


def complete(text: str, known: Known, limit: int = 8) -> list[str]:
    """How a question that has begun can go on: whole questions, likeliest first."""
    begun = text.lower().strip()
    heads = [metric.name for metric in METRICS]
    if not any(begun.startswith(head) for head in heads):
        return [head for head in heads if head.startswith(begun) or begun in head][:limit]
    ends = [] if any(f" by {by} " in f"{begun} " for by in DIMENSIONS) else [f"by {by}" for by in DIMENSIONS]
    ends += [f"for variant {variant}" for variant in known.variants]
    ends += [f"at step {label.lower()}" for label in (known.steps or {}).values()]
    ends += ["in the last 7 days", "in the last 30 days", "yesterday", "by people only"]
    head = max((head for head in heads if begun.startswith(head)), key=len)
    return _continued(begun, head, ends)[:limit]


def _continued(begun: str, head: str, ends: Sequence[str]) -> list[str]:
    """Endings that what was typed last begins, else any that is not there yet."""
    said = begun[len(head) :].strip()
    for size in range(len(said), 0, -1):
        tail, front = said[-size:], begun[: len(begun) - size].rstrip()
        matching = [f"{front} {end}" for end in ends if end.startswith(tail) and end != tail]
        if matching:
            return matching
    return [f"{begun} {end}" for end in ends if end not in begun]


def _metric(rest: str) -> tuple[Metric | None, str]:
    names = [(words, metric) for metric in METRICS for words in (metric.name, *metric.words)]
    for words, metric in sorted(names, key=lambda pair: -len(pair[0])):
        found = re.search(rf"\b{re.escape(words)}\b", rest)
        if found:
            return metric, (rest[: found.start()] + " " + rest[found.end() :]).strip()
    return None, rest


def _dimension(rest: str) -> tuple[By | None, str]:
    for by, words in DIMENSIONS.items():
        for word in words:
            found = re.search(rf"\b(?:by|per|each|for each|split by)\s+{re.escape(word)}\b", rest)
            if found is None and word in ("hourly", "daily", "weekly"):
                found = re.search(rf"\b{word}\b", rest)
            if found:
                return by, rest[: found.start()] + " " + rest[found.end() :]
    return None, rest


def _actor(rest: str) -> tuple[str, bool | None]:
    for pattern, human in ((r"\bby (?:people|humans) only\b", True), (r"\bby machines?(?: only)?\b", False)):
        found = re.search(pattern, rest)
        if found:
            return rest[: found.start()] + " " + rest[found.end() :], human
    return rest, None


def _variant(rest: str, variants: Sequence[str]) -> tuple[str | None, str]:
    for name in variants:
        found = re.search(rf"\b(?:for |of |in )?variant {re.escape(name.lower())}\b", rest)
        if found:
            return name, rest[: found.start()] + " " + rest[found.end() :]
    return None, rest


def _step(rest: str, steps: Mapping[str, str]) -> tuple[str | None, str]:
    named = [(words.lower(), node) for node, label in steps.items() for words in (label, node)]
    for words, node in sorted(named, key=lambda pair: -len(pair[0])):
        plain = " ".join(re.findall(r"[\w\-:.%’']+", words))
        found = re.search(rf"\b(?:at|of|for|in) (?:the )?(?:step |message )?{re.escape(plain)}(?![\w-])", rest)
        if found and plain:
            return node, rest[: found.start()] + " " + rest[found.end() :]
    return None, rest


Span: TypeAlias = tuple[datetime | None, datetime | None]
_UNITS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0}
_DATE = r"(\d{4}-\d{2}-\d{2}(?:t\d{2}:\d{2}(?::\d{2})?z?)?)"


def _times(rest: str, now: datetime) -> tuple[datetime | None, datetime | None, str]:
    """Since and until, and the words that are left. Spans that name days begin at midnight UTC."""
    since = until = None
    for pattern, meaning in _SPANS:
        found = re.search(pattern, rest)
        if found:
            since, until = meaning(found, now)
            rest = _cut(rest, found)
            break
    if found := re.search(rf"\b(?:since|from) {_DATE}\b", rest):
        since, rest = _moment(found.group(1)), _cut(rest, found)
    if found := re.search(rf"\b(?:until|to|before) {_DATE}\b", rest):
        until, rest = _moment(found.group(1)), _cut(rest, found)
    return since, until, rest


def _cut(rest: str, found: re.Match[str]) -> str:
    return rest[: found.start()] + " " + rest[found.end() :]


def _last(found: re.Match[str], now: datetime) -> Span:
    count = int(found.group(1)) if found.re.groups > 1 else 1
    return now - timedelta(days=count * _UNITS[found.group(found.re.groups)]), None


def _midnight(now: datetime, days: int = 0) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


_SPANS: tuple[tuple[str, Callable[[re.Match[str], datetime], Span]], ...] = (
    (r"\b(?:in |over |during )?(?:the )?(?:last|past) (\d+) (hour|day|week|month)s?\b", _last),
    (r"\b(?:in |over |during )?(?:the )?(?:last|past) (hour|day|week|month)\b", _last),
    (r"\byesterday\b", lambda _, now: (_midnight(now, 1), _midnight(now))),
    (r"\btoday\b", lambda _, now: (_midnight(now), None)),
    (rf"\bbetween {_DATE} and {_DATE}\b", lambda found, _: (_moment(found.group(1)), _moment(found.group(2)))),
    (
        rf"\bin ({'|'.join(_MONTHS)})(?: (\d{{4}}))?\b",
        lambda found, now: _month(_MONTHS.index(found.group(1)) + 1, found.group(2), now),
    ),
)


def _month(month: int, year: str | None, now: datetime) -> tuple[datetime, datetime]:
    chosen = int(year) if year else now.year if month <= now.month else now.year - 1
    after = datetime(chosen + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return datetime(chosen, month, 1, tzinfo=UTC), after


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        hint = "Write days like 2026-03-14."
        raise UserFixable("ASK-DATE", f"There is no day “{text}”.", hint=hint) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _written(at: datetime) -> str:
    return (
        f"{at:%Y-%m-%d}" if at == at.replace(hour=0, minute=0, second=0, microsecond=0) else f"{at:%Y-%m-%dT%H:%M:%SZ}"
    )


def _no_figure(text: str, left: Sequence[str]) -> UserFixable:
    names = [words for metric in METRICS for words in (metric.name, *metric.words)]
    near = next((close[0] for word in left if (close := get_close_matches(word, names, 1, 0.6))), None)
    hint = f"Did you mean “{near}”?" if near else f"There are: {', '.join(m.name for m in METRICS[:12])} …"
    return UserFixable("ASK-FIGURE", "The question names no figure this program knows.", where=text, hint=hint)


def _unknown(word: str, text: str, known: Known) -> UserFixable:
    names = [words for options in DIMENSIONS.values() for words in options]
    names += [f"variant {variant}" for variant in known.variants]
    names += [label.lower() for label in (known.steps or {}).values()]
    close = get_close_matches(word, names, 1, 0.6)
    hint = f"Did you mean “{close[0]}”?" if close else "Ask for a figure, by what, for whom, and when."
    return UserFixable("ASK-WORD", f"“{word}” means nothing here.", where=text, hint=hint)
