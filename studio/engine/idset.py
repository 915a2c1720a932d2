"""Many 64-bit ids, asked about in bulk: sorted arrays, because a Python set of a million costs ten times the memory.

Absent on purpose: taking ids out again; whoever has left a run has left it.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray


class IdSet:
    """A growing set of u64. `mask` is O(asked · log held), `add` O(held)."""

    def __init__(self, ids: pl.Series | None = None) -> None:
        self._ids: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        if ids is not None:
            self.add(ids)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: pl.Series) -> None:
        """Adds ids; those already held are passed over."""
        new = np.unique(ids.cast(pl.UInt64).to_numpy())
        if len(new):
            self._ids = np.union1d(self._ids, new) if len(self._ids) else new

    def mask(self, ids: pl.Series) -> pl.Series:
        """Per id whether it is held."""
        if not len(self._ids):
            return pl.repeat(value=False, n=ids.len(), eager=True)
        asked = ids.cast(pl.UInt64).to_numpy()
        places = np.searchsorted(self._ids, asked)
        places[places == len(self._ids)] = 0
        return pl.Series(self._ids[places] == asked)
