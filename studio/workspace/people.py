"""The story of people and what they did: importing contacts and events, looking somebody up.

Absent on purpose: reading files (connectors) and SQL (store); here they are joined, all or nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from studio.connectors.mapping import (
    REJECT_SCHEMA,
    ContactMapping,
    EventMapping,
    consent_at,
    load_mapping,
    map_contacts,
    map_events,
    mapping_text,
)
from studio.connectors.table_file import TableFile, open_table
from studio.domain.clock import Clock
from studio.domain.errors import UserFixable
from studio.experiments.assignment import hash64, stable_keys
from studio.frames.events import as_events
from studio.store.contacts import Person
from studio.store.store import Store

SHOWN_REJECTS = 100
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row that was not taken, with the field, why, and what stood there."""

    row: int
    field: str
    code: str
    message: str
    value: str | None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. `rows` were read; of them `accepted` count, `repeated` say what another row says, and
    `quarantined` were left out (the first hundred are listed in `rejects`, all are counted by code in `reasons`).
    """

    file: str
    source: str
    rows: int
    accepted: int
    added: int
    changed: int
    unchanged: int
    repeated: int
    quarantined: int
    reasons: dict[str, int] = field(default_factory=dict)
    rejects: tuple[RejectedRow, ...] = ()


class PeopleStory:
    """Contacts and events of one workspace."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def sources(self) -> dict[str, int]:
        """The imports people came with, and how many each."""
        return self._store.contacts.sources()

    def count(self) -> int:
        """How many people there are."""
        return self._store.contacts.count()

    def find(self, text: str, limit: int = 50) -> list[Person]:
        """People whose key, name or address holds the text."""
        return self._store.contacts.find(text, limit)

    def columns(self, path: Path) -> tuple[str, ...]:
        """The columns of a table file, as its header names them."""
        return open_table(path).columns

    def keep_mapping(self, kind: str, fields: Mapping[str, object]) -> Path:
        """Writes down which column means what, for this import and the next one of its kind; the mapping file."""
        path = self._store.folder / "files" / f"{kind}.mapping.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(mapping_text(fields), encoding="utf-8")
        return path

    def import_contacts(
        self, path: Path, mapping_path: Path | None = None, progress: Progress = lambda *_: None
    ) -> ImportReport:
        """Takes a file's people in by key: new ones are added, known ones changed, bad rows quarantined.

        Everything is read and checked first and then written in one transaction: a refused file changes nothing.

        Raises:
            UserFixable: the file or the mapping is no good, or no row of it is.
        """
        table, mapping = _prepare(path, mapping_path, "contacts")
        assert isinstance(mapping, ContactMapping)
        rows, rejected, total = _collect(table, lambda frame: map_contacts(frame, mapping), progress)
        people, repeated = _by_key(rows)
        people, doubles = self._distinct_addresses(people)
        rejected = pl.concat([rejected, doubles])
        if people.is_empty():
            raise _nothing_usable(path, rejected)
        source = path.name
        with self._store.transaction():
            report = self._store.contacts.upsert_contacts(people.drop("row"), source)
            if mapping.consent is not None:
                given = consent_at(mapping, people["key"], self._clock.now())
                self._store.contacts.add_consents(self._with_ids(given, "key").with_columns(pl.lit(None).alias("at")))
        return _report(
            path, source, total, people.height, report.added, report.changed, report.unchanged, repeated, rejected
        )

    def import_events(
        self, path: Path, mapping_path: Path | None = None, progress: Progress = lambda *_: None
    ) -> ImportReport:
        """Takes a file's events in; an event that is there already (by its id, or by file and row) is not added again.

        Raises:
            UserFixable: the file or the mapping is no good, or no row of it is.
        """
        table, mapping = _prepare(path, mapping_path, "events")
        assert isinstance(mapping, EventMapping)
        rejects: list[pl.DataFrame] = []
        counts = {"rows": 0}
        salt = _digest(path)

        def frames() -> Iterator[pl.DataFrame]:
            for frame in table.batches():
                counts["rows"] += frame.height
                mapped = map_events(frame, mapping)
                known, unknown = self._known_contacts(mapped.rows)
                rejects.extend((mapped.rejected, unknown))
                progress("events", counts["rows"])
                yield _as_events(known, salt)

        done = self._store.import_events(frames(), source=path.name)
        rejected = pl.concat(rejects) if rejects else pl.DataFrame(schema=REJECT_SCHEMA)
        if not done.accepted and not done.duplicates:
            raise _nothing_usable(path, rejected)
        taken = done.accepted + done.duplicates
        return _report(path, path.name, counts["rows"], taken, done.accepted, 0, done.duplicates, 0, rejected)

    def add_made_up(self, contacts: pl.DataFrame, consents: pl.DataFrame, events: pl.DataFrame) -> None:
        """Takes a made-up business in whole: people, their consents (by `key`) and events (by `contact_key`)."""
        with self._store.transaction():
            self._store.contacts.upsert_contacts(contacts, "demo shop")
            self._store.contacts.add_consents(self._with_ids(consents, "key"))
            known = self._with_ids(events, "contact_key")
            self._store.import_events([as_events(known)], source="demo shop")

    def add_events(self, events: pl.DataFrame, source: str) -> None:
        """Takes in events (EVENT_SCHEMA) of people there are; those that are there already are not added again."""
        self._store.import_events([events], source=source)

    def _distinct_addresses(self, people: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """One address, one person: a second key with an address that is taken would be mailed twice."""
        owners = self._store.contacts.ids_of(people["email"].drop_nulls().unique(), by="email")
        keys = self._store.contacts.at(self._clock.now()).fields(owners["contact_id"], ["key"])
        taken = owners.join(keys, on="contact_id").select("email", pl.col("key").alias("owner"))
        first = people.join(taken, on="email", how="left").with_columns(
            pl.coalesce("owner", pl.col("key").first().over("email")).alias("owner")
        )
        clash = pl.col("email").is_not_null() & (pl.col("owner") != pl.col("key"))
        doubles = first.filter(clash).select(
            "row",
            pl.lit("email").alias("field"),
            pl.lit("CONTACT-ADDRESS-TAKEN").alias("code"),
            pl.format("The address belongs to contact {} already.", "owner").alias("message"),
            pl.col("email").alias("value"),
        )
        return first.filter(~clash).drop("owner"), doubles.cast(REJECT_SCHEMA)

    def _known_contacts(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        found = self._with_ids(rows, "contact_key")
        unknown = rows.join(found.select("row"), on="row", how="anti").select(
            "row",
            pl.lit("contact").alias("field"),
            pl.lit("EVENT-UNKNOWN-CONTACT").alias("code"),
            pl.lit("Nobody in this workspace has this key; import the contacts first.").alias("message"),
            pl.col("contact_key").alias("value"),
        )
        return found, unknown.cast(REJECT_SCHEMA)

    def _with_ids(self, frame: pl.DataFrame, key: str) -> pl.DataFrame:
        ids = self._store.contacts.ids_of(frame[key].unique())
        return frame.join(ids, left_on=key, right_on="key", how="inner", maintain_order="left")


def _prepare(path: Path, mapping_path: Path | None, kind: str) -> tuple[TableFile, ContactMapping | EventMapping]:
    table = open_table(path)
    assert kind in ("contacts", "events")
    mapping = load_mapping(mapping_path, kind, table.columns)  # type: ignore[arg-type]
    if mapping.file.encoding or mapping.file.separator:
        table = open_table(path, encoding=mapping.file.encoding, separator=mapping.file.separator)
        mapping = load_mapping(mapping_path, kind, table.columns)  # type: ignore[arg-type]
    return table, mapping


def _collect(
    table: TableFile, mapped: Callable[[pl.DataFrame], object], progress: Progress
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    rows, rejected, total = [], [], 0
    for frame in table.batches():
        part = mapped(frame)
        rows.append(part.rows)
        rejected.append(part.rejected)
        total += frame.height
        progress("rows", total)
    if not rows:
        raise UserFixable(
            "FILE-EMPTY", "The file has a header and no rows.", where=str(table.path), hint="Export it again."
        )
    return pl.concat(rows), pl.concat(rejected).cast(REJECT_SCHEMA), total


def _by_key(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """One row per key, the last one's fields; the number of rows that said nothing of their own."""
    last = rows.unique("key", keep="last", maintain_order=True)
    return last, rows.height - last.height


def _as_events(rows: pl.DataFrame, salt: str) -> pl.DataFrame:
    own = rows["event_key"]
    ids = hash64(salt, rows["row"].cast(pl.UInt64).to_numpy())
    if own.null_count() < own.len():
        named = stable_keys(own.fill_null("").to_list())
        ids = np.where(own.is_not_null().to_numpy(), hash64("event-id", named), ids)
    return as_events(rows.with_columns(pl.Series("event_id", ids, dtype=pl.UInt64), pl.lit("human").alias("actor")))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _nothing_usable(path: Path, rejected: pl.DataFrame) -> UserFixable:
    first = rejected.sort("row").row(0, named=True) if rejected.height else None
    example = f" The first: row {first['row']}, {first['field']}: {first['message']}" if first else ""
    return UserFixable(
        "IMPORT-NOTHING",
        f"Not one row of the file can be used.{example}",
        where=str(path),
        hint="Check the mapping; nothing was changed.",
    )


def _report(
    path: Path,
    source: str,
    rows: int,
    accepted: int,
    added: int,
    changed: int,
    unchanged: int,
    repeated: int,
    rejected: pl.DataFrame,
) -> ImportReport:
    reasons = dict(rejected.group_by("code").len().sort("code").iter_rows())
    shown = tuple(RejectedRow(**row) for row in rejected.sort("row").head(SHOWN_REJECTS).iter_rows(named=True))
    return ImportReport(
        str(path), source, rows, accepted, added, changed, unchanged, repeated, rejected.height, reasons, shown
    )
