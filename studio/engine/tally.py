"""Numbers and problems of one node in one stage, on their way to run events.

Absent on purpose: what makes them (`engine/stage.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from studio.domain.node import NodeContext
from studio.frames.few import Batch, Few

Contexts = Callable[[str], NodeContext]

SAMPLE = 5
"""People of a port that a stage remembers."""


@dataclass(slots=True)
class Tally:
    """What happened at one node: numbers of instances."""

    arrived: int = 0
    out: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    quarantined: int = 0
    duration_ms: float = 0.0
    attempt: int = 1
    figures: dict[str, float] = field(default_factory=dict)
    sample: dict[str, list[int]] = field(default_factory=dict)
    """Port → contact ids of the first few that left by it, for whoever wants to look at real people."""

    def note(self, port: str, batch: Batch) -> None:
        """Counts a batch that left by a port and remembers the first few people of it."""
        self.out[port] += batch.height
        known = self.sample.setdefault(port, [])
        if len(known) < SAMPLE:
            lacking = SAMPLE - len(known)
            if isinstance(batch, Few):
                known += batch.column("contact_id")[:lacking]
            else:
                known += batch.get_column("contact_id").head(lacking).to_list()


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem to be told at a node. `action` names what a person can start to mend it."""

    node_id: str
    code: str
    message: str
    hint: str
    count: int = 0
    sample: tuple[int, ...] = ()
    severity: Literal["error", "warning"] = "error"
    action: str | None = None
