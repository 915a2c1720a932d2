"""The store: everything durable, in one workspace folder. `Store.open` is the way in.

One writer, any number of readers; a checkpoint is one transaction. Absent on purpose: workflow logic, rates, words for
people other than in errors.
"""

from studio.store.store import Store

__all__ = ["Store"]
