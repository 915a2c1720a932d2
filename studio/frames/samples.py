"""Samples of what comes to a node and leaves it: the same people everywhere, so that before and after can be compared.

Instance ids are digests, so the `SAMPLE_ROWS` smallest of them are a fair sample of everybody, and whoever is sampled
at one node is sampled at every node he comes to. Absent on purpose: person data; it is joined in where a sample
is shown.
"""

from __future__ import annotations

import polars as pl

from studio.frames.instances import from_bytes, to_bytes

SAMPLE_ROWS = 50
TEXT_MAX = 2_000

PREFIX = "sample:"
INPUT = "in"


def sample_name(node_id: str, port: str | None) -> str:
    """What the sample of a port is kept under; None: of the node's input."""
    return f"{PREFIX}{node_id}:{INPUT if port is None else 'out.' + port}"


def place_of(name: str) -> tuple[str, str | None]:
    """(node, port) of a sample's name; None for the input."""
    node_id, _, side = name.removeprefix(PREFIX).partition(":")
    return node_id, None if side == INPUT else side.removeprefix("out.")


def write_sample(frame: pl.DataFrame) -> bytes:
    """A sample's bytes, with long texts cut."""
    return to_bytes(frame.with_columns(pl.col(pl.String).str.head(TEXT_MAX)))


def read_sample(data: bytes) -> pl.DataFrame:
    """INSTANCE_SCHEMA and `var.*`, smallest ids first; at most `SAMPLE_ROWS` rows."""
    return from_bytes(data)
