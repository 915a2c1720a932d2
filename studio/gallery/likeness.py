"""How close a business's words are to archetypes and business types: word overlap, and meaning where a model is.

Absent on purpose: the model itself (a port) and cosines as confidence; they only order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from studio.domain.ports import Embedder
from studio.gallery.archetypes import archetypes
from studio.gallery.business_types import business_types
from studio.gallery.lexical import Index

WORDS_ONLY = "word overlap (BM25)"
_FAINT = 3.0
"""A BM25 score below about this is a chance meeting of words."""
_TEMPERATURE = 0.05
"""Cosines of one text with the business types lie within about 0.3 of each other."""
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Likeness:
    """`archetypes`: closeness in [0, 1] by id. `types`: relative likelihood by type id, empty without a model.

    `engine` names what compared.
    """

    archetypes: Mapping[str, float]
    types: Mapping[str, float]
    engine: str


def compare(text: str, embedder: Embedder | None = None) -> Likeness:
    """Compares a text. O(archetypes); with a model the program's own texts are embedded too: let it remember them."""
    ids = [archetype.id for archetype in archetypes()]
    scores = np.array(_index().scores(text))
    words = scores / (scores.max(initial=0.0) + _FAINT)
    if embedder is None or not text:
        return Likeness(dict(zip(ids, words.tolist(), strict=True)), {}, WORDS_ONLY)
    kinds = [f"{kind.title['en']}. {kind.about}" for kind in business_types()]
    vectors = _unit(embedder.embed([text[:_LONGEST], *kinds, *(archetype.text for archetype in archetypes())]))
    cosine = vectors[1:] @ vectors[0]
    to_types, to_archetypes = cosine[: len(kinds)], cosine[len(kinds) :]
    spread = float(np.ptp(to_archetypes)) or 1.0
    both = 0.5 * words + 0.5 * (to_archetypes - to_archetypes.min()) / spread
    types = np.exp((to_types - to_types.max()) / _TEMPERATURE)
    return Likeness(
        dict(zip(ids, both.tolist(), strict=True)),
        dict(zip((kind.id for kind in business_types()), types.tolist(), strict=True)),
        f"meaning ({embedder.name}) and word overlap",
    )


@cache
def _index() -> Index:
    return Index.of([archetype.text for archetype in archetypes()])


def _unit(vectors: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    rows = np.array(vectors, dtype=np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
