"""Many 64-bit ids, asked about in bulk: sorted arrays, because a Python set of a million costs ten times the memory.

Absent on purpose: taking ids out again; whoever has left a run has left it.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ids = NDArray[np.uint64]


class IdSet:
    """A growing set of u64. It lies in a few sorted parts, each more than twice as long as the next.

    `add` is O(added · log held) over many calls, `mask` O(asked · log² held).
    """

    def __init__(self, ids: pl.Series | None = None) -> None:
        self._parts: list[Ids] = []
        if ids is not None:
            self.add(ids)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, ids: pl.Series) -> None:
        """Adds ids, whether held already or not."""
        part = np.sort(ids.cast(pl.UInt64).to_numpy())
        if not len(part):
            return
        while self._parts and len(self._parts[-1]) <= 2 * len(part):
            # Stable sorting merges runs that are in order; a hash table would take ten times as long.
            part = np.sort(np.concatenate([self._parts.pop(), part]), kind="stable")
        self._parts.append(part)

    def mask(self, ids: pl.Series) -> pl.Series:
        """Per id whether it is held."""
        asked = ids.cast(pl.UInt64).to_numpy()
        found = np.zeros(len(asked), dtype=np.bool_)
        for part in self._parts:
            places = np.searchsorted(part, asked)
            places[places == len(part)] = 0
            found |= part[places] == asked
        return pl.Series(found)
