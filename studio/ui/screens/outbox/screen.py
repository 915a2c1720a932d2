"""The outbox: every message that was to go out, those in doubt first, settling them, and letting held runs go on.

Absent on purpose: sending; the run does that when it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtWidgets import QWidget

from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.outbox.held import HeldRun, HeldRuns, Way
from studio.ui.screens.outbox.returned import ReturnedMail
from studio.ui.screens.runs.rows import OUTBOX_WORDS, Message, messages
from studio.workspace.workspace import Workspace

SHOWN_MAX = 1_000
IN_DOUBT_WORDS = (
    "The connection broke after the message was handed over, so nobody can tell whether it arrived. "
    "Look into the mailbox or the mail server's log, then say what became of it."
)
CHOSEN_WORDS = {
    "in_doubt": IN_DOUBT_WORDS,
    "resolved_sent": (
        "You said that it was sent. If it did not arrive after all, send it again: only this message goes, and nobody "
        "is moved in the workflow a second time."
    ),
    "resend_approved": "You let it go again. Until it has gone you can take that back and say that it was sent.",
}
"""State of the chosen message → what can be done about it."""
HELD_WORDS = "Its run is held. Say above how it goes on, then you can decide about its messages."


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the outbox shows."""

    messages: list[Message]
    held: tuple[HeldRun, ...]


class Outbox(w.Pane):
    """The newest thousand rows of the ledger, and all those in doubt."""

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        self._workspace = workspace
        self._navigator = navigator
        self._messages: list[Message] = []
        self._held: tuple[HeldRun, ...] = ()
        self._is_resolving = False
        super().__init__(self._make())
        self.refresh: Loader[Ledger] = Loader(self, self._fetch, self._show, "Reading the outbox …")

    def _make(self) -> QWidget:
        states = {"all": "All states", **{state: words.capitalize() for state, (words, _dot) in OUTBOX_WORDS.items()}}
        self.state = w.MenuChip(states, name="State")
        self.state.chosen.connect(lambda _state: self.show_filtered())
        self.was_sent = w.SecondaryButton("It was sent", lambda: self._resolve("sent"))
        self.again = w.SecondaryButton("Send again", lambda: self._resolve("resend"))
        self.hint = w.Text("", "body", "muted")
        self.table: w.Table[Message] = w.Table("Outbox", self._columns())
        self.table.row_chosen.connect(lambda _row: self._show_buttons())
        self.returned = ReturnedMail(lambda: self._workspace.returned)
        self.returned.taken_in.connect(self._read_again)
        line = w.row(self.state, self.hint, self.was_sent, self.again, self.returned.button, spacing=12)
        line.setStretch(1, 1)
        self.held = HeldRuns()
        self.held.released.connect(self._release)
        box = w.column(self.held, self.returned, line, spacing=12, margins=(0, 12, 0, 0))
        card = w.Card(padding=1, name="Outbox")
        card.add(self.table, stretch=1)
        box.addWidget(card, 1)
        return w.panel(box)

    def _columns(self) -> list[w.Column[Message]]:
        return [
            w.Column(title="State", value=lambda m: m.words, dot=lambda m: m.colour, icon=lambda m: m.icon),
            w.Column(title="To", value=lambda m: m.to or m.contact, width="stretch"),
            w.Column(title="Run", value=lambda m: m.run_id),
            w.Column(title="Step", value=lambda m: m.node),
            w.Column(title="Attempts", value=lambda m: m.attempts, numeric=True),
            w.Column(title="Why", value=lambda m: m.reason, width="stretch"),
        ]

    def _fetch(self) -> Ledger:
        runs = self._workspace.runs
        held = tuple(HeldRun(run_id, runs.get(run_id).name, why) for run_id, why in runs.held().items())
        return Ledger(messages([*runs.outbox(state="in_doubt"), *runs.outbox(limit=SHOWN_MAX)]), held)

    def _show(self, ledger: Ledger) -> None:
        found = ledger.messages
        changed = found != self._messages
        self._messages, self._held = found, ledger.held
        self.held.show_runs(ledger.held)
        if not found and not ledger.held:
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

    def _read_again(self) -> None:
        self.refresh()

    @property
    def doubtful(self) -> int:
        """How many messages a person has to decide about."""
        return sum(message.is_in_doubt for message in self._messages)

    def _show_buttons(self) -> None:
        chosen = self.table.current_row
        is_held = chosen is not None and chosen.run_id in {run.run_id for run in self._held}
        is_free = chosen is not None and not is_held and not self._is_resolving
        possible = self._workspace.runs.verdicts(chosen.state) if chosen is not None and is_free else ()
        self.was_sent.setEnabled("sent" in possible)
        self.again.setEnabled("resend" in possible)
        words = IN_DOUBT_WORDS if self.doubtful else "No message is in doubt."
        if chosen is not None and chosen.state in (*CHOSEN_WORDS, "held"):
            words = HELD_WORDS if is_held else CHOSEN_WORDS.get(chosen.state, words)
        self.hint.setText(words)

    def _resolve(self, verdict: Literal["sent", "resend"]) -> None:
        chosen = self.table.current_row
        if chosen is None or verdict not in self._workspace.runs.verdicts(chosen.state):
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

    def _release(self, run_ids: list[str], way: Way) -> None:
        runs = self._workspace.runs
        run_in_background(
            lambda: sum(runs.release(run_id, way) for run_id in run_ids),
            lambda count: self._released(run_ids, count),
            self._failed,
            owner=self,
        )

    def _released(self, run_ids: list[str], count: int) -> None:
        what = f"{numbers.plural(len(run_ids), 'run')} with {numbers.plural(count, 'held message')}"
        self._navigator.notify(f"{what} released. Press Resume to go on.")
        self.refresh()
        if len(run_ids) == 1:
            self._navigator.go("runs", run_ids[0])

    def _failed(self, error: Exception) -> None:
        self._is_resolving = False
        self.show_error(error, self.refresh)
