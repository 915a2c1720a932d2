"""Reading mail that came back: bounce reports, complaints and answers, out of a file or a folder of mail.

Absent on purpose: understanding it (`workspace.returned`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.domain.errors import UserFixable
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import Progress, Task, run_with_progress
from studio.ui.screens.place import Place
from studio.workspace.returned import ReturnedReport, ReturnedStory, consequences, found

FILES = "Mail (*.eml *.mbox *.mbx);;All files (*)"
ABOUT = "Bounce reports, complaints and answers, as a mail program keeps them: .eml, mbox or Maildir"


class ReturnedMail(w.Card):
    """Hidden until a mailbox is read. `taken_in` when something may have changed."""

    taken_in = Signal()

    def __init__(self, story: Callable[[], ReturnedStory]) -> None:
        super().__init__(padding=14, spacing=8, name="Returned mail")
        self._story = story
        self._task: Task[ReturnedReport] | None = None
        self.button = w.MenuButton("Read returned mail", [("A file …", self._file), ("A folder …", self._folder)])
        self.button.setToolTip(ABOUT)
        self._title = w.Text("", "subheading")
        head = w.row(self._title, w.IconButton("x", "Close", self._close, size=16), spacing=12)
        head.setStretch(0, 1)
        self._body = Place(spacing=6)
        self.add(head, self._body)
        self.hide()

    def read(self, path: Path) -> None:
        """Takes a mailbox in and says what it held."""
        working = w.Working(f"Reading {path.name} …", self._close)
        self._title.setText("Returned mail")
        self._body.fill(working)
        self.show()

        def work(progress: Progress) -> ReturnedReport:
            def tell(count: int) -> None:
                if progress.cancelled:
                    raise UserFixable(
                        "IMPORT-CANCELLED", "Reading was cancelled.", hint="What was read before is kept."
                    )
                progress.report(None, f"{numbers.plural(count, 'message')} read …")

            return self._story().take_in(path, tell)

        failed = lambda error: self._failed(path, error)  # noqa: E731 - the path belongs to it
        self._task = run_with_progress(work, self._done, failed, working.set_progress, owner=self)

    def _done(self, report: ReturnedReport) -> None:
        self._task = None
        self._title.setText(finding(report))
        parts: list[QWidget] = [w.Text(f"{numbers.count(count)} {words}", "body") for count, words in found(report)]
        parts += [w.Text(sentence, "body", "muted") for sentence in consequences(report)]
        self._body.fill(*parts)
        self.taken_in.emit()

    def _failed(self, path: Path, error: Exception) -> None:
        self._task = None
        self._body.fill(w.ErrorPanel.for_error(error, [("Try again", lambda: self.read(path))]))

    def _close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.hide()

    def _file(self) -> None:
        chosen, _filter = QFileDialog.getOpenFileName(self, "Read returned mail", "", FILES)
        if chosen:
            self.read(Path(chosen))

    def _folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Read a folder of returned mail")
        if chosen:
            self.read(Path(chosen))


def finding(report: ReturnedReport) -> str:
    """The first line: how much of it was about our messages."""
    ours = report.messages - report.not_ours - report.unreadable
    if not ours:
        return f"None of {numbers.plural(report.messages, 'message')} is about a message of this workspace."
    return (
        f"{numbers.count(ours)} of {numbers.plural(report.messages, 'message')} are about messages of this workspace."
    )
