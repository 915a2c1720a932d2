"""The story of taking data along: the event log as files that any other program reads, in bounded memory.

Absent on purpose: person data (addresses, names); an exported event names its contact by key.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import polars as pl

from studio.domain.clock import Clock
from studio.domain.errors import UserFixable
from studio.frames.moments import as_text
from studio.store.scanning import EventFilter
from studio.store.store import Store

Format: TypeAlias = Literal["csv", "parquet"]
COLUMNS = ("event_id", "occurred_at", "kind", "contact", "value", "currency", "key", "properties")
RUN_COLUMNS = {"run_id": "run", "node_id": "node", "arms": "arms", "actor": "actor"}
PAGE = 50_000
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: files in order, rows and bytes over all of them."""

    files: tuple[Path, ...]
    rows: int
    bytes: int


class ExportsStory:
    """Exports of one workspace."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def events(
        self,
        folder: Path,
        form: Format,
        *,
        run_id: str | None = None,
        kinds: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        progress: Callable[[int], None] = lambda _rows: None,
    ) -> Exported:
        """Writes events into `folder`: `events.csv`, or `events-00001.parquet` and so on. All of it or nothing.

        Args:
            run_id: only of this run; "" is from outside any run; None is everything.
            since, until: both included.
            progress: is told how many rows are written.

        Raises:
            UserFixable: EXPORT-NOT-EMPTY, EXPORT-WRITE.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            hint = "Name a new or an empty folder."
            raise UserFixable("EXPORT-NOT-EMPTY", "There is something in this folder.", where=str(folder), hint=hint)
        wanted = EventFilter(kinds=kinds, since=since, until=until, run_id=run_id)
        frames = self._frames(wanted)
        folder = folder.resolve()
        partial = _unused(folder)
        try:
            partial.mkdir(parents=True)
            written = _write_csv if form == "csv" else _write_parquet
            rows = written(partial, frames, progress)
            if folder.exists():
                folder.rmdir()
            partial.rename(folder)
        except OSError as error:
            hint = "Choose another folder, or free some space."
            raise UserFixable(
                "EXPORT-WRITE", f"The files cannot be written: {error}.", where=str(folder), hint=hint
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        files = tuple(sorted(folder.iterdir()))
        return Exported(files, rows, sum(file.stat().st_size for file in files))

    def _frames(self, wanted: EventFilter) -> Iterator[pl.DataFrame]:
        keys = self._keys()
        columns = ("event_id", "occurred_at", "kind", "contact_id", *COLUMNS[4:], *RUN_COLUMNS)
        for events in _in_pieces(self._store.projections.batches(columns, wanted)):
            for part in events.iter_slices(ROWS_AT_ONCE):
                contact = keys.gather(part.get_column("contact_id")) if len(keys) else pl.Series([None] * part.height)
                yield part.with_columns(contact.alias("contact")).select(
                    *COLUMNS, *(pl.col(name).alias(title) for name, title in RUN_COLUMNS.items())
                )

    def _keys(self) -> pl.Series:
        """The contacts' keys, each at the place of its id: ids are dense, so that looking one up is one step."""
        view, after, pages = self._store.contacts.at(self._clock.now()), -1, []
        while True:
            ids = view.ids(after, PAGE)
            if ids.is_empty():
                break
            after = int(ids[-1])
            pages.append(view.fields(ids, ["key"]))
        if not pages:
            return pl.Series("contact", [], dtype=pl.String)
        known = pl.concat(pages)
        places = pl.DataFrame({"contact_id": pl.int_range(after + 1, eager=True).cast(pl.UInt32)})
        return places.join(known, on="contact_id", how="left", maintain_order="left").get_column("key")


def _unused(folder: Path) -> Path:
    """A place beside the folder where nothing is: what lies there under a name like it may be somebody's."""
    number, beside = 1, folder.with_name(f".{folder.name}.part")
    while beside.exists():
        number += 1
        beside = folder.with_name(f".{folder.name}-{number}.part")
    return beside


def _in_pieces(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Small frames put together until there are enough rows: a file for each would cost more than the rows."""
    waiting: list[pl.DataFrame] = []
    while (frame := next(frames, None)) is not None:
        waiting.append(frame)
        del frame  # while the next one is read, nothing here may keep the last ones in memory
        if sum(part.height for part in waiting) >= ROWS_AT_ONCE // 2:
            whole, waiting = pl.concat(waiting), []
            yield whole
            del whole
    if waiting:
        yield pl.concat(waiting)


def _write_csv(folder: Path, frames: Iterator[pl.DataFrame], progress: Callable[[int], None]) -> int:
    rows, is_first = 0, True
    with (folder / "events.csv").open("wb") as file:
        for frame in _ahead(frame.with_columns(as_text(frame.get_column("occurred_at"))) for frame in frames):
            frame.write_csv(file, include_header=is_first)
            rows, is_first = rows + frame.height, False
            progress(rows)
        if is_first:
            file.write((",".join((*COLUMNS, *RUN_COLUMNS.values())) + "\n").encode())
    return rows


def _ahead(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same frames; the next one is made while the last one is being written."""
    with ThreadPoolExecutor(1, thread_name_prefix="studio-export") as maker:
        coming = maker.submit(next, frames, None)
        while (frame := coming.result()) is not None:
            coming = maker.submit(next, frames, None)
            yield frame


def _write_parquet(folder: Path, frames: Iterator[pl.DataFrame], progress: Callable[[int], None]) -> int:
    rows = 0
    for number, frame in enumerate(frames, 1):
        frame.write_parquet(folder / f"events-{number:05}.parquet", compression="zstd", compression_level=1)
        rows += frame.height
        progress(rows)
    return rows
