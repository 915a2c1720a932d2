"""Lays the shipped templates out as the canvas tidies a workflow, and writes the places down: those of recipes into
`resources/templates/_shared/layout.json`, those of a template with a graph of its own into its file.

Templates laid out before keep their places unless named or changed: `python -m tools.lay_out_templates [ID …|all]`.
Absent on purpose: any use at run time.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from studio.domain.workflow import Workflow
from studio.gallery.catalogue import read_entry
from studio.gallery.recipe import FILE, read_shared
from studio.nodes import catalogue
from studio.ui.application import prepare
from studio.ui.canvas.document import Document
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.selection import Selection

FOLDER = Path("resources/templates")
TARGET = FOLDER / "_shared" / "layout.json"


def laid_out(workflow: Workflow) -> dict[str, list[float]]:
    """Node id → top left corner, with nothing above or left of the origin."""
    types, selection = catalogue(), Selection()
    document = Document(workflow, types)
    scene = CanvasScene(types, selection)
    scene.sync(workflow)
    places = {node.id: node.position for node in CanvasEditor(document, selection, scene).tidied(workflow).nodes}
    left, top = (min(place[axis] for place in places.values()) for axis in (0, 1))
    return {node_id: [x - left, y - top] for node_id, (x, y) in places.items()}


def write_into(file: Path, places: dict[str, list[float]]) -> None:
    """Changes nothing but the places, so that the difference can be read."""
    text = file.read_text(encoding="utf-8")
    for node_id, (x, y) in places.items():
        pattern = rf'("id": "{re.escape(node_id)}",(?:(?!"id":)[\s\S])*?"position": )\[[^\]]*\]'
        text, count = re.subn(pattern, rf"\g<1>[{x:g}, {y:g}]", text, count=1)
        assert count == 1, f"{file}: {node_id} has no place"
    file.write_text(text, encoding="utf-8")


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    prepare()
    wanted = set(sys.argv[1:])
    known = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.is_file() else {}
    shared = read_shared(FOLDER)
    kept: dict[str, dict[str, list[float]]] = {}
    for folder in sorted(path for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("_")):
        template = read_entry(folder, shared).template
        is_recipe = (folder / FILE).is_file()
        before = known.get(template.id, {})
        is_known = not is_recipe or set(before) == {node.id for node in template.workflow.nodes}
        if is_known and not wanted & {"all", template.id}:
            places = before
        else:
            places = laid_out(template.workflow)
            print(template.id)
        if is_recipe:
            kept[template.id] = places
        elif wanted & {"all", template.id}:
            write_into(folder / "template.json", places)
    text = json.dumps(kept, separators=(", ", ": "), sort_keys=True).replace("}, ", "},\n")
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
