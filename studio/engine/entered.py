"""Who has entered a run: nobody enters twice as the same instance.

Instances without a key and of the first occurrence are known by their contact's number, which is dense: one flag each,
a thousandth of a second for a chunk. Only the others need their ids kept. Absent on purpose: re-entry policies, which
are the triggers' own.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from studio.engine.idset import IdSet
from studio.frames.few import is_few
from studio.frames.instances import instance_id_of, instance_ids


class Entered:
    """The instances of one run so far."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._flags: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._others = IdSet()

    @property
    def is_plain(self) -> bool:
        """Whether everybody so far is known by the contact's number alone."""
        return not self._others

    def add(self, batch: pl.DataFrame) -> None:
        """Remembers instances (`instance_id`, `contact_id`)."""
        if is_few(batch) and self._add_plain(batch):
            return
        contacts, ids = batch.get_column("contact_id"), batch.get_column("instance_id")
        is_plain = self._is_plain(contacts, ids)
        plain = contacts.to_numpy()[is_plain]
        if len(plain):
            self._reserve(int(plain.max()) + 1)
            self._flags[plain] = True
        if len(plain) < len(ids):
            self._others.add(ids.filter(pl.Series(~is_plain)))

    def has(self, contact_id: int, instance_id: int) -> bool:
        """Whether one instance has entered."""
        if instance_id_of(self._run_id, contact_id, None) == instance_id:
            return contact_id < len(self._flags) and bool(self._flags[contact_id])
        return bool(self._others.mask(pl.Series([instance_id], dtype=pl.UInt64))[0])

    def mask(self, batch: pl.DataFrame) -> pl.Series:
        """Per row whether the instance has entered."""
        contacts, ids = batch.get_column("contact_id"), batch.get_column("instance_id")
        is_plain = self._is_plain(contacts, ids)
        numbers = contacts.to_numpy()
        is_flagged = numbers < len(self._flags)
        is_flagged[is_flagged] = self._flags[numbers[is_flagged]]
        if is_plain.all():
            return pl.Series(is_flagged)
        return pl.Series(np.where(is_plain, is_flagged, self._others.mask(ids).to_numpy()))

    def _add_plain(self, batch: pl.DataFrame) -> bool:
        """Adds a few who are known by their contact's number; nobody where one of them is not."""
        contacts, ids = batch.get_column("contact_id").to_list(), batch.get_column("instance_id").to_list()
        pairs = zip(contacts, ids, strict=True)
        if not all(instance_id_of(self._run_id, contact_id, None) == known for contact_id, known in pairs):
            return False
        self._reserve(max(contacts, default=-1) + 1)
        for contact_id in contacts:
            self._flags[contact_id] = True
        return True

    def _is_plain(self, contacts: pl.Series, ids: pl.Series) -> NDArray[np.bool_]:
        no_keys = pl.Series([None], dtype=pl.String).new_from_index(0, contacts.len())
        return instance_ids(self._run_id, contacts, no_keys).to_numpy() == ids.to_numpy()

    def _reserve(self, size: int) -> None:
        if size > len(self._flags):
            grown = np.zeros(max(size, 2 * len(self._flags)), dtype=np.bool_)
            grown[: len(self._flags)] = self._flags
            self._flags = grown
