"""The program's own texts as vectors, computed when they were written and shipped beside them.

So that asking takes one embedding, of the business itself. Another model than the one the shipped vectors are of embeds
the program's texts anew, once in a process. Absent on purpose: the model (a port).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from studio import resources
from studio.domain.ports import Embedder
from studio.gallery.archetypes import archetypes
from studio.gallery.examples import examples, gains

Floats = NDArray[np.float64]

RIDGE = 1.0
"""Strength of the regression from meaning to gains; vectors have length 1 and there are some 500 examples."""
LONGEST = 2_000
"""Characters of a business's text that are embedded: what it is stands at the front."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Unit vectors, row by row: `examples`, and `archetypes` twice, by description and by typical use.

    `slope` and `centre` give the gains that a business at a place in this space usually has:
    `mean gain + (vector − centre) @ slope` (ridge regression on the examples).
    """

    examples: Floats
    described: Floats
    typical: Floats
    centre: Floats
    slope: Floats


def own_texts() -> list[str]:
    """Every text that is compared with, in the order in which the shipped vectors stand."""
    kinds = archetypes()
    return [*(e.text for e in examples()), *(kind.text for kind in kinds), *(kind.typical_for for kind in kinds)]


def digest(texts: list[str]) -> str:
    """Tells whether vectors are of these very texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def vectors_of(embedder: Embedder) -> Vectors:
    """The program's texts in the model's space: shipped ones where they fit model and texts, else embedded now."""
    shipped = _shipped()
    return shipped[1] if shipped is not None and shipped[0] == embedder.name else _embedded(embedder)


def unit(rows: Floats) -> Floats:
    """Rows of length 1; a row of zeros stays."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


@cache
def _shipped() -> tuple[str, Vectors] | None:
    with np.load(resources.path("gallery", "vectors.npz"), allow_pickle=False) as file:
        if str(file["digest"]) != digest(own_texts()):
            return None
        return str(file["model"]), split(file["vectors"].astype(np.float64))


@lru_cache(maxsize=1)
def _embedded(embedder: Embedder) -> Vectors:
    return split(np.array(embedder.embed(own_texts()), dtype=np.float64))


def split(rows: Floats) -> Vectors:
    """Vectors from the rows of `own_texts`."""
    rows = unit(rows)
    known, kinds = len(examples()), len(archetypes())
    own = rows[:known]
    centre = own.mean(axis=0)
    spread = own - centre
    inner = spread.T @ spread + RIDGE * np.eye(spread.shape[1])
    slope = np.linalg.solve(inner, spread.T @ (gains() - gains().mean(axis=0)))
    return Vectors(own, rows[known : known + kinds], rows[known + kinds :], centre, slope)
