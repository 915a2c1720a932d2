"""How alike a business is to typical ones, and how close to each archetype: by words always, by meaning with a model.

Absent on purpose: the model itself (a port), and cosines as confidence; what the parts are worth is learned
(`weights`), how sure an order is is calibrated (`calibration`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from studio.domain.ports import Embedder
from studio.gallery import examples
from studio.gallery.archetypes import archetypes
from studio.gallery.examples import Example, Floats
from studio.gallery.lexical import Index
from studio.gallery.meaning import LONGEST, Vectors, unit, vectors_of

WORDS_ONLY = "word overlap (BM25)"
_NEAR_IN_MEANING = 0.05
"""Temperature of cosines: an example 0.05 closer counts e times as much."""
_NEAR_IN_WORDS = 2.0
"""Temperature of BM25 scores."""
_OTHER_TYPE = 0.1
"""What an example of another type than the confirmed one still counts for."""
PARTS = ("meaning", "neighbours", "closeness", "words", "overlap")


@dataclass(frozen=True, slots=True)
class Likeness:
    """One value per archetype and part, in the order of `archetypes()`.

    meaning: usual gain at this place in the space. neighbours, words: mean gain of the examples alike in meaning, in
    words. closeness, overlap: the archetype's own text against the business's, standardised over archetypes. The three
    that need a model are zero without one. `weights`: of each example, as a neighbour. `engine` names what compared.
    """

    meaning: Floats
    neighbours: Floats
    closeness: Floats
    words: Floats
    overlap: Floats
    weights: Floats
    engine: str

    def types(self) -> Floats:
        """Share per business type among the neighbours, in the order of `business_types()`; sums to 1."""
        return self.weights @ examples.types()


def compare(text: str, embedder: Embedder | None = None, *, leave_out: int | None = None) -> Likeness:
    """Compares a business's text. One embedding with a model, O(examples) besides.

    `leave_out`: an example that is not looked at, for learning from the examples themselves.
    """
    by_words = np.array(_example_index().scores(text))
    overlap = _standardised(np.array(_archetype_index().scores(text)))
    near_words = _softmax(by_words / _NEAR_IN_WORDS, leave_out)
    words = near_words @ examples.gains()
    if embedder is None or not text.strip():
        zero = np.zeros(len(archetypes()))
        return Likeness(zero, zero, zero, words, overlap, near_words, WORDS_ONLY)
    own = vectors_of(embedder)
    vector = unit(np.array(embedder.embed([text[:LONGEST]]), dtype=np.float64))[0]
    near = _softmax(own.examples @ vector / _NEAR_IN_MEANING, leave_out)
    return Likeness(
        meaning=examples.gains().mean(axis=0) + (vector - own.centre) @ own.slope,
        neighbours=near @ examples.gains(),
        closeness=_standardised(_closeness(own, vector)),
        words=words,
        overlap=overlap,
        weights=near,
        engine=f"meaning ({embedder.name}) and words",
    )


def among_type(likeness: Likeness, type_number: int) -> Likeness:
    """The same business after a person confirmed its type: examples of that type count ten times the others."""
    of_type = np.where(examples.types()[:, type_number] > 0, 1.0, _OTHER_TYPE)
    near = likeness.weights * of_type
    near = near / near.sum()
    with_model = bool(likeness.neighbours.any())
    return Likeness(
        likeness.meaning,
        near @ examples.gains() if with_model else likeness.neighbours,
        likeness.closeness,
        likeness.words if with_model else near @ examples.gains(),
        likeness.overlap,
        near,
        likeness.engine,
    )


def nearest(likeness: Likeness, archetype_number: int) -> tuple[Example, float] | None:
    """The most alike example that uses the archetype, with its share among all; None when no neighbour does."""
    speaking = likeness.weights * examples.gains()[:, archetype_number]
    best = int(np.argmax(speaking))
    if speaking[best] <= 1 / len(speaking):
        return None
    return examples.examples()[best], float(likeness.weights[best])


def _closeness(own: Vectors, vector: Floats) -> Floats:
    return np.maximum(own.described @ vector, own.typical @ vector)


def _softmax(scores: Floats, leave_out: int | None) -> Floats:
    powers = np.exp(scores - scores.max())
    if leave_out is not None:
        powers[leave_out] = 0.0
    return powers / powers.sum()


def _standardised(values: Floats) -> Floats:
    return (values - values.mean()) / (values.std() + 1e-9)


@cache
def _archetype_index() -> Index:
    return Index.of([archetype.text for archetype in archetypes()])


@cache
def _example_index() -> Index:
    return Index.of([example.text for example in examples.examples()])
