"""Which ports a node has on the canvas, with their labels, also while its settings are incomplete.

Absent on purpose: what flows through them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue, ValidationError

from studio.domain.errors import UserFixable
from studio.domain.node import NodeType
from studio.domain.port_words import PLAIN, labels_of, port_words
from studio.domain.validation import Catalogue
from studio.domain.workflow import Node, Workflow
from studio.ui.canvas.specimen import specimen

ERROR_PORT = "error"
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Port:
    """An output: its name in the file, and what stands beside it (empty: nothing)."""

    name: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one node, in the order they are drawn. `complete` is False when they are a guess."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[Port, ...] = ()
    complete: bool = True

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(port.name for port in self.outputs)

    def label(self, name: str) -> str:
        return next((port.label for port in self.outputs if port.name == name), name)


def ports_of(workflow: Workflow, node: Node, catalogue: Catalogue, connected: tuple[str, ...] = ()) -> Ports:
    """The node's ports. `connected` are outputs that edges use: shown even when the node should not have them."""
    node_class = catalogue.get(node.type)
    if node_class is None:
        return Ports(("in",), tuple(Port(name, port_words(name)) for name in connected or (PLAIN,)), complete=False)
    values = _bound(workflow, node)
    names, complete = outputs_for(node_class, values)
    routed = (ERROR_PORT,) if node.on_error == "route" else ()
    more = tuple(name for name in (*routed, *connected) if name not in names)
    labels = labels_of(values)
    shown = tuple(Port(name, port_words(name, labels)) for name in dict.fromkeys((*names, *more)))
    return Ports(node_class.declaration.inputs, shown, complete)


def outputs_for(node_class: type[NodeType], values: Mapping[str, JsonValue]) -> tuple[tuple[str, ...], bool]:
    """Output names for these settings, and whether the settings are right. Wrong ones are left out or filled in."""
    tried: Mapping[str, JsonValue] = values
    for attempt in range(_ROUNDS):
        try:
            return node_class(node_class.Parameters.model_validate(tried)).outputs(), attempt == 0
        except ValidationError as error:
            tried = _repaired(tried, error, node_class.Parameters)
        except UserFixable:
            # The settings are each right but not together: what the type does by default is the best guess.
            tried = specimen(node_class.Parameters)
    return (), False


def _repaired(
    values: Mapping[str, JsonValue], error: ValidationError, model: type[BaseModel]
) -> Mapping[str, JsonValue]:
    """The settings without the wrong ones: of a list the wrong entries go, anything else gives way to a default."""
    mended: dict[str, JsonValue] = dict(values)
    spare = specimen(model)
    bad_entries: dict[str, set[int]] = {}
    for item in error.errors():
        place = item["loc"]
        if not place:
            return spare
        name = str(place[0])
        if len(place) > 1 and isinstance(place[1], int) and isinstance(mended.get(name), list):
            bad_entries.setdefault(name, set()).add(place[1])
        elif name in spare:
            mended[name] = spare[name]
        else:
            mended.pop(name, None)
    for name, bad in bad_entries.items():
        entries = mended.get(name)
        if isinstance(entries, list):  # a list that is wrong as a whole, too, has given way already
            mended[name] = [entry for index, entry in enumerate(entries) if index not in bad]
    return mended


def _bound(workflow: Workflow, node: Node) -> Mapping[str, JsonValue]:
    try:
        return workflow.bound(node)
    except UserFixable:
        return node.parameters
