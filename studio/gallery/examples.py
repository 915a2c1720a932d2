"""Typical businesses with the workflows that suit them: what a new business is compared with.

Written for this program, along the divisions of the usual classifications of trades; `resources/gallery/examples.json`.
Absent on purpose: real businesses, and labels from any measuring set; those only judge the ranking.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from studio.gallery import cues
from studio.gallery.archetypes import archetypes
from studio.gallery.business_types import business_types

Floats = NDArray[np.float64]

FIRST_GAIN = 1.0
ALSO_GAIN = 1 / 3
"""The gains of graded relevance, 2^grade − 1 with grade 2 for a first choice (Järvelin, Kekäläinen 2002), over 3."""
_TABLE_WEIGHT = 2.0
"""A type's own table counts as this many examples of the type."""
_TABLE_GAIN = 0.6
"""Mean gain of what the table calls a first choice: the table grades more finely than the examples do."""


@dataclass(frozen=True, slots=True)
class Example:
    """A typical business. `first`: archetypes that are a first choice there; `also`: those that suit."""

    type: str
    first: tuple[str, ...]
    also: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class _Examples:
    examples: tuple[Example, ...]


@cache
def examples() -> tuple[Example, ...]:
    """All examples, in the order of the file."""
    return cues.table("examples", _Examples).examples


@cache
def gains() -> Floats:
    """Examples × archetypes, in [0, 1]."""
    place = {archetype.id: number for number, archetype in enumerate(archetypes())}
    table = np.zeros((len(examples()), len(place)))
    for row, example in zip(table, examples(), strict=True):
        row[[place[name] for name in example.also]] = ALSO_GAIN
        row[[place[name] for name in example.first]] = FIRST_GAIN
    return table


@cache
def types() -> Floats:
    """Examples × business types: 1 where the example is of that type."""
    place = {kind.id: number for number, kind in enumerate(business_types())}
    return np.eye(len(place))[[place[example.type] for example in examples()]]


@cache
def type_gains() -> Floats:
    """Business types × archetypes: mean gain among the examples of a type, with the type's own table as a prior."""
    fit = np.array([[kind.fit.get(archetype.id, 0.0) for archetype in archetypes()] for kind in business_types()])
    counts = types().sum(axis=0)[:, None]
    return (types().T @ gains() + _TABLE_WEIGHT * _TABLE_GAIN * fit) / (counts + _TABLE_WEIGHT)
