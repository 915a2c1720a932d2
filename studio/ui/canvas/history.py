"""A run's events kept for looking back: the view at any instant, and when each step was in which state.

Absent on purpose: fetching events; whoever opens a run hands them in, once and then as they come.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from studio.domain.node import Role
from studio.domain.run import RunEvent, RunView, StepView, fold
from studio.ui.canvas.status import shown_state

_VIEW_EVERY = 256
_ENDED = frozenset({"done", "stopped", "skipped", "warning"})
_DEEDS = frozenset({"step.ran", "step.sending"})
_ACTIVE = frozenset({"queued", "running", "waiting", "passed"})


@dataclass(frozen=True, slots=True)
class Span:
    """A step was in `state` from `start` to `end` on the run's clock; `end` None: it still is."""

    state: str
    start: datetime
    end: datetime | None = None


class RunHistory:
    """Append only. Looking back costs at most `_VIEW_EVERY` folds, however long the run was."""

    def __init__(self, run_id: str, roles: Mapping[str, Role] | None = None) -> None:
        self.run_id = run_id
        self.events: list[RunEvent] = []
        self.spans: dict[str, list[Span]] = {}
        self.deeds: dict[str, list[datetime]] = {}
        """When each step did something: handled people, or handed messages over."""
        self._roles = dict(roles or {})
        self._moments: list[datetime] = []
        self._views: list[RunView] = [RunView(run_id)]
        self._now = RunView(run_id)

    def add(self, events: Iterable[RunEvent]) -> Sequence[RunEvent]:
        """Takes what is new, and answers with it; events known already are passed over."""
        fresh = [event for event in events if event.seq > self._now.seq]
        for event in fresh:
            self._now = fold(self._now, (event,))
            self.events.append(event)
            # A late event may carry an earlier time; moments only ever go on, so that they can be searched.
            self._moments.append(max(event.at, self._moments[-1]) if self._moments else event.at)
            if len(self.events) % _VIEW_EVERY == 0:
                self._views.append(self._now)
            if event.node_id is not None:
                if event.kind in _DEEDS:
                    self.deeds.setdefault(event.node_id, []).append(event.at)
                self._note(event.node_id, self._now.step(event.node_id), event.at)
        return fresh

    @property
    def now(self) -> RunView:
        """The view after the last event."""
        return self._now

    @property
    def last_seq(self) -> int:
        return self._now.seq

    @property
    def bounds(self) -> tuple[datetime, datetime] | None:
        """First and last moment; None before the first event."""
        return (self._moments[0], self._moments[-1]) if self._moments else None

    def view_at(self, seq: int) -> RunView:
        """The fold of all events up to `seq`."""
        place = self._place(seq)
        kept = place // _VIEW_EVERY
        return fold(self._views[kept], self.events[kept * _VIEW_EVERY : place])

    def seq_at(self, moment: datetime) -> int:
        """The last event at or before a moment; the first one's when the moment lies before all."""
        place = bisect_right(self._moments, moment)
        return self.events[max(0, place - 1)].seq if self.events else 0

    def moment_of(self, seq: int) -> datetime | None:
        place = self._place(seq)
        return self._moments[place - 1] if place else None

    def next_instant(self, seq: int) -> int:
        """The last event of the next moment after that of `seq`: where one step forward leads."""
        place = self._place(seq)
        if place >= len(self.events):
            return self.last_seq
        return self.seq_at(self._moments[place])

    def previous_instant(self, seq: int) -> int:
        """The last event of the moment before that of `seq`; the first event when there is none before."""
        place = self._place(seq)
        if not place:
            return seq
        first = bisect_right(self._moments, self._moments[place - 1]) - 1
        while first > 0 and self._moments[first - 1] == self._moments[place - 1]:
            first -= 1
        return self.events[max(0, first - 1)].seq

    def _place(self, seq: int) -> int:
        """How many events there are up to `seq`."""
        return bisect_right(self.events, seq, key=lambda event: event.seq)

    def _note(self, node_id: str, step: StepView, at: datetime) -> None:
        spans = self.spans.setdefault(node_id, [])
        state = shown_state(step, self._roles.get(node_id))
        if state == "queued" and not spans:
            return
        last = spans[-1] if spans and spans[-1].end is None else None
        if last is not None and last.state == state:
            return
        if state in _ENDED:
            # What a step ended as colours its last span; being done takes no time.
            kept = last is not None and last.state not in _ACTIVE
            before = last if last is not None else Span(state, at)
            spans[-1 if last is not None else len(spans) :] = [Span(before.state if kept else state, before.start, at)]
        elif last is not None and last.state in _ACTIVE and state in _ACTIVE:
            # A step is at work and waits by turns, chunk by chunk: that is one bar, in the colour of now.
            spans[-1] = Span(state, last.start)
        else:
            if last is not None:
                spans[-1] = Span(last.state, last.start, at)
            spans.append(Span(state, at))
