"""Tables out of files: CSV and whitespace-separated text (also .gz), Parquet, JSON lines, XLSX; every cell as text.

A file is looked through before anything is taken from it, so that a bad one is refused whole, with the bad line.
Absent on purpose: what the columns mean (see `connectors/mapping.py`).
"""

from __future__ import annotations

import codecs
import difflib
import gzip
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from studio.domain.errors import UserFixable

BATCH_ROWS = 50_000
MAX_COLUMNS = 2_000
MAX_LINE_BYTES = 1_000_000
MAX_CELL_BYTES = 1_000_000
MAX_PACKED_RATIO = 200
MAX_UNPACKED = 100_000_000
"""Bytes from which on a packed file may not be more than `MAX_PACKED_RATIO` times as large unpacked: no list is."""
SEPARATORS = (",", ";", "\t", "|")
_NO_SEPARATOR = "\x01"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class TableFile:
    """A readable table. `columns` as the header names them; `separator` None: runs of white space."""

    path: Path
    kind: str
    columns: tuple[str, ...]
    separator: str | None = None
    encoding: str = "utf-8"

    def batches(self) -> Iterator[pl.DataFrame]:
        """Frames of at most about 50,000 rows: `row` (u32, the first data row is 1) and one text column per column."""
        row = 1
        with _as_utf8(self) as path:
            for frame in _frames(self, path):
                _refuse_huge_cells(self.path, frame, row)
                yield frame.with_row_index("row", offset=row)
                row += frame.height


def open_table(path: Path, *, encoding: str | None = None, separator: str | None = None) -> TableFile:
    """Looks the file through and says what it is.

    Raises:
        UserFixable: FILE-MISSING, FILE-UNREADABLE, FILE-EMPTY, FILE-ENCODING (with line), FILE-BINARY, FILE-WIDE,
            FILE-PACKED.
    """
    _readable(path)
    kind = _kind(path)
    if kind == "xlsx":
        _refuse_packed_workbook(path)
    if kind == "jsonl":
        _look_through(path, "utf-8")
    if kind in ("parquet", "xlsx", "jsonl"):
        return TableFile(path, kind, _narrow(path, _columns_of(path, kind)))
    encoding = _look_through(path, encoding)
    header = _first_line(path, encoding)
    if not header.strip():
        raise UserFixable(
            "FILE-EMPTY", "The file has no header line.", where=str(path), hint="Its first line names columns."
        )
    used = separator if separator is not None else _sniff(header)
    columns = tuple(header.split()) if used is None else tuple(pl.read_csv(header.encode(), separator=used).columns)
    return TableFile(path, "text", _narrow(path, columns), used, encoding)


def _narrow(path: Path, columns: tuple[str, ...]) -> tuple[str, ...]:
    if len(columns) > MAX_COLUMNS:
        raise UserFixable(
            "FILE-WIDE",
            f"The file has {len(columns):,} columns; {MAX_COLUMNS:,} are the limit.",
            where=str(path),
            hint="Check the separator, or export only the columns you need.",
        )  # fmt: skip
    return columns


def _refuse_huge_cells(path: Path, frame: pl.DataFrame, first_row: int) -> None:
    """Text files have no longer lines; in Parquet, JSON lines and workbooks one value can be of any size."""
    longest = frame.select(pl.all().str.len_bytes().max())
    for name in (
        name for name, size in zip(longest.columns, longest.row(0), strict=True) if (size or 0) > MAX_CELL_BYTES
    ):
        row = first_row + int(frame.get_column(name).str.len_bytes().fill_null(0).arg_max() or 0)
        raise UserFixable(
            "FILE-WIDE",
            f"A value in “{name}” is longer than {MAX_CELL_BYTES:,} bytes.",
            where=f"{path}, row {row}",
            hint="Export the table without this column, or without documents and pictures in it.",
        )


def _refuse_packed_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            _refuse_packed(path, sum(part.file_size for part in packed.infolist()))
    except (zipfile.BadZipFile, OSError):
        return  # whoever reads the columns says what is wrong with it


def _refuse_packed(path: Path, unpacked: int) -> None:
    if unpacked > MAX_UNPACKED and unpacked > MAX_PACKED_RATIO * path.stat().st_size:
        raise UserFixable(
            "FILE-PACKED",
            f"Unpacked, this file would be more than {MAX_PACKED_RATIO} times as large; no list of people is.",
            where=str(path),
            hint="Export it again, as CSV.",
        )


def _readable(path: Path) -> None:
    if not path.exists():
        near = _similar(path)
        hint = f"Did you mean “{near[0]}”?" if near else "Check the name and the folder."
        raise UserFixable("FILE-MISSING", "There is no such file.", where=str(path), hint=hint)
    if path.is_dir():
        raise UserFixable(
            "FILE-UNREADABLE", "This is a folder, not a file.", where=str(path), hint="Name a file in it."
        )
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise UserFixable("FILE-EMPTY", "The file is empty.", where=str(path), hint="Export it again.")
    except OSError as error:
        raise UserFixable(
            "FILE-UNREADABLE",
            f"The file cannot be read: {error.strerror}.",
            where=str(path),
            hint="Check its permissions.",
        ) from error


def _similar(path: Path) -> list[str]:
    if not path.parent.is_dir():
        return []
    return difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    return {".parquet": "parquet", ".xlsx": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(suffix, "text")


def _raw(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _look_through(path: Path, encoding: str | None) -> str:
    """The encoding every byte of the file agrees with; refuses binary files and endless lines."""
    try:
        with _raw(path) as file:
            start = file.read(4)
            if encoding is None:
                encoding = "utf-16" if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
            file.seek(0)
            _decode_all(path, file, encoding)
    except (gzip.BadGzipFile, EOFError, OSError) as error:
        raise UserFixable(
            "FILE-UNREADABLE", f"The file is damaged: {error}.", where=str(path), hint="Copy or export it again."
        ) from error
    except LookupError:
        raise UserFixable(
            "FILE-ENCODING", f"“{encoding}” is no known encoding.", where=str(path), hint="For example utf-8 or cp1252."
        ) from None
    return encoding


def _decode_all(path: Path, file: BinaryIO, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    line, line_length, unpacked = 1, 0, 0
    while True:
        block = file.read(_BLOCK)
        unpacked += len(block)
        _refuse_packed(path, unpacked)
        if b"\0" in block and not encoding.lower().startswith("utf-16"):
            raise UserFixable(
                "FILE-BINARY",
                "This is not a text file.",
                where=f"{path}, line {line + block[: block.index(0)].count(10)}",
                hint="Export the table as CSV, Parquet, JSON lines or XLSX.",
            )  # fmt: skip
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            bad = line + block[: error.start].count(b"\n")
            raise UserFixable(
                "FILE-ENCODING", f"Line {bad} is not {encoding}.", where=f"{path}, line {bad}",
                hint='Save the file as UTF-8, or name its encoding in the mapping: [file] encoding = "cp1252".',
            ) from None  # fmt: skip
        if not block:
            return
        newlines = block.count(b"\n")
        line_length = len(block) - 1 - block.rfind(b"\n") if newlines else line_length + len(block)
        if line_length > MAX_LINE_BYTES:
            raise UserFixable(
                "FILE-WIDE", f"Line {line + newlines} is longer than {MAX_LINE_BYTES:,} bytes.", where=str(path),
                hint="Is this really a table? Check that quotes are closed.",
            )  # fmt: skip
        line += newlines


def _first_line(path: Path, encoding: str) -> str:
    with _raw(path) as file:
        text = file.read(MAX_LINE_BYTES).decode(encoding, errors="ignore").lstrip("\ufeff")
    return text.split("\n", 1)[0].rstrip("\r")


def _sniff(header: str) -> str | None:
    counts = {separator: header.count(separator) for separator in SEPARATORS}
    best = max(counts, key=counts.__getitem__)
    if counts[best]:
        return best
    return None if len(header.split()) > 1 else ","


def _columns_of(path: Path, kind: str) -> tuple[str, ...]:
    try:
        if kind == "parquet":
            return tuple(pl.scan_parquet(path).collect_schema().names())
        if kind == "jsonl":
            return tuple(pl.scan_ndjson(path, infer_schema_length=1_000).collect_schema().names())
        return tuple(pl.read_excel(path).columns)
    except (pl.exceptions.PolarsError, ValueError, OSError) as error:
        raise UserFixable(
            "FILE-UNREADABLE",
            f"The file is not a readable {kind} table: {str(error).splitlines()[0]}.",
            where=str(path),
            hint="Export it again.",
        ) from error  # fmt: skip


@contextmanager
def _as_utf8(table: TableFile) -> Iterator[Path]:
    """The file itself, or a temporary UTF-8 copy that is gone afterwards."""
    plain = table.kind != "text" or (table.encoding.lower().replace("-", "") == "utf8" and table.path.suffix != ".gz")
    if plain:
        yield table.path
        return
    with tempfile.TemporaryDirectory(prefix="studio-") as folder:
        copy = Path(folder) / "table.csv"
        with _raw(table.path) as raw, copy.open("w", encoding="utf-8", newline="") as target:
            reader = codecs.getreader(table.encoding)(raw)
            shutil.copyfileobj(reader, target, _BLOCK)
        yield copy


def _frames(table: TableFile, path: Path) -> Iterator[pl.DataFrame]:
    if table.kind == "parquet":
        lazy = pl.scan_parquet(path, glob=False).select(pl.all().cast(pl.String, strict=False))
    elif table.kind == "jsonl":
        lazy = pl.scan_ndjson(path, infer_schema_length=1_000).select(pl.all().cast(pl.String, strict=False))
    elif table.kind == "xlsx":
        lazy = pl.read_excel(path).lazy().select(pl.all().cast(pl.String, strict=False))
    elif table.separator is None:
        yield from _white_space(table, path)
        return
    else:
        lazy = pl.scan_csv(
            path, separator=table.separator, infer_schema=False, glob=False, truncate_ragged_lines=True, low_memory=True
        )
    try:
        for frame in lazy.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            yield from frame.iter_slices(BATCH_ROWS)
    except pl.exceptions.PolarsError as error:
        raise UserFixable(
            "FILE-UNREADABLE", f"The table cannot be read: {str(error).splitlines()[0]}.", where=str(table.path),
            hint="Check the separator and that quotes are closed.",
        ) from error  # fmt: skip


def _below_the_header(lines: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    try:
        yield from lines.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)
    except pl.exceptions.NoDataError:
        # A header alone, without an end of line: Polars has nothing to skip to. There are no rows.
        return


def _white_space(table: TableFile, path: Path) -> Iterator[pl.DataFrame]:
    lazy = pl.scan_csv(
        path, separator=_NO_SEPARATOR, has_header=False, skip_lines=1, quote_char=None, infer_schema=False, glob=False,
        new_columns=["line"],
    )  # fmt: skip
    for frame in _below_the_header(lazy):
        parts = frame.select(pl.col("line").str.extract_all(r"\S+").alias("parts"))
        split = parts.select(
            pl.col("parts").list.get(index, null_on_oob=True).alias(name) for index, name in enumerate(table.columns)
        )
        yield from split.iter_slices(BATCH_ROWS)
