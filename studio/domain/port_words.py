"""What a person calls an output: “time is up” for `timeout`, a variant's label for its id.

Absent on purpose: which outputs a step has (`NodeType.outputs`). A new output without words here is called by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from pydantic import JsonValue

from studio.domain.workflow import Workflow

PLAIN = "out"
"""The output of a step that has only one way on; it needs no name."""

_WORDS: Mapping[str, str] = {
    PLAIN: "",
    "timeout": "time is up",
    "deferred": "not now",
    "held": "left alone",
    "pass": "fits",
    "fail": "does not fit",
    "else": "everybody else",
    "reached": "goal reached",
    "missed": "date is past",
    "outside": "outside the hours",
    "exhausted": "no code left",
    "none": "nothing found",
    "undecided": "not decided yet",
    "body": "once more",
    "done": "enough rounds",
    "error": "failed here",
}


Ways: TypeAlias = Mapping[str, Mapping[str, str]]
"""Step → output → label, of steps whose settings give labels."""


def port_words(port: str, labels: Mapping[str, str] | None = None) -> str:
    """The output in words, empty for the plain one. `labels`: output → label, where the step gives them.

    >>> port_words("timeout"), port_words("out"), port_words("no_answer")
    ('time is up', '', 'no answer')
    >>> port_words("A", labels_of({"variants": [{"id": "A", "label": "Short subject"}]}))
    'Short subject'
    """
    return (labels or {}).get(port) or _WORDS.get(port, port.replace("_", " "))


def ways_of(workflow: Workflow) -> Ways:
    """What the workflow itself calls the ways out of its steps."""
    labels = {node.id: labels_of(node.parameters) for node in workflow.nodes}
    return {node_id: named for node_id, named in labels.items() if named}


def left_words(port: str, labels: Mapping[str, str] | None = None) -> str:
    """“left through “time is up””, or “went on”."""
    words = port_words(port, labels)
    return f"left through “{words}”" if words else "went on"


def labels_of(parameters: Mapping[str, JsonValue]) -> dict[str, str]:
    """Output → label, from every list of entries that have an id (variants, conditions, branches)."""
    return {
        str(entry["id"]): str(entry.get("label") or entry["id"])
        for value in parameters.values()
        for entry in (value if isinstance(value, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    }
