"""What a workflow is made of: one module per node type, found by looking, not by a list.

Absent on purpose: anything that runs a workflow, and imports between nodes; what several need lies beside the groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.domain.node import NodeType

__all__ = ["catalogue"]


def catalogue() -> Mapping[str, type[NodeType]]:
    """Node type id → class, by group and then by id; looked for when it is first asked."""
    from studio.nodes import discovery  # noqa: PLC0415 - the process that fills in texts needs no node types

    return discovery.catalogue()
