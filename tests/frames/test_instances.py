"""Batches as bytes."""

from __future__ import annotations

import io
import threading

import polars as pl

from studio.frames.instances import empty_instances, from_bytes, to_bytes


def test_what_is_written_is_read_again() -> None:
    frame = pl.DataFrame(
        {"instance_id": [2**64 - 1, 0], "var.x": ["ü", None]}, schema_overrides={"instance_id": pl.UInt64}
    )
    for one in (frame, empty_instances(), frame.with_columns(pl.lit("DE").alias("var.land"))):
        assert from_bytes(to_bytes(one)).equals(one)
        assert from_bytes(to_bytes(one)).schema == one.schema


def test_what_an_earlier_version_wrote_is_read() -> None:
    frame, buffer = pl.DataFrame({"instance_id": [1, 2]}), io.BytesIO()
    frame.write_ipc(buffer, compression="zstd")
    assert from_bytes(buffer.getvalue()).equals(frame)


def test_a_frame_can_be_asked_while_another_thread_writes_it() -> None:
    frame = pl.DataFrame({"instance_id": [1, 2, 2]})
    writing = threading.Thread(target=lambda: [to_bytes(frame) for _ in range(300)])
    writing.start()
    while writing.is_alive():
        assert frame.unique("instance_id").height == 2
    writing.join()
