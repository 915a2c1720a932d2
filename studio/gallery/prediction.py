"""What a template will probably bring, before it runs: rates, orders and return with 90 % intervals and their sources.

Published numbers count orders after a message. How many of those would have come anyway nobody publishes, so that share
is taken as anything from none to all until own holdouts tell. Absent on purpose: point estimates without an interval,
exchange rates, and money where no order value is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from studio.domain.template import Benchmark, BusinessContext, PastOutcome, Prediction, Template
from studio.gallery.posterior import Floats, RatePrior, fit_effects, fit_rates

DRAWS = 4_000
LEVEL = 0.9
NO_BENCHMARK = "no published benchmark"
_BASE = RatePrior(mean=0.01, weight=12.0)
"""Conversions per message where nothing is published: about one in a hundred, anything from almost none to four."""
_ORGANIC = (1.0, 15.0)
"""Beta parameters of the share that would convert without any message: a few in a hundred, anything up to a fifth."""
_PER_ORDER_SPREAD = 0.6
"""Standard deviation of one order's value as a share of its mean, where it was not measured."""
_STATED_SPREAD = 0.25
_PRICE_SPREAD = 0.5
_ITEMS_PER_ORDER = 1.5
_Z90 = 1.6448536269514722
_RATE_WORDS = {"": "how many people order", "incremental_": "how many orders come only because of it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Economics:
    """What the workspace knows about money and scale.

    `order_value` is the mean of one order and `order_sd` its standard deviation over `orders` past orders, both in
    `currency`; None when not known. `cost_per_message` is in the same currency; None takes the template's usual one.
    `people`: how many the run would treat; None predicts the rates of a large run.
    """

    currency: str = "EUR"
    order_value: float | None = None
    order_sd: float | None = None
    orders: int = 0
    cost_per_message: float | None = None
    people: int | None = None


@dataclass(frozen=True, slots=True)
class _Stated:
    order_value: float | None
    price: float | None


@dataclass(frozen=True, slots=True)
class _Prior:
    """Draws per person, before own runs: conversions a message is credited with, caused ones, and all."""

    credited: Floats
    caused: Floats
    all: Floats
    messages: int
    source: str


def predict(
    template: Template,
    context: BusinessContext,
    *,
    outcomes: Sequence[PastOutcome] = (),
    economics: Economics | None = None,
    seed: int = 0,
) -> Mapping[str, Prediction]:
    """Predictions by metric; the same arguments give the same numbers.

    `conversion_rate`: share of treated people who reach the goal in its window, for whatever reason.
    `incremental_rate`: share who reach it because of the workflow. `orders_per_1000`, `revenue_per_recipient`, `roi`
    ((revenue − cost) / cost) follow from the first, the same with `incremental_` from the second. `click_rate`: clicks
    per message. Money needs an order value and is absent without one; `roi` also needs a cost.
    With `economics.people` the intervals are predictive for a run of that size.
    """
    economics = economics or Economics()
    own = [outcome for outcome in outcomes if outcome.template == template.id and outcome.trials > 0]
    if own:
        return _drawn(template, _stated_values(context), own, economics, seed)
    return _without_runs(_Same(template), _stated_values(context), economics, seed)


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A template as a key: the catalogue's templates are the same objects all the time."""

    template: Template

    def __hash__(self) -> int:
        return hash((self.template.id, self.template.version))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.template is self.template


@lru_cache(maxsize=512)
def _without_runs(template: _Same, stated: _Stated, economics: Economics, seed: int) -> Mapping[str, Prediction]:
    return _drawn(template.template, stated, (), economics, seed)


def _stated_values(context: BusinessContext) -> _Stated:
    """What the business itself says an order, or an item, costs."""
    found: dict[str, float | None] = dict.fromkeys(("order_value", "price"))
    for name in found:
        fact = context.fact(name)
        if fact is not None and isinstance(fact.value, (int, float)) and fact.value > 0:
            found[name] = float(fact.value)
    return _Stated(**found)


def _drawn(
    template: Template, stated: _Stated, own: Sequence[PastOutcome], economics: Economics, seed: int
) -> Mapping[str, Prediction]:
    rng = np.random.default_rng([seed, 0x9A11])
    prior = _prior(template, rng)
    rate = _conversion(prior, own, rng)
    caused, caused_source = _caused(prior, own, rng)
    source = _source(prior.source, len(own))
    if economics.people:
        rate, caused = _realised(rate, caused, economics.people, rng)
    result = {
        "conversion_rate": _summary(rate, source),
        "incremental_rate": _summary(caused, caused_source),
        "orders_per_1000": _summary(1_000 * rate, source),
        "incremental_orders_per_1000": _summary(1_000 * caused, caused_source),
        **_clicks(template, rng),
    }
    costed = replace(economics, cost_per_message=_cost_per_message(template, economics))
    return {**result, **_money(rate, caused, prior, (source, caused_source), stated, costed, rng)}


def _prior(template: Template, rng: np.random.Generator) -> _Prior:
    messages = max(1, _messages(template))
    per_message, source = _per_message(template, rng)
    credited = 1 - (1 - per_message) ** messages
    organic = rng.beta(*_ORGANIC, size=DRAWS)
    caused = credited * rng.uniform(size=DRAWS)
    return _Prior(credited, caused, organic + caused - organic * caused, messages, source)


def _per_message(template: Template, rng: np.random.Generator) -> tuple[Floats, str]:
    marks = {benchmark.metric: benchmark for benchmark in reversed(template.benchmarks)}
    if "order_rate" in marks:
        return _beta(marks["order_rate"], rng), marks["order_rate"].source
    if "click_rate" in marks and "order_per_click" in marks:
        both = (marks["click_rate"], marks["order_per_click"])
        sources = dict.fromkeys(mark.source for mark in both)
        return _beta(both[0], rng) * _beta(both[1], rng), "; ".join(sources)
    return rng.beta(_BASE.mean * _BASE.weight, (1 - _BASE.mean) * _BASE.weight, DRAWS), NO_BENCHMARK


def _beta(benchmark: Benchmark, rng: np.random.Generator) -> Floats:
    return rng.beta(benchmark.value * benchmark.weight, (1 - benchmark.value) * benchmark.weight, DRAWS)


def _messages(template: Template) -> int:
    """Messages on the longest way through the graph; variants of one message lie side by side and count once."""
    types = {node.id: node.type for node in template.workflow.nodes}
    longest: dict[str, int] = {}

    def sends_from(node_id: str) -> int:
        if node_id not in longest:
            longest[node_id] = 0  # a cycle ends here; templates with cycles are refused elsewhere
            follow = [edge.to[0] for edge in template.workflow.edges if edge.from_[0] == node_id]
            own = int(types.get(node_id, "").startswith("send."))
            longest[node_id] = own + max((sends_from(target) for target in follow), default=0)
        return longest[node_id]

    return max((sends_from(node_id) for node_id in types), default=0)


def _conversion(prior: _Prior, own: Sequence[PastOutcome], rng: np.random.Generator) -> Floats:
    if not own:
        return prior.all
    mean, variance = float(prior.all.mean()), float(prior.all.var())
    weight = max(mean * (1 - mean) / variance - 1, 2.0)
    runs = [(outcome.successes, outcome.trials) for outcome in own]
    return fit_rates(RatePrior(mean, weight), runs).draw_new(rng, DRAWS)


def _caused(prior: _Prior, own: Sequence[PastOutcome], rng: np.random.Generator) -> tuple[Floats, str]:
    measured = [
        (outcome.incremental, (outcome.incremental_high - outcome.incremental_low) / (2 * _Z90))
        for outcome in own
        if outcome.incremental is not None
        and outcome.incremental_low is not None
        and outcome.incremental_high is not None
        and outcome.incremental_high > outcome.incremental_low
    ]
    if not measured:
        return prior.caused, f"{prior.source}; how many of these orders come anyway is not known yet"
    mean, deviation = float(prior.caused.mean()), float(prior.caused.std())
    draws = fit_effects(mean, deviation, measured).draw_new(rng, DRAWS)
    return draws, _source(prior.source, len(measured), "with a holdout ")


def _realised(rate: Floats, caused: Floats, people: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """What a run of `people` may show: chance on top of the uncertain rates. A negative effect keeps its size."""
    reached = rng.binomial(people, np.clip(rate, 0, 1)) / people
    size = np.clip(np.abs(caused), 0, 1)
    return reached, np.sign(caused) * rng.binomial(people, size) / people


def _clicks(template: Template, rng: np.random.Generator) -> dict[str, Prediction]:
    mark = next((mark for mark in template.benchmarks if mark.metric == "click_rate"), None)
    return {"click_rate": _summary(_beta(mark, rng), mark.source)} if mark else {}


def _money(
    rate: Floats,
    caused: Floats,
    prior: _Prior,
    sources: tuple[str, str],
    stated: _Stated,
    economics: Economics,
    rng: np.random.Generator,
) -> dict[str, Prediction]:
    value = _order_value(stated, economics, rng)
    if value is None:
        return {}
    draws, spread, about = value
    if economics.people:
        orders = np.maximum(rate * economics.people, 1)
        draws = np.maximum(draws + rng.normal(0, 1, DRAWS) * spread / np.sqrt(orders), 0)
    result: dict[str, Prediction] = {}
    for prefix, share, source in (("", rate, sources[0]), ("incremental_", caused, sources[1])):
        revenue = share * draws
        drivers = {_RATE_WORDS[prefix]: share, "what an order is worth": draws}
        result[f"{prefix}revenue_per_recipient"] = _summary(revenue, f"{source}; {about}", drivers)
        if economics.cost_per_message:
            # Who converts leaves early; on average after half of the messages.
            cost = economics.cost_per_message * prior.messages * (1 - 0.5 * np.clip(rate, 0, 1))
            result[f"{prefix}roi"] = _summary((revenue - cost) / cost, f"{source}; {about}", drivers)
    return result


def _cost_per_message(template: Template, economics: Economics) -> float | None:
    """The workspace's cost, else the template's usual one if it is in the same currency."""
    if economics.cost_per_message is not None:
        return economics.cost_per_message
    usual = next((one.default for one in template.parameters if one.name == "cost_per_message"), None)
    if isinstance(usual, Mapping) and usual.get("currency") == economics.currency:
        amount = usual["amount"]
        return float(amount) if isinstance(amount, (int, float)) else None
    return None


def _order_value(stated: _Stated, economics: Economics, rng: np.random.Generator) -> tuple[Floats, float, str] | None:
    """Draws of the mean order value, the standard deviation of one order, and where both come from."""
    if economics.order_value:
        mean = economics.order_value
        spread = economics.order_sd if economics.order_sd is not None else _PER_ORDER_SPREAD * mean
        error = max(spread / max(economics.orders, 1) ** 0.5, 0.05 * mean)
        return np.maximum(rng.normal(mean, error, DRAWS), 0.0), spread, f"{economics.orders:,} past orders"
    for value, factor, share, about in (
        (stated.order_value, 1.0, _STATED_SPREAD, "the order value you gave"),
        (stated.price, _ITEMS_PER_ORDER, _PRICE_SPREAD, "the prices you show, at one to two items an order"),
    ):
        if value is not None:
            mean = factor * value
            return mean * rng.lognormal(-(share**2) / 2, share, DRAWS), _PER_ORDER_SPREAD * mean, about
    return None


def _source(prior: str, runs: int, kind: str = "") -> str:
    if not runs:
        return prior
    own = f"{runs} own run{'s' if runs > 1 else ''} {kind}".strip()
    return f"{own}; before that {prior}"


def _summary(draws: Floats, source: str, drivers: Mapping[str, Floats] | None = None) -> Prediction:
    tail = (1 - LEVEL) / 2
    low, half_low, half_high, high = _quantiles(draws, (tail, 0.25, 0.75, 1 - tail))
    return Prediction(
        float(draws.mean()),
        low,
        high,
        source,
        LEVEL,
        half_low,
        half_high,
        _driver(draws, drivers) if drivers else "",
        float((draws > 0).mean()) if drivers else None,
    )


def _quantiles(draws: Floats, levels: Sequence[float]) -> list[float]:
    """As `np.quantile` has them (linear between neighbours), in a quarter of its time for a few thousand draws."""
    ordered = np.sort(draws)
    last = len(ordered) - 1
    found = []
    for level in levels:
        below = int(level * last)
        upper = ordered[min(below + 1, last)]
        found.append(float(ordered[below] + (upper - ordered[below]) * (level * last - below)))
    return found


def _driver(draws: Floats, drivers: Mapping[str, Floats]) -> str:
    """What most of the spread comes from: squared rank correlations, as shares of their sum."""
    squares = {name: _rank_correlation(draws, parts) ** 2 for name, parts in drivers.items()}
    total = sum(squares.values())
    if total <= 0:
        return ""
    name = max(squares, key=lambda one: squares[one])
    return f"{name} ({100 * squares[name] / total:.0f} % of the uncertainty)"


def _rank_correlation(one: Floats, other: Floats) -> float:
    first, second = (np.argsort(np.argsort(values)).astype(float) for values in (one, other))
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
