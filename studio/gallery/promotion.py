"""A template parameter's value that won its experiment and is now the default. Absent on purpose: storing it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Promoted:
    """`evidence` says which test it won and by how much; `confidence` in [0, 1] is the test's."""

    value: JsonValue
    evidence: str
    confidence: float = 0.9
