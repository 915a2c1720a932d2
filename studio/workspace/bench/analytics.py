"""The analytics benchmark: one made-up run, asked through rollups, beside DuckDB and plain Polars over the same events.

Each side works in a process of its own, so that the memory of one is not counted with another. Absent on purpose: pass
or fail, and a DuckDB that is not installed (its column is empty then).
"""

from __future__ import annotations

import importlib.util
import math
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from studio.analytics.facts import Design
from studio.analytics.funnel import STEPS, funnel
from studio.analytics.kpis import kpis
from studio.analytics.returns import run_return
from studio.domain.clock import utc_now
from studio.experiments.analyze import analyze
from studio.experiments.moments import Proportion
from studio.experiments.spec import ExperimentSpec, Variant
from studio.frames.events import as_events
from studio.store.store import Store
from studio.workspace.bench.figure import Figure
from studio.workspace.exports import ExportsStory
from studio.workspace.peak_memory import peak_rss_mb

RUN = "bench"
START = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 168
CHUNK = 200_000
REPEATS = 5
QUICK_S = 0.2
SHARES = {"entered": 0.25, "sent": 0.25, "delivered": 0.24, "opened": 0.18, "clicked": 0.06, "converted": 0.02}
NODES = ("mail_1", "mail_2", "mail_3", "mail_4")
DESIGN = Design(goal="goal", goal_kind="order", holdout=None, splits=("ab",), cost_per_message=0.001, sends=NODES)
CART = '"link":"cart"'
Answers = dict[str, float]


@dataclass(frozen=True, slots=True)
class Side:
    """What one program needed: milliseconds per question by the clock and of processor time, and its peak memory
    (MB of 10⁶ bytes).
    """

    ms: Answers
    cpu_ms: Answers
    answers: Answers
    peak_mb: float | None


class _Now:
    def now(self) -> datetime:
        return utc_now()


def made_up_events(events: int, contacts: int, chunk: int = CHUNK) -> Iterator[pl.DataFrame]:
    """EVENT_SCHEMA frames of one run over a week, people drawn at random: a bad case for sets of people."""
    rng = np.random.default_rng(1)
    kinds, shares = list(SHARES), list(SHARES.values())
    for first in range(0, events, chunk):
        rows = min(chunk, events - first)
        kind = rng.choice(len(kinds), rows, p=shares)
        contact = rng.integers(1, contacts + 1, rows).astype(np.uint32)
        hours = HOURS * (first + np.sort(rng.random(rows)) * rows) / events
        converted = kind == kinds.index("converted")
        node = np.where(converted, len(NODES), rng.integers(0, len(NODES), rows))
        clicked = kind == kinds.index("clicked")
        frame = pl.DataFrame(
            {
                "event_id": np.arange(first, first + rows, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15),
                "contact_id": contact,
                "kind": pl.Series(kind).replace_strict(dict(enumerate(kinds)), return_dtype=pl.String),
                "node_id": pl.Series(node).replace_strict(dict(enumerate((*NODES, "goal"))), return_dtype=pl.String),
                "arms": pl.Series(contact % 2 == 0).replace_strict({True: "ab=A", False: "ab=B"}),
                "actor": pl.Series(rng.random(rows) < 0.25).replace_strict({True: "machine", False: "human"}),
                "value": pl.Series(np.where(converted, np.round(rng.lognormal(3, 0.6, rows), 2), np.nan)).fill_nan(
                    None
                ),
                "properties": pl.Series(np.where(clicked, rng.integers(1, 4, rows), 0)).replace_strict(
                    {0: None, 1: '{"link":"shop"}', 2: '{"link":"cart"}', 3: '{"link":"help"}'}, return_dtype=pl.String
                ),
            }
        )
        moments = (pl.Series(np.round(hours * 3_600e6).astype(np.int64)).cast(pl.Duration("us")) + START).alias(
            "occurred_at"
        )
        yield as_events(
            frame.with_columns(
                moments,
                pl.lit(RUN).alias("run_id"),
                pl.when(pl.col("kind") == "opened").then("actor").otherwise(pl.lit(None)).alias("actor"),
                pl.when(pl.col("kind") == "converted").then(pl.lit("EUR")).alias("currency"),
                pl.col("contact_id").cast(pl.UInt64).alias("instance_id"),
            )
        )


def take_in(folder: Path, events: int, contacts: int) -> tuple[float, float, float]:
    """Events per second, durable, through a run's checkpoints, the same per second of processor time, and through the
    import; made up outside of the time.
    """
    with Store.open(folder / "workspace", clock=_Now()) as store:
        spent = worked = 0.0
        for frame in made_up_events(events, contacts):
            before, cpu = time.perf_counter(), time.process_time()
            with store.transaction() as connection:
                store.log.append(connection, frame, fresh=True)
            spent, worked = spent + time.perf_counter() - before, worked + time.process_time() - cpu
    with Store.open(folder / "imported", clock=_Now()) as store:
        frames = list(made_up_events(min(events, 2_000_000), contacts))
        before = time.perf_counter()
        store.import_events(frames, "bench")
        imported = time.perf_counter() - before
    return events / spent, events / worked, min(events, 2_000_000) / imported


def _timed(questions: dict[str, Callable[[], float]]) -> tuple[Answers, Answers, Answers]:
    """Medians by the clock and of processor time, and the answers; quick questions are asked more often."""
    times, worked, answers = {}, {}, {}
    for name, ask in questions.items():
        answers[name] = float(ask())
        before, spent, busy = time.perf_counter(), [], []
        ask()
        for _ in range(max(REPEATS, min(100, int(QUICK_S / (time.perf_counter() - before))))):
            before, cpu = time.perf_counter(), time.process_time()
            ask()
            busy.append((time.process_time() - cpu) * 1_000)
            spent.append((time.perf_counter() - before) * 1_000)
        times[name], worked[name] = statistics.median(spent), statistics.median(busy)
    return times, worked, answers


def studio_side(folder: Path) -> Side:
    """The product's own answers."""
    with Store.open(folder / "workspace", clock=_Now(), read_only=True) as store:
        facts = store.projections

        def ad_hoc() -> float:
            clicks = facts.events(("contact_id", "occurred_at", "properties"), ["clicked"], RUN)
            at_night = pl.col("occurred_at").dt.hour() < 6
            asked = clicks.filter(at_night, pl.col("properties").str.contains(CART, literal=True))
            return asked.select(pl.col("contact_id").n_unique()).collect().item()

        def figures() -> float:
            sums = facts.sums(("kind", "actor", "detail"), [RUN])
            return float(sums.get_column("value").sum())

        def screen() -> float:
            steps = funnel(facts, RUN, DESIGN)
            return kpis(facts, RUN, steps, run_return(facts, RUN, DESIGN))[0].value or 0.0

        asked: dict[str, Callable[[], float]] = {
            "funnel_exact_distinct": lambda: funnel(facts, RUN, DESIGN).people("clicked"),
            "kpis": figures,
            "per_hour": lambda: facts.sums(("hour", "kind"), [RUN]).height,
            "per_variant": lambda: float(facts.sums(("arms", "kind"), [RUN])["count"].sum()),
            "ad_hoc_scan": ad_hoc,
            "whole_screen": screen,
        }
        return Side(*_timed(asked), peak_rss_mb())


def polars_side(folder: Path) -> Side:
    """The same questions in plain Polars over the same files."""
    events = pl.scan_parquet(sorted((folder / "workspace" / "events").glob("*.parquet")))
    by_kind = events.filter(pl.col("kind").is_in(list(STEPS))).group_by("kind")
    night = (pl.col("kind") == "clicked") & (pl.col("occurred_at").dt.hour() < 6)
    asked: dict[str, Callable[[], float]] = {
        "funnel_exact_distinct": lambda: dict(by_kind.agg(pl.col("contact_id").n_unique()).collect().iter_rows())[
            "clicked"
        ],
        "kpis": lambda: (
            events.group_by("kind", "actor").agg(pl.len(), pl.col("value").sum()).collect()["value"].sum() or 0.0
        ),
        "per_hour": lambda: events.group_by(pl.col("occurred_at").dt.truncate("1h"), "kind").len().collect().height,
        "per_variant": lambda: events.group_by("arms", "kind").agg(pl.len()).collect()["len"].sum() or 0,
        "ad_hoc_scan": lambda: (
            events.filter(night, pl.col("properties").str.contains(CART, literal=True))
            .select(pl.col("contact_id").n_unique())
            .collect()
            .item()
        ),
    }
    return Side(*_timed(asked), peak_rss_mb())


def duckdb_side(folder: Path) -> Side:
    """The same questions in DuckDB, over a table of its own."""
    import duckdb  # noqa: PLC0415 - only the benchmark's own yardstick

    files = str(folder / "workspace" / "events" / "*.parquet")
    base = duckdb.connect(str(folder / "duck.db"))
    base.execute("SET enable_progress_bar = false")
    base.execute(f"CREATE OR REPLACE TABLE e AS SELECT * FROM read_parquet('{files}')")  # noqa: S608 - our own folder

    kinds = ", ".join(f"'{kind}'" for kind in STEPS)
    distinct = f"SELECT kind, count(DISTINCT contact_id) FROM e WHERE kind IN ({kinds}) GROUP BY kind"  # noqa: S608
    ad_hoc = (
        "SELECT count(DISTINCT contact_id) FROM e WHERE kind = 'clicked'"
        " AND hour(make_timestamp(epoch_us(occurred_at))) < 6 AND contains(properties, ?)"
    )
    by_hour = "SELECT epoch_us(occurred_at) // 3600000000 h, kind, count(*) FROM e GROUP BY h, kind"
    asked: dict[str, Callable[[], float]] = {
        "funnel_exact_distinct": lambda: dict(base.execute(distinct).fetchall())["clicked"],
        "kpis": lambda: sum(
            row[3] or 0
            for row in base.execute("SELECT kind, actor, count(*), sum(value) FROM e GROUP BY kind, actor").fetchall()
        ),
        "per_hour": lambda: len(base.execute(by_hour).fetchall()),
        "per_variant": lambda: sum(
            row[2] for row in base.execute("SELECT arms, kind, count(*) FROM e GROUP BY arms, kind").fetchall()
        ),
        "ad_hoc_scan": lambda: base.execute(ad_hoc, [CART]).fetchall()[0][0],
    }
    found = _timed(asked)
    base.close()
    return Side(*found, peak_rss_mb())


def export_side(folder: Path) -> Side:
    """The product's CSV export."""
    with Store.open(folder / "workspace", clock=_Now(), read_only=True) as store:
        before, cpu = time.perf_counter(), time.process_time()
        done = ExportsStory(store, _Now()).events(folder / "csv", "csv")
        spent, worked = time.perf_counter() - before, time.process_time() - cpu
    rates = {"mb_per_s": done.bytes / 1e6 / spent, "mb_per_cpu_s": done.bytes / 1e6 / worked}
    return Side({"csv": spent * 1_000}, {"csv": worked * 1_000}, rates, peak_rss_mb())


def export_polars(folder: Path) -> Side:
    """Plain Polars streaming the same files into one CSV."""
    files = sorted((folder / "workspace" / "events").glob("*.parquet"))
    target = folder / "plain.csv"
    before, cpu = time.perf_counter(), time.process_time()
    pl.scan_parquet(files).drop("seq", "instance_id").sink_csv(target)
    spent, worked = time.perf_counter() - before, time.process_time() - cpu
    size = target.stat().st_size / 1e6
    rates = {"mb_per_s": size / spent, "mb_per_cpu_s": size / worked}
    return Side({"csv": spent * 1_000}, {"csv": worked * 1_000}, rates, peak_rss_mb())


def trial_side(folder: Path) -> Side:
    """An experiment from raw rows (person, variant, converted), and from its sufficient statistics."""
    rows = pl.scan_parquet(folder / "trial.parquet")

    def from_raw() -> float:
        counted = rows.group_by("variant").agg(pl.len(), pl.col("converted").sum()).sort("variant").collect()
        return _analysed(tuple((n, int(won)) for _, n, won in counted.iter_rows()))

    known = tuple((n, int(won)) for _, n, won in rows.group_by("variant").agg(
        pl.len(), pl.col("converted").sum()).sort("variant").collect().iter_rows())  # fmt: skip
    return Side(*_timed({"from_raw": from_raw, "from_statistics": lambda: _analysed(known)}), peak_rss_mb())


def trial_duckdb(folder: Path) -> Side:
    """DuckDB counting the same raw rows; the analysis is ours, it has none."""
    import duckdb  # noqa: PLC0415 - only the benchmark's own yardstick

    query = f"SELECT variant, count(*), sum(converted) FROM '{folder / 'trial.parquet'}' GROUP BY variant ORDER BY 1"  # noqa: S608

    def from_raw() -> float:
        return _analysed(tuple((n, int(won)) for _, n, won in duckdb.sql(query).fetchall()))

    return Side(*_timed({"from_raw": from_raw}), peak_rss_mb())


def _analysed(counts: tuple[tuple[int, int], ...]) -> float:
    arms = tuple(Variant(name, Proportion(n, won), 0.5) for name, (n, won) in zip("AB", counts, strict=True))
    total = sum(n for n, _ in counts)
    spec = ExperimentSpec(metric="proportion", control="A", variants=arms, planned_total=total, mde=0.005)
    return analyze(spec, now=START, minimum_run=timedelta(0)).comparisons[0].effect or 0.0


def write_trial(folder: Path, rows: int) -> None:
    """`trial.parquet`: one row per person."""
    rng = np.random.default_rng(2)
    variant = rng.integers(0, 2, rows)
    frame = pl.DataFrame(
        {
            "contact_id": np.arange(rows, dtype=np.uint32),
            "variant": pl.Series(variant).replace_strict({0: "A", 1: "B"}),
            "converted": (rng.random(rows) < 0.05 + 0.002 * variant).astype(np.int8),
        }
    )
    frame.write_parquet(folder / "trial.parquet", row_group_size=250_000)


def alone(side: Callable[[Path], Side], folder: Path) -> Side | None:
    """One side in a fresh process; None for DuckDB where there is none."""
    if "duckdb" in side.__name__ and importlib.util.find_spec("duckdb") is None:
        return None
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(side, (folder,))


def analytics(contacts: int, progress: Callable[[str], None]) -> Iterator[Figure]:
    """Four events per contact: intake, questions, export, and the analysis of an experiment."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as name:
        folder = Path(name)
        progress(f"Taking in {4 * contacts:,} events of {contacts:,} people …")
        through_run, per_cpu, imported = take_in(folder, 4 * contacts, contacts)
        yield Figure("load.before", round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else 0.0, "processes")
        yield Figure("events_per_second.intake_durable", round(through_run), "events/s")
        yield Figure("events_per_cpu_second.intake_durable", round(per_cpu), "events/s")
        yield Figure("events_per_second.import_durable", round(imported), "events/s")
        progress("Asking this program, Polars and DuckDB …")
        yield from _questions(folder)
        progress("Exporting …")
        yield from _exports(folder)
        progress("Analysing an experiment …")
        write_trial(folder, 4 * contacts)
        yield from _trials(folder)


def _questions(folder: Path) -> Iterator[Figure]:
    own, plain, duck = (alone(side, folder) for side in (studio_side, polars_side, duckdb_side))
    assert own is not None
    others = {name: side for name, side in (("polars", plain), ("duckdb", duck)) if side is not None}
    for question, ms in own.ms.items():
        known = {name: side for name, side in others.items() if question in side.ms}
        for name, side in known.items():
            assert math.isclose(side.answers[question], own.answers[question], rel_tol=1e-9), question
            yield _beside(f"ms.{question}_beside_{name}", ms, "ms", side.ms[question])
            yield _beside(f"cpu_ms.{question}_beside_{name}", own.cpu_ms[question], "ms", side.cpu_ms[question])
        if not known:
            yield Figure(f"ms.{question}", round(ms, 3), "ms")
            yield Figure(f"cpu_ms.{question}", round(own.cpu_ms[question], 3), "ms")
    for name, side in {"studio": own, **others}.items():
        yield Figure(f"peak_mb.{name}", side.peak_mb or 0.0, "MB")


def _exports(folder: Path) -> Iterator[Figure]:
    export, streamed = alone(export_side, folder), alone(export_polars, folder)
    assert export is not None
    assert streamed is not None
    for name, key in (("mb_per_second.csv_export", "mb_per_s"), ("mb_per_cpu_second.csv_export", "mb_per_cpu_s")):
        yield _beside(name, export.answers[key], "MB/s", streamed.answers[key])
    yield _beside("peak_mb.csv_export", export.peak_mb or 0.0, "MB", streamed.peak_mb or 0.0)


def _trials(folder: Path) -> Iterator[Figure]:
    own, duck = alone(trial_side, folder), alone(trial_duckdb, folder)
    assert own is not None
    if duck is None:
        yield Figure("ms.experiment_from_raw_rows", round(own.ms["from_raw"], 2), "ms")
    else:
        yield _beside("ms.experiment_from_raw_rows_beside_duckdb", own.ms["from_raw"], "ms", duck.ms["from_raw"])
    yield Figure("ms.experiment_from_statistics", round(own.ms["from_statistics"], 3), "ms")
    yield Figure("cpu_ms.experiment_from_raw_rows", round(own.cpu_ms["from_raw"], 3), "ms")
    yield Figure("cpu_ms.experiment_from_statistics", round(own.cpu_ms["from_statistics"], 3), "ms")


def _beside(name: str, value: float, unit: str, baseline: float) -> Figure:
    ratio = round(value / baseline, 4) if baseline else None
    return Figure(name, round(value, 3), unit, round(baseline, 3), ratio)
