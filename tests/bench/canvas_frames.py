"""What a frame of the canvas costs in CPU time of the window's thread, printed as JSON lines.

Run `python tests/bench/canvas_frames.py [nodes …]`; it needs no display. Baselines are the figures of the technique's
prototype on the same kind of machine (software rendering, 1600×900); a ratio of 1 or less is as good or better.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from studio.domain.run import RunView, StepView
from studio.domain.workflow import Edge, Node, Workflow
from studio.nodes import catalogue
from studio.ui.canvas.document import Document
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.run_overlay import RunOverlay
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.selection import Selection
from studio.ui.canvas.view import CanvasView
from studio.ui.theme import theme

WARM_UP, ROUNDS = 60, 60
SETTINGS = {
    "send.email": {"subject": "A subject of some length", "body": "m1.en.mjml"},
    "flow.delay": {"duration": "P1D"},
    "audience.eligibility": {},
    "exp.split": {"variants": [{"id": "A"}, {"id": "B"}]},
}
STATES = ("queued", "running", "waiting", "done", "failed", "warning")
BASELINE = {
    (1_000, "repaint"): {"1": 5.3, "0.5": 9.8, "fit": 1.2},
    (1_000, "zoom_step"): {"1": 6.2, "0.5": 11.0, "fit": 1.7},
    (1_000, "pan"): {"1": 3.3, "0.5": 5.1},
    (1_000, "four_updates"): {"1": 4.5, "fit": 0.5},
    (5_000, "repaint"): {"1": 4.9, "0.5": 9.0, "fit": 2.5},
    (5_000, "zoom_step"): {"1": 6.3, "0.5": 9.8, "fit": 3.2},
    (5_000, "pan"): {"1": 3.1, "0.5": 5.1},
    (5_000, "four_updates"): {"1": 4.2, "fit": 2.8},
}


def big_workflow(count: int, rng: random.Random) -> Workflow:
    """`count` nodes in a lattice of 40 lines, about 1.2 edges a node."""
    nodes, edges = [], {}
    lines = 40
    for index in range(count):
        column, line = divmod(index, lines)
        type_id = rng.choice(tuple(SETTINGS))
        nodes.append(
            Node(
                id=f"n{index}",
                type=type_id,
                label=f"Step {index} of the test",
                position=(column * 260.0, line * 150.0 + rng.choice((0.0, 0.0, 20.0))),
                parameters=SETTINGS[type_id],
            )
        )
        for _ in range(1 + (rng.random() < 0.2)):
            turn = rng.choice((-1, 0, 0, 1)) if 0 < line < lines - 1 else 0
            back = index - lines + turn
            if 0 <= back < index:
                edges[back, index] = Edge.model_validate({"from": (f"n{back}", "out"), "to": (f"n{index}", "in")})
    return Workflow(name="bench", nodes=tuple(nodes), edges=tuple(edges.values()))


class Bench:
    def __init__(self, app: QApplication, count: int) -> None:
        self.app, self.count = app, count
        self.rng = random.Random(7)
        workflow, types = big_workflow(count, self.rng), catalogue()
        selection = Selection()
        begun = time.thread_time()
        scene = CanvasScene(types, selection)
        scene.sync(workflow)
        self.built = (time.thread_time() - begun) * 1000
        editor = CanvasEditor(Document(workflow, types), selection, scene)
        self.view = CanvasView(editor)
        self.view.resize(1600, 900)
        self.view.show()
        self.overlay = RunOverlay(scene)
        self.overlay.set_workflow(workflow, {n.id: types[n.type].declaration.role for n in workflow.nodes})
        self.steps = {n.id: self._step(n.id) for n in workflow.nodes}
        self.run = RunView("r", state="running", steps=dict(self.steps))
        self.overlay.show(self.run)
        self.overlay.flush()
        app.processEvents()

    def _step(self, node_id: str) -> StepView:
        return StepView(
            node_id,
            state=self.rng.choice(STATES),
            arrived=self.rng.randrange(10_000),
            out={"out": self.rng.randrange(10_000)},
            duration_ms=12.5,
        )

    def goto(self, zoom: str) -> None:
        if zoom == "fit":
            self.view.fit()
        else:
            self.view.set_zoom(float(zoom))
            self.view.centre_on(self.view.editor.scene.far.bounds().center())
        self.seen = sorted(self.view.editor.scene.nodes_within(self.view.seen()))
        self.app.processEvents()

    def repaint(self) -> None:
        self.view.viewport().update()

    def zoom_step(self) -> None:
        self.turn = not getattr(self, "turn", False)
        self.view.zoom_by(1.05 if self.turn else 1 / 1.05)

    def pan(self) -> None:
        self.turn = not getattr(self, "turn", False)
        self.view.pan_by(QPointF(24 if self.turn else -24, 16 if self.turn else -16))

    def four_updates(self) -> None:
        changed = self.rng.sample(self.seen, min(4, len(self.seen)))
        for node_id in changed:
            self.steps[node_id] = self._step(node_id)
        self.run = RunView("r", state="running", steps=dict(self.steps))
        self.overlay.show(self.run, changed)
        self.overlay.flush()

    def measure(self, action: Callable[[], None]) -> float:
        """Median milliseconds of CPU time of this thread for one frame."""
        costs = []
        for _ in range(WARM_UP):
            action()
            self.app.processEvents()
        for _ in range(ROUNDS):
            begun = time.thread_time()
            action()
            self.app.processEvents()
            costs.append((time.thread_time() - begun) * 1000)
        return statistics.median(costs)


def main(counts: list[int]) -> None:
    app = QApplication([])
    theme().install(app)
    for count in counts:
        bench = Bench(app, count)
        tell(f"canvas.build_ms.{count}_nodes", bench.built, None)
        for zoom in ("1", "0.5", "fit"):
            for action in (bench.repaint, bench.zoom_step, bench.pan, bench.four_updates):
                bench.goto(zoom)
                name = action.__name__
                cost = bench.measure(action)
                tell(f"canvas.{name}_ms.{count}_nodes.zoom_{zoom}", cost, BASELINE.get((count, name), {}).get(zoom))
        bench.view.close()


def tell(name: str, value: float, baseline: float | None) -> None:
    ratio = round(value / baseline, 2) if baseline else None
    line = {"name": name, "value": round(value, 2), "unit": "ms", "baseline": baseline, "ratio": ratio}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1_000, 5_000])
