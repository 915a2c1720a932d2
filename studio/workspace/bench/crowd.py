"""The people and workflows that the engine is measured with. Absent on purpose: measuring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from studio.domain.workflow import Edge, Node, Workflow
from studio.workspace.workspace import Workspace

CHUNK = 50_000
COUNTRIES = ("DE", "AT", "CH")
NO_EVENTS = pl.DataFrame(schema={"event_id": pl.UInt64, "contact_key": pl.String})
TEXT = (
    'Dear {{ contact.first_name|default("friend") }}, you have {{ var.points }} points in {{ var.land|upper }}. '
    "{% if contact.score > 90 %}You are among our best customers.{% else %}Thank you for being with us.{% endif %}"
)
"""A text of fields, filters and a condition: Polars fills it in."""
ANY_TEXT = TEXT + "{% for item in (1, 2) %} {{ item }}{% endfor %}"
"""The same with a loop, which only MiniJinja knows."""


def people(count: int) -> Iterator[pl.DataFrame]:
    """Chunks of `key`, `email`, `properties` and the properties themselves, the same for the same count."""
    rng = np.random.default_rng(1)
    for first in range(1, count + 1, CHUNK):
        rows = min(CHUNK, count + 1 - first)
        numbers = pl.DataFrame({"n": np.arange(first, first + rows)})
        known = numbers.with_columns(
            pl.Series("country", rng.choice(COUNTRIES, rows)),
            pl.Series("score", rng.integers(0, 101, rows)),
            pl.Series("opted_in", rng.random(rows) < 0.8),
            pl.format("Name{}", pl.Series(rng.integers(0, 1_000, rows))).alias("first_name"),
        )
        yield known.select(
            pl.format("p{}", "n").alias("key"),
            pl.format("p{}@example.invalid", "n").alias("email"),
            pl.struct("country", "score", "opted_in", "first_name").struct.json_encode().alias("properties"),
            "country",
            "score",
            "opted_in",
            "first_name",
        )


def passing(count: int, limit: int) -> list[int]:
    """The contact ids of the first few of so many people whom the filter of `six_nodes` lets pass."""
    found: list[int] = []
    for place, chunk in enumerate(people(count)):
        fits = chunk.select((pl.col("score") > 50) & pl.col("opted_in")).to_series().arg_true()
        found += [place * CHUNK + int(at) + 1 for at in fits]
        if len(found) >= limit:
            break
    return found[:limit]


def take_in(workspace: Workspace, count: int) -> None:
    """Imports the people."""
    for chunk in people(count):
        workspace.people.add_made_up(chunk.select("key", "email", "properties"), NO_CONSENTS, NO_EVENTS)


NO_CONSENTS = pl.DataFrame(
    schema={
        **dict.fromkeys(("key", "channel", "topic", "state", "basis", "source"), pl.String),
        "at": pl.Datetime("us", "UTC"),
    }
)


def six_nodes(text: str = TEXT, start: Node | None = None) -> Workflow:
    """Source, filter, two values, switch, personal text, count."""
    cases = [{"id": country.lower(), "values": country} for country in COUNTRIES]
    fields = [{"name": "points", "value": "score * 2"}, {"name": "land", "value": "lower(country)"}]
    nodes = (
        start or Node(id="start", type="trigger.manual"),
        Node(id="active", type="audience.filter", parameters={"rule": "score > 50 and opted_in"}),
        Node(id="values", type="data.set_fields", parameters={"fields": fields}),
        Node(id="where", type="flow.switch", parameters={"value": "country", "cases": cases}),
        Node(id="text", type="content.text", parameters={"name": "greeting", "text": text}),
        Node(id="count", type="data.count", parameters={"by": "country"}),
    )
    ways = [("where", country.lower(), "text") for country in COUNTRIES]
    links = [("start", "out", "active"), ("active", "pass", "values"), ("values", "out", "where"), *ways]
    return _workflow("Six nodes", nodes, [*links, ("text", "out", "count")])


def three_waits(start: Node | None = None) -> Workflow:
    """Fourteen days: two days, a day and a half with a random hour, ten and a half days; branches in between."""
    nodes = (
        start or Node(id="start", type="trigger.manual"),
        Node(id="first", type="flow.delay", parameters={"duration": "P2D"}),
        Node(id="who", type="flow.switch", parameters={"value": "country", "cases": [{"id": "de", "values": "DE"}]}),
        Node(id="second", type="flow.delay", parameters={"duration": "P1DT12H", "jitter": "PT1H"}),
        Node(id="again", type="audience.filter", parameters={"rule": "score > 20"}),
        Node(id="third", type="flow.delay", parameters={"duration": "P10DT11H"}),
        Node(id="end", type="flow.exit"),
    )
    links = [
        ("start", "out", "first"), ("first", "out", "who"), ("who", "de", "second"), ("who", "else", "second"),
        ("second", "out", "again"), ("again", "pass", "third"), ("again", "fail", "third"), ("third", "out", "end"),
    ]  # fmt: skip
    return _workflow("Three waits", nodes, links)


def one_wait() -> Workflow:
    """Everybody waits a week."""
    nodes = (
        Node(id="start", type="trigger.manual"),
        Node(id="week", type="flow.delay", parameters={"duration": "P7D", "jitter": "P1D"}),
        Node(id="end", type="flow.exit"),
    )
    return _workflow("One wait", nodes, [("start", "out", "week"), ("week", "out", "end")])


def in_plain_polars(chunk: pl.DataFrame) -> pl.DataFrame:
    """What the six nodes do, for one chunk in memory and nothing kept: filter, values, switch, text, count."""
    kept = chunk.filter((pl.col("score") > 50) & pl.col("opted_in")).with_columns(
        (pl.col("score") * 2.0).cast(pl.Int64).alias("points"), pl.col("country").str.to_lowercase().alias("land")
    )
    way = pl.col("country").str.to_lowercase().replace_strict(["de", "at", "ch"], [0, 1, 2], default=3)
    best = pl.lit("You are among our best customers.")
    parts = kept.with_columns(way.alias("way")).partition_by("way")
    texts = [
        part.with_columns(
            pl.concat_str(
                pl.lit("Dear "), pl.col("first_name").fill_null("friend"), pl.lit(", you have "), "points",
                pl.lit(" points in "), pl.col("land").str.to_uppercase(), pl.lit(". "),
                pl.when(pl.col("score") > 90).then(best).otherwise(pl.lit("Thank you for being with us.")),
            ).alias("greeting")
        )
        for part in parts
    ]  # fmt: skip
    return pl.concat(texts).group_by("country").len()


def _workflow(name: str, nodes: Sequence[Node], links: Sequence[tuple[str, str, str]]) -> Workflow:
    edges = tuple(Edge(from_=(source, port), to=(target, "in")) for source, port, target in links)
    return Workflow(name=name, nodes=tuple(nodes), edges=edges)
