"""The first line of a screen: what a run brought, in one sentence that is true.

Absent on purpose: adjectives.
"""

from __future__ import annotations

from collections.abc import Mapping

from studio.analytics.returns import Return
from studio.domain.template import Prediction


def finding(name: str, returned: Return, predicted: Mapping[str, Prediction]) -> str:
    """What a marketer should know first: the caused revenue where a holdout can tell, else the attributed one."""
    if not returned.people:
        return f"{name} has not reached anybody yet"
    if not returned.orders:
        return f"{name} has brought no order yet"
    money = amount(returned.revenue, returned.currency)
    if returned.increment is not None:
        return f"{name}: {money} of orders, {_caused(returned)}"
    expected = predicted.get("revenue_per_recipient")
    if expected is None or not expected.mean:
        return f"{name} earned {money}"
    actual = returned.revenue / returned.people
    if expected.low <= actual <= expected.high:
        return f"{name} earned {money}, as predicted"
    change = actual / expected.mean - 1
    return f"{name} earned {money}, {abs(change):.0%} {'above' if change > 0 else 'below'} its prediction"


def amount(value: float, currency: str) -> str:
    """Money as a person reads it, without cents from a hundred up, and of nothing.

    >>> amount(18420.4, "EUR"), amount(-12.5, "USD"), amount(0.0, "EUR")
    ('€ 18,420', '−$ 12.50', '€ 0')
    """
    sign = {"EUR": "€", "USD": "$", "GBP": "£"}.get(currency, currency)
    size = f"{abs(value):,.0f}" if abs(value) >= 100 or not value else f"{abs(value):,.2f}"
    return f"{'−' if value < 0 else ''}{sign} {size}"


def _caused(returned: Return) -> str:
    increment = returned.increment
    assert increment is not None
    if increment.total is None or increment.total_ci is None:
        return "too few people are held out to say what it caused"
    low, high = (amount(value, returned.currency) for value in increment.total_ci)
    if increment.indistinguishable:
        return f"with no proof yet that it caused any of them (95 %: {low} to {high})"
    if increment.total < 0:
        return f"{amount(-increment.total, returned.currency)} less than without it (95 %: {low} to {high})"
    return f"{amount(increment.total, returned.currency)} of them because of it (95 %: {low} to {high})"
