"""How long steps work: what one instance waited for the piece of work it was in.

Absent on purpose: time spent waiting on purpose (delays), which is no latency.
"""

from __future__ import annotations

import numpy as np
import polars as pl

LATENCY_SCHEMA: dict[str, pl.DataType] = {
    "node_id": pl.String(),
    "pieces": pl.Int64(),
    "instances": pl.Int64(),
    "p50_ms": pl.Float64(),
    "p99_ms": pl.Float64(),
    "total_ms": pl.Float64(),
}


def step_latency(pieces: pl.DataFrame) -> pl.DataFrame:
    """LATENCY_SCHEMA, a row per node, slowest p99 first, of `node_id, instances, duration_ms`, a row per piece of work.

    Percentiles are over instances: a piece with a thousand of them counts a thousand times. O(pieces).
    """
    rows = []
    for (node_id,), part in pieces.partition_by("node_id", as_dict=True).items():
        weights = np.maximum(part.get_column("instances").to_numpy().astype(np.int64), 1)
        times = part.get_column("duration_ms").to_numpy().astype(np.float64)
        p50, p99 = weighted_percentiles(times, weights, (0.5, 0.99))
        rows.append((node_id, part.height, int(part.get_column("instances").sum()), p50, p99, float(times.sum())))
    return pl.DataFrame(rows, schema=LATENCY_SCHEMA, orient="row").sort("p99_ms", descending=True)


def weighted_percentiles(values: np.ndarray, weights: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """The smallest value that at least this share of the weight does not exceed, for each share in (0, 1]."""
    order = np.argsort(values)
    summed = np.cumsum(weights[order])
    places = [int(np.searchsorted(summed, share * summed[-1] * (1 - 1e-12), side="left")) for share in shares]
    return [float(values[order][place]) for place in places]
