"""Segments: immutable Parquet files of events under `events/`, and the manifest rows that make them count.

A file without a manifest row does not exist for any reader; such orphans are what a stop between file and commit
leaves behind. Absent on purpose: which events go into a segment (`log`).
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from studio.store import schema
from studio.store.database import disk_failure
from studio.store.keyed import Keyed
from studio.store.rows import LOG_SCHEMA, SEQ
from studio.store.schema import micros

FOLDER = "events"
SUFFIX = ".parquet"
_CODED = ("kind", "currency", "run_id", "node_id", "arms", "actor", "properties")
_POLARS_NOTE = b"ARROW:schema"
_NO_NOTE = b"studio:texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One manifest row. Moments are microseconds since 1970; `runs` holds "" for events from outside."""

    id: int
    path: Path
    rows: int
    bytes: int
    sha256: str
    seq_first: int
    seq_last: int
    first_at: int
    last_at: int
    kinds: frozenset[str]
    runs: frozenset[str]
    source: str

    def overlaps(self, first_at: int | None, last_at: int | None) -> bool:
        """Whether it may hold events from `first_at` to `last_at`, both included; None is no bound."""
        return (first_at is None or self.last_at >= first_at) and (last_at is None or self.first_at <= last_at)


def content_key(event_ids: pl.Series) -> str:
    """What a batch of events is known by: the same events in the same order give the same key."""
    return hashlib.sha256(event_ids.to_numpy().tobytes()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A segment file that is durable but does not count yet."""

    path: Path
    key: str
    rows: int
    bytes: int
    sha256: str
    first_at: int
    last_at: int
    kinds: tuple[str, ...]
    runs: tuple[str, ...]


def write_file(folder: Path, keyed: Keyed) -> Written:
    """Writes LOG_SCHEMA rows, durable when this returns. A null `seq`, or none, means the one of the manifest row.

    The order matters: content synced before the name exists, the name synced before a manifest row can point at it.
    """
    times = keyed.events.get_column("occurred_at")
    key = content_key(keyed.events.get_column("event_id"))
    data = _as_parquet(keyed)
    path = _unused(folder / f"{times[0]:%Y%m%d}-{key}{SUFFIX}")
    _write_durably(path, data)
    return Written(
        path=path,
        key=key,
        rows=keyed.events.height,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        first_at=micros(times[0]),
        last_at=micros(times[-1]),
        kinds=tuple(sorted(keyed.keys.get_column("kind").unique())),
        runs=tuple(sorted(keyed.keys.get_column("run_id").fill_null("").unique())),
    )


def _as_parquet(keyed: Keyed) -> bytearray:
    frame = keyed.events
    if SEQ not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.Int64).alias(SEQ))
    frame = frame.with_columns(**keyed.coded(_CODED))
    buffer = io.BytesIO()
    frame.select(*LOG_SCHEMA).write_parquet(buffer, compression="zstd", compression_level=1, statistics=False)
    data = bytearray(buffer.getbuffer())
    # The same bytes whether a column came as texts or as numbers of texts, but Polars leaves a note of the latter in
    # the footer, and would give the reader numbers of texts again. Without the note there is what Parquet says: texts.
    note = data.rfind(_POLARS_NOTE)
    if note >= 0:
        data[note : note + len(_POLARS_NOTE)] = _NO_NOTE
    return data


def _unused(path: Path) -> Path:
    """A name no file has: one that is left of a failed COMMIT may still turn out to count after a restart."""
    number, unused = 1, path
    while unused.exists():
        number += 1
        unused = path.with_stem(f"{path.stem}-{number}")
    return unused


def _write_durably(path: Path, data: bytes | bytearray) -> None:
    """Raises Transient STORE-DISK-FULL or STORE-DISK."""
    partial = path.with_suffix(".tmp")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise disk_failure(path.parent, full=error.errno == errno.ENOSPC) from error


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable. Windows does that by itself and cannot open folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def register(connection: sa.Connection, written: Written, seq_first: int, seq_last: int, source: str) -> None:
    """Inserts the manifest row of a written file: from the commit on it counts."""
    values = {name: getattr(written, name) for name in ("key", "rows", "bytes", "sha256", "first_at", "last_at")}
    values |= {"path": written.path.name, "kinds": list(written.kinds), "runs": list(written.runs)}
    values |= {"seq_first": seq_first, "seq_last": seq_last, "source": source}
    connection.execute(schema.segments.insert(), values)


def manifest(connection: sa.Connection, folder: Path, after: int = 0) -> list[Segment]:
    """Manifest rows with an id above `after`, oldest first."""
    table = schema.segments
    rows = connection.execute(sa.select(table).where(table.c.id > after).order_by(table.c.id)).mappings()
    return [
        Segment(
            **{name: row[name] for name in ("id", "rows", "bytes", "sha256", "seq_first", "seq_last")},
            **{name: row[name] for name in ("first_at", "last_at", "source")},
            path=folder / row["path"],
            kinds=frozenset(row["kinds"]),
            runs=frozenset(row["runs"]),
        )
        for row in rows
    ]


def collect_orphans(folder: Path, segments: Iterable[Segment]) -> int:
    """Removes what an interrupted write left in the folder; how many files. Only for the one owner of a store."""
    known = {segment.path.name for segment in segments}
    orphans = [path for path in folder.iterdir() if path.suffix in (SUFFIX, ".tmp") and path.name not in known]
    for path in orphans:
        path.unlink()
    return len(orphans)


def scan(segments: Sequence[Segment], columns: Collection[str]) -> pl.LazyFrame:
    """The rows of some segments, lazily. Asking for `seq` costs a scan per segment. At least one segment."""
    if SEQ not in columns:
        return _scan_files([segment.path for segment in segments]).select(*columns)
    return pl.concat(
        [
            _scan_files([segment.path]).select(*columns).with_columns(pl.col(SEQ).fill_null(segment.seq_last))
            for segment in segments
        ]
    )


def _scan_files(paths: list[Path]) -> pl.LazyFrame:
    return pl.scan_parquet(paths, glob=False, schema=dict(LOG_SCHEMA))


assert len(_POLARS_NOTE) == len(_NO_NOTE), "the footer's length stands in the file"
