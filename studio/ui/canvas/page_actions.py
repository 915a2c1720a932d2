"""What the command palette and the window's keys can do while the canvas is in front.

Absent on purpose: the doing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from studio.ui.canvas.palette import declarations
from studio.ui.shell.actions import Action

if TYPE_CHECKING:
    from studio.ui.canvas.page import CanvasPage


def canvas_actions(page: CanvasPage) -> Sequence[Action]:
    """Everything, fixed actions first, then one for every node type."""
    return [*_fixed(page), *_adding(page)]


def _fixed(page: CanvasPage) -> list[Action]:
    return [
        Action(id="canvas.run", title="Run the workflow", run=page.run_bar.run.click, shortcut="F5", icon="play"),
        Action(id="canvas.undo", title="Undo", run=page.document.undo, shortcut="Ctrl+Z", icon="undo-2"),
        Action(id="canvas.redo", title="Redo", run=page.document.redo, shortcut="Ctrl+Shift+Z", icon="redo-2"),
        Action(id="canvas.tidy", title="Tidy layout", run=page.editor.tidy, icon="wand-sparkles"),
        Action(id="canvas.fit", title="See the whole workflow", run=page.view.fit, icon="maximize"),
        Action(id="canvas.outline", title="Show the outline", run=page.show_outline, icon="list-tree"),
        Action(id="canvas.problems", title="Show the problems", run=page.show_problems, icon="triangle-alert"),
    ]


def _adding(page: CanvasPage) -> list[Action]:
    return [
        Action(
            id=f"canvas.add.{about.id}",
            title=f"Add: {about.title}",
            run=partial(page.add_step, about.id),
            group="Add a step",
            icon=about.icon,
            keywords=about.summary,
        )
        for about in declarations(page.document.catalogue)
    ]
