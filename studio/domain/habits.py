"""What usually follows what, learned from workflows: which step type comes next after an output of another.

Absent on purpose: what would be right; this counts what people do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from studio.domain.workflow import Workflow

_ANY = ""
_PORT_WEIGHT = 4.0
"""How much more a follower seen at the very output counts than one seen at another output of the same type."""


@dataclass(frozen=True, slots=True)
class Follower:
    """A step type that may come next: in how many of the workflows it did, and a score to rank by."""

    type_id: str
    workflows: int
    score: float


@dataclass(frozen=True, slots=True)
class Habits:
    """`next_of[type, port][follower]`: in how many workflows; port `""` is any. `first`: what workflows begin with."""

    next_of: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    first: Mapping[str, int] = field(default_factory=dict)
    workflows: int = 0

    def after(self, type_id: str, port: str | None = None) -> Sequence[Follower]:
        """What came next, the likeliest first; with a port what came next there counts most. Empty: never seen."""
        anywhere = self.next_of.get((type_id, _ANY), {})
        here = self.next_of.get((type_id, port), {}) if port is not None else {}
        found = [
            Follower(follower, here.get(follower, 0) or seen, seen + _PORT_WEIGHT * here.get(follower, 0))
            for follower, seen in anywhere.items()
        ]
        return sorted(found, key=lambda one: (-one.score, one.type_id))

    def starts(self) -> Sequence[Follower]:
        """What workflows begin with, the most frequent first."""
        found = [Follower(type_id, seen, float(seen)) for type_id, seen in self.first.items()]
        return sorted(found, key=lambda one: (-one.score, one.type_id))


def learn_habits(workflows: Iterable[Workflow]) -> Habits:
    """Counts each pair of type and follower once a workflow, so that one long workflow does not outvote the others."""
    next_of: dict[tuple[str, str], Counter[str]] = {}
    first: Counter[str] = Counter()
    number = 0
    for workflow in workflows:
        number += 1
        types = {node.id: node.type for node in workflow.nodes}
        entered = {edge.to[0] for edge in workflow.edges}
        first.update({node.type for node in workflow.nodes if node.id not in entered})
        pairs: set[tuple[str, str, str]] = set()
        for edge in workflow.edges:
            source, target = types.get(edge.from_[0]), types.get(edge.to[0])
            if source is not None and target is not None:
                pairs |= {(source, edge.from_[1], target), (source, _ANY, target)}
        for source, port, target in pairs:
            next_of.setdefault((source, port), Counter())[target] += 1
    return Habits(next_of, first, number)
