"""What the customers of CDNOW are worth: the commands beside a count of the raw file in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.terminal import done
from tests.journeys import cdnow

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The orders taken in as somebody would, and nothing else."""
    folder = tmp_path_factory.mktemp("customers") / "shop"
    done("contacts", "import", cdnow.FILE, "--map", cdnow.EXAMPLES / "cdnow-contacts.toml", workspace=folder)
    done("events", "import", cdnow.FILE, "--map", cdnow.EXAMPLES / "cdnow-orders.toml", workspace=folder)
    return folder


def months(orders: Sequence[cdnow.Order]) -> dict[tuple[str, int], tuple[int, set[str], float]]:
    """(month of the first order, months after it) → size of the cohort, who bought then, what was spent by then."""
    first: dict[str, int] = {}
    for order in orders:
        month = order.at.year * 12 + order.at.month - 1
        first[order.customer] = min(month, first.get(order.customer, month))
    last = max(order.at.year * 12 + order.at.month - 1 for order in orders)
    sizes: dict[int, int] = defaultdict(int)
    for month in first.values():
        sizes[month] += 1
    bought: dict[tuple[int, int], set[str]] = defaultdict(set)
    spent: dict[tuple[int, int], list[float]] = defaultdict(list)
    for order in orders:
        start, month = first[order.customer], order.at.year * 12 + order.at.month - 1
        bought[start, month - start].add(order.customer)
        spent[start, month - start].append(order.value)
    found = {}
    for start, size in sizes.items():
        money: list[float] = []
        for offset in range(last - start + 1):
            money += spent[start, offset]
            name = f"{start // 12}-{start % 12 + 1:02}"
            found[name, offset] = (size, bought[start, offset], math.fsum(money))
    return found


def test_totals_are_those_of_the_file(shop: Path) -> None:
    orders = cdnow.orders()
    counts: dict[str, int] = defaultdict(int)
    for order in orders:
        counts[order.customer] += 1
    value = math.fsum(order.value for order in orders)
    found = done("analytics", "customers", workspace=shop)["customers"]
    assert (found["customers"], found["orders"]) == (len(counts), len(orders))
    assert found["value"] == pytest.approx(value, abs=0.005)
    assert found["repeat_customers"] == sum(count > 1 for count in counts.values())
    assert found["repeat_rate"] == pytest.approx(found["repeat_customers"] / len(counts))
    assert found["value_per_customer"] == pytest.approx(value / len(counts))


def test_each_month_of_each_cohort_is_that_of_the_file(shop: Path) -> None:
    rows = done("analytics", "cohorts", "--outside", "--every", "month", workspace=shop)["cohorts"]
    shown = {(row["cohort"][:7], row["offset"]): row for row in rows}
    counted = months(cdnow.orders())
    assert shown.keys() == counted.keys()
    for key, (size, people, money) in counted.items():
        row = shown[key]
        assert (row["size"], row["people"]) == (size, len(people))
        assert row["share"] == pytest.approx(len(people) / size)
        assert row["value_per_customer"] == pytest.approx(money / size)
