"""Who had passed a place of a workflow at an instant of a run, told from the ways that the run kept.

Absent on purpose: what they carried with them (`frames.samples`) and reading the store.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import polars as pl

from studio.frames.moves import Move

Place = tuple[str, str]
"""Node and port."""


def who_had_passed(sample: pl.DataFrame, moves: Iterable[Move], places: Collection[Place], count: int) -> pl.DataFrame:
    """The rows of `sample` (`instance_id`, `contact_id`) that are among the first `count` to leave by these places.

    `moves` in the order in which they were made; a batch counts as a whole. Where the run kept no ways for these places
    (people who were put there) everybody counts from the first one on. O(moves).
    """
    if count <= 0:
        return sample.clear()
    instances = sample.get_column("instance_id").to_numpy()
    contacts = sample.get_column("contact_id").to_numpy()
    passed = np.zeros(sample.height, dtype=np.bool_)
    seen = 0
    for move in moves:
        if (move.node_id, move.port) not in places:
            continue
        passed |= np.isin(instances if move.by_instance else contacts, move.numbers)
        seen += len(move.numbers)
        if seen >= count:
            break
    return sample.filter(pl.Series(passed)) if seen else sample
