"""The people: how many, finding somebody, and bringing in a list of contacts or of what they did.

Absent on purpose: editing a person; a corrected list is imported again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.screens.audience.customers import Buying, CustomersCard
from studio.ui.screens.audience.importing import ImportPanel
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.shell import Page
from studio.workspace.workspace import Workspace

SHOWN = 500
_TYPING_MS = 150
FILES = "Tables (*.csv *.tsv *.txt *.gz *.parquet *.jsonl *.xlsx)"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One line of the table."""

    key: str
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class Audience:
    """What is listed: at most `SHOWN` of those who match."""

    count: int
    people: tuple[PersonRow, ...]


class AudiencePage(Page):
    """`entered` takes the path of a file to import."""

    help_topic = "audience"

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        super().__init__("Audience")
        self._workspace, self._navigator = workspace, navigator
        self._count, self._wanted = 0, ""
        self.another = w.PrimaryButton("Import a list", self._choose_file, icon="upload")
        self.header = w.PageHeader("Audience", "", self.another)
        self.search = w.SearchField("Find by name, address or key")
        # A search at each letter would ask for what nobody wants to see any more.
        self._typing = QTimer(self, interval=_TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self.refresh)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self.table: w.Table[PersonRow] = w.Table("People", _columns())
        self._found = w.Text("", "caption", "muted")
        listed = w.Card(padding=14, name="People")
        listed.add(self.search)
        listed.add(self.table, stretch=1)
        listed.add(self._found)
        self.pane = w.Pane(listed)
        self.importing = ImportPanel(workspace.people)
        self.importing.imported.connect(self.refresh)
        self.importing.imported.connect(self._read_customers)
        self.customers = CustomersCard()
        self.importing.hide()
        body = w.column(self.header, self.importing, spacing=16, margins=(40, 26, 40, 26))
        body.addWidget(self.customers)
        body.addWidget(self.pane, 1)
        self._filler = QWidget()
        self._filler.hide()
        body.addWidget(self._filler, 1)
        self.setLayout(body)
        self._load = Loader(self.pane, self._read, self.show_audience, "Looking up people …")

    def entered(self, target: str = "") -> None:
        self.refresh()
        self._read_customers()
        if target:
            self.open_file(Path(target))

    def left(self) -> None:
        self._typing.stop()

    def refresh(self) -> None:
        """Reads the people who match what is searched for."""
        self._wanted = self.search.text().strip()
        self._load()

    def show_audience(self, audience: Audience) -> None:
        """Fills the table, or says how to get people."""
        self._count = audience.count
        self.another.setVisible(audience.count > 0)
        self._show_list(wanted=audience.count > 0 or self.importing.isHidden())
        if not audience.count:
            self.header.set_finding("Nobody is here yet.", "A list of contacts brings people in; nothing is sent by it")
            words = "A CSV, Excel, Parquet or JSON lines file with an address or a customer number in each row."
            self.pane.show_empty(w.EmptyState("No people yet", words, "Import a list", self._choose_file, icon="users"))
            return
        self.header.set_finding(
            f"{numbers.plural(audience.count, 'person', 'people')} in this workspace.",
            "Addresses stay on this computer",
        )
        self.table.set_rows(audience.people)
        self._found.setText(_found_words(audience, self.search.text().strip()))

    def open_file(self, path: Path) -> None:
        """Asks what the columns of a file mean, to import it."""
        self.importing.show()
        self._show_list(wanted=self._count > 0)
        self.importing.open_file(path)

    def _read_customers(self) -> None:
        """What customers are worth; counted when the screen comes to the front, not at each letter of a search."""
        run_in_background(self._buying, self.customers.show_buying, owner=self)

    def _buying(self) -> Buying:
        story = self._workspace.analyses
        return Buying(story.customers(), story.cohorts("month"), story.order_currency())

    def _read(self) -> Audience:
        story, wanted = self._workspace.people, self._wanted
        people = tuple(PersonRow(p.key, p.name, p.email) for p in story.find(wanted, SHOWN))
        return Audience(story.count(), people)

    def _show_list(self, *, wanted: bool) -> None:
        self.pane.setVisible(wanted)
        self._filler.setVisible(not wanted)

    def _choose_file(self) -> None:
        chosen, _filter = QFileDialog.getOpenFileName(self, "Import a list", "", FILES)
        if chosen:
            self.open_file(Path(chosen))


def _columns() -> list[w.Column[PersonRow]]:
    return [
        w.Column(title="Name", value=lambda row: row.name, width="stretch", bold=lambda _row: True),
        w.Column(title="Address", value=lambda row: row.email, width="stretch"),
        w.Column(title="Key", value=lambda row: row.key, help="What your own system calls this person"),
    ]


def _found_words(audience: Audience, wanted: str) -> str:
    shown = len(audience.people)
    if wanted and not shown:
        return f"Nobody matches “{wanted}”."
    if shown == SHOWN:
        return f"The first {numbers.count(SHOWN)} are listed. Search to find others."
    return f"{numbers.plural(shown, 'person', 'people')} found." if wanted else ""
