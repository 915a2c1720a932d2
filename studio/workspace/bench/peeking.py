"""Benchmark of the statistics: false winners of people who look all the time, power, and the time an answer takes.

Absent on purpose: pass or fail. The false ship rates come from a fixed seed and are the same on every computer.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from studio.analytics.samples import Columns, arms_of
from studio.experiments.analyze import analyze
from studio.experiments.moments import Proportion
from studio.experiments.peeking import Counts, conversions, ever_shipped, ever_significant, revenues
from studio.experiments.planner import plan
from studio.experiments.spec import ExperimentSpec, Variant
from studio.workspace.bench.figure import Figure

ROWS = 10_000_000
REPEATS = 5
Progress = Callable[[str], None]


def peeking(_contacts: int, progress: Progress) -> Iterator[Figure]:
    """2,000 experiments without any difference, looked at 200 times each, beside the naive test at every look."""
    planned = plan(baseline=0.05, mde=0.01).n_total
    columns: dict[str, Callable[[], Counts]] = {
        "conversion_5pct": lambda: conversions((0.05, 0.05), 100),
        "conversion_1pct_small_batches": lambda: conversions((0.01, 0.01), 50),
        "revenue": lambda: revenues(0.05, lambda rng, n: rng.lognormal(3.5, 1.0, n), 100),
        "very_heavy_revenue": lambda: revenues(0.03, lambda rng, n: rng.lognormal(3.0, 2.5, n), 100),
    }
    for name, simulate in columns.items():
        progress(f"Looking 200 times at 2,000 equal experiments: {name} …")
        counts = simulate()
        yield from _false_ships(name, counts, planned)
    counts = conversions((0.05, 0.06), 100)
    found, naive = ever_shipped(counts, planned), ever_significant(counts)
    yield _beside("power.5_to_6pct", found.rate, "share", naive.rate)
    yield _beside("median_n_per_arm.5_to_6pct", found.median_n or 0, "contacts", naive.median_n or 0)
    yield from _answers(progress)


def _false_ships(name: str, counts: Counts, planned: int) -> Iterator[Figure]:
    found, naive = ever_shipped(counts, planned), ever_significant(counts)
    yield _beside(f"false_ship_rate.{name}", found.rate, "share", naive.rate)
    yield _beside(f"false_ship_rate_upper95.{name}", found.upper, "share", naive.upper)
    both = ever_shipped(counts, planned, or_harmed=True)
    yield Figure(f"false_ship_or_harm_rate.{name}", both.rate, "share")


def _answers(progress: Progress) -> Iterator[Figure]:
    progress("Analysing from counts …")
    # Never the same counts twice: an analysis keeps nothing from the one before.
    specs = iter([_counts(438 + number) for number in range(400)])
    taken = _median_s(lambda: analyze(next(specs)), 300)
    yield Figure("analysis_ms.sufficient_statistics", round(1_000 * taken, 3), "ms")
    progress(f"Analysing {ROWS:,} raw rows …")
    rows = raw_rows(ROWS)
    own = _median_s(lambda: _from_rows(rows), REPEATS)
    yield _beside("analysis_s.contact_rows_10m", own, "s", _median_s(lambda: _plain(rows), REPEATS))
    events = _several_each(rows)
    own = _median_s(lambda: _from_rows(events, "contact_id"), REPEATS)
    yield _beside("analysis_s.event_rows_10m", own, "s", _median_s(lambda: _plain_units(events), REPEATS))


def _counts(converted: int) -> ExperimentSpec:
    arms = (Variant("A", Proportion(18_240, 438)), Variant("B", Proportion(18_190, converted)))
    return ExperimentSpec(metric="proportion", control="A", variants=arms, planned_total=40_000, mde=0.005)


def raw_rows(count: int) -> pl.DataFrame:
    """`contact_id, variant, value`: one row per contact, 3 % of whom paid something."""
    rng = np.random.default_rng(1)
    values = np.where(rng.random(count) < 0.03, rng.lognormal(3.5, 1.0, count), 0.0)
    variant = pl.Series("variant", rng.integers(0, 2, count).astype(np.uint32)).replace_strict(
        [0, 1], ["A", "B"], return_dtype=pl.Enum(["A", "B"])
    )
    return pl.DataFrame({"contact_id": np.arange(count, dtype=np.uint32), "variant": variant, "value": values})


def _several_each(rows: pl.DataFrame) -> pl.DataFrame:
    """The same values as four events each of a quarter as many contacts, each contact in one variant, in log order."""
    people = rows.height // 4
    variant = pl.concat([rows["variant"].head(people)] * 4)
    return rows.head(4 * people).with_columns(pl.col("contact_id") % people, variant.alias("variant"))


def _from_rows(rows: pl.DataFrame, unit: str | None = None) -> object:
    sample = arms_of(rows.lazy(), Columns(variant="variant", value="value", unit=unit), "mean")
    variants = tuple(Variant(name, arm) for name, arm in sample.arms.items())
    return analyze(ExperimentSpec(metric="mean", control="A", variants=variants, planned_total=ROWS))


def _plain(rows: pl.DataFrame) -> object:
    """The least that any tool must do: count, mean and variance per variant in one Polars query."""
    value = pl.col("value")
    return rows.lazy().group_by("variant").agg(pl.len(), value.mean(), value.var().alias("var")).collect()


def _plain_units(rows: pl.DataFrame) -> object:
    value = pl.col("value")
    units = rows.lazy().group_by("contact_id").agg(pl.col("variant").first(), value.sum())
    return units.group_by("variant").agg(pl.len(), value.mean(), value.var().alias("var")).collect(engine="streaming")


def _median_s(work: Callable[[], object], repeats: int) -> float:
    work()
    taken = []
    for _ in range(repeats):
        before = time.perf_counter()
        work()
        taken.append(time.perf_counter() - before)
    return statistics.median(taken)


def _beside(name: str, value: float, unit: str, baseline: float) -> Figure:
    ratio = round(value / baseline, 4) if baseline else None
    return Figure(name, round(value, 4), unit, round(baseline, 4), ratio)
