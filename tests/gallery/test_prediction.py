"""Intervals cover what they claim, own results take over from published numbers, and money needs an order value."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from studio.domain.template import Benchmark, BusinessContext, Fact, PastOutcome
from studio.gallery.catalogue import catalogue
from studio.gallery.learning import NEUTRAL, success
from studio.gallery.posterior import RatePrior, fit_effects, fit_rates
from studio.gallery.prediction import NO_BENCHMARK, Economics, predict

CART = "cart-recovery"
NOBODY = BusinessContext()


def run(successes: int, trials: int, effect: float | None = None, half: float = 0.01, **more) -> PastOutcome:
    return PastOutcome(
        CART,
        "online_shop",
        more.pop("run_id", "r"),
        trials,
        successes,
        effect,
        None if effect is None else effect - half,
        None if effect is None else effect + half,
        **more,
    )


def interval(draws) -> tuple[float, float]:
    return tuple(np.quantile(draws, [0.05, 0.95]))


@pytest.mark.parametrize("people", [50, 200, 1_000])
@pytest.mark.parametrize("spread", [0.35, 0.8])
def test_rate_intervals_cover_nine_in_ten(spread, people):
    rng = np.random.default_rng(5)
    known = new = 0
    worlds, runs = 40, 30
    for _ in range(worlds):
        truth = expit(logit(0.03) + spread * rng.normal(size=runs + 1))
        counts = rng.binomial(people, truth)
        posterior = fit_rates(RatePrior(0.03, 100), [(int(k), people) for k in counts[:runs]])
        for k, rate in zip(counts[:runs], truth[:runs], strict=True):
            low, high = interval(posterior.draw_known(int(k), people, rng, 600))
            known += low <= rate <= high
        low, high = interval(rng.binomial(people, posterior.draw_new(rng, 2_000)))
        new += low <= counts[runs] <= high
    assert 0.85 <= known / (worlds * runs) <= 0.95
    # 40 worlds: the central 98 % of what a coverage of 0.9 gives.
    assert 0.78 <= new / worlds <= 1.0


def test_effect_intervals_cover_nine_in_ten():
    rng = np.random.default_rng(6)
    hits = 0
    worlds = 300
    for _ in range(worlds):
        mean = rng.normal(0.02, 0.02)
        truth = rng.normal(mean, 0.007, size=7)
        seen = rng.normal(truth[:6], 0.01)
        draws = fit_effects(0.02, 0.02, [(float(x), 0.01) for x in seen]).draw_new(rng, 2_000)
        low, high = interval(draws)
        hits += low <= truth[6] <= high
    assert 0.85 <= hits / worlds <= 0.95


def test_one_huge_run_is_narrow_but_the_next_run_is_not_as_narrow():
    posterior = fit_rates(RatePrior(0.02, 100), [(1_900, 19_000)])
    rng = np.random.default_rng(7)
    low, high = interval(posterior.draw_known(1_900, 19_000, rng, 20_000))
    exact = stats.beta(1_901, 17_101).ppf([0.05, 0.95])
    assert (low, high) == pytest.approx(exact, rel=0.01)
    new_low, new_high = interval(posterior.draw_new(rng, 20_000))
    assert new_high - new_low > 5 * (high - low)


def test_without_runs_the_prior_is_what_it_says():
    rng = np.random.default_rng(8)
    draws = fit_rates(RatePrior(0.05, 400), []).draw_new(rng, 40_000)
    assert draws.mean() == pytest.approx(0.05, rel=0.25)


def test_an_effect_with_one_precise_run_follows_the_run():
    draws = fit_effects(0.05, 0.03, [(0.0, 1e-4)]).draw_new(np.random.default_rng(9), 20_000)
    assert abs(np.median(draws)) < 0.01


def test_own_runs_take_over_and_narrow_the_interval():
    template = catalogue().get(CART)
    before = predict(template, NOBODY)["conversion_rate"]
    runs = [run(150, 1_000, run_id=f"r{i}") for i in range(6)]
    after = predict(template, NOBODY, outcomes=runs)["conversion_rate"]
    assert after.mean == pytest.approx(0.15, abs=0.02)
    assert after.high - after.low < 0.8 * (before.high - before.low)
    assert after.source.startswith("6 own runs")
    assert before.source.startswith("Omnisend")


def test_a_holdout_that_saw_nothing_takes_the_promise_away():
    template = catalogue().get(CART)
    before = predict(template, NOBODY)["incremental_rate"]
    assert before.low > 0
    runs = [run(100, 1_000, 0.0, 0.005, run_id=f"r{i}") for i in range(3)]
    after = predict(template, NOBODY, outcomes=runs)["incremental_rate"]
    assert after.low < 0 < after.high
    assert after.mean < 0.3 * before.mean
    assert "holdout" in after.source


def test_published_orders_are_not_taken_for_caused_ones():
    """With an exactly known rate per message, what is caused is anything from none to all of it."""
    template = catalogue().get(CART)
    exact = Benchmark(
        metric="order_rate", numerator="orders", denominator="mails", value=0.1, weight=1e7, period="-", industry="-",
        source="exact",
    )  # fmt: skip
    told = predict(template.model_copy(update={"benchmarks": (exact,)}), NOBODY)["incremental_rate"]
    credited = 1 - 0.9**3
    assert told.mean == pytest.approx(credited / 2, rel=0.03)
    assert (told.low, told.high) == pytest.approx((0.05 * credited, 0.95 * credited), abs=0.004)
    assert "come anyway" in told.source


def test_without_a_published_number_the_interval_is_wide_and_says_so():
    template = catalogue().get(CART)
    bare = template.model_copy(update={"benchmarks": ()})
    unknown, known = predict(bare, NOBODY)["conversion_rate"], predict(template, NOBODY)["conversion_rate"]
    assert unknown.source == NO_BENCHMARK
    assert unknown.high / unknown.low > known.high / known.low


def test_money_needs_an_order_value():
    template = catalogue().get(CART)
    assert "roi" not in predict(template, NOBODY)
    assert "revenue_per_recipient" not in predict(template, NOBODY)
    stated = BusinessContext((Fact("order_value", 40.0, 0.9, "x"),))
    told = predict(template, stated)
    assert told["revenue_per_recipient"].mean == pytest.approx(40 * told["conversion_rate"].mean, rel=0.05)
    assert "the order value you gave" in told["roi"].source
    foreign = predict(template, stated, economics=Economics(currency="GBP"))
    assert "revenue_per_recipient" in foreign
    assert "roi" not in foreign, "the template's cost is in euros"


def test_return_is_revenue_less_cost_over_cost():
    template = catalogue().get(CART)
    economics = Economics(order_value=50.0, order_sd=1.0, orders=10_000, cost_per_message=1.0)
    told = predict(template, NOBODY, economics=economics)
    revenue, rate = told["revenue_per_recipient"].mean, told["conversion_rate"].mean
    # Three messages, half of them saved for who buys.
    cost = 3 * (1 - 0.5 * rate)
    assert told["roi"].mean == pytest.approx(revenue / cost - 1, abs=0.05)
    assert told["roi"].low < told["roi"].mean < told["roi"].high


def test_a_small_run_is_less_sure_than_a_large_one():
    template = catalogue().get(CART)
    widths = []
    for people in (50, 5_000, None):
        told = predict(template, NOBODY, economics=Economics(people=people))["conversion_rate"]
        widths.append(told.high - told.low)
    assert widths[0] > widths[1] >= 0.95 * widths[2]


def test_orders_per_thousand_and_rates_agree_and_seeds_decide():
    template = catalogue().get("welcome-series")
    told = predict(template, NOBODY, seed=1)
    assert told["orders_per_1000"].mean == pytest.approx(1_000 * told["conversion_rate"].mean)
    assert told == predict(template, NOBODY, seed=1)
    assert told != predict(template, NOBODY, seed=2)
    assert all(one.low <= one.mean <= one.high and one.level == 0.9 and one.source for one in told.values())


def test_success_is_the_probability_of_keeping_half_the_promise():
    promised = {"incremental_rate": predict(catalogue().get(CART), NOBODY)["incremental_rate"]}
    half = promised["incremental_rate"].mean / 2
    assert success(run(10, 100, half, predicted=promised)) == pytest.approx(0.5)
    assert success(run(10, 100, half + 0.05, predicted=promised)) > 0.99
    assert success(run(10, 100, half - 0.05, predicted=promised)) < 0.01
    assert success(run(10, 100)) == NEUTRAL
    rated = {"conversion_rate": predict(catalogue().get(CART), NOBODY)["conversion_rate"]}
    assert success(run(900, 1_000, predicted=rated)) > 0.99
    assert success(run(0, 1_000, predicted=rated)) < 0.01
    assert success(run(0, 0, predicted=rated)) == NEUTRAL


def test_money_says_its_middle_half_its_chance_and_what_makes_it_uncertain():
    context = BusinessContext((Fact("order_value", 40.0, 0.9, "x"),))
    found = predict(catalogue().get(CART), context, economics=Economics(cost_per_message=0.02))
    for metric in ("roi", "incremental_roi"):
        one = found[metric]
        assert one.low < one.half_low < one.half_high < one.high
        assert 0 < one.above_zero <= 1
    assert "of the uncertainty" in found["incremental_roi"].driver
    sure_value = predict(
        catalogue().get(CART), context, economics=Economics(order_value=40, order_sd=0.0, orders=10_000)
    )
    assert sure_value["revenue_per_recipient"].driver.startswith("how many people order")


def test_asking_twice_does_not_draw_twice():
    context = BusinessContext()
    assert predict(catalogue().get(CART), context) is predict(catalogue().get(CART), context)
    assert predict(catalogue().get(CART), context, seed=1) != predict(catalogue().get(CART), context)
