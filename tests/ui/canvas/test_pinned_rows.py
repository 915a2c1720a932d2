"""Pinned people are edited: one or all of them, one more, one less; what is typed wrong changes nothing."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from studio.domain.debugging import Pin, PinnedRow
from studio.ui.canvas.pinned_rows import PinnedRows

A, B, C = (PinnedRow(contact=who) for who in ("a", "b", "c"))


@pytest.fixture
def rows(qtbot: QtBot) -> PinnedRows:
    made = PinnedRows()
    qtbot.addWidget(made)
    made.set_pin(Pin(node="split", rows={"A": (A, B), "B": (C,)}), ("A", "B"))
    return made


def edited(rows: PinnedRows, act: object) -> Pin | None:
    spy = QSignalSpy(rows.edited)
    act.click()  # type: ignore[attr-defined] - one of the buttons
    return spy.at(0)[0] if spy.count() else None


def test_a_value_is_set_for_all_or_for_one(rows: PinnedRows) -> None:
    rows.change.setText("cart_value = 80")
    pin = edited(rows, rows.all)
    assert [row.variables for given in pin.rows.values() for row in given] == [{"cart_value": 80}] * 3
    rows.table.selectRow(1)
    rows.change.setText("name=Ada Lovelace")
    pin = edited(rows, rows.one)
    assert [row.variables.get("name") for row in pin.rows["A"]] == [None, "Ada Lovelace"]
    assert pin.rows["B"] == (C,)


def test_somebody_is_added_and_removed(rows: PinnedRows) -> None:
    rows.who.setText(" d ")
    rows.port.set_value("B")
    assert edited(rows, rows.add).rows["B"] == (C, PinnedRow(contact="d"))
    rows.table.selectRow(0)
    assert edited(rows, rows.away).rows == {"A": (B,), "B": (C,)}


@pytest.mark.parametrize("typed", ["", "80", "= 80", "two words = 1"])
def test_what_is_typed_wrong_changes_nothing(rows: PinnedRows, typed: str) -> None:
    rows.change.setText(typed)
    assert edited(rows, rows.all) is None
    assert edited(rows, rows.away) is None, "nobody is chosen"
    assert edited(rows, rows.add) is None, "nobody is named"
