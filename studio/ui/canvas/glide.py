"""Lets nodes glide to their new places after a tidy layout, so that the eye can follow where each went.

Absent on purpose: gliding where motion is to be reduced, or so many nodes that it would stutter.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEasingCurve, QObject, QPointF, QVariantAnimation

from studio.ui.canvas.scene import CanvasScene
from studio.ui.theme import theme

GLIDE_MS = 220
NODES_MAX = 200


class Glide(QObject):
    """One glide at a time; an edit in between ends it, because the scene is brought in step with the workflow then."""

    def __init__(self, scene: CanvasScene) -> None:
        super().__init__()
        self._scene = scene
        self._from: Mapping[str, QPointF] = {}
        self._to: dict[str, QPointF] = {}
        self._animation = QVariantAnimation(self)
        self._animation.setDuration(GLIDE_MS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._show)

    @property
    def is_under_way(self) -> bool:
        return self._animation.state() == QVariantAnimation.State.Running

    def begin(self, starts: Mapping[str, QPointF]) -> None:
        """Nodes that stand at their new places already come from these."""
        self.stop()
        moved = {n: place for n, place in starts.items() if n in self._scene.nodes}
        if theme().reduced_motion or not 0 < len(moved) <= NODES_MAX:
            return
        self._from = moved
        self._to = {n: QPointF(self._scene.nodes[n].pos()) for n in moved}
        self._show(0.0)
        self._animation.start()

    def stop(self) -> None:
        """At once where they belong."""
        if self.is_under_way:
            self._animation.stop()
            self._show(1.0)

    def _show(self, share: float) -> None:
        there = {n: self._to[n] for n in self._from if n in self._scene.nodes}
        self._scene.preview_move({n: self._from[n] + (end - self._from[n]) * share for n, end in there.items()})
