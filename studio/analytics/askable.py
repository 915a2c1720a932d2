"""What can be asked about a run: figures, what each can be split by, and the words people use for them.

Absent on purpose: reading a question (`question`) and working out the answer (`answer`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Figure: TypeAlias = Literal["events", "people", "value", "rate", "average", "per_person", "cost", "return", "caused"]
By: TypeAlias = Literal["hour", "day", "week", "month", "step", "variant", "link", "reason", "actor"]

TIME: tuple[By, ...] = ("hour", "day", "week", "month")
MESSAGE: tuple[By, ...] = (*TIME, "step", "variant")
ORDER: tuple[By, ...] = (*TIME, "variant")
READ = ("opened", "clicked")
"""What mail programs and scanners do as well: unless asked for, only people count."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure one can ask for.

    figure: events of `kind`, different people, money, or `rate`: a share of the people of `of`. `by`: what it can be
    split by; a step, link or reason of it is known only where it can be split by them.
    """

    name: str
    figure: Figure
    kind: str
    of: str | None = None
    words: tuple[str, ...] = ()
    by: tuple[By, ...] = MESSAGE

    @property
    def reads(self) -> bool:
        """Whether machines do it as well."""
        return self.kind in READ or self.of in READ

    @property
    def spans(self) -> bool:
        """Whether it can be asked for a span of time."""
        return self.figure not in ("return", "caused")


METRICS: tuple[Metric, ...] = (
    Metric("entered", "people", "entered", words=("people who entered",), by=TIME),
    Metric("messages sent", "events", "sent", words=("mails sent", "emails sent")),
    Metric("reach", "people", "sent", words=("people who were sent a message", "people reached")),
    Metric("deliveries", "events", "delivered"),
    Metric("people who got a message", "people", "delivered"),
    Metric("opens", "events", "opened", by=(*MESSAGE, "actor")),
    Metric("people who opened", "people", "opened", by=(*MESSAGE, "actor")),
    Metric("clicks", "events", "clicked", by=(*MESSAGE, "link", "actor")),
    Metric("people who clicked", "people", "clicked", by=(*MESSAGE, "link", "actor")),
    Metric("orders", "events", "converted", words=("number of sales",), by=ORDER),
    Metric("buyers", "people", "converted", words=("people who bought",), by=ORDER),
    Metric("revenue", "value", "converted", words=("order value", "total order value"), by=ORDER),
    Metric("average order value", "average", "converted", None, ("aov", "average order", "revenue per order"), ORDER),
    Metric("revenue per buyer", "per_person", "converted", "converted", ("revenue per customer",), ("variant",)),
    Metric("revenue per person", "per_person", "converted", "sent", ("revenue per recipient",), ORDER),
    Metric("caused revenue", "caused", "converted", words=("incremental revenue", "additional revenue"), by=()),
    Metric("cost", "cost", "sent", words=("costs", "spend", "spending"), by=ORDER),
    Metric("return on spend", "return", "converted", words=("roi", "return", "return on investment", "roas"), by=()),
    Metric("unsubscribes", "events", "unsubscribed"),
    Metric("people who unsubscribed", "people", "unsubscribed"),
    Metric("complaints", "events", "complained", words=("spam complaints",)),
    Metric("people who complained", "people", "complained"),
    Metric("bounces", "events", "bounced", by=(*MESSAGE, "reason")),
    Metric("people whose mail bounced", "people", "bounced", by=(*MESSAGE, "reason")),
    Metric("kept back", "people", "blocked", words=("people kept back",), by=(*MESSAGE, "reason")),
    Metric("exits", "people", "exited", words=("people who left",), by=(*ORDER, "reason")),
    Metric("held out", "people", "held", words=("people held out", "holdout", "size of the holdout"), by=TIME),
    Metric("people in the test", "people", "exposed", by=ORDER),
    Metric("delivery rate", "rate", "delivered", "sent"),
    Metric("open rate", "rate", "opened", "delivered"),
    Metric("click rate", "rate", "clicked", "delivered", ("click through rate", "ctr"), (*MESSAGE, "link")),
    Metric("click-to-open rate", "rate", "clicked", "opened", ("click to open rate", "ctor"), MESSAGE),
    Metric("conversion rate", "rate", "converted", "sent", ("share that bought", "cvr")),
    Metric("unsubscribe rate", "rate", "unsubscribed", "delivered"),
    Metric("complaint rate", "rate", "complained", "delivered"),
    Metric("bounce rate", "rate", "bounced", "sent", by=(*MESSAGE, "reason")),
)

DIMENSIONS: Mapping[By, tuple[str, ...]] = {
    "hour": ("hour", "hours"),
    "day": ("day", "days", "date"),
    "week": ("week", "weeks"),
    "month": ("month", "months"),
    "step": ("step", "steps", "message", "messages", "email", "emails", "mail", "mails", "node", "newsletter"),
    "variant": ("variant", "variants", "arm", "arms", "version", "versions"),
    "link": ("link", "links", "url", "urls"),
    "reason": ("reason", "reasons", "class"),
    "actor": ("actor", "human or machine", "people and machines"),
}
ADVERBS: Mapping[str, By] = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}

_KINDS: Mapping[str, str] = {
    "entered": "entered enter entries entrants joined",
    "sent": "sent send sends sending emailed mailed",
    "delivered": "delivered deliveries delivery received receive",
    "opened": "opened open opens opening openings opener openers",
    "clicked": "clicked click clicks clicking clicker clickers clickthrough clickthroughs",
    "converted": "orders order ordered bought buy buys buyers buyer purchases purchase purchased converted convert "
    "converts conversion conversions",
    "unsubscribed": "unsubscribed unsubscribe unsubscribes unsubscriptions unsubscribers unsubs optouts",
    "complained": "complained complain complaints complaint spam",
    "bounced": "bounced bounce bounces bouncing",
    "blocked": "blocked suppressed",
    "exited": "exits exited exit leavers",
}
_MONEY = frozenset({"revenue", "money", "turnover", "earnings", "earned", "earn", "income", "sales"})
_MESSAGES = frozenset({"message", "messages", "mail", "mails", "email", "emails", "e-mail", "e-mails", "newsletter"})
_ANYBODY = frozenset(
    {"people", "person", "persons", "contacts", "contact", "users", "user", "subscribers", "subscriber", "readers"}
    | {"recipients", "recipient", "folks", "who", "everybody", "anyone", "somebody", "unique", "distinct", "different"}
)
_PEOPLE = _ANYBODY | {
    "customers",
    "customer",
    "audience",
    "buyers",
    "buyer",
    "openers",
    "opener",
    "clickers",
    "clicker",
}
_PEOPLE |= {"unsubscribers", "leavers", "entrants"}
_RATE = frozenset({"rate", "rates"})
_SHARE = frozenset({"share", "percentage", "percent", "%", "proportion", "fraction"})
_ALONE = {"customers": "buyers", "recipients": "reach", "audience": "entered", "leavers": "exits"}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}
WORDS = frozenset((*_KIND_OF, *_MONEY, *_PEOPLE, *_RATE, *_SHARE, *_MESSAGES))
"""Single words that say what is asked for."""


def whole(metric: Metric, left: list[str]) -> bool:
    """Whether a name says all, beside what is left of WORDS: people and messages in general say nothing more."""
    told = set(left) & WORDS
    return not told or (metric.figure in ("people", "rate") and told <= _ANYBODY | _MESSAGES)


def named(words: list[str]) -> Metric | None:
    """The figure that single words (all of WORDS) ask for together; None where they name none, or more than one."""
    said = set(words)
    kinds = {_KIND_OF[word] for word in words if word in _KIND_OF}
    # “Share of clicks” is no click rate: a share is one of people or messages, or of what was opened and so on.
    is_rate = bool(said & _RATE) or bool(said & _SHARE and (said & (_PEOPLE | _MESSAGES) or said & kinds))
    if said & _SHARE and not is_rate:
        return None
    if said & _MONEY:
        return None if is_rate or kinds or said & _PEOPLE else by_name("revenue")
    if not kinds:
        return None if is_rate else _alone(words)
    if len(kinds) > 1:
        return None
    # “Mails sent to people” are mails, “people who were sent mails” are people: the first one is asked for.
    subject = next((word for word in words if word in _PEOPLE or word in _MESSAGES), "")
    figure: Figure = "rate" if is_rate else "people" if subject in _PEOPLE else "events"
    known = {one.figure: one for one in reversed(METRICS) if one.kind in kinds and one.of != "opened"}
    return known.get(figure) or (known.get("people") if figure == "events" else None)


def _alone(words: list[str]) -> Metric | None:
    """What words for people or messages mean where nothing is said about them."""
    for word in words:
        if word in _ALONE:
            return by_name(_ALONE[word])
    if any(word in _PEOPLE for word in words):
        return None if any(word in _MESSAGES for word in words) else by_name("entered")
    return by_name("messages sent") if words else None


def by_name(name: str) -> Metric:
    """The metric of this name."""
    return next(metric for metric in METRICS if metric.name == name)
