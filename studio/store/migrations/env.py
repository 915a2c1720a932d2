"""How Alembic reaches the store: always through the transaction the program hands it, never on its own."""

from __future__ import annotations

from alembic import context

from studio.store.schema import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations run only inside Store.open")
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
