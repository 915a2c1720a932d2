"""The people of a workspace: upserted by key, consents and suppressions appended, read through `ContactView`.

Ids are dense and never given twice. A property's type is the widest it was ever imported as. Absent on purpose: reading
files and deciding who may be written to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from studio.domain.clock import Clock
from studio.store import schema
from studio.store.contact_fields import BUILT_IN, TYPES, FieldBlocks, field_kinds
from studio.store.database import Database, bulk
from studio.store.few_contacts import FEW, FewContacts, expressions, known_types
from studio.store.rows import frame_of, joined_columns, rows_of, split_columns
from studio.store.schema import micros
from studio.store.upsert import UpsertReport, address_hash, address_hashes, upsert

EVERYTHING = "all"
"""The scope of a suppression that holds for every channel and topic."""

_INSERT_CONSENT = """
INSERT INTO consents (contact_id, channel, topic, state, basis, source, text_version, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
CONSENT_COLUMNS = ("contact_id", "channel", "topic", "state", "basis", "source", "text_version", "at")


@dataclass(frozen=True, slots=True)
class Person:
    """One contact as a search shows it."""

    id: int
    key: str
    email: str | None
    name: str | None


class People:
    """The port `Contacts`, and what imports and forms need beyond it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._blocks = FieldBlocks(database)
        self._few = FewContacts(database)

    def at(self, now: datetime) -> PeopleView:
        return PeopleView(self._database, now, self._blocks, self._few)

    def upsert_contacts(self, frame: pl.DataFrame, source: str) -> UpsertReport:
        """Adds and changes people by `key`, all in one transaction.

        Columns: `key` (unique; of equal keys the last row counts), and any of `email`, `name`, `language`, `zone`,
        `properties` (JSON object as text, or a struct). A null, like a missing column, keeps what is known; properties
        are merged by name. Every row joins `source`, which `ContactView.ids` can ask for.
        """
        with self._database.write() as connection:
            return upsert(connection, frame, source, self._clock.now())

    def add_consents(self, frame: pl.DataFrame) -> int:
        """Appends statements: `contact_id`, `channel`, `topic`, `state` (granted | withdrawn), `basis`, `source`,
        `at` (null: no date is known, so it precedes every dated one), optional `text_version`; how many.
        """
        frame = frame if "text_version" in frame.columns else frame.with_columns(text_version=pl.lit(None, pl.String))
        wrong = frame.filter(~pl.col("state").is_in(["granted", "withdrawn"]))
        assert wrong.is_empty(), "consent is granted or withdrawn"
        moments = pl.col("at").cast(pl.Datetime("us", "UTC")).to_physical().fill_null(0)
        with self._database.write() as connection:
            bulk(connection).executemany(_INSERT_CONSENT, rows_of(frame.with_columns(moments), CONSENT_COLUMNS))
        return frame.height

    def suppress(
        self,
        *,
        reason: str,
        at: datetime,
        contact_id: int | None = None,
        email: str | None = None,
        scope: str = EVERYTHING,
    ) -> None:
        """Nobody writes to this person, or to this address whoever has it, from `at` on.

        `scope`: `all`, a channel (`email`), or channel and topic (`email:newsletter`). Only the address's hash is kept.
        """
        assert contact_id is not None or email is not None, "a suppression needs a person or an address"
        with self._database.write() as connection:
            connection.execute(
                schema.suppressions.insert(),
                {
                    "contact_id": contact_id,
                    "address_hash": address_hash(email) if email is not None else None,
                    "scope": scope,
                    "reason": reason,
                    "at": at,
                },
            )

    def count(self, source: str | None = None) -> int:
        """How many people there are, or came with one import."""
        table = schema.contacts if source is None else schema.contact_sources
        query = sa.select(sa.func.count()).select_from(table)
        if source is not None:
            query = query.where(schema.contact_sources.c.source == source)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def sources(self) -> dict[str, int]:
        """The imports people came with, and how many each."""
        column = schema.contact_sources.c.source
        with self._database.read() as connection:
            rows = connection.execute(sa.select(column, sa.func.count()).group_by(column).order_by(column))
            return {row[0]: row[1] for row in rows}

    def find(self, text: str, limit: int = 20) -> list[Person]:
        """People whose key, address or name contains `text`, exact keys and addresses first."""
        table = schema.contacts
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns = (table.c.key, table.c.email, table.c.name)
        query = (
            sa.select(table.c.id, *columns)
            .where(sa.or_(*(column.ilike(pattern, escape="\\") for column in columns)))
            .order_by(sa.or_(table.c.key == text, table.c.email == text).desc().nulls_last(), table.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [Person(*row) for row in connection.execute(query)]

    def ids_of(self, values: pl.Series, by: str = "key") -> pl.DataFrame:
        """`key` (or `email`, whatever its case) and `contact_id` of the people who have one of the values.

        In the order of the values, each once; unknown ones are left out.
        """
        assert by in ("key", "email")
        wanted = pl.DataFrame({by: values.cast(pl.String).drop_nulls().unique(maintain_order=True)})
        if not self._has_anybody():
            return pl.DataFrame(schema={by: pl.String(), "contact_id": pl.UInt32()})
        column = "key" if by == "key" else "address_hash"
        hashes = address_hashes(wanted.get_column(by).to_list()) if by == "email" else wanted.get_column(by)
        wanted = wanted.with_columns(pl.Series("sought", hashes, dtype=pl.String))
        rows: list[tuple[Any, ...]] = []
        with self._database.read() as connection:
            cursor = bulk(connection)
            for part in wanted.iter_slices(50_000):
                cursor.execute(
                    f"SELECT {column}, id FROM contacts WHERE {column} IN (SELECT value FROM json_each(?))",  # noqa: S608 - one of two names
                    (json.dumps(part.get_column("sought").to_list()),),
                )
                rows.extend(cursor.fetchall())
        found = frame_of(rows, {"sought": pl.String(), "contact_id": pl.UInt32()})
        return wanted.join(found, on="sought", maintain_order="left").select(by, "contact_id")

    def _has_anybody(self) -> bool:
        with self._database.glance() as cursor:
            cursor.execute("SELECT 1 FROM contacts LIMIT 1")
            return cursor.fetchone() is not None

    def field_names(self) -> tuple[str, ...]:
        """Every field some contact has, built-in ones first."""
        return (*BUILT_IN, *self.field_types())

    def field_types(self) -> dict[str, pl.DataType]:
        """The properties people have, by name, with their types."""
        with self._database.read() as connection:
            return field_types(connection)


def field_types(connection: sa.Connection) -> dict[str, pl.DataType]:
    """Properties and their types, by name."""
    return {name: TYPES[kind] for name, kind in field_kinds(connection).items()}


class PeopleView:
    """The port `ContactView`."""

    def __init__(self, database: Database, now: datetime, blocks: FieldBlocks, few: FewContacts) -> None:
        self._database = database
        self._now = now
        self._blocks = blocks
        self._few = few

    def ids(self, after: int, limit: int, source: str | None = None) -> pl.Series:
        """See the port."""
        known = self._blocks.ids(after, limit) if source is None else None
        if known is not None:
            return known
        query = "SELECT id FROM contacts WHERE id > ? ORDER BY id LIMIT ?"
        parameters: tuple[object, ...] = (after, limit)
        if source is not None:
            query = """
                SELECT contact_id AS id FROM contact_sources WHERE source = ? AND contact_id > ?
                 ORDER BY contact_id LIMIT ?
            """
            parameters = (source, after, limit)
        with self._database.read() as connection:
            cursor = bulk(connection)
            # As one text: 50,000 numbers as Python objects cost three times as much.
            cursor.execute(f"SELECT group_concat(id) FROM ({query})", parameters)  # noqa: S608 - one of two own texts
            (text,) = cursor.fetchone() or (None,)
        texts = pl.Series("contact_id", [text] if text else [], dtype=pl.String)
        return texts.str.split(",").explode(empty_as_null=False).cast(pl.UInt32)

    def names(self) -> tuple[str, ...]:
        """See the port."""
        with self._database.read() as connection:
            return (*BUILT_IN, *field_types(connection))

    def fields(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame:
        """See the port. Unknown ids have nulls. Numbers and truth values keep their type; everything else is text."""
        ids = ids.alias("contact_id").cast(pl.UInt32)
        found = self._blocks.rows(ids, names)
        if found is not None:
            return found
        return self._few.fields(ids, names) if len(ids) <= FEW else self._selected(ids, names)

    def few(
        self, ids: Sequence[int], names: Sequence[str]
    ) -> tuple[Mapping[str, pl.DataType], list[Mapping[str, object]]]:
        """See the port."""
        return self._few.few(ids, names)

    def _selected(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame:
        with self._database.read() as connection:
            known = known_types(connection)
            columns = {"contact_id": pl.UInt32(), **{name: known[name] for name in names if name in known}}
            found = _select_fields(connection, ids, columns)
        joined = ids.to_frame().join(found, on="contact_id", how="left", maintain_order="left")
        nothing = [pl.lit(None, pl.String).alias(name) for name in names if name not in columns]
        return joined.with_columns(nothing).select("contact_id", *names)

    def consent(self, ids: pl.Series, channel: str, topic: str) -> pl.DataFrame:
        """See the port: one row per id, in their order. Of statements of the same moment the last one made counts."""
        ids = ids.alias("contact_id").cast(pl.UInt32)
        if ids.is_empty():
            return pl.DataFrame(schema={"contact_id": pl.UInt32(), "state": pl.String()})
        where, parameters = _among(ids, "contact_id")
        query = f"FROM consents WHERE channel = ? AND topic = ? AND {where} AND at <= ?"
        columns = joined_columns(("contact_id", "at", "id", "state"))
        with self._database.read() as connection:
            cursor = bulk(connection)
            cursor.execute(f"SELECT {columns} {query}", (channel, topic, *parameters, micros(self._now)))
            found = split_columns(cursor.fetchone() or (), ("contact_id", "at", "id", "state"))
        assert found is not None, "a consent's state holds no separator"
        last = (
            found.select(pl.col("contact_id").cast(pl.UInt32), pl.col("at", "id").cast(pl.Int64), "state")
            .sort("at", "id")
            .unique("contact_id", keep="last")
            .select("contact_id", "state")
        )
        joined = ids.to_frame().join(last, on="contact_id", how="left", maintain_order="left")
        return joined.with_columns(pl.col("state").fill_null("none"))

    def suppressed(self, ids: pl.Series, channel: str, topic: str) -> pl.DataFrame:
        """See the port: one row per suppressed id, with the reason of the first suppression."""
        query = """
            WITH held AS (
                SELECT contact_id, address_hash, reason, at FROM suppressions
                WHERE at <= ? AND scope IN (?, ?, ?)
            )
            SELECT c.id, h.reason, h.at FROM contacts c JOIN held h ON h.contact_id = c.id
             WHERE c.id IN (SELECT value FROM json_each(?))
            UNION ALL
            SELECT c.id, h.reason, h.at FROM contacts c JOIN held h ON h.address_hash = c.address_hash
             WHERE c.id IN (SELECT value FROM json_each(?))
        """
        nobody = pl.DataFrame(schema={"contact_id": pl.UInt32(), "reason": pl.String()})
        wanted = _as_json(ids)
        scopes = (EVERYTHING, channel, f"{channel}:{topic}")
        with self._database.read() as connection:
            cursor = bulk(connection)
            cursor.execute("SELECT 1 FROM suppressions LIMIT 1")
            if cursor.fetchone() is None:
                return nobody
            cursor.execute(query, (micros(self._now), *scopes, wanted, wanted))
            rows = cursor.fetchall()
        found = frame_of(rows, {"contact_id": pl.UInt32(), "reason": pl.String(), "at": pl.Int64()})
        return found.sort("contact_id", "at").unique("contact_id", keep="first", maintain_order=True).drop("at")


def _select_fields(connection: sa.Connection, ids: pl.Series, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Known fields of some people in one statement. Properties are taken out of their JSON by SQLite."""
    if ids.is_empty():
        return pl.DataFrame(schema=dict(columns))
    selected, paths = expressions(columns)
    where, parameters = _among(ids, "id")
    cursor = bulk(connection)
    query = f"FROM contacts WHERE {where}"
    cursor.execute(f"SELECT {joined_columns(selected)} {query}", (*paths, *parameters))
    found = split_columns(cursor.fetchone() or (), list(columns))
    if found is None:
        cursor.execute(f"SELECT {', '.join(selected)} {query}", (*paths, *parameters))
        found = frame_of(cursor.fetchall(), {**dict.fromkeys(columns, pl.String()), "contact_id": pl.UInt32()})
    return found.select(_typed(name, dtype) for name, dtype in columns.items())


def _typed(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    return column == "true" if dtype == pl.Boolean else column.cast(dtype)


def _among(ids: pl.Series, column: str) -> tuple[str, tuple[object, ...]]:
    """A condition that holds for all the ids (and, when they are dense, for a few more) and its parameters."""
    lowest, highest = int(ids.min()), int(ids.max())  # pyright: ignore[reportArgumentType] - u32, not empty
    if highest - lowest < 2 * len(ids):
        return f"{column} BETWEEN ? AND ?", (lowest, highest)
    return f"{column} IN (SELECT value FROM json_each(?))", (_as_json(ids),)  # noqa: S608 - own names


def _as_json(ids: pl.Series) -> str:
    return "[" + ",".join(map(str, ids.to_list())) + "]"
