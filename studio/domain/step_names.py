"""What a step is called before people: its own name, or what its kind is called.

Absent on purpose: ids, which stand in files and on the command line.
"""

from __future__ import annotations

from studio.domain.validation import Catalogue
from studio.domain.workflow import Node


def step_name(node: Node, types: Catalogue) -> str:
    """The node's label, or its type's title, or its id where this program has no such type."""
    node_class = types.get(node.type)
    return node.label or (node_class.declaration.title if node_class else node.id)
