"""What a person calls an output: “time is up” for `timeout`, a variant's label for its id.

Absent on purpose: which outputs a step has (`NodeType.outputs`). A new output without words here is called by its name.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

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


def port_words(port: str, parameters: Mapping[str, JsonValue] | None = None) -> str:
    """The output in words, empty for the plain one. `parameters`: the step's settings, for ways they give labels.

    >>> port_words("timeout"), port_words("out"), port_words("no_answer")
    ('time is up', '', 'no answer')
    >>> port_words("A", {"variants": [{"id": "A", "label": "Short subject"}]})
    'Short subject'
    """
    return labels_of(parameters or {}).get(port) or _WORDS.get(port, port.replace("_", " "))


def labels_of(parameters: Mapping[str, JsonValue]) -> dict[str, str]:
    """Output → label, from every list of entries that have an id (variants, conditions, branches)."""
    return {
        str(entry["id"]): str(entry.get("label") or entry["id"])
        for value in parameters.values()
        for entry in (value if isinstance(value, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    }
