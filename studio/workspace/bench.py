"""Benchmarks: the program's own work beside plain Polars or the bare protocol, in the same run on the same computer.

Absent on purpose: pass or fail; a shared computer is too noisy for that.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from studio.domain.workflow import Edge, Node, Workflow
from studio.experiments.assignment import assign
from studio.workspace.bench_analytics import analytics
from studio.workspace.bench_learning import learning
from studio.workspace.bench_peeking import peeking
from studio.workspace.bench_recommend import recommend
from studio.workspace.figure import Figure
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

REPEATS = 3
CHUNK = 50_000
COUNTRIES = ("DE", "AT", "CH")
Progress = Callable[[str], None]


def engine(contacts: int, progress: Progress) -> Iterator[Figure]:
    """Contacts per second through six durable nodes, beside the same filter, branch and split in plain Polars."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        people = made_up_people(contacts)
        with Workspace.open(Path(folder) / "workspace") as workspace:
            progress(f"Importing {contacts:,} contacts …")
            people.select("key", "email", pl.col("properties")).write_parquet(Path(folder) / "people.parquet")
            workspace.people.add_made_up(people.drop("country", "score"), consents_of(people), NO_EVENTS)
            rates, plain = [], []
            for repeat in range(REPEATS):
                progress(f"Run {repeat + 1} of {REPEATS} …")
                rates.append(_run_rate(workspace, contacts, repeat))
                plain.append(_polars_rate(people, contacts))
    value, baseline = statistics.median(rates), statistics.median(plain)
    yield Figure(
        "contacts_per_second.six_nodes", round(value), "contacts/s", round(baseline), round(value / baseline, 4)
    )


def six_nodes() -> Workflow:
    """Source, filter, eligibility, branch, split, exit: pure work and one commit a chunk."""
    nodes = (
        Node(id="start", type="trigger.manual"),
        Node(id="active", type="audience.filter", parameters={"rule": "score > 50"}),
        Node(id="may", type="audience.eligibility"),
        Node(id="where", type="flow.branch", parameters={"conditions": [
            {"id": "de", "rule": 'country == "DE"'}, {"id": "at", "rule": 'country == "AT"'}
        ]}),
        Node(id="ab", type="exp.split", parameters={"variants": [{"id": "A"}, {"id": "B"}]}),
        Node(id="end", type="flow.exit"),
    )  # fmt: skip
    links = [
        ("start", "out", "active"), ("active", "pass", "may"), ("may", "allowed", "where"), ("where", "de", "ab"),
        ("where", "at", "ab"), ("where", "else", "ab"), ("ab", "A", "end"), ("ab", "B", "end"),
    ]  # fmt: skip
    edges = tuple(Edge(from_=(source, port), to=(target, "in")) for source, port, target in links)
    return Workflow(name="Six nodes", nodes=nodes, edges=edges)


def made_up_people(count: int) -> pl.DataFrame:
    """`key, email, name, language, zone, properties` and the properties themselves as `country`, `score`."""
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"n": np.arange(1, count + 1)}).with_columns(
        pl.Series("country", rng.choice(COUNTRIES, count)), pl.Series("score", rng.integers(0, 101, count))
    )
    return frame.select(
        pl.format("p{}", "n").alias("key"),
        pl.format("p{}@example.invalid", "n").alias("email"),
        pl.lit(None, pl.String).alias("name"),
        pl.lit("en").alias("language"),
        pl.lit("UTC").alias("zone"),
        pl.struct("country", "score").struct.json_encode().alias("properties"),
        "country",
        "score",
    )


def consents_of(people: pl.DataFrame) -> pl.DataFrame:
    """A consent to marketing mail for everybody, of no known date."""
    return people.select(
        "key",
        pl.lit("email").alias("channel"),
        pl.lit("marketing").alias("topic"),
        pl.lit("granted").alias("state"),
        pl.lit("test").alias("basis"),
        pl.lit("benchmark").alias("source"),
        pl.lit(None, pl.Datetime("us", "UTC")).alias("at"),
    )


NO_EVENTS = pl.DataFrame(schema={"event_id": pl.UInt64, "contact_key": pl.String})


def _run_rate(workspace: Workspace, contacts: int, seed: int) -> float:
    before = time.perf_counter()
    run_id = workspace.runs.start(six_nodes(), RunOptions(seed=seed))
    workspace.runs.wait(run_id)
    return contacts / (time.perf_counter() - before)


def _polars_rate(people: pl.DataFrame, contacts: int) -> float:
    before = time.perf_counter()
    for chunk in people.with_row_index("contact_id").iter_slices(CHUNK):
        kept = chunk.filter(pl.col("score") > 50).with_columns(
            pl.when(pl.col("country") == "DE").then(pl.lit("de")).otherwise(pl.lit("else")).alias("branch")
        )
        kept.with_columns(pl.Series("variant", assign("bench", kept["contact_id"].cast(pl.UInt64).to_numpy(), [1, 1])))
    return contacts / (time.perf_counter() - before)


GROUPS: dict[str, Callable[[int, Progress], Iterator[Figure]]] = {
    "engine": engine,
    "peeking": peeking,
    "analytics": analytics,
    "recommend": recommend,
    "learning": learning,
}
