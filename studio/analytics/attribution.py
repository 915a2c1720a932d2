"""Attribution of one run, and of everything there is: its touches and orders, the credit per model, and the increment.

Absent on purpose: cost per channel, which is not known per channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from studio.analytics.credit import MODELS, Model, credit
from studio.analytics.facts import Design, Facts, is_treated
from studio.analytics.journeys import ORDER_SCHEMA, TOUCH_SCHEMA, Journeys, Windows, journeys, paths
from studio.analytics.returns import Return

TOUCHES = ("clicked", "opened")
VISITED = "visited"
PATHS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Attribution:
    """`credit` as `credit.credit` gives it; `paths` the most frequent ones. `attributed` orders had a touch before
    them, `unattributed` had none. `returned` has the increment, which says what the run caused.
    """

    credit: pl.DataFrame
    paths: pl.DataFrame
    attributed_orders: int
    attributed_value: float
    unattributed_orders: int
    unattributed_value: float
    windows: Windows
    returned: Return | None = None


def run_attribution(
    facts: Facts,
    run_id: str,
    design: Design,
    windows: Windows | None = None,
    models: Sequence[Model] = MODELS,
    returned: Return | None = None,
) -> Attribution:
    """Which of a run's messages brought its orders. Channels are its send steps, by label."""
    touches = run_touches(facts, [run_id], {run_id: design.labels})
    orders = (
        facts.events(("contact_id", "occurred_at", "value", "arms"), ["converted"], run_id)
        .filter(is_treated(design))
        .select("contact_id", pl.col("occurred_at").alias("at"), "value")
        .collect()
    )
    return attribution(touches, orders, windows, models, returned)


def run_touches(facts: Facts, run_ids: Sequence[str], names: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    """TOUCH_SCHEMA: human opens and clicks of some runs. `names`: run → node → what its channel is called."""
    parts = [pl.DataFrame(schema=TOUCH_SCHEMA)]
    for run_id in run_ids:
        labels = names[run_id]
        found = (
            facts.events(("contact_id", "occurred_at", "kind", "node_id", "actor"), TOUCHES, run_id)
            .filter(pl.col("actor").fill_null("unknown") != "machine")
            .select(
                "contact_id",
                pl.col("occurred_at").alias("at"),
                pl.col("node_id").replace_strict(list(labels), list(labels.values()), default="?").alias("channel"),
                "kind",
            )
            .collect()
        )
        parts.append(found.cast(TOUCH_SCHEMA))
    return pl.concat(parts)


def outside_touches(facts: Facts) -> pl.DataFrame:
    """TOUCH_SCHEMA: visits that were imported with a `channel` among their properties."""
    found = facts.events(("contact_id", "occurred_at", "kind", "properties"), [VISITED], "")
    return (
        found.with_columns(pl.col("properties").str.json_path_match("$.channel").alias("channel"))
        .drop_nulls("channel")
        .select("contact_id", pl.col("occurred_at").alias("at"), "channel", "kind")
        .collect()
        .cast(TOUCH_SCHEMA)
    )


def attribution(
    touches: pl.DataFrame,
    orders: pl.DataFrame,
    windows: Windows | None = None,
    models: Sequence[Model] = MODELS,
    returned: Return | None = None,
) -> Attribution:
    """The credit of orders (ORDER_SCHEMA) among the channels of touches (TOUCH_SCHEMA)."""
    windows = windows or Windows()
    found: Journeys = journeys(touches.cast(TOUCH_SCHEMA), orders.cast(ORDER_SCHEMA), windows)
    values = found.touches.unique("order").get_column("value").fill_null(0.0)
    return Attribution(
        credit=credit(found, models),
        paths=paths(found).head(PATHS_SHOWN),
        attributed_orders=found.orders,
        attributed_value=float(values.sum()),
        unattributed_orders=found.unattributed_orders,
        unattributed_value=found.unattributed_value,
        windows=windows,
        returned=returned,
    )
