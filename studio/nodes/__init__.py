"""What a workflow is made of: one module per node type, found by looking, not by a list.

Absent on purpose: anything that runs a workflow, and imports between nodes; what several need lies beside the groups.
"""

from studio.nodes.discovery import catalogue

__all__ = ["catalogue"]
