"""The debugger's panels put together: data, breakpoints, following a contact, comparing, the banner of a held run.

Wishes go out as signals, answers come in as values. Absent on purpose: the workspace, and holding a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from studio.analytics.paths import Journey
from studio.domain.debugging import Breakpoint
from studio.domain.port_words import Ways
from studio.domain.run import RunView
from studio.domain.staleness import Staleness
from studio.domain.workflow import Workflow
from studio.ui.canvas.breakpoints_panel import BreakpointsPanel
from studio.ui.canvas.compare_panel import ComparePanel
from studio.ui.canvas.data_preview import DataPreview
from studio.ui.canvas.dry_run_panel import DryRunPanel
from studio.ui.canvas.follow_panel import FollowPanel
from studio.ui.canvas.hold_banner import HoldBanner
from studio.ui.canvas.marks import Mark, Marks
from studio.ui.canvas.menus import SEPARATOR, Entry
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.timeline import Timeline
from studio.ui.canvas.way import way_marks

_MANY = 200


class DebugPanels(QObject):
    """Signals: `part_wanted(way, node_id)` with way `to` or `from`; `pin_wanted(node_id, pinned)`; those of the panels
    are read from the panels. `node_wanted(node_id)` asks to choose a step.
    """

    part_wanted = Signal(str, str)
    pin_wanted = Signal(str, bool)
    node_wanted = Signal(str)

    def __init__(self, scene: CanvasScene, timeline: Timeline) -> None:
        super().__init__()
        self._scene = scene
        self._timeline = timeline
        self._names: dict[str, str] = {}
        self._pinned: frozenset[str] = frozenset()
        self.data = DataPreview()
        self.follow = FollowPanel()
        self.compare = ComparePanel()
        self.breakpoints = BreakpointsPanel()
        self.dry_run = DryRunPanel()
        self.banner = HoldBanner()
        for place, (title, panel) in enumerate({"Data": self.data}.items(), start=1):
            timeline.tabs.insertTab(place, panel, title)
        for title, panel in {
            "Follow a contact": self.follow,
            "Compare runs": self.compare,
            "Breakpoints": self.breakpoints,
            "Dry run": self.dry_run,
        }.items():
            timeline.tabs.addTab(panel, title)
        self.follow.journey_shown.connect(self._show_way)
        self.breakpoints.changed.connect(lambda _all: self._show_aids())
        self.data.pin_wanted.connect(self.pin_wanted)
        self.dry_run.marks_changed.connect(lambda marks: self._scene.set_marks("dry", marks))
        for panel in (self.follow, self.compare, self.breakpoints, self.dry_run):
            panel.node_wanted.connect(self.node_wanted)
        timeline.instant_changed.connect(lambda _seq: self.data.look_again())
        timeline.live_wanted.connect(self.data.look_again)
        self.banner.data_wanted.connect(self.see_data)
        self.banner.breakpoints_wanted.connect(lambda: self.open(self.breakpoints))

    def set_steps(self, names: Mapping[str, str], ways: Ways) -> None:
        """Node id → what the canvas calls it, and its outputs; of the workflow now in front."""
        self._names = dict(names)
        self.breakpoints.set_steps(names, ways)
        self.data.set_ways(ways)
        self.compare.set_names(names)

    def set_aids(self, breakpoints: Sequence[Breakpoint], pinned: frozenset[str]) -> None:
        """The workflow's breakpoints and pinned steps."""
        self.breakpoints.set_breakpoints(breakpoints)
        self._pinned = pinned
        self._show_aids()

    def set_staleness(self, found: Mapping[str, Staleness]) -> None:
        """What a run left at each step beside the workflow as it is now; only what is stale is marked."""
        stale = {n: Mark("out of date", "state.warning") for n, one in found.items() if one.state == "stale"}
        self._scene.set_marks("stale", Marks(stale))

    def show_run(self, view: RunView | None) -> None:
        """The run in front, as it now is."""
        self.banner.show_run(view, self._names)

    def forget(self) -> None:
        """Another workflow or run is in front."""
        self.follow.clear()
        self.compare.clear()
        self.dry_run.clear()
        self.data.show_node(None)
        self._scene.set_marks("stale", Marks())

    def open(self, panel: object) -> None:
        """Brings one of the panels to the front."""
        self._timeline.show()
        self._timeline.tabs.show_page(panel)  # type: ignore[arg-type] - one of the tabs' pages

    def see_data(self, node_id: str) -> None:
        """The data of a step, in front."""
        self.node_wanted.emit(node_id)
        self.open(self.data)

    def correct(self, node_id: str) -> None:
        """Whom a step could not handle, in front, to be put right."""
        self.see_data(node_id)
        self.data.show_failed()

    def node_entries(self, node_id: str) -> Sequence[Entry]:
        """What a step's menu offers for debugging."""
        before = Breakpoint(when="before", node=node_id)
        on_error = Breakpoint(when="error", node=node_id)
        is_pinned = node_id in self._pinned
        lines = (
            Entry(self._offer("Hold before this step", before), lambda: self._toggle(before), changes=False),
            Entry(
                self._offer("Hold when it fails for somebody", on_error), lambda: self._toggle(on_error), changes=False
            ),
            Entry(
                f"Hold before more than {_MANY} people come",
                lambda: self._toggle(Breakpoint(when="count", node=node_id, more_than=_MANY)),
                changes=False,
            ),
            SEPARATOR,
            Entry("Run up to here", lambda: self.part_wanted.emit("to", node_id)),
            Entry("Run from here", lambda: self.part_wanted.emit("from", node_id)),
            Entry(
                "Unpin its data" if is_pinned else "Pin its data", lambda: self.pin_wanted.emit(node_id, not is_pinned)
            ),
            SEPARATOR,
            Entry("See its data", lambda: self.see_data(node_id), changes=False),
        )
        return (Entry("Debug", more=lines, changes=False), SEPARATOR)

    def edge_entries(self, node_id: str, port: str) -> Sequence[Entry]:
        """What an edge's menu offers for debugging."""
        empty = Breakpoint(when="empty", node=node_id, port=port)
        many = Breakpoint(when="count", node=node_id, port=port, more_than=_MANY)
        return (
            Entry(self._offer("Hold when nobody goes this way", empty), lambda: self._toggle(empty), changes=False),
            Entry(self._offer(f"Hold before more than {_MANY} go", many), lambda: self._toggle(many), changes=False),
            SEPARATOR,
        )

    def _offer(self, words: str, given: Breakpoint) -> str:
        is_set = any(str(known) == str(given) for known in self.breakpoints.breakpoints)
        return f"Do not {words[0].lower()}{words[1:]}" if is_set else words

    def _toggle(self, given: Breakpoint) -> None:
        self.breakpoints.toggle(replace(given))

    def _show_aids(self) -> None:
        words: dict[str, list[str]] = {}
        for given in self.breakpoints.breakpoints:
            if given.node is not None and "holds here" not in words.setdefault(given.node, []):
                words[given.node].append("holds here")
        for node_id in self._pinned:
            words.setdefault(node_id, []).append("pinned")
        marks = {node_id: Mark(" · ".join(said), "state.paused") for node_id, said in words.items()}
        self._scene.set_marks("hold", Marks(marks))
        self._timeline.tabs.set_title(self.breakpoints, self.breakpoints.title())

    def _show_way(self, journey: Journey | None) -> None:
        workflow: Workflow = self._scene.workflow
        self._scene.set_marks("way", way_marks(journey, workflow) if journey is not None else Marks())
