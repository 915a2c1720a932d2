"""What a frame of the canvas costs in CPU time of the window's thread, at every zoom, beside a plain scene of items.

Needs no display. The baseline is measured in the same run: the same graph as one item per node with child items for its
words, as Qt's examples do it. Absent on purpose: a graphics card; software rendering is the slowest case.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QApplication, QGraphicsPathItem, QGraphicsRectItem, QGraphicsScene, QGraphicsView

from studio.domain.run import RunView, StepView
from studio.domain.workflow import Edge, Node, Workflow
from studio.nodes import catalogue
from studio.ui.canvas import look
from studio.ui.canvas.document import Document
from studio.ui.canvas.edges import curve_between
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.run_overlay import RunOverlay
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.selection import Selection
from studio.ui.canvas.view import CanvasView
from studio.workspace.bench.figure import Figure

WARM_UP, ROUNDS = 30, 40
PLAIN_ROUNDS = 8
SETTINGS = {
    "send.email": {"subject": "A subject of some length", "body": "m1.en.mjml"},
    "flow.delay": {"duration": "P1D"},
    "audience.eligibility": {},
    "exp.split": {"variants": [{"id": "A"}, {"id": "B"}]},
}
STATES = ("queued", "running", "waiting", "done", "failed", "warning")
ZOOMS = ("1", "0.5", "0.25", "fit")
SIZE = 1600, 900
LINES = 40


def frames(counts: Sequence[int] = (1_000, 5_000)) -> Iterator[Figure]:
    """Milliseconds of CPU time per frame, medians: repaint, a zoom step, panning, 200 state updates a second."""
    for count in counts:
        workflow = big_workflow(count, np.random.default_rng(7))
        plain, bench = PlainBench(workflow), FrameBench(workflow)
        yield Figure(f"build_ms.{count}_nodes", round(bench.built, 1), "ms", round(plain.built, 1))
        for zoom in ZOOMS:
            for action in ("repaint", "zoom_step", "pan", "updates_200_per_s"):
                bench.goto(zoom)
                cost = bench.measure(getattr(bench, action), WARM_UP, ROUNDS)
                baseline = None
                if action != "updates_200_per_s":
                    plain.goto(zoom)
                    baseline = plain.measure(getattr(plain, action), 2, PLAIN_ROUNDS)
                yield _figure(f"{action}_ms.{count}_nodes.zoom_{zoom}", cost, baseline)
        bench.close()
        plain.close()


def _figure(name: str, value: float, baseline: float | None) -> Figure:
    ratio = round(value / baseline, 3) if baseline else None
    return Figure(name, round(value, 2), "ms", round(baseline, 2) if baseline is not None else None, ratio)


def big_workflow(count: int, rng: np.random.Generator) -> Workflow:
    """`count` nodes in a lattice of 40 lines, about 1.2 edges a node."""
    nodes, edges = [], {}
    for index in range(count):
        column, line = divmod(index, LINES)
        type_id = tuple(SETTINGS)[rng.integers(len(SETTINGS))]
        nodes.append(
            Node(
                id=f"n{index}",
                type=type_id,
                label=f"Step {index} of the test",
                position=(column * 260.0, line * 150.0 + float(rng.choice((0.0, 0.0, 20.0)))),
                parameters=SETTINGS[type_id],
            )
        )
        for _ in range(1 + (rng.random() < 0.2)):
            turn = int(rng.choice((-1, 0, 0, 1))) if 0 < line < LINES - 1 else 0
            back = index - LINES + turn
            if 0 <= back < index:
                edges[back, index] = Edge.model_validate({"from": (f"n{back}", "out"), "to": (f"n{index}", "in")})
    return Workflow(name="bench", nodes=tuple(nodes), edges=tuple(edges.values()))


class _Measured:
    """A view whose frames are timed."""

    view: QGraphicsView
    _turn = False

    def measure(self, action: Callable[[], None], warm_up: int, rounds: int) -> float:
        """Median milliseconds of CPU time of this thread for one frame."""
        costs = []
        for number in range(warm_up + rounds):
            begun = time.thread_time()
            action()
            QApplication.processEvents()
            if number >= warm_up:
                costs.append((time.thread_time() - begun) * 1000)
        return statistics.median(costs)

    def repaint(self) -> None:
        self.view.viewport().update()

    def _sign(self) -> int:
        self._turn = not self._turn
        return 1 if self._turn else -1

    def close(self) -> None:
        self.view.close()
        self.view.deleteLater()


class FrameBench(_Measured):
    """The canvas as it is in the window, with a run on it."""

    def __init__(self, workflow: Workflow) -> None:
        self.rng = np.random.default_rng(7)
        types = catalogue()
        selection = Selection()
        begun = time.thread_time()
        scene = CanvasScene(types, selection)
        scene.sync(workflow)
        self.built = (time.thread_time() - begun) * 1000
        self.view = CanvasView(CanvasEditor(Document(workflow, types), selection, scene))
        self.view.resize(*SIZE)
        self.view.show()
        self.overlay = RunOverlay(scene)
        self.overlay.set_workflow(workflow, {n.id: types[n.type].declaration.role for n in workflow.nodes})
        self.steps = {n.id: self._step(n.id) for n in workflow.nodes}
        self.overlay.show(RunView("r", state="running", steps=dict(self.steps)))
        self.overlay.flush()
        QApplication.processEvents()

    def _step(self, node_id: str) -> StepView:
        return StepView(
            node_id,
            state=STATES[self.rng.integers(len(STATES))],
            arrived=int(self.rng.integers(10_000)),
            out={"out": int(self.rng.integers(10_000))},
            duration_ms=12.5,
        )

    def goto(self, zoom: str) -> None:
        if zoom == "fit":
            self.view.fit()
        else:
            self.view.set_zoom(float(zoom))
            self.view.centre_on(self.view.editor.scene.far.bounds().center())
        self.seen = sorted(self.view.editor.scene.nodes_within(self.view.seen()))
        QApplication.processEvents()

    def zoom_step(self) -> None:
        self.view.zoom_by(1.05 ** self._sign())

    def pan(self) -> None:
        sign = self._sign()
        self.view.pan_by(QPointF(24 * sign, 16 * sign))

    def updates_200_per_s(self) -> None:
        """A sixtieth of a second of them: four."""
        changed = [str(n) for n in self.rng.choice(self.seen, min(4, len(self.seen)), replace=False)]
        for node_id in changed:
            self.steps[node_id] = self._step(node_id)
        self.overlay.show(RunView("r", state="running", steps=dict(self.steps)), changed)
        self.overlay.flush()


class PlainBench(_Measured):
    """The same graph the usual way: an item per node, its words as child items, an item per edge."""

    def __init__(self, workflow: Workflow) -> None:
        begun = time.thread_time()
        scene = QGraphicsScene()
        places = {node.id: node.position for node in workflow.nodes}
        for node in workflow.nodes:
            body = QGraphicsRectItem(0, 0, look.NODE_WIDTH, look.NODE_HEIGHT)
            body.setBrush(QBrush(QColor("white")))
            body.setPos(*node.position)
            for line, text in enumerate((node.label, "settings of it", "1,234 in · 12 ms")):
                words = scene.addSimpleText(text)
                words.setParentItem(body)
                words.setPos(50, 14 + 26 * line)
            scene.addItem(body)
        for edge in workflow.edges:
            scene.addItem(_plain_edge(places[edge.from_[0]], places[edge.to[0]]))
        self.built = (time.thread_time() - begun) * 1000
        self.view = QGraphicsView(scene)
        self._scene = scene
        self.view.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.view.resize(*SIZE)
        self.view.show()
        QApplication.processEvents()

    def goto(self, zoom: str) -> None:
        self.view.resetTransform()
        if zoom == "fit":
            self.view.fitInView(self._scene.itemsBoundingRect())
        else:
            self.view.scale(float(zoom), float(zoom))
            self.view.centerOn(self._scene.itemsBoundingRect().center())
        QApplication.processEvents()

    def zoom_step(self) -> None:
        factor = 1.05 ** self._sign()
        self.view.scale(factor, factor)

    def pan(self) -> None:
        sign = self._sign()
        for bar, step in ((self.view.horizontalScrollBar(), 24), (self.view.verticalScrollBar(), 16)):
            bar.setValue(bar.value() + step * sign)


def _plain_edge(source: tuple[float, float], target: tuple[float, float]) -> QGraphicsPathItem:
    line = QLineF(
        source[0] + look.NODE_WIDTH, source[1] + look.NODE_HEIGHT / 2, target[0], target[1] + look.NODE_HEIGHT / 2
    )
    path = QPainterPath(line.p1())
    path.cubicTo(*curve_between(line.p1(), line.p2())[1:])
    item = QGraphicsPathItem(path)
    item.setPen(QPen(QColor("grey"), 1.5))
    return item
