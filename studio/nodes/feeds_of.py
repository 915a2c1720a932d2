"""The port through which a node reads feeds."""

from __future__ import annotations

from studio.domain.node import NodeContext
from studio.domain.reading import Feeds


def feeds_of(context: NodeContext) -> Feeds:
    """Raises LookupError where nobody has given the run a reader of feeds."""
    if context.feeds is None:
        raise LookupError("nothing reads feeds here: give the engine a port for them")
    return context.feeds
