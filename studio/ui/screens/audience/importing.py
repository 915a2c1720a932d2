"""Bringing a file in: what its columns mean, whether its people agreed to mail, and what became of each row.

Absent on purpose: reading and checking rows (the workspace's story of people).
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from studio.domain.errors import UserFixable
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import Progress, Task, run_in_background, run_with_progress
from studio.ui.faults import explain
from studio.ui.screens.audience.column_guess import CONTACT_FIELDS, EVENT_FIELDS, REQUIRED, guess_columns, guess_kind
from studio.ui.screens.place import Place
from studio.ui.theme import theme
from studio.workspace.people import ImportReport, PeopleStory, RejectedRow

KINDS = {"contacts": "Contacts", "events": "What people did"}
NONE = "not in the file"
FEW = 6
"""Left-out rows up to this many are shown without scrolling."""


class ImportPanel(w.Card):
    """Shown for one file at a time. `imported` when something came in."""

    imported = Signal()

    def __init__(self, people: PeopleStory) -> None:
        super().__init__(padding=16, name="Import a list")
        self._people = people
        self._path = Path()
        self._columns: tuple[str, ...] = ()
        self._task: Task[ImportReport] | None = None
        self.fields: dict[str, QComboBox] = {}
        self.agreed, self.proof = QCheckBox(), QLineEdit()
        self._problem = w.Text("", "body", "bad")
        self._title = w.Text("", "subheading")
        self.kind = w.Segmented(KINDS, "contacts", name="What the file holds")
        self.kind.chosen.connect(lambda _kind: self._ask())
        close = w.IconButton("x", "Close the import", self._close, size=16)
        head = w.row(self._title, self.kind, close, spacing=12)
        head.setStretch(0, 1)
        self._body = Place(spacing=10)
        self.add(head, self._body)

    def open_file(self, path: Path) -> None:
        """Looks at the file's columns and asks what they mean."""
        self._path = path
        self._title.setText(f"Import {path.name}")
        self.kind.hide()
        self._show(w.Text("Looking at the file …", "body", "muted"))
        run_in_background(lambda: self._people.columns(path), self._opened, self._refused, owner=self)

    def start(self) -> None:
        """Imports with the columns chosen."""
        chosen = {name: str(box.currentData()) for name, box in self.fields.items() if box.currentData()}
        missing = [name for name in REQUIRED[self.kind.value] if name not in chosen]
        if missing:
            titles = ", ".join(_titles(self.kind.value)[name].lower() for name in missing)
            self._problem.setText(f"Choose the column that holds: {titles}.")
            self._problem.show()
            return
        mapping: dict[str, object] = dict(chosen)
        if self.kind.value == "contacts" and self.agreed.isChecked():
            proof = self.proof.text().strip()
            mapping["consent"] = {"topic": "marketing", "basis": "consent", "source": proof or self._path.name}
        self._run(self.kind.value, mapping)

    def _run(self, kind: str, mapping: dict[str, object]) -> None:
        path, people = self._path, self._people
        working = w.Working(f"Importing {path.name} …", self._cancel)
        self._show(working)

        def work(progress: Progress) -> ImportReport:
            def tell(_what: str, rows: int) -> None:
                if progress.cancelled:
                    raise UserFixable("IMPORT-CANCELLED", "The import was cancelled.", hint="Nothing was changed.")
                progress.report(None, f"{numbers.count(rows)} rows read …")

            kept = people.keep_mapping(kind, mapping)
            take = people.import_contacts if kind == "contacts" else people.import_events
            return take(path, kept, tell)

        self._task = run_with_progress(work, self._done, self._failed, working.set_progress, owner=self)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._ask()

    def _opened(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self.kind.set_value(guess_kind(columns))
        self.kind.show()
        self._ask()

    def _ask(self) -> None:
        kind = self.kind.value
        guessed = guess_columns(kind, self._columns)
        grid, self.fields = w.GridFlow(190, spacing=12), {}
        for name, title in _titles(kind).items():
            box = _column_box(self._columns, guessed.get(name), optional=name not in REQUIRED[kind])
            self.fields[name] = box
            grid.addWidget(w.Field(title, box))
        self._problem = w.Text("", "body", "bad")
        self._problem.hide()
        parts: list[QWidget] = []
        if kind == "contacts":
            self.agreed = QCheckBox("These people agreed to get marketing mail")
            self.proof = QLineEdit()
            proof = w.Field("Where they agreed", self.proof, "Kept as the proof, such as “newsletter form 2026”.")
            proof.setVisible(False)
            self.agreed.toggled.connect(proof.setVisible)
            parts = [self.agreed, proof]
        go = w.PrimaryButton("Import", self.start)
        self._show(w.panel(grid), *parts, self._problem, w.panel(w.row(go, w.STRETCH)))

    def _done(self, report: ImportReport) -> None:
        self._task = None
        self.kind.hide()
        self._title.setText(_finding(report))
        parts: list[QWidget] = [w.Text(_counts(report), "body", "muted")]
        if report.rejects:
            few = len(report.rejects) <= FEW
            table = w.Table("Rows left out", _reject_columns(), report.rejects, fit_rows=few)
            if not few:
                table.setFixedHeight(theme().px(260))
            parts.append(table)
        self._show(*parts)
        self.imported.emit()

    def _failed(self, error: Exception) -> None:
        self._task = None
        self.kind.show()
        fault = explain(error)
        self._ask()
        self._problem.setText(f"{fault.happened} {fault.to_do}".strip())
        self._problem.show()

    def _refused(self, error: Exception) -> None:
        panel = w.ErrorPanel.for_error(error, [("Try again", lambda: self.open_file(self._path))])
        self._show(panel)

    def _close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.hide()
        self.imported.emit()

    def _show(self, *parts: QWidget) -> None:
        self._body.fill(*parts)


def _titles(kind: str) -> dict[str, str]:
    return dict(CONTACT_FIELDS if kind == "contacts" else EVENT_FIELDS)


def _column_box(columns: tuple[str, ...], chosen: str | None, *, optional: bool) -> QComboBox:
    box = QComboBox()
    box.addItem(NONE if optional else "choose …", "")
    for column in columns:
        box.addItem(column, column)
    box.setCurrentIndex(max(0, box.findData(chosen or "")))
    return box


def _finding(report: ImportReport) -> str:
    left = f", {numbers.count(report.quarantined)} left out" if report.quarantined else ", none left out"
    return f"{numbers.count(report.accepted)} of {numbers.plural(report.rows, 'row')} taken in{left}."


def _counts(report: ImportReport) -> str:
    parts = [
        f"{numbers.count(report.added)} new",
        f"{numbers.count(report.changed)} changed",
        f"{numbers.count(report.unchanged)} known already",
    ]
    if report.repeated:
        parts.append(f"{numbers.count(report.repeated)} said twice")
    more = len(report.rejects) < report.quarantined
    listed = f" The first {numbers.count(len(report.rejects))} left out are listed." if more else ""
    return f"{', '.join(parts)}.{listed}"


def _reject_columns() -> list[w.Column[RejectedRow]]:
    return [
        w.Column(title="Row", value=lambda row: row.row, numeric=True),
        w.Column(title="Field", value=lambda row: row.field),
        w.Column(title="Why it was left out", value=lambda row: row.message, width="stretch"),
        w.Column(title="What stood there", value=lambda row: row.value),
    ]
