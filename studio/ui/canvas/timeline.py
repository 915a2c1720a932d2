"""The panel below the canvas: when each step did what, the line that goes back in time, and the log in words.

Going back shows the run as it was then; the run itself goes on. Absent on purpose: folding the view for others; it says
which instant is looked at.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.domain.port_words import Ways
from studio.domain.run import RunEvent
from studio.ui.canvas.gantt import Gantt
from studio.ui.canvas.history import RunHistory
from studio.ui.canvas.words import LogLine, log_line, moment
from studio.ui.numbers import duration
from studio.ui.paced import Paced
from studio.ui.theme import theme
from studio.ui.widgets import Column, EmptyState, IconButton, LinkButton, LiveText, Table, Tabs
from studio.ui.widgets.layout import STRETCH, row

_PLAY_MS = 50
_PLAY_STEPS = 200
_LOG_MS = 100
_LOG_MAX = 20_000


class Timeline(QWidget):
    """Signals: `instant_changed(seq)` when another instant is looked at, `live_wanted` to see the present again,
    `node_chosen(node_id)` on a click at a step's name or a line of the log.
    """

    instant_changed = Signal(int)
    live_wanted = Signal()
    node_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._history: RunHistory | None = None
        self._names: Mapping[str, str] = {}
        self._ways: Ways = {}
        self._seq: int | None = None
        self._unread: list[RunEvent] = []
        self._lines: list[LogLine] = []
        self.gantt = Gantt()
        self.log: Table[LogLine] = Table("Log of the run", _log_columns())
        self.where = LiveText("", "secondary", "muted")
        self.back = IconButton("arrow-left", "One instant back", lambda: self.step(-1), size=16)
        self.forward = IconButton("arrow-right", "One instant on", lambda: self.step(1), size=16)
        self.play = IconButton("play", "Play the run", self.toggle_play, size=16)
        self.live = LinkButton("Back to now", self.go_live)
        self.tabs = Tabs("Course of the run", {"Timeline": self._gantt_page(), "Log": self.log})
        self._corner = QWidget()
        self._corner.setLayout(
            row(STRETCH, self.where, self.live, self.back, self.play, self.forward, spacing=4, margins=(0, 0, 10, 0))
        )
        self.tabs.setCornerWidget(self._corner)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 1, 0, 0)
        box.addWidget(self.tabs)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._player = QTimer(self, interval=_PLAY_MS)
        self._course = Paced(self, self._show)
        self._log_timer = QTimer(self, interval=_LOG_MS, singleShot=True)
        self._connect()
        self.set_history(None)

    def _connect(self) -> None:
        self._player.timeout.connect(self._play_on)
        self._log_timer.timeout.connect(self._show_log)
        self.tabs.currentChanged.connect(self._show_log)
        self.gantt.moved.connect(lambda at: self._look_at(self._seq_at(at)))
        self.gantt.stepped.connect(self.step)
        self.gantt.row_chosen.connect(self.node_chosen)
        self.log.row_chosen.connect(lambda line: self.node_chosen.emit(line.node_id) if line.node_id else None)
        self.log.row_opened.connect(lambda line: self._look_at(line.seq))

    def _gantt_page(self) -> QStackedWidget:
        self._stack = QStackedWidget()
        self._stack.addWidget(self.gantt)
        self._stack.addWidget(
            EmptyState("No run yet", "Press Run, and see here when each step did what.", icon="chart-line")
        )
        return self._stack

    def set_steps(self, rows: Sequence[tuple[str, str]], ways: Ways | None = None) -> None:
        """(node id, name) in reading order, and what their outputs are called."""
        self._names, self._ways = dict(rows), ways or {}
        self.gantt.set_rows(rows)
        if self._history is not None:
            self._rewrite_log()

    def set_history(self, history: RunHistory | None) -> None:
        """Another run; None: no run."""
        self._player.stop()
        self._history = history
        self._seq = None
        self._stack.setCurrentIndex(0 if history is not None and history.events else 1)
        self._rewrite_log()
        self._show()

    def events_added(self, events: Sequence[RunEvent]) -> None:
        """The history has grown by these."""
        self._unread.extend(events)
        if events and not self._log_timer.isActive():
            self._log_timer.start()
        if self._stack.currentIndex() and events:
            self._stack.setCurrentIndex(0)
        self._course.ask()

    def set_chosen(self, node_id: str | None) -> None:
        self.gantt.set_chosen(node_id)

    @property
    def seq(self) -> int | None:
        """The instant looked at; None: the present."""
        return self._seq

    def show_instant(self, at: datetime) -> None:
        """Lets canvas, counts and log stand as they did at a moment of the run."""
        if self._history is not None:
            self._look_at(self._history.seq_at(at))

    def step(self, direction: int) -> None:
        """To the next moment at which something happened, or to the one before."""
        history = self._history
        if history is None or not history.events:
            return
        now = self._seq if self._seq is not None else history.last_seq
        self._look_at(history.next_instant(now) if direction > 0 else history.previous_instant(now))

    def toggle_play(self) -> None:
        """Plays the run from the instant looked at, or from its beginning when that is the present."""
        if self._player.isActive():
            self._player.stop()
        elif self._history is not None and self._history.events:
            if self._seq is None or self._seq >= self._history.last_seq:
                self._look_at(self._history.events[0].seq)
            self._player.start()
        self._show()

    def go_live(self) -> None:
        """Looks at the present again."""
        self._player.stop()
        self._seq = None
        self._show()
        self._show_log()
        self.live_wanted.emit()

    def _play_on(self) -> None:
        history = self._history
        if history is None or self._seq is None or self._seq >= history.last_seq:
            self._player.stop()
            self._show()
            return
        # The whole run in about ten seconds, whatever the number of its events.
        jump = max(1, len(history.events) // _PLAY_STEPS)
        self._look_at(max(history.next_instant(self._seq), min(history.last_seq, self._seq + jump)), playing=True)

    def _seq_at(self, at: object) -> int:
        return self._history.seq_at(at) if self._history is not None else 0  # type: ignore[arg-type]

    def _look_at(self, seq: int, *, playing: bool = False) -> None:
        if not playing:
            self._player.stop()
        if seq != self._seq:
            self._seq = seq
            self._show()
            self._show_log()
            self.instant_changed.emit(seq)

    def _show(self) -> None:
        history = self._history
        bounds = history.bounds if history is not None else None
        has_run = bounds is not None
        for button in (self.back, self.forward, self.play):
            button.setVisible(has_run)
        self.live.setVisible(has_run and self._seq is not None)
        self.play.set_icon("pause" if self._player.isActive() else "play")
        if history is None or bounds is None:
            self.where.setText("")
            self.gantt.set_spans({}, {}, None, None)
            return
        self.gantt.set_spans(history.spans, history.deeds, *bounds)
        at = history.moment_of(self._seq) if self._seq is not None else bounds[1]
        self.gantt.set_mark(at, follow=self._seq is not None)
        assert at is not None
        said = f"{moment(at)} · {duration(at - bounds[0])} after the start"
        self.where.setText(f"replay at {said}" if self._seq is not None else said)
        self.play.setToolTip(f"Play the run; now {self.where.text()}")
        self._give_room()

    def _rewrite_log(self) -> None:
        self._unread = list(self._history.events) if self._history is not None else []
        self._lines = []
        self._show_log()

    def _show_log(self) -> None:
        # A run has thousands of events: they become sentences when somebody wants to read them.
        if self.tabs.currentWidget() is not self.log:
            return
        fresh, self._unread = self._unread[-_LOG_MAX:], []
        self._lines.extend(line for event in fresh if (line := log_line(event, self._names, self._ways)) is not None)
        del self._lines[:-_LOG_MAX]
        self.log.set_rows(self._lines_then())

    def _lines_then(self) -> list[LogLine]:
        """What the log said at the instant looked at, newest first."""
        known = len(self._lines)
        if self._seq is not None:
            known = bisect_right(self._lines, self._seq, key=lambda line: line.seq)
        return self._lines[:known][::-1]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._give_room()

    def _give_room(self) -> None:
        # The tabs come first; where the line stands is seen below, and told by the tooltip.
        tabs = self.tabs.tabBar().sizeHint().width()
        self.where.setVisible(tabs + self.where.sizeHint().width() + theme().px(150) <= self.width())

    def sizeHint(self) -> QSize:
        return QSize(600, theme().px(228))

    def minimumSizeHint(self) -> QSize:
        return QSize(320, theme().px(96))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().colour("surface"))
        painter.fillRect(0, 0, self.width(), 1, theme().colour("border"))


def _log_columns() -> list[Column[LogLine]]:
    return [
        Column(title="When", value=lambda line: line.at, text=lambda line: moment(line.at), tone=lambda _line: "muted"),
        Column(title="Step", value=lambda line: line.who),
        Column(title="What happened", value=lambda line: line.text, tone=lambda line: line.tone, width="stretch"),
    ]
