"""The run in front: its history, the instant looked at, and everybody on the page who shows it.

Absent on purpose: fetching events and steering the run; events come in, wishes go out by the page's signals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from studio.domain.node import Role
from studio.domain.run import RunEvent, RunView
from studio.ui.canvas.history import RunHistory
from studio.ui.canvas.inspector import Inspector
from studio.ui.canvas.run_bar import RunBar
from studio.ui.canvas.run_overlay import RunOverlay
from studio.ui.canvas.status import progress_of
from studio.ui.canvas.timeline import Timeline
from studio.ui.numbers import percent
from studio.ui.paced import Paced
from studio.ui.tokens import STATES
from studio.ui.widgets import StatePill


class RunWatch(QObject):
    """`state_changed(words)`: the run as a whole became something else; empty words when there is no run any more.
    `panels_shown`: what stands around the canvas shows the run as it is now; it does so a few times a second.
    """

    state_changed = Signal(str)
    panels_shown = Signal()

    def __init__(
        self,
        overlay: RunOverlay,
        timeline: Timeline,
        run_bar: RunBar,
        inspector: Inspector,
        roles: Callable[[], Mapping[str, Role]],
    ) -> None:
        super().__init__()
        self.live: RunView | None = None
        """The run as it now is, whatever instant is looked at."""
        self.history: RunHistory | None = None
        self._overlay = overlay
        self._timeline = timeline
        self._run_bar = run_bar
        self._inspector = inspector
        self._roles = roles
        self._pill: StatePill | None = None
        self._state = ""
        self._panels = Paced(self, self._show_panels)
        overlay.shown.connect(self._shown)
        timeline.instant_changed.connect(self._look_at)
        timeline.live_wanted.connect(self._show_present)

    @property
    def last_seq(self) -> int:
        """The last event known here; 0 without a run."""
        return self.history.last_seq if self.history is not None else 0

    def show(self, view: RunView | None, changed: set[str] | None = None) -> None:
        """The run as it now is; None: no run. While another instant is looked at, that stays in sight.

        `changed`: the steps that differ from the view shown before, when that is known.
        """
        if view is None:
            self.history = None
            self.live = None
            self._timeline.set_history(None)
            self._timeline.hide()
            self._overlay.show(None)
            return
        if self.history is not None and self.history.run_id != view.run_id:
            self.history = None
            self._timeline.set_history(None)
        self.live = view
        self._timeline.show()
        if self._timeline.seq is None:
            self._overlay.show(view, changed)

    def begin(self, history: RunHistory) -> None:
        """Another run, with what is known of it."""
        self.history = history
        self._timeline.set_history(history)
        self.show(history.now)

    def add_events(self, events: Sequence[RunEvent]) -> None:
        """Further events, in their order. Those of another run begin anew. They are folded and shown too."""
        if not events:
            return
        history = self.history
        if history is None or history.run_id != events[0].run_id:
            history = self.history = RunHistory(events[0].run_id, self._roles())
            self._timeline.set_history(history)
        fresh = history.add(events)
        self._timeline.events_added(fresh)
        if self.live is None or self.live.run_id != history.run_id or self.live.seq < history.last_seq:
            self.show(history.now, {event.node_id for event in fresh if event.node_id is not None})

    def pill(self) -> StatePill | None:
        """The run's state, for the top bar; it is kept up to date while it is there."""
        if self.live is None:
            self._pill = None
        elif self._pill is None or not self.has_pill:
            self._pill = StatePill(*_pill_words(self.live))
        else:
            self._pill.set_state(*_pill_words(self.live))
        return self._pill

    @property
    def has_pill(self) -> bool:
        """Whether the pill is still where it was put: what takes it away hides it."""
        return self._pill is not None and isValid(self._pill) and not self._pill.isHidden()

    def _shown(self, view: RunView | None) -> None:
        live = self.live
        before, self._state = self._state, live.state if live is not None else ""
        if view is not None and self._state == before:
            self._panels.ask()
            return
        self._panels.now()
        if self._state != before:
            words = f"Run {STATES[live.state].word}. {live.message}".strip() if live is not None else ""
            self.state_changed.emit(words)

    def catch_up(self) -> None:
        """Somebody looks elsewhere: what stands around the canvas is shown as it now is."""
        self._panels.catch_up()

    def _show_panels(self) -> None:
        self._inspector.show_run(self._overlay.view)
        self._run_bar.show_run(self.live)
        if self._pill is not None and self.has_pill and self.live is not None:
            self._pill.set_state(*_pill_words(self.live))
        self.panels_shown.emit()

    def _look_at(self, seq: int) -> None:
        if self.history is not None:
            self._overlay.show(self.history.view_at(seq))
            self._inspector.data.forget()

    def _show_present(self) -> None:
        if self.live is not None:
            self._overlay.show(self.live)
            self._inspector.data.forget()


def _pill_words(view: RunView) -> tuple[str, str]:
    done = progress_of(view)
    word = STATES[view.state].word
    # Of the messages known so far: a share of all there will be only while some are left.
    under_way = view.state in ("running", "paused") and done is not None and done < 1
    return view.state, f"{word} · {percent(done)}" if under_way else word
