"""Finds steps and notes by any of their words: name, kind, settings, note, id.

Absent on purpose: showing them (`find_bar.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from studio.domain.workflow import Node, Workflow
from studio.ui.canvas.annotations import MarkKey
from studio.ui.canvas.face import NodeFace
from studio.ui.canvas.navigation import reading_order

Hit = str | MarkKey
"""A node's id, or a note or group."""


def find(workflow: Workflow, faces: Mapping[str, NodeFace], query: str) -> list[Hit]:
    """What holds every word of the query, steps in reading order, then groups and notes. Empty for an empty query."""
    words = query.casefold().split()
    if not words:
        return []
    nodes = {node.id: node for node in workflow.nodes}
    found: list[Hit] = [n for n in reading_order(workflow) if _holds(_text_of(nodes[n], faces.get(n)), words)]
    found += [("group", i) for i, group in enumerate(workflow.groups) if _holds(group.title, words)]
    found += [("note", i) for i, note in enumerate(workflow.notes) if _holds(note.text, words)]
    return found


def _holds(text: str, words: list[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)


def _text_of(node: Node, face: NodeFace | None) -> str:
    shown = (face.title, face.kind, face.summary) if face is not None else ()
    return "\n".join((node.id, node.label, node.type, node.note, *shown, *_texts(dict(node.parameters))))


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)
