"""What a template is expected to bring and what it brought, as a card says it.

Absent on purpose: predicting (gallery) and any figure without its interval and its source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.domain.template import PastOutcome, Prediction, Template
from studio.ui import numbers

PER = 1_000
_MONEY, _ORDERS = "revenue_per_recipient", "orders_per_1000"
_GOAL_TYPE = "flow.goal"
_COUNTED = {
    "order": "orders",
    "meeting_booked": "meetings",
    "appointment_kept": "kept appointments",
    "booking_made": "bookings",
    "used": "people back",
    "course_completed": "course completions",
    "deal_won": "deals",
    "monthly_gift": "monthly gifts",
    "confirmed": "confirmations",
    "ticket_bought": "tickets",
    "upgraded": "upgrades",
    "donation": "gifts",
    "form_submitted": "enquiries",
    "viewing_booked": "viewings",
    "visit_completed": "visits",
    "survey_answered": "answers",
    "job_won": "jobs",
    "clicked": "people who click",
    "referral": "referrals",
    "renewed": "renewals",
    "review_written": "reviews",
    "subscribed": "subscriptions",
    "shift_done": "shifts",
}
"""What is counted where a goal watches for that event."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """`headline` “€ 3.5k per 1,000 people”, `span` its interval, `source` where it comes from."""

    headline: str
    span: str
    source: str


def counted(template: Template) -> str:
    """What the template's goal counts, in the plural: “orders”, “meetings”; “successes” where it has no usual word."""
    goals = [node.parameters.get("event") for node in template.workflow.nodes if node.type == _GOAL_TYPE]
    return _COUNTED.get(str(goals[0]), "successes") if goals else "successes"


def expectation(
    prediction: Mapping[str, Prediction], currency: str, counts: str = _COUNTED["order"]
) -> Expectation | None:
    """Money where an order's value is known, otherwise what the goal `counts`; None when nothing is predicted."""
    people = f"per{numbers.NBSP}{numbers.count(PER)}{numbers.NBSP}people"
    if _MONEY in prediction:
        value = prediction[_MONEY]
        low, high = (numbers.compact_money(PER * end, currency) for end in (value.low, value.high))
        return Expectation(
            f"{numbers.compact_money(PER * value.mean, currency)} {people}", _span(value, low, high), _from(value)
        )
    if _ORDERS in prediction:
        value = prediction[_ORDERS]
        low, high = numbers.count(value.low), numbers.count(value.high)
        return Expectation(f"{numbers.count(value.mean)} {counts} {people}", _span(value, low, high), _from(value))
    return None


def result_here(outcomes: Sequence[PastOutcome], currency: str) -> str:
    """What the template's last run here brought beside what was expected of it; empty when it never ran."""
    if not outcomes:
        return ""
    last = outcomes[-1]
    ran = f"Ran {numbers.count(len(outcomes))}{numbers.NBSP}×{numbers.NBSP}here"
    if last.actual.get(_MONEY):
        brought = numbers.compact_money(PER * last.actual[_MONEY], currency)
        expected = last.predicted.get(_MONEY)
        said = f", {numbers.compact_money(PER * expected.mean, currency)} were expected" if expected else ""
        return f"{ran}: {brought} per {numbers.count(PER)} people{said}"
    rate = last.successes / last.trials if last.trials else None
    return f"{ran}: {numbers.percent(rate, 1)} of people reached the goal"


def _span(value: Prediction, low: str, high: str) -> str:
    return f"expected; {numbers.percent(value.level)} interval {numbers.interval(low, high)}"


def _from(value: Prediction) -> str:
    return f"Source: {value.source}"
