"""Tables sort by value, not by words; copy and export what is shown, in a form that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.domain.errors import UserFixable
from studio.ui import export, numbers
from studio.ui.theme import theme
from studio.ui.widgets import Column, Table


@dataclass(frozen=True)
class Step:
    name: str
    people: int
    revenue: float | None = None


STEPS = [Step("Email A", 5_951, 8_060.0), Step("consent", 12_480), Step("Email B", 900, 10_360.0)]


def table(qtbot: QtBot, rows: list[Step] = STEPS, *, fit_rows: bool = False) -> Table[Step]:
    made: Table[Step] = Table(
        "By step",
        [
            Column(title="Step", value=lambda r: r.name, width="stretch"),
            Column(title="People", value=lambda r: r.people, numeric=True),
            Column(title="Revenue", value=lambda r: r.revenue, text=lambda r: numbers.money(r.revenue), numeric=True),
        ],
        rows,
        fit_rows=fit_rows,
    )
    qtbot.addWidget(made)
    made.resize(520, 300)
    made.show()
    return made


def names(made: Table[Step]) -> list[str]:
    return [row.name for row in made.rows()]


def click_header(qtbot: QtBot, made: Table[Step], column: int) -> None:
    header = made.horizontalHeader()
    place = header.viewport().rect().center()
    place.setX(header.sectionViewportPosition(column) + header.sectionSize(column) // 2)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_figures_are_at_the_right_and_written_for_people(qtbot: QtBot) -> None:
    made = table(qtbot)
    model = made.model()
    assert model.data(model.index(1, 1)) == "12,480"
    assert model.data(model.index(1, 2)) == numbers.NOTHING
    for column, side in ((0, Qt.AlignmentFlag.AlignLeft), (1, Qt.AlignmentFlag.AlignRight)):
        for value in (
            model.data(model.index(0, column), Qt.ItemDataRole.TextAlignmentRole),
            model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole),
        ):
            assert value & side


def test_a_click_sorts_by_value_largest_first_then_turns(qtbot: QtBot) -> None:
    made = table(qtbot)
    assert names(made) == ["Email A", "consent", "Email B"]
    click_header(qtbot, made, 1)
    assert names(made) == ["consent", "Email A", "Email B"]
    click_header(qtbot, made, 1)
    assert names(made) == ["Email B", "Email A", "consent"]
    assert made.model().headerData(1, Qt.Orientation.Horizontal) == "People ↑"
    click_header(qtbot, made, 0)
    assert names(made) == ["consent", "Email A", "Email B"], "words regardless of case"


def test_missing_values_come_last_whichever_way(qtbot: QtBot) -> None:
    made = table(qtbot)
    for _turn in range(2):
        click_header(qtbot, made, 2)
        assert names(made)[-1] == "consent"


def test_selection_follows_its_row_through_sorting_and_new_rows_stay_sorted(qtbot: QtBot) -> None:
    made = table(qtbot)
    made.selectRow(0)
    click_header(qtbot, made, 1)
    assert made.current_row == STEPS[0]
    made.set_rows([Step("x", 1), Step("y", 3), Step("z", 2)])
    assert names(made) == ["y", "z", "x"]


def test_the_person_is_told_apart_from_opening(qtbot: QtBot) -> None:
    made = table(qtbot)
    chosen: list[Step] = []
    made.row_chosen.connect(chosen.append)
    with qtbot.waitSignal(made.row_opened) as opened:
        made.setCurrentIndex(made.model().index(2, 0))
        qtbot.keyClick(made, Qt.Key.Key_Return)
    assert chosen == [STEPS[2]] and opened.args == [STEPS[2]]


def test_copy_takes_the_selection_or_everything(qtbot: QtBot) -> None:
    made = table(qtbot)
    made.copy()
    assert QGuiApplication.clipboard().text().count("\n") == 4
    select = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    made.selectionModel().select(made.model().index(1, 0), select)
    made.copy()
    assert QGuiApplication.clipboard().text() == "Step\tPeople\tRevenue\nconsent\t12480\t\n"


def test_export_writes_a_file_that_spreadsheets_read(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "steps.csv"
    monkeypatch.setattr(export, "ask_file", lambda *_arguments: file)
    made = table(qtbot)
    next(action for action in made.actions() if action.text().startswith("Export")).trigger()
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert read == [["Step", "People", "Revenue"], ["Email A", "5951", "8060.0"], ["consent", "12480", ""],
                    ["Email B", "900", "10360.0"]]  # fmt: skip


def test_a_file_that_cannot_be_written_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ask_file", lambda *_arguments: tmp_path / "no such folder" / "x.csv")
    with pytest.raises(UserFixable, match="could not be written"):
        export.save_csv(None, "x", export.Rows(["a"], [[1]]))


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), min_size=2, max_size=2)))
def test_csv_round_trips_and_no_cell_starts_a_formula(values: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(export.csv_text(export.Rows(["a", "b"], values)))))[1:]
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in values
    ]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in read for cell in row)


def test_numbers_below_zero_stay_numbers() -> None:
    assert export.csv_text(export.Rows(["a"], [[-3]])).splitlines()[1] == "-3"


def test_file_names_come_from_titles() -> None:
    assert export.file_name("Revenue against prediction", "csv") == "revenue-against-prediction.csv"
    assert export.file_name("  ¿? ", "png") == "data.png"


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_fitting_table_shows_all_its_rows(qtbot: QtBot, scale: float) -> None:
    theme().set_text_scale(scale)
    made = table(qtbot, fit_rows=True)
    made.resize(900, made.sizeHint().height())
    qtbot.wait(1)
    last = made.visualRect(made.model().index(len(STEPS) - 1, 0))
    assert made.viewport().rect().contains(last)
    assert made.verticalScrollBar().maximum() == 0 and made.horizontalScrollBar().maximum() == 0


def test_a_hundred_thousand_rows_are_quick(qtbot: QtBot) -> None:
    made = table(qtbot, [Step(f"step {n}", n, float(n % 7)) for n in range(100_000)])
    click_header(qtbot, made, 1)
    assert made.rows()[0].people == 99_999
    # Only what shows is asked for: the screen holds some ten rows of three columns.
    asked: list[int] = []
    model = made.model()
    original = model.data
    model.data = lambda index, role=0: (asked.append(index.row()), original(index, role))[1]
    made.grab()
    assert 0 < len(set(asked)) < 30
