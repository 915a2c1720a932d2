"""Instances as frames: what travels on an edge.

An instance is one contact, or one contact and key such as a cart, on its way through one workflow version.
"""

from __future__ import annotations

import io

import numpy as np
import polars as pl

from studio.experiments.assignment import hash64, hash64_of, stable_key
from studio.frames.events import AT

INSTANCE_SCHEMA: dict[str, pl.DataType] = {
    "instance_id": pl.UInt64(),
    "contact_id": pl.UInt32(),
    "key": pl.String(),
    "entered_at": AT,
    "arms": pl.String(),
}
"""Carried unchanged through every node but `arms`, which splits and holdouts extend: `node=variant` parts joined by `|`
in the order met, an empty text before the first. Further columns are variables, named `var.<name>`."""

_FILE = b"ARROW1"
_KEY_SALT = "instance-key"


def instance_ids(run_id: str, contact_ids: pl.Series, keys: pl.Series, occurrence: int = 0) -> pl.Series:
    """u64 per row, the same for the same run, contact, key and occurrence. O(rows); keys are hashed one by one."""
    ids = hash64(f"{run_id}|{occurrence}", contact_ids.cast(pl.UInt64).to_numpy())
    if keys.null_count() < keys.len():
        hashed = np.fromiter((0 if k is None else stable_key(k) for k in keys), dtype=np.uint64, count=keys.len())
        ids = np.where(hashed == 0, ids, hash64(_KEY_SALT, ids ^ hashed))
    return pl.Series("instance_id", ids, dtype=pl.UInt64)


def instance_id_of(run_id: str, contact_id: int, key: str | None, occurrence: int = 0) -> int:
    """`instance_ids` for one."""
    found = hash64_of(f"{run_id}|{occurrence}", contact_id)
    hashed = 0 if key is None else int(stable_key(key))
    return hash64_of(_KEY_SALT, found ^ hashed) if hashed else found


def with_arm(batch: pl.DataFrame, node_id: str, variants: pl.Series) -> pl.DataFrame:
    """The batch with `node_id=variant` appended to `arms`; rows with a null variant stay as they are."""
    part = pl.lit(f"{node_id}=") + variants
    joined = pl.when(pl.col("arms") == "").then(part).otherwise(pl.col("arms") + "|" + part)
    return batch.with_columns(pl.when(variants.is_not_null()).then(joined).otherwise(pl.col("arms")).alias("arms"))


def arm_of(node_id: str) -> pl.Expr:
    """The variant of one experiment, out of `arms`; null for who never met it."""
    return pl.col("arms").str.extract(rf"(?:^|\|){node_id}=([^|]*)", 1)


def to_bytes(frame: pl.DataFrame) -> bytes:
    """Arrow IPC, zstd: what a checkpoint keeps of a batch. As a stream: Polars writes files by way of its engine."""
    buffer = io.BytesIO()
    # Of a copy (which shares the columns): Polars locks the frame it writes, and whoever asks another thread's frame
    # for anything meanwhile waits with the interpreter's lock in his hand, which the writing needs.
    frame.clone().write_ipc_stream(buffer, compression="zstd")
    return buffer.getvalue()


def from_bytes(data: bytes) -> pl.DataFrame:
    """The frame `to_bytes` was given; earlier versions of the program wrote Arrow files."""
    return pl.read_ipc(io.BytesIO(data)) if data.startswith(_FILE) else pl.read_ipc_stream(io.BytesIO(data))


def empty_instances() -> pl.DataFrame:
    """A frame with the instance columns and no row."""
    return pl.DataFrame(schema=INSTANCE_SCHEMA)
