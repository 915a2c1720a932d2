"""Templates that come and go as files: what a file's template may do before it is taken in, sharing one, removing one.

Absent on purpose: reading and judging files (`workspace.own_templates`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.ui import export, numbers
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.faults import explain
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.templates.cards import CardWall
from studio.workspace.own_templates import SUFFIX, Inspected, OwnTemplates, review_by_kind

FILES = f"Shared templates (*{SUFFIX});;All files (*)"
KINDS: Mapping[str, str] = {
    "problem": "Why it cannot be used here",
    "starts": "What starts it",
    "sends": "What it sends",
    "calls": "Web addresses it calls",
    "changes": "What it changes",
    "leads": "Where its links lead",
    "reads": "What it reads",
}
"""Kind of a line of the review → its heading, in the order they are shown."""


class ReviewCard(w.Card):
    """What the template of a file may do. `accepted` when it is to be taken in, `closed` when not."""

    accepted = Signal()
    closed = Signal()

    def __init__(self, inspected: Inspected) -> None:
        title = inspected.template.name["en"]
        super().__init__(f"Take in “{title}”?" if inspected.usable else f"“{title}” cannot be taken in", name="Review")
        self.take = w.PrimaryButton("Take it in", self._accept)
        self.take.setVisible(inspected.usable)
        leave = w.SecondaryButton("Leave it" if inspected.usable else "Close", self._close)
        self.add(w.Text(inspected.template.description["en"], "body", "muted"))
        for words in _warnings(inspected):
            self.add(w.Text(words, "body", "caution"))
        groups = review_by_kind(inspected.lines)
        grid = w.GridFlow(260, spacing=14)
        for kind, heading in KINDS.items():
            if kind in groups:
                lines = [_line(line.text, grave=line.grave) for line in groups[kind]]
                grid.addWidget(w.panel(w.column(w.Text(heading, "strong"), *lines, w.STRETCH, spacing=4)))
        self.add(w.panel(grid), w.panel(w.row(self.take, leave, w.STRETCH)))

    def _accept(self) -> None:
        self.take.setEnabled(False)
        self.accepted.emit()

    def _close(self) -> None:
        self.closed.emit()


class Sharing:
    """Connects the wishes of the wall of cards. `changed(template id)` is called when other templates are there than
    before; the id is that of the new one, empty when one went.
    """

    def __init__(
        self, wall: CardWall, own: OwnTemplates, navigator: Navigator, changed: Callable[[str], object]
    ) -> None:
        self._wall, self._own, self._navigator, self._changed = wall, own, navigator, changed
        wall.import_wanted.connect(self._choose)
        wall.shared.connect(self._share)
        wall.removed.connect(self._remove)

    def open_file(self, path: Path) -> None:
        """Shows what a file's template may do. Nothing is taken in yet."""
        run_in_background(
            lambda: self._own.inspect(path), lambda found: self._show(path, found), self._refused, owner=self._wall
        )

    def _choose(self) -> None:
        chosen, _kind = QFileDialog.getOpenFileName(self._wall, "Import a template", "", FILES)
        if chosen:
            self.open_file(Path(chosen))

    def _show(self, path: Path, inspected: Inspected) -> None:
        card = ReviewCard(inspected)
        card.accepted.connect(lambda: self._take_in(path, inspected))
        card.closed.connect(lambda: self._wall.show_notice(None))
        self._wall.show_notice(card)

    def _take_in(self, path: Path, inspected: Inspected) -> None:
        def taken(template_id: str) -> None:
            self._wall.show_notice(None)
            self._navigator.notify("The template is taken in")
            self._changed(template_id)

        run_in_background(lambda: self._own.keep(inspected, path).id, taken, self._refused, owner=self._wall)

    def _share(self, template_id: str) -> None:
        file = export.ask_file(self._wall, "Share the template", f"{template_id}{SUFFIX}", FILES)
        if file is not None:
            run_in_background(
                lambda: self._own.share(template_id, file),
                lambda written: self._navigator.notify(f"Written: {written.name}. It holds no people and no results."),
                self._refused,
                owner=self._wall,
            )

    def _remove(self, template_id: str) -> None:
        title = self._own.catalogue.get(template_id).name["en"]

        def removed(put_back: Callable[[], None]) -> None:
            self._changed("")
            self._navigator.notify(f"“{title}” is removed", lambda: self._put_back(put_back, template_id))

        run_in_background(lambda: self._own.remove(template_id), removed, self._refused, owner=self._wall)

    def _put_back(self, put_back: Callable[[], None], template_id: str) -> None:
        run_in_background(put_back, lambda _done: self._changed(template_id), self._refused, owner=self._wall)

    def _refused(self, error: Exception) -> None:
        fault = explain(error)
        card = w.Card("That did not work", name="What went wrong")
        card.add(w.Text(f"{fault.happened} {fault.to_do}".strip(), "body", "bad"))
        close = w.SecondaryButton("Close", lambda: self._wall.show_notice(None))
        card.add(w.panel(w.row(close, w.STRETCH)))
        self._wall.show_notice(card)


def _warnings(inspected: Inspected) -> list[str]:
    grave = sum(line.grave for line in inspected.lines)
    found = []
    if grave and inspected.usable:
        found.append(f"{numbers.plural(grave, 'thing')} to look at twice, marked below.")
    if inspected.replaces:
        found.append("It replaces your template of the same name.")
    if inspected.id_here != inspected.template.id:
        found.append("A template that came with the program has its name; that one stays, too.")
    return found


def _line(text: str, *, grave: bool) -> QWidget:
    words = w.Text(text, "secondary", "caution" if grave else "secondary")
    if not grave:
        return words
    line = w.row(w.Badge("state.warning", icon="triangle-alert", name="Look at this twice", size=16), words, spacing=6)
    line.setStretch(1, 1)
    return w.panel(line)
