"""What the command palette and the window's keys can do while the canvas is in front.

Absent on purpose: the doing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from studio.ui.canvas.arranging import SIDES
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
        Action(id="canvas.tidy", title="Tidy layout", run=page.editor.tidy, shortcut="Ctrl+L", icon="wand-sparkles"),
        Action(id="canvas.fit", title="See the whole workflow", run=page.view.fit, icon="maximize"),
        Action(id="canvas.fit-selection", title="See the selected steps", run=page.view.fit_selection, icon="scan"),
        Action(
            id="canvas.find",
            title="Find in the workflow",
            run=page.stage.find_bar.open,
            shortcut="Ctrl+F",
            icon="search",
        ),
        Action(id="canvas.note", title="Add a note", run=page.menus.add_note, icon="sticky-note"),
        Action(id="canvas.group", title="Group the selected steps", run=page.menus.group, icon="square"),
        Action(id="canvas.tidy-selection", title="Tidy the selected steps", run=page.editor.tidy_selection),
        Action(id="canvas.replace", title="Replace the step with another kind", run=page.replace_step, icon="repeat"),
        Action(id="canvas.insert", title="Insert a step into the edge", run=page.prompts.insert_on_edge),
        *_aligning(page),
        Action(id="canvas.history", title="Show the history", run=page.show_history, icon="history"),
        Action(id="canvas.dry-run", title="Dry run: who, what, when, how much", run=page.show_dry_run, icon="scale"),
        Action(id="canvas.follow", title="Follow a contact", run=page.show_follow, icon="route"),
        Action(id="canvas.part", title="Go to the next part", run=partial(page.panes.go, 1), shortcut="F6"),
        Action(
            id="canvas.part-before", title="Go to the part before", run=partial(page.panes.go, -1), shortcut="Shift+F6"
        ),
        Action(id="canvas.outline", title="Show the outline", run=page.show_outline, icon="list-tree"),
        Action(id="canvas.problems", title="Show the problems", run=page.show_problems, icon="triangle-alert"),
    ]


def _aligning(page: CanvasPage) -> list[Action]:
    editor = page.editor

    def several() -> bool:
        return len(page.selection.nodes) > 1

    lines = [
        Action(id=f"canvas.align.{side}", title=words, run=partial(editor.align, side), is_enabled=several)
        for side, words in SIDES.items()
    ]
    spread = [
        Action(
            id=f"canvas.distribute.{way}",
            title=f"Distribute {way}",
            run=partial(editor.distribute, across=way == "across"),
            is_enabled=several,
        )
        for way in ("across", "down")
    ]
    return [*lines, *spread]


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
