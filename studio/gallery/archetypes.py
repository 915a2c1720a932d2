"""The 36 kinds of marketing workflow, and how well a business's facts suit each of them.

Absent on purpose: templates. Archetypes without a template are scored too, so that ranking can be measured on all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from studio.domain.template import BusinessContext, Fact
from studio.gallery import cues, wording

_DOUBT = 2.0
"""What speaks against counts twice what speaks for: a shop without a cart cannot recover carts."""
_GOAL = 0.5


@dataclass(frozen=True, slots=True)
class Archetype:
    """One kind of workflow. `expects`: fact → weight when it holds (a negative weight speaks against)."""

    id: str
    title: Mapping[str, str]
    description: str
    typical_for: str
    expects: Mapping[str, float]
    goals: tuple[str, ...]

    @property
    def text(self) -> str:
        """What word overlap and embeddings compare a business with."""
        return f"{self.title['en']}. {self.description} {self.typical_for}"


@dataclass(frozen=True, slots=True)
class _Table:
    archetypes: tuple[Archetype, ...]


@cache
def archetypes() -> tuple[Archetype, ...]:
    """All archetypes, in the order of the file."""
    return cues.table("archetypes", _Table).archetypes


def fact_fit(archetype: Archetype, context: BusinessContext) -> tuple[float, Fact | None]:
    """How the known facts speak for the archetype, in [-1, 1], and the fact that says most; 0 and None without any."""
    total = 0.0
    loudest: tuple[float, Fact] | None = None
    for name, weight in archetype.expects.items():
        fact = context.fact(name)
        if fact is None or not isinstance(fact.value, bool):
            continue
        part = weight * fact.confidence * (1.0 if fact.value else -_DOUBT if weight > 0 else 0.0)
        total += part
        loudest = max(loudest or (0.0, fact), (abs(part), fact), key=lambda item: item[0])
    goal = context.fact("goal")
    if goal is not None and isinstance(goal.value, str) and wording.goal_id(goal.value) in archetype.goals:
        part = _GOAL * goal.confidence
        total += part
        loudest = max(loudest or (0.0, goal), (part, goal), key=lambda item: item[0])
    return math.tanh(total), loudest[1] if loudest else None
