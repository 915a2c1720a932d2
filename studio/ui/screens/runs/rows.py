"""A run and a message of the outbox as rows of a table, and which of them a person asked for.

Absent on purpose: Qt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from studio.domain.clock import shown
from studio.domain.ports import RunRow
from studio.domain.run import FINAL_RUN_STATES
from studio.ui.tokens import STATES, Tone
from studio.workspace.insights import RunBrief

MODES: Mapping[str, str] = {"simulate": "Simulate", "test": "Test", "live": "Live"}
STATE_GROUPS: Mapping[str, frozenset[str]] = {
    "open": frozenset({"queued", "running", "waiting", "paused", "stopped"}),
    "done": frozenset({"done"}),
    "failed": frozenset({"failed"}),
}
OUTBOX_WORDS: Mapping[str, tuple[str, str]] = {
    "in_doubt": ("in doubt", "state.waiting"),
    "failed": ("failed", "state.failed"),
    "retry": ("tried again soon", "state.warning"),
    "sending": ("sending", "state.running"),
    "planned": ("planned", "state.queued"),
    "resend_approved": ("to be sent again", "state.queued"),
    "held": ("held", "state.paused"),
    "blocked": ("kept back", "state.skipped"),
    "sent": ("sent", "state.done"),
    "resolved_sent": ("sent, by your word", "state.done"),
}
"""State of a message → its words and its dot, most pressing first."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of the list. `failed`: items that steps could not handle, kept for another try."""

    run: RunRow
    brief: RunBrief
    is_running: bool
    failed: int = 0

    @property
    def is_interrupted(self) -> bool:
        """It was going on when the program ended, and nobody has resumed it; see `RunsStory.is_interrupted`."""
        return self.run.state in ("running", "queued") and not self.is_running

    @property
    def look(self) -> str:
        """The state whose colour it has."""
        return "stopped" if self.is_interrupted else self.run.state

    @property
    def state(self) -> str:
        return "interrupted" if self.is_interrupted else STATES[self.run.state].word

    @property
    def tone(self) -> Tone:
        return "bad" if self.run.state == "failed" else "default"

    @property
    def ran(self) -> timedelta:
        """How far the run's clock is from its start."""
        return (self.run.ended_at or self.run.at) - self.run.started_at

    @property
    def clock(self) -> str:
        """How its time passes."""
        if self.run.clock == "real":
            return "real time"
        return "as fast as it can" if self.run.clock == "max" else f"{self.run.clock} × faster"

    @property
    def can_resume(self) -> bool:
        return not self.is_running and self.run.state not in ("done", "failed")

    @property
    def can_stop(self) -> bool:
        return self.is_running or self.run.state not in FINAL_RUN_STATES

    @property
    def can_retry(self) -> bool:
        """Something failed: items, or the run itself (a source that could not be read is asked again)."""
        return self.failed > 0 or self.run.state == "failed"


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the send ledger."""

    id: str
    run_id: str
    node: str
    contact: str
    to: str
    state: str
    attempts: int
    reason: str

    @property
    def words(self) -> str:
        return OUTBOX_WORDS.get(self.state, (self.state, ""))[0]

    @property
    def colour(self) -> str:
        return OUTBOX_WORDS.get(self.state, ("", "state.idle"))[1]

    @property
    def icon(self) -> str:
        """The glyph of its state."""
        return STATES[self.colour.removeprefix("state.")].icon

    @property
    def is_in_doubt(self) -> bool:
        return self.state == "in_doubt"


def filtered(lines: Iterable[RunLine], *, group: str, mode: str, text: str) -> list[RunLine]:
    """Runs of a state group and mode (`all`: any) whose name, id or workflow holds every word of `text`."""
    words = text.casefold().split()
    return [
        line
        for line in lines
        if (group == "all" or line.run.state in STATE_GROUPS[group])
        and mode in ("all", line.run.mode)
        and all(word in f"{line.run.run_id} {line.run.name} {line.run.workflow_id}".casefold() for word in words)
    ]


def messages(rows: Iterable[Mapping[str, object]]) -> list[Message]:
    """The ledger's rows, each once, those in doubt first, then by how pressing they are."""
    order = {state: number for number, state in enumerate(OUTBOX_WORDS)}
    found = {str(row["id"]): _message(row) for row in rows}
    return sorted(found.values(), key=lambda message: order.get(message.state, len(order)))


def _message(row: Mapping[str, object]) -> Message:
    return Message(
        id=str(row["id"]),
        run_id=str(row["run_id"]),
        node=str(row["node"]),
        contact=str(row["contact"] or ""),
        to=str(row["to"] or ""),
        state=str(row["state"]),
        attempts=int(str(row["attempts"] or 0)),
        reason=str(row["reason"] or ""),
    )


def briefly(at: datetime) -> str:
    """`2 Mar 2026, 14:00`."""
    at = shown(at)
    return f"{at.day} {at:%b %Y, %H:%M}"


def summary(lines: Sequence[RunLine]) -> str:
    """How many runs there are, and how many go on or failed."""
    running = sum(line.is_running for line in lines)
    interrupted = sum(line.is_interrupted for line in lines)
    waiting = sum(line.run.state == "waiting" for line in lines)
    failed = sum(line.run.state == "failed" for line in lines)
    parts = [
        f"{number} {word}"
        for number, word in (
            (running, "running"),
            (interrupted, "interrupted"),
            (waiting, "waiting"),
            (failed, "failed"),
        )
        if number
    ]
    return ", ".join(parts) or "nothing is running"
