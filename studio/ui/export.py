"""Rows out of the window: to the clipboard, to a CSV file; pictures to a PNG or SVG file.

Absent on purpose: report files (analytics makes those) and any format a spreadsheet cannot open by double click.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.domain.errors import UserFixable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Rows:
    """A small table as it is copied or saved: raw values, not the words on screen."""

    header: Sequence[str]
    values: Sequence[Sequence[object]]


def csv_text(rows: Rows, delimiter: str = ",") -> str:
    """CSV per RFC 4180. Text that a spreadsheet would run as a formula gets a leading apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(rows.header)
    writer.writerows([_harmless(value) for value in row] for row in rows.values)
    return out.getvalue()


def _harmless(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def copy_rows(rows: Rows) -> None:
    """Puts the rows on the clipboard, tab separated, ready to paste into a spreadsheet."""
    QGuiApplication.clipboard().setText(csv_text(rows, "\t").replace("\r\n", "\n"))


def ask_file(parent: QWidget, title: str, suggested: str, kinds: str) -> Path | None:
    """The file the person chose to save to; None when they thought better of it."""
    chosen, _kind = QFileDialog.getSaveFileName(parent, title, suggested, kinds)
    return Path(chosen) if chosen else None


def save_csv(parent: QWidget, suggested: str, rows: Rows) -> Path | None:
    """Asks for a file and writes UTF-8 with a byte order mark, which spreadsheets need to see the encoding.

    Raises UserFixable (`EXPORT-WRITE`).
    """
    file = ask_file(parent, "Export CSV", file_name(suggested, "csv"), "CSV (*.csv)")
    if file is not None:
        _write(file, ("\ufeff" + csv_text(rows)).encode("utf-8"))
    return file


def save_text(parent: QWidget, suggested: str, kind: str, text: str) -> Path | None:
    """Asks for a file of that kind and writes UTF-8. Raises UserFixable (`EXPORT-WRITE`)."""
    file = ask_file(parent, "Save as", file_name(suggested, kind), f"{kind.upper()} (*.{kind})")
    if file is not None:
        _write(file, text.encode("utf-8"))
    return file


def save_png(parent: QWidget, suggested: str, image: QImage) -> Path | None:
    """Asks for a file and writes the picture. Raises UserFixable (`EXPORT-WRITE`)."""
    file = ask_file(parent, "Export PNG", file_name(suggested, "png"), "PNG picture (*.png)")
    if file is not None and not image.save(str(file)):
        raise _cannot_write(file)
    return file


def save_svg(parent: QWidget, suggested: str, picture: bytes) -> Path | None:
    """Asks for a file and writes the scalable picture. Raises UserFixable (`EXPORT-WRITE`)."""
    file = ask_file(parent, "Export SVG", file_name(suggested, "svg"), "SVG picture (*.svg)")
    if file is not None:
        _write(file, picture)
    return file


def file_name(title: str, suffix: str) -> str:
    """`Revenue against prediction` → `revenue-against-prediction.csv`."""
    return f"{_joined(title.lower().split())}.{suffix}"


def _joined(words: Iterable[str]) -> str:
    kept = ("".join(letter for letter in word if letter.isalnum()) for word in words)
    return "-".join(word for word in kept if word) or "data"


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise _cannot_write(file) from error


def _cannot_write(file: Path) -> UserFixable:
    return UserFixable(
        "EXPORT-WRITE",
        "The file could not be written.",
        where=str(file),
        hint="Choose another folder, or close the file.",
    )
