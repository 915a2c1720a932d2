"""The event log as files: what comes back is what the log holds, whoever reads it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from studio.domain.errors import UserFixable
from studio.frames.events import AT, EVENT_SCHEMA
from studio.workspace import exports
from studio.workspace.workspace import Workspace

DAY = datetime(2026, 3, 2, tzinfo=UTC)


class Standing:
    def now(self) -> datetime:
        return DAY


@pytest.fixture
def shop(tmp_path: Path):
    with Workspace.open(tmp_path / "shop", clock=Standing()) as workspace:
        people = pl.DataFrame({"key": ["anna", "bo", "=cy"], "email": ["a@x.invalid", "b@x.invalid", "c@x.invalid"]})
        people = people.with_columns(pl.lit(None, pl.String).alias(name) for name in ("name", "language", "zone"))
        none = pl.DataFrame(schema={"key": pl.String, "channel": pl.String, "topic": pl.String, "state": pl.String,
                                    "basis": pl.String, "source": pl.String, "at": AT})  # fmt: skip
        rows = 1_500
        events = pl.DataFrame(
            {
                "event_id": pl.Series(range(1, rows + 1), dtype=pl.UInt64),
                "occurred_at": pl.Series([DAY + timedelta(minutes=n) for n in range(rows)], dtype=AT),
                "kind": ["order", "visited"] * (rows // 2),
                "contact_key": [("anna", "bo", "=cy")[n % 3] for n in range(rows)],
                "value": [float(n) for n in range(rows)],
                "properties": ['{"say":"a \\"b\\", c"}', None] * (rows // 2),
            }
        )
        workspace.people.add_made_up(people.with_columns(pl.lit("{}").alias("properties")), none, events)
        yield workspace


def test_csv_has_every_event_once(shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 400)
    done = shop.exports.events(tmp_path / "out", "csv")
    [file] = done.files
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == done.rows == 1_500
    assert {int(row["event_id"]) for row in rows} == set(range(1, 1_501))
    assert rows[2]["contact"] == "=cy", "an export is for programs: what is in it is what was"
    assert rows[0]["properties"] == '{"say":"a \\"b\\", c"}'
    assert datetime.fromisoformat(rows[7]["occurred_at"]) == DAY + timedelta(minutes=7)
    assert sum(float(row["value"]) for row in rows) == sum(range(1_500))


def test_parquet_is_filtered_by_kind_and_time(shop: Workspace, tmp_path: Path) -> None:
    until = DAY + timedelta(minutes=99)
    done = shop.exports.events(tmp_path / "out", "parquet", kinds=["order"], since=DAY, until=until, run_id="")
    found = pl.concat(pl.read_parquet(file) for file in done.files)
    assert found.height == done.rows == 50
    assert found["kind"].unique().to_list() == ["order"]
    assert set(EVENT_SCHEMA) - {"contact_id", "instance_id", "run_id", "node_id"} <= set(found.columns)


def test_a_folder_with_something_in_it_is_left_alone(shop: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UserFixable, match="something in this folder"):
        shop.exports.events(tmp_path / "out", "csv")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_failure_leaves_nothing_behind(shop: Workspace, tmp_path: Path) -> None:
    def stop(_rows: int) -> None:
        raise OSError("no space left")

    with pytest.raises(UserFixable, match="cannot be written"):
        shop.exports.events(tmp_path / "out", "csv", progress=stop)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.part").exists()


def test_an_export_leaves_what_lies_beside_it_alone(shop: Workspace, tmp_path: Path) -> None:
    beside = [tmp_path / "out.part", tmp_path / ".out.part"]
    for folder in beside:
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
    shop.exports.events(tmp_path / "out", "csv")
    assert [(folder / "mine.txt").read_text() for folder in beside] == ["mine", "mine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.part", "out", "out.part", "shop"]
