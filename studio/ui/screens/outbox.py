"""The outbox: every message that was to go out, those in doubt first, and settling them.

Absent on purpose: sending; the run does that when it goes on.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtWidgets import QWidget

from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.run_rows import OUTBOX_WORDS, Message, messages
from studio.workspace.workspace import Workspace

SHOWN_MAX = 1_000
IN_DOUBT_WORDS = (
    "The connection broke after the message was handed over, so nobody can tell whether it arrived. "
    "Look into the mailbox or the mail server's log, then say what became of it."
)


class Outbox(w.Pane):
    """The newest thousand rows of the ledger, and all those in doubt."""

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        self._workspace = workspace
        self._navigator = navigator
        self._messages: list[Message] = []
        self._is_resolving = False
        super().__init__(self._make())
        self.refresh: Loader[list[Message]] = Loader(self, self._fetch, self._show, "Reading the outbox …")

    def _make(self) -> QWidget:
        states = {"all": "All states", **{state: words.capitalize() for state, (words, _dot) in OUTBOX_WORDS.items()}}
        self.state = w.MenuChip(states, name="State")
        self.state.chosen.connect(lambda _state: self.show_filtered())
        self.was_sent = w.SecondaryButton("It was sent", lambda: self._resolve("sent"))
        self.again = w.SecondaryButton("Send again", lambda: self._resolve("resend"))
        self.hint = w.Text("", "body", "muted")
        self.table: w.Table[Message] = w.Table("Outbox", self._columns())
        self.table.row_chosen.connect(lambda _row: self._show_buttons())
        line = w.row(self.state, self.hint, self.was_sent, self.again, spacing=12)
        line.setStretch(1, 1)
        box = w.column(line, spacing=12, margins=(0, 12, 0, 0))
        card = w.Card(padding=1, name="Outbox")
        card.add(self.table, stretch=1)
        box.addWidget(card, 1)
        return w.panel(box)

    def _columns(self) -> list[w.Column[Message]]:
        return [
            w.Column(title="State", value=lambda m: m.words, dot=lambda m: m.colour),
            w.Column(title="To", value=lambda m: m.to or m.contact, width="stretch"),
            w.Column(title="Run", value=lambda m: m.run_id),
            w.Column(title="Step", value=lambda m: m.node),
            w.Column(title="Attempts", value=lambda m: m.attempts, numeric=True),
            w.Column(title="Why", value=lambda m: m.reason, width="stretch"),
        ]

    def _fetch(self) -> list[Message]:
        outbox = self._workspace.runs.outbox
        return messages([*outbox(state="in_doubt"), *outbox(limit=SHOWN_MAX)])

    def _show(self, found: list[Message]) -> None:
        changed = found != self._messages
        self._messages = found
        if not found:
            self.show_empty(
                w.EmptyState(
                    "The outbox is empty",
                    "Messages stand here from the moment they are planned. Simulations send nothing.",
                    icon="mail",
                )
            )
        elif changed:
            self.show_filtered()
        self._show_buttons()

    def show_filtered(self) -> None:
        """The rows of the chosen state."""
        wanted = self.state.value
        self.table.set_rows([m for m in self._messages if wanted in ("all", m.state)])
        self._show_buttons()

    @property
    def doubtful(self) -> int:
        """How many messages a person has to decide about."""
        return sum(message.is_in_doubt for message in self._messages)

    def _show_buttons(self) -> None:
        chosen = self.table.current_row
        can = chosen is not None and chosen.is_in_doubt and not self._is_resolving
        self.was_sent.setEnabled(can)
        self.again.setEnabled(can)
        words = IN_DOUBT_WORDS if self.doubtful else "No message is in doubt."
        self.hint.setText(words)

    def _resolve(self, verdict: Literal["sent", "resend"]) -> None:
        chosen = self.table.current_row
        if chosen is None or not chosen.is_in_doubt:
            return
        self._is_resolving = True
        self._show_buttons()
        run_in_background(
            lambda: self._workspace.runs.resolve(chosen.id, verdict),
            lambda _nothing: self._resolved(chosen, verdict),
            self._failed,
            owner=self,
        )

    def _resolved(self, message: Message, verdict: str) -> None:
        self._is_resolving = False
        words = "is noted as sent" if verdict == "sent" else "will be sent again"
        self._navigator.notify(f"The message to {message.to or message.contact} {words}")
        self.refresh()

    def _failed(self, error: Exception) -> None:
        self._is_resolving = False
        self.show_error(error, self.refresh)
