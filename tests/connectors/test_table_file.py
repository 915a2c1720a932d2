"""Good tables in every form give the same cells; bad ones are refused whole, with the place and the remedy."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from studio.connectors.table_file import BATCH_ROWS, open_table
from studio.domain.errors import UserFixable

CELLS = pl.DataFrame({"key": ["a", "b", "ü"], "amount": ["1", "2.50", "3"]})


def cells(path: Path, **options: str) -> pl.DataFrame:
    return pl.concat(open_table(path, **options).batches()).drop("row")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("packed", [False, True])
def test_delimited_text_is_recognised(tmp_path: Path, separator: str, packed: bool) -> None:
    data = CELLS.write_csv(separator=separator).encode()
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    assert cells(path).equals(CELLS)


def test_white_space_separated_text(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(" key   amount\n a  1\nb\t2.50 \n  ü 3\n", encoding="utf-8")
    assert cells(path).equals(CELLS)


def test_parquet_json_lines_and_xlsx(tmp_path: Path) -> None:
    CELLS.write_parquet(tmp_path / "t.parquet")
    CELLS.write_ndjson(tmp_path / "t.jsonl")
    assert cells(tmp_path / "t.parquet").equals(CELLS)
    assert cells(tmp_path / "t.jsonl").equals(CELLS)


def test_other_encodings_are_read_when_named_or_marked(tmp_path: Path) -> None:
    text = CELLS.write_csv()
    (tmp_path / "latin.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "wide.csv").write_bytes(text.encode("utf-16"))
    (tmp_path / "marked.csv").write_bytes(text.encode("utf-8-sig"))
    assert cells(tmp_path / "latin.csv", encoding="cp1252").equals(CELLS)
    assert cells(tmp_path / "wide.csv").equals(CELLS)
    assert cells(tmp_path / "marked.csv").equals(CELLS)


def test_rows_are_numbered_across_batches(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    total = BATCH_ROWS * 2 + 17
    path.write_text("n\n" + "\n".join(map(str, range(1, total + 1))), encoding="utf-8")
    frames = list(open_table(path).batches())
    whole = pl.concat(frames)
    assert max(frame.height for frame in frames) <= BATCH_ROWS
    assert whole["row"].to_list() == whole["n"].cast(pl.Int64).to_list() == list(range(1, total + 1))


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        (b"", "FILE-EMPTY", ""),
        (b"key,name\na,M\xfcller\n", "FILE-ENCODING", "line 2"),
        (b"key\n" + b"x" * 70_000 + b"\n" + b"\xff", "FILE-ENCODING", "line 3"),
        (b"PK\x03\x04\0\0\0", "FILE-BINARY", "line 1"),
        (b"key\n" + b"x" * 3_000_000, "FILE-WIDE", ""),
        ((",".join(f"c{i}" for i in range(3_000)) + "\n").encode(), "FILE-WIDE", ""),
    ],
)
def test_a_bad_file_is_refused_with_place_and_remedy(tmp_path: Path, content: bytes, code: str, place: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(UserFixable) as caught:
        open_table(path)
    assert caught.value.code == code
    assert place in (caught.value.where or "")
    assert caught.value.hint


def test_missing_folder_damaged_and_near_names(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("key\n", encoding="utf-8")
    with pytest.raises(UserFixable, match="no such file") as caught:
        open_table(tmp_path / "contact.csv")
    assert "contacts.csv" in caught.value.hint
    with pytest.raises(UserFixable, match="folder"):
        open_table(tmp_path)
    broken = tmp_path / "t.csv.gz"
    broken.write_bytes(gzip.compress(random.Random(1).randbytes(50_000))[:-20])
    with pytest.raises(UserFixable, match=r"damaged|not a text"):
        open_table(broken)
    (tmp_path / "t.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(UserFixable, match="readable parquet"):
        open_table(tmp_path / "t.parquet")


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"customer date")
    table = open_table(tmp_path / "t.txt")
    assert (table.columns, list(table.batches())) == (("customer", "date"), [])


@given(st.binary(max_size=300))
@example(b"\x01\x0b\x01")
def test_no_bytes_at_all_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "t.csv"
    path.write_bytes(data)
    try:
        list(open_table(path).batches())
    except UserFixable as error:
        assert error.hint


def test_a_value_of_many_megabytes_is_refused_with_its_column_and_row(tmp_path: Path) -> None:
    notes = pl.Series("notes", ["short", None, "x" * 50_000_000, "y"])
    pl.DataFrame({"key": ["a", "b", "c", "d"], "notes": notes}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(UserFixable, match="“notes” is longer than 1,000,000 bytes") as refused:
        list(open_table(tmp_path / "t.parquet").batches())
    assert (refused.value.code, str(refused.value.where).endswith("row 3")) == ("FILE-WIDE", True)


@pytest.mark.parametrize("columns", [3_000, 200_000])
def test_thousands_of_columns_are_refused_in_every_form(tmp_path: Path, columns: int) -> None:
    names = [f"c{number}" for number in range(columns)]
    (tmp_path / "t.csv").write_text(",".join(names) + "\n")
    (tmp_path / "t.jsonl").write_text(json.dumps(dict.fromkeys(names, 1)) + "\n")
    files = [tmp_path / "t.csv", tmp_path / "t.jsonl"]
    if columns < 10_000:
        pl.DataFrame({name: [1] for name in names}).write_parquet(tmp_path / "t.parquet")
        files.append(tmp_path / "t.parquet")
    for file in files:
        with pytest.raises(UserFixable) as refused:
            open_table(file)
        assert refused.value.code == "FILE-WIDE"


def test_what_unpacks_to_hundreds_of_times_its_size_is_refused_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.connectors.table_file.MAX_UNPACKED", 5_000_000)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"key\n" + b"a\n" * 5_000_000))
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as workbook:
        workbook.writestr("a", bytes(10_000_000))
    for name in ("t.csv.gz", "t.xlsx"):
        with pytest.raises(UserFixable) as refused:
            open_table(tmp_path / name)
        assert refused.value.code == "FILE-PACKED"
