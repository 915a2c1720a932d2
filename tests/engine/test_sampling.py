"""Samples hold the smallest ids of all that came, whatever batches they came in."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from studio.engine.sampling import Samples
from studio.frames.few import Few
from studio.frames.samples import SAMPLE_ROWS, read_sample


@pytest.mark.parametrize("sizes", [(3, 30, 1, 200, 5), (1,) * 150, (4_000, 1, 900), (20, 20)])
def test_the_smallest_ids_are_sampled(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    samples, came = Samples({}), []
    for place, size in enumerate(sizes):
        ids = pl.Series("instance_id", rng.integers(0, 2**63, size), dtype=pl.UInt64)
        frame = pl.DataFrame([ids, pl.Series("var.n", [str(place)] * size)])
        came.append(frame)
        samples.add([("a", Few.of(frame) if size < 30 and place % 2 else frame)])
        assert samples.have_changed or sum(sizes[: place + 1]) > SAMPLE_ROWS
    expected = pl.concat(came).sort("instance_id").head(SAMPLE_ROWS)
    assert read_sample(samples.take_changed()["a"]).equals(expected)
    assert not samples.have_changed
    assert samples.take_changed() == {}
